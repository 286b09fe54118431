import { afterAll, beforeAll, describe, expect } from 'vitest';
import { isVmRunning } from '../../domain/vms/vm-states.js';
import type { Operation } from '../../schemas/operations/operation.js';
import { type Deed, everyStep } from '../support/every-step.js';
import { newWorld, type World } from '../support/world.js';
import { development } from '../support/world-server.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development });
});
afterAll(() => world.stop());

const others = [{ name: 'db' }];

/** Services that tries leave, by how many VMs role web has there: others begin from them, rather than make their own. */
const left = new Map<number, number[]>();

/** All that there should be runs and nothing else, and each VM was made once. */
async function hasVms(service: number, cardinality: number): Promise<void> {
  const { state, roles } = await world.service(service);
  expect({
    state,
    roles: roles.map((role) => [role.name, role.state, role.cardinality, role.operation ?? null]),
  }).toEqual({
    state: 'RUNNING',
    roles: [
      ['web', 'RUNNING', cardinality, null],
      ['db', 'RUNNING', 1, null],
    ],
  });
  const vms = await world.vms(service);
  expect(vms).toHaveLength(cardinality + 1);
  expect(vms.filter(isVmRunning)).toHaveLength(vms.length);
  for (const { _id } of vms) expect(world.hypervisor.timesMade(_id), `VM ${_id}`).toBe(1);
}

const scaling = (from: number, to: number): Deed => ({
  prepare: async () =>
    left.get(from)?.pop() ?? (await world.running([{ name: 'web', cardinality: from }, ...others])).id,
  ask: (service) => world.scale(service ?? -1, 'web', to),
  again: async (service) => ((await world.service(service)).state === 'RUNNING' ? null : world.recover(service)),
  arrived: (service) => hasVms(service, to),
  leaves: (service) => {
    left.set(to, [...(left.get(to) ?? []), service]);
  },
  cancelled: async (service) => {
    const { state, roles } = await world.service(service);
    return `${state} ${roles[0]?.state} ${roles[0]?.reason}`;
  },
  afterCancel: /^FAILED_SCALING FAILED_SCALING (cancelled|\d of \d VMs run.*|\d VMs are there.*)$/,
  stops: 0,
  over: 'endOperation',
});

const deeds: Record<string, Deed> = {
  'scaleRole that makes VMs': scaling(1, 3),
  'scaleRole that removes VMs': scaling(3, 1),
};

/** How often each VM of the services that actions leave was made. */
const madeSoFar = new Map<number, number>();
const spare: number[] = [];

/** A VM at a time; each is done its part once, whoever goes on. */
const performing: Deed = {
  prepare: async () => spare.pop() ?? (await world.running([{ name: 'web', cardinality: 2 }])).id,
  ask: (service) => world.perform(service ?? -1, 'web', { action: 'recreate', number: 1, period: 0 }),
  again: async (service) => {
    const last = await lastPerformance(service);
    return last?.state === 'succeeded' ? null : world.retry(last?._id ?? '');
  },
  steps: /actions/,
  settles: (service) => expect.poll(() => openOf(service)).toBe(0),
  arrived: async (service) => {
    await performing.settles?.(service);
    const vms = await world.vms(service, 'web');
    expect(vms.filter(isVmRunning)).toHaveLength(2);
    for (const { _id } of vms) {
      madeSoFar.set(_id, (madeSoFar.get(_id) ?? 1) + 1);
      expect(world.hypervisor.timesMade(_id), `VM ${_id}`).toBe(madeSoFar.get(_id));
    }
  },
  leaves: (service) => {
    spare.push(service);
  },
  cancelled: async (service) => (await world.service(service)).state,
  afterCancel: /^RUNNING$/,
  stops: 0,
};
const lastPerformance = (service: number) =>
  world.store.operations.model
    .findOne({ kind: 'performOnRole', 'resource.id': service })
    .sort({ _id: -1 })
    .lean<Operation>()
    .exec();
const openOf = async (service: number): Promise<number> =>
  world.store.operations.model.countDocuments({
    ...{ 'resource.type': 'vm', ended_at: null },
    'resource.id': { $in: (await world.vms(service, 'web')).map(({ _id }) => _id) },
  });
deeds.performOnRole = performing;

const inTurn = Object.entries(deeds).map(([name, deed], at) => [name, deed, at] as const);
describe.each(inTurn)('%s', (_, deed, at) => everyStep(() => world, deed, at));

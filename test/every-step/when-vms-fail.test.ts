import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Problem } from '../../domain/problems.js';
import { isVmRunning } from '../../domain/vms/vm-states.js';
import type { Answer } from '../../schemas/operations/question.js';
import { type Deed, everyStep } from '../support/every-step.js';
import { type FailurePolicy, newWorld, type World } from '../support/world.js';
import { development } from '../support/world-server.js';

/** In every service the first VM of role web cannot be deployed; neither can a VM of its own at its first try. */
let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development });
  const tried = new Set<number>();
  world.hypervisor.beforeEach = async ({ call, vm: id }) => {
    if (call !== 'deploy' || id === null) return;
    const { service } = await world.vm(id);
    const first = !tried.has(id);
    tried.add(id);
    if (service ? service.role === 'web' && service.ordinal === 0 : first)
      throw new Problem('deploy_refused', 'there is no such image');
  };
});
afterAll(() => world.stop());

const roles = (failure_policy: FailurePolicy) => [
  { name: 'web', cardinality: 2, failure_policy },
  { name: 'child', parents: ['web'] },
];

async function lastOperation(type: 'service' | 'vm', id: number) {
  const last = await world.store.operations.lastOf({ type, id });
  if (!last) throw new Error(`nothing was asked of ${type} ${id}`);
  return last;
}

const stateOf = async (service: number): Promise<string> => (await world.service(service)).state;

/** All that there should be runs, and nothing else; each VM was made once for each epoch. */
async function serviceRuns(service: number): Promise<void> {
  const { state, roles: all } = await world.service(service);
  expect({ state, roles: new Set(all.map((role) => role.state)) }).toEqual({
    state: 'RUNNING',
    roles: new Set(['RUNNING']),
  });
  const vms = await world.vms(service);
  expect(vms.filter(isVmRunning)).toHaveLength(all.reduce((sum, { cardinality }) => sum + cardinality, 0));
  expect(vms).toHaveLength(vms.filter(isVmRunning).length);
  for (const { _id } of vms) madeOncePerEpoch(_id);
}

function madeOncePerEpoch(vm: number): void {
  const made = world.hypervisor.journal.filter(
    (entry) => entry.vm === vm && /^(created|replaced)$/.test(entry.outcome),
  );
  expect(new Set(made.map(({ epoch }) => epoch)).size, `VM ${vm}`).toBe(made.length);
}

/** What the owner of a service does: answers, if asked, else recovers. */
async function goOn(service: number, reply: Answer): Promise<{ op: string } | null> {
  if ((await stateOf(service)) === 'RUNNING') return null;
  const last = await lastOperation('service', service);
  return last.state === 'waiting_for_you' ? world.answer(last._id, reply) : world.retry(last._id);
}

async function asking(): Promise<number> {
  const { id, op } = await world.deploy(roles({ finally: 'wait' }));
  expect((await world.server.skipping(world.ended(op))).state).toBe('waiting_for_you');
  return id;
}

const answered = (reply: Answer): Deed => ({
  prepare: asking,
  ask: async (service) => world.answer((await lastOperation('service', service ?? -1))._id, reply),
  again: (service) => goOn(service, reply),
  tries: 2,
  arrived: serviceRuns,
  cancelled: stateOf,
  afterCancel: /^FAILED_DEPLOYING$/,
});

const deeds: Record<string, Deed> = {
  'deployService of a role with a failure policy': {
    prepare: async () => null,
    ask: () => world.deploy(roles({ retries: 1, replacements: 1 }).slice(0, 1)),
    again: (service) => goOn(service, 'retry'),
    arrived: serviceRuns,
    cancelled: stateOf,
    afterCancel: /^FAILED_DEPLOYING$/,
  },
  'deployService that asks a person': {
    prepare: async () => null,
    ask: () => world.deploy(roles({ finally: 'wait' })),
    again: (service) => goOn(service, 'retry'),
    tries: 2,
    arrived: serviceRuns,
    cancelled: stateOf,
    afterCancel: /^FAILED_DEPLOYING$/,
    comesTo: 'waiting_for_you',
  },
  'deployService that was answered retry': answered('retry'),
  'deployService that was answered skip': answered('skip'),
  'deployVm that is tried again': {
    prepare: async () => {
      const { id, op } = await world.createVm();
      expect((await world.ended(op)).state).toBe('failed');
      return id;
    },
    ask: async (vm) => world.retry((await lastOperation('vm', vm ?? -1))._id),
    again: async (vm) => (isVmRunning(await world.vm(vm)) ? null : world.retry((await lastOperation('vm', vm))._id)),
    arrived: async (vm) => {
      expect(isVmRunning(await world.vm(vm))).toBe(true);
      madeOncePerEpoch(vm);
    },
    cancelled: async (vm) => (await world.vm(vm)).lcm_state,
    afterCancel: /^(PROLOG_FAILURE|BOOT_FAILURE)$/,
    stops: 0,
  },
};

const inTurn = Object.entries(deeds).map(([name, deed], at) => [name, deed, at] as const);
describe.each(inTurn)('%s', (_, deed, at) => everyStep(() => world, deed, at));

import type { Connection } from 'mongoose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { permissionsOf } from '../../domain/identity/permission-bits.js';
import type { Role, Service } from '../../schemas/services/service.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { connectMongodb } from '../../store/mongo/connection.js';
import { createStore, type Store } from '../../store/store.js';
import { seeded } from '../support/cluster-chance.js';
import { deployingService } from '../support/deploying-service.js';
import { madeVm } from '../support/made-vm.js';
import { quotaDisagreements } from '../support/quota-books.js';
import { ownDatabaseUri } from '../support/servers.js';
import { inLanes, Racer } from './starting-racers.js';

const ownerOf = (id: number) => ({ uid: 10_000 + id, gid: 20_000 + id, permissions: permissionsOf('600') });
const capacity = { cpu: 100, memory: 64 };
const charged = { services: 1, vms: 6, cpu: 600, memory: 384 };
let databaseUri: string;
let connection: Connection;
let store: Store;
beforeAll(async () => {
  databaseUri = ownDatabaseUri('scaling-races');
  const first = await connectMongodb(databaseUri);
  await bootstrapStore(first);
  await first.close();
  connection = await connectMongodb(databaseUri);
  store = createStore(connection);
});
afterAll(async () => {
  await connection?.dropDatabase();
  await connection?.close();
});

/** A service of three roles of two VMs each, on which nobody is at work; its first VM is on its way out by hand. */
function made(id: number, { over, role }: Pick<Race, 'over' | 'role'>): { service: Service; vms: Vm[] } {
  const service = deployingService(id, 'none');
  const roles = service.roles.map(
    (each, at): Role => ({ ...each, state: 'RUNNING', cardinality: 2, ...(at === 0 && role) }),
  );
  const capacities = { front: capacity, middle: capacity, back: capacity };
  const going = { operation: 'end', wanted: 'end', lcm_state: 'SHUTDOWN' } as const;
  const vms = roles.flatMap(({ name }, at) =>
    [0, 1].map((ordinal) =>
      madeVm({
        ...{ _id: id * 10 + 2 * at + ordinal, ...ownerOf(id), capacity, service: { id, role: name, ordinal } },
        // What is amiss of a role is what its VMs say.
        ...{ state: 'ACTIVE', lcm_state: at === 0 && ordinal === 1 && role ? 'UNKNOWN' : 'RUNNING' },
        ...(at === 0 && ordinal === 0 && { ...going, hold: { op: 'end', epoch: 1, attempt: 0 } }),
      }),
    ),
  );
  const free = { state: 'RUNNING', operation: null, roles, charge: charged, capacities } as const;
  return { service: { ...service, ...ownerOf(id), ...free, ...over }, vms };
}

const isId = (answer: string): boolean => /^[0-9A-Z]{26}$/.test(answer);
const scale = (service: number, role: string, cardinality: number) => ({ ask: 'scale', service, role, cardinality });

type Race = {
  over?: Partial<Service>;
  role?: Partial<Role>;
  asks: (service: number) => [unknown, unknown];
  /** What is wrong with how it came out; null: nothing. */
  wrong: (one: string, other: string, service: Service) => string | null;
};

const races: Record<string, Race> = {
  'two scalings of one role': {
    asks: (service) => [scale(service, 'front', 4), scale(service, 'front', 3)],
    wrong: (one, other, { roles: [front] }) => {
      const [won, cardinality, lost] = isId(one) ? [one, 4, other] : [other, 3, one];
      if (!isId(won) || lost !== 'operation_in_progress') return 'not one of them was admitted';
      return front?.operation === won && front.cardinality === cardinality ? null : 'the other one has the role';
    },
  },
  'scalings of two roles': {
    asks: (service) => [scale(service, 'front', 4), scale(service, 'back', 1)],
    wrong: (one, other, { roles: [front, , back] }) =>
      front?.operation === one && front.cardinality === 4 && back?.operation === other && back.cardinality === 1
        ? null
        : 'they were not both admitted',
  },
  'a scaling and an undeployment': {
    asks: (service) => [scale(service, 'front', 4), { ask: 'undeploy', service }],
    wrong: (one, other, { wanted, roles: [front] }) => {
      if (wanted !== other) return 'the undeployment was not admitted';
      return (front?.operation ?? null) === (isId(one) ? one : null)
        ? null
        : 'a scaling is there that was not admitted';
    },
  },
  'a scaling and a repair': {
    over: { state: 'WARNING' },
    role: { state: 'WARNING' },
    asks: (service) => [scale(service, 'front', 4), { ask: 'recover', service }],
    wrong: (one, other, { operation, roles: [front] }) => {
      const [won, lost] = isId(one) ? [one, other] : [other, one];
      if (!isId(won) || lost !== 'operation_in_progress') return 'not one of them was admitted';
      return operation === null && front?.operation === won ? null : 'the role is in other hands';
    },
  },
  'a scaling and a repair of another role': {
    over: { state: 'WARNING' },
    role: { state: 'WARNING' },
    asks: (service) => [scale(service, 'back', 4), { ask: 'recover', service }],
    wrong: (one, other, { roles: [front, , back] }) =>
      isId(one) && isId(other) && front?.operation === other && back?.operation === one
        ? null
        : 'they were not both admitted',
  },
  'a scaling and the end of a VM by hand': {
    asks: (service) => [scale(service, 'front', 4), { ask: 'end', vm: service * 10 }],
    wrong: (one, _, { roles: [front] }) =>
      isId(one) && (front?.cardinality === 4 || front?.cardinality === 3) ? null : 'the scaling was not admitted',
  },
};

const kinds = Object.entries(races);
function raceOf(id: number): [string, Race] {
  const found = kinds[id % kinds.length];
  if (!found) throw new Error('there are no races');
  return found;
}

it('operations on roles and on their services race from two processes, each kind 1,000 times: each finds what it may have, and all is charged', async () => {
  const rounds = 1_000 * kinds.length;
  const chance = seeded('ARCUS_RACE_SEED');
  const all = Array.from({ length: rounds }, (_, id) => made(id, raceOf(id)[1]));
  await store.services.model.insertMany(all.map(({ service }) => service));
  await store.vms.model.insertMany(all.flatMap(({ vms }) => vms));
  const limits = { services: -1, vms: -1, cpu: -1, memory: -1 };
  const { user, group } = store.quotas.models;
  await user.insertMany(all.map(({ service: { uid } }) => ({ _id: uid, limits, used: charged })));
  await group.insertMany(all.map(({ service: { gid } }) => ({ _id: gid, limits, used: charged })));
  const [one, other] = [
    await Racer.start('ask-services.js', databaseUri),
    await Racer.start('ask-services.js', databaseUri),
  ];

  const outcomes: Record<string, Record<string, number>> = {};
  const wrong: string[] = [];
  await inLanes(rounds, 8, async (id) => {
    const [name, { asks, wrong: look }] = raceOf(id);
    const [first, second] = asks(id);
    const answers = await Promise.all([
      one.play(z.string(), chance() * 60, first),
      other.play(z.string(), chance() * 60, second),
    ]);
    const service = await store.services.find(id);
    const fault = service ? look(answers[0], answers[1], service) : 'the service is gone';
    if (fault) wrong.push(`${name}, service ${id}: ${fault} (${answers.join(', ')})`);
    const outcome = answers.map((answer) => (isId(answer) ? 'admitted' : answer)).join(' / ');
    outcomes[name] = { ...outcomes[name], [outcome]: (outcomes[name]?.[outcome] ?? 0) + 1 };
  });
  console.error(`race of scalings: ${JSON.stringify(outcomes)}`);
  expect(wrong).toEqual([]);
  expect(await quotaDisagreements(store)).toEqual([]);
  // A race in which one side always wins shows nothing.
  for (const name of ['two scalings of one role', 'a scaling and an undeployment', 'a scaling and a repair'])
    expect(Object.keys(outcomes[name] ?? {}).length, name).toBeGreaterThan(1);
});

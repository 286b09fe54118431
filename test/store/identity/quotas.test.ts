import fc from 'fast-check';
import type { Connection } from 'mongoose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../../../domain/identity/caller.js';
import { chargeOfVm, isSameAmounts } from '../../../domain/identity/quotas.js';
import { Problem } from '../../../domain/problems.js';
import { createOperations, type Operations } from '../../../requests/operations.js';
import { unconditional } from '../../../requests/precondition.js';
import { defaultPermissions } from '../../../schemas/common/common.js';
import type { Amounts } from '../../../schemas/identity/amounts.js';
import { countedDefaults } from '../../../schemas/identity/quota.js';
import type { Vm } from '../../../schemas/vms/vm.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { createDirectory, type MongodbDirectory } from '../../../store/identity/mongodb-directory.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { within, withTransaction } from '../../../store/mongo/transaction.js';
import { createStore, type Store } from '../../../store/store.js';
import { idleEngine } from '../../support/idle-engine.js';
import { madeVm } from '../../support/made-vm.js';
import { noSealer, noStorages } from '../../support/no-storages.js';
import { addUser } from '../../support/people.js';
import { quotaDisagreements } from '../../support/quota-books.js';
import { ownDatabaseUri } from '../../support/servers.js';

const callers: readonly Caller[] = [
  { id: 2, name: 'alice', gid: 1, groups: [1, 0], rules: [] },
  { id: 3, name: 'bob', gid: 1, groups: [1, 0], rules: [] },
  { id: 4, name: 'carol', gid: 0, groups: [0], rules: [] },
  { id: 0, name: 'oneadmin', gid: 0, groups: [0], rules: [] },
  { id: 0, name: 'oneadmin', gid: 7, groups: [7, 0], rules: [] },
];
const [alice] = callers as [Caller];
const all = (amount: number): Amounts => ({ services: amount, vms: amount, cpu: amount, memory: amount });
const size = chargeOfVm({ cpu: 150, memory: 64 });

let connection: Connection;
let store: Store;
let operations: Operations;
let small = -1;
/** As many processes more, each with its own connection. */
const others: { connection: Connection; operations: Operations }[] = [];

const operationsOn = (over: Store, directory: MongodbDirectory): Operations =>
  createOperations({
    ...{
      store: over,
      directory,
      engine: idleEngine,
      settings: { temporalUiUrl: undefined, failedLogins: 10 },
      storages: noStorages,
      sealer: noSealer,
    },
    onDelayed: () => {},
  });

beforeAll(async () => {
  const uri = ownDatabaseUri('quotas');
  const preparing = await connectMongodb(uri);
  await bootstrapStore(preparing);
  await preparing.close();
  connection = await connectMongodb(uri);
  store = createStore(connection);
  const directory = createDirectory(connection);
  operations = operationsOn(store, directory);
  for (const name of ['alice', 'bob', 'carol']) await addUser(directory, name, { password_hash: '' });
  const seven = { _id: 7, name: 'seven', admins: [], create: { users: [], admins: [] }, shared_view: false };
  await directory.groups.model.create([{ ...seven, created_at: new Date() }]);
  const template = { CPU: 1.5, MEMORY: 64, VCPU: undefined };
  for (let more = 0; more < 7; more++) {
    const own = await connectMongodb(uri);
    others.push({ connection: own, operations: operationsOn(createStore(own), createDirectory(own)) });
  }
  small = (await operations.vmTemplates.create(alice, { name: 'small', template })).id;
});
afterAll(async () => {
  for (const { connection: own } of others) await own.close();
  await connection.dropDatabase();
  await connection.close();
});
beforeEach(empty);

async function empty(): Promise<void> {
  for (const name of ['vms', 'services', 'operations', 'user_quotas', 'group_quotas'])
    await connection.collection(name).deleteMany({});
  await store.quotas.setDefaults({ user: { ...all(-2), ...countedDefaults }, group: all(-2) });
}

const used = async (type: 'user' | 'group', id: number) => (await store.quotas.find({ type, id }))?.used;
const drift = async () => (await store.quotas.balances()).filter(({ used: said, sum }) => !isSameAmounts(said, sum));
const books = async (after?: string): Promise<void> => {
  expect(await quotaDisagreements(store), after).toEqual([]);
  expect(await drift(), after).toEqual([]);
};

const createVm = (caller: Caller, idempotencyKey?: string, by = operations) =>
  by.vms.create(
    caller,
    { template_id: small },
    { requestId: 'test', ...(idempotencyKey !== undefined && { idempotencyKey }) },
  );

async function createService(caller: Caller, cardinality: number): Promise<number> {
  const name = crypto.randomUUID();
  const roles = [{ name: 'web', cardinality, vm_template: small }];
  const body = {
    name,
    roles: roles.map((role) => ({ ...role, parents: [] })),
    deployment: 'none',
    ready_status_gate: false,
  };
  const template = await operations.serviceTemplates.create(caller, { ...body, deployment: 'none' });
  const { resource } = await operations.serviceTemplates.instantiate(caller, template.id, {}, { requestId: 'test' });
  return resource.id;
}

/** What the run of a termination comes to; the last move is made twice, as by two tries. */
async function endVm(id: number): Promise<void> {
  const vm = await store.vms.find(id);
  if (!vm || vm.state === 'DONE') return;
  const move = { vm, event: 'done' as const, set: { ended_at: new Date() }, release: true };
  await Promise.all([store.vms.transition([move]), store.vms.transition([move])]);
}

/** A VM of a service that somebody is terminating, without a host yet. */
async function nodeOf(service: number): Promise<Vm> {
  const [id, of] = [await store.counters.one('vm'), await store.services.find(service)];
  const { uid = 2, gid = 1 } = of ?? {};
  const node = {
    ...{ _id: id, name: `web_${id}`, uid, gid, permissions: defaultPermissions, template_id: small, template: {} },
    ...{ state: 'PENDING' as const, lcm_state: 'LCM_INIT' as const, reason: null, user_template: {}, history: [] },
    ...{ capacity: { cpu: 150, memory: 64 }, service: { id: service, role: 'web', ordinal: id } },
    ...{ deploy_id: null, epoch: 1, hold: { op: `end-${id}`, epoch: 1, attempt: 0 }, operation: `end-${id}` },
    ...{ wanted: `end-${id}`, created_at: new Date(), ended_at: null },
  };
  await connection.collection<Vm>('vms').insertOne(node);
  return node;
}

/** Its termination by hand, as two tries, and a third that was overtaken and thaws when all is over. */
async function endNode(vm: Vm): Promise<void> {
  const move = { vm, event: 'done' as const, set: { ended_at: new Date() }, release: true };
  await Promise.all([store.vms.transition([move]), store.vms.transition([move])]);
  expect(await store.vms.move([move])).toMatchObject({ moved: 0 });
}

/** What the run of an undeployment comes to; its end is said twice. */
async function endService(id: number, remove: boolean): Promise<void> {
  const asking = remove
    ? operations.services.remove(callers[3] as Caller, id, { requestId: 'test' })
    : operations.services.undeploy(callers[3] as Caller, id, {}, { requestId: 'test' });
  const { id: op } = await asking;
  const before = await store.services.find(id);
  if (before?.operation) await store.endings.end(before.operation, cancelled);
  await store.operations.claim(op, 'a-run');
  await store.services.begin(id, op, 'undeploy');
  await store.services.model.updateOne({ _id: id, operation: op }, { $set: { 'roles.$[].state': 'DONE' } });
  await Promise.all([store.endings.end(op, { state: 'succeeded' }), store.endings.end(op, { state: 'succeeded' })]);
}
const cancelled = { state: 'cancelled', error: { code: 'cancelled', detail: 'cancelled' } } as const;

describe('charges', () => {
  it('of a VM of its own go to its user and group, and come back when it is DONE', async () => {
    const { resource } = await createVm(alice);
    expect([await used('user', 2), await used('group', 1)]).toEqual([size, size]);
    await endVm(resource.id);
    expect([await used('user', 2), await used('group', 1)]).toEqual([all(0), all(0)]);
    await books();
  });

  it('of a service are for the whole of it, and come back when it is DONE or removed', async () => {
    const [one, other] = [await createService(alice, 3), await createService(alice, 2)];
    expect(await used('user', 2)).toEqual({ services: 2, vms: 5, cpu: 750, memory: 320 });
    await endService(one, false);
    expect(await used('user', 2)).toEqual({ services: 1, vms: 2, cpu: 300, memory: 128 });
    await endService(one, true);
    await endService(other, true);
    expect(await used('user', 2)).toEqual(all(0));
    await books();
  });

  it('of a service fall with each VM that somebody terminates, once, and with none that it ends itself', async () => {
    const service = await createService(alice, 4);
    const nodes = await Promise.all([1, 2, 3].map(() => nodeOf(service)));
    await Promise.all(nodes.map(endNode));
    expect(await used('user', 2)).toEqual({ services: 1, vms: 1, cpu: 150, memory: 64 });
    expect((await store.services.find(service))?.roles[0]?.cardinality).toBe(1);
    const own = await nodeOf(service);
    await store.vms.model.updateOne({ _id: own._id }, { $set: { operation: null, wanted: null } });
    await endNode({ ...own, operation: null, wanted: null });
    expect((await used('user', 2))?.vms).toBe(1);
    await books();
    await endService(service, false);
    expect(await used('user', 2)).toEqual(all(0));
    await books();
  });

  it('are made once for a request that is repeated under its key', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => createVm(alice, 'once')));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(await used('user', 2)).toEqual(size);
    await books();
  });

  it('are nothing for objects from before there were any', async () => {
    const { resource } = await createVm(alice);
    await store.vms.model.updateOne({ _id: resource.id }, { $unset: { charge: '' } });
    await store.quotas.models.user.deleteMany({});
    await store.quotas.models.group.deleteMany({});
    await endVm(resource.id);
    expect(await used('user', 2)).toBeUndefined();
    await books();
  });

  it('of a VM whose end loses its guard stay', async () => {
    const { resource } = await createVm(alice);
    const vm = (await store.vms.find(resource.id)) as Vm;
    await store.vms.take('another', [vm], new Set());
    expect(await store.vms.move([{ vm, event: 'done', release: true }])).toMatchObject({ moved: 0 });
    expect(await used('user', 2)).toEqual(size);
    await books();
  });
});

describe('limits', () => {
  it('of the user are looked at before those of the group; nothing is written', async () => {
    await store.quotas.setLimits({ type: 'user', id: 2 }, { vms: 0 });
    await store.quotas.setLimits({ type: 'group', id: 1 }, { vms: 0 });
    const count = () => store.vms.model.countDocuments();
    await expect(createVm(alice)).rejects.toMatchObject({ quota: { quota: 'vms', holder: { type: 'user', id: 2 } } });
    await store.quotas.setLimits({ type: 'user', id: 2 }, { vms: -1 });
    await expect(createVm(alice)).rejects.toMatchObject({ quota: { quota: 'vms', holder: { type: 'group', id: 1 } } });
    expect([await count(), await store.operations.model.countDocuments()]).toEqual([0, 0]);
    await books();
  });

  it('that are the default follow it', async () => {
    await store.quotas.setDefaults({ user: { vms: 1 } });
    await createVm(alice);
    await expect(createVm(alice)).rejects.toMatchObject({ quota: { limit: 1, used: 1, asked: 1 } });
    await store.quotas.setDefaults({ user: { cpu: 10_000 } });
    await expect(createVm(alice)).rejects.toMatchObject({ quota: { limit: 1 } });
    await store.quotas.setLimits({ type: 'user', id: 2 }, { vms: -2 });
    await createVm(alice);
    await books();
  });

  it('are kept by admissions that come at once to eight processes, before anything was ever charged', async () => {
    await store.quotas.setDefaults({ user: { vms: 10 } });
    const processes = [operations, ...others.map((other) => other.operations)];
    const asking = Array.from({ length: 40 }, (_, at) => createVm(alice, undefined, processes[at % 8]));
    const results = await Promise.allSettled(asking);
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(refusals.filter((reason) => !(reason instanceof Problem && reason.code === 'quota_exceeded'))).toEqual([]);
    expect(refusals).toHaveLength(30);
    expect((await used('user', 2))?.vms).toBe(10);
    await books();
  });
});

describe('quotas on addresses and images', () => {
  it('let exactly as many through as there are left, whoever asks at once in eight processes', async () => {
    const oneadmin = callers[3] as Caller;
    const ranges = [{ type: 'IP4' as const, ip: '10.0.0.1', size: 50 }];
    const wish = { name: 'raced', vn_mad: 'dummy' as const, address_ranges: ranges };
    const { id } = await operations.networks.create(alice, wish);
    const template = { CPU: 1, MEMORY: 64, VCPU: undefined, NIC: [{ NETWORK_ID: String(id) }] };
    const { id: template_id } = await operations.vmTemplates.create(alice, { name: 'raced', template });
    const key = `network/${id}/leases`;
    await store.quotas.setLimits({ type: 'user', id: alice.id }, { on: { [key]: 5 } });
    const processes = [operations, ...others.map((other) => other.operations)];
    const results = await Promise.allSettled([
      ...processes.flatMap((by) => [1, 2].map(() => by.vms.create(alice, { template_id }, { requestId: 'test' }))),
      ...processes.map((by, at) => by.networks.reserve(alice, id, { name: `raced-${at}`, size: 2 })),
    ]);
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(refusals.filter((reason) => !(reason instanceof Problem && reason.code === 'quota_exceeded'))).toEqual([]);
    const taken = await store.leases.count(id);
    expect((await used('user', 2))?.on?.[key]).toBe(taken);
    // A reservation of two finds no room where one is left.
    expect([4, 5]).toContain(taken);
    await books();
    for (const { _id } of await store.vms.model.find({ state: 'PENDING' }).lean<Vm[]>().exec()) await endVm(_id);
    for (const { _id } of await store.networks.model.find({ parent: id }).lean().exec())
      await operations.networks.remove(oneadmin, _id, unconditional);
    expect(await store.leases.count(id)).toBe(0);
    expect(await used('user', 2)).toMatchObject({ vms: 0 });
    await books();
    await operations.networks.remove(oneadmin, id, unconditional);
  });
});

describe('an object that is given away', () => {
  const give = async (id: number, to: { uid: number; gid: number }) =>
    withTransaction(connection, async (transaction) => {
      const vm = await store.vms.model
        .findOneAndUpdate({ _id: id }, { $set: to }, within(transaction))
        .lean<Vm>()
        .orFail()
        .exec();
      await store.quotas.moveCharge(vm, to, vm.charge, transaction);
    });

  it('takes its charge with it, and who stays is not asked', async () => {
    const { resource } = await createVm(alice);
    await store.quotas.setLimits({ type: 'group', id: 1 }, { vms: 0 });
    await give(resource.id, { uid: 3, gid: 1 });
    expect([await used('user', 2), await used('user', 3), await used('group', 1)]).toEqual([all(0), size, size]);
    await give(resource.id, { uid: 0, gid: 0 });
    expect([await used('user', 3), await used('group', 1)]).toEqual([all(0), all(0)]);
    await books();
  });

  it('stays where it is when the new owner may not have so much', async () => {
    const { resource } = await createVm(alice);
    await store.quotas.setLimits({ type: 'user', id: 3 }, { cpu: 100 });
    await expect(give(resource.id, { uid: 3, gid: 1 })).rejects.toMatchObject({ quota: { quota: 'cpu', limit: 1 } });
    expect((await store.vms.find(resource.id))?.uid).toBe(2);
    expect(await used('user', 2)).toEqual(size);
    await books();
  });
});

describe('what is counted of a user', () => {
  const processes = () => [operations, ...others.map((other) => other.operations)];
  const body = () => ({ name: crypto.randomUUID(), template: { CPU: 1, MEMORY: 64, VCPU: undefined } });
  const bob: Caller = { id: 3, name: 'bob', gid: 1, groups: [1, 0], rules: [] };
  const serviceTemplate = () => ({
    ...{ name: crypto.randomUUID(), deployment: 'none' as const, ready_status_gate: false },
    roles: [{ name: 'web', cardinality: 1, vm_template: small, parents: [] }],
  });
  const made = {
    vm_templates: (by: Operations) => by.vmTemplates.create(bob, body()),
    service_templates: (by: Operations) => by.serviceTemplates.create(bob, serviceTemplate()),
    operations: (by: Operations) => createVm(bob, undefined, by),
  };
  const kinds = ['vm_templates', 'service_templates', 'operations'] as const;

  it.each(kinds)('never goes beyond its limit, whoever asks at once in eight processes: %s', async (kind) => {
    for (const name of ['service_templates', 'vm_templates'])
      await connection.collection(name).deleteMany({ uid: bob.id });
    await store.quotas.setDefaults({ user: { [kind]: 10 } });
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, (_, at) => made[kind](processes()[at % 8] ?? operations)),
    );
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(refusals).toHaveLength(30);
    for (const refusal of refusals)
      expect(refusal).toMatchObject({ code: 'quota_exceeded', quota: { quota: kind, limit: 10, used: 10, asked: 1 } });
    expect((await store.quotas.counts([bob.id])).get(bob.id)?.[kind]).toBe(10);
    await books();
  });

  it('is asked of whoever is given a template, and stays where it is beyond a limit', async () => {
    const { id } = await operations.vmTemplates.create(alice, body());
    await made.vm_templates(operations);
    await store.quotas.setLimits({ type: 'user', id: bob.id }, { vm_templates: 0 });
    const given = store.ownership.changeOf('vm_template')(id, {
      ...{ after: (seen) => ({ ...seen, uid: bob.id }), allow: () => {}, compare: async () => {}, names: {} },
    });
    await expect(given).rejects.toMatchObject({ quota: { quota: 'vm_templates', limit: 0 } });
    expect((await store.vmTemplates.find(id))?.uid).toBe(alice.id);
    await expect(made.vm_templates(operations)).rejects.toMatchObject({ quota: { limit: 0 } });
    const { items } = await operations.vmTemplates.list(bob, { limit: 100 });
    for (const template of items.filter(({ uid }) => uid === bob.id))
      await operations.vmTemplates.remove(bob, template.id, unconditional);
    await store.quotas.setLimits({ type: 'user', id: bob.id }, { vm_templates: 1 });
    await made.vm_templates(operations);
  });

  it('is never a reason to refuse what takes away', async () => {
    const { resource } = await createVm(bob);
    await store.quotas.setLimits({ type: 'user', id: bob.id }, { operations: 0 });
    await expect(createVm(bob)).rejects.toMatchObject({ quota: { quota: 'operations' } });
    await operations.vms.terminate(bob, resource.id, { hard: true }, { requestId: 'test' });
  });

  it('is added up to the same words each time: what two looks do not see alike is called no drift', async () => {
    const on = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`datastore/${at}/size`, at]));
    const charge = { services: 0, vms: 1, cpu: 0, memory: 0, on };
    const state = { state: 'ACTIVE', lcm_state: 'RUNNING' } as const;
    await store.vms.model.create([7_001, 7_002].map((_id) => madeVm({ _id, ...state, uid: bob.id, gid: 1, charge })));
    const said = new Set<string>();
    for (let look = 0; look < 20; look++) said.add(JSON.stringify(await store.quotas.balances()));
    expect(said.size).toBe(1);
    await store.vms.model.deleteMany({ _id: { $in: [7_001, 7_002] } });
  });

  it('binds nobody who is never counted', async () => {
    await store.quotas.setDefaults({ user: { vm_templates: 0, operations: 0 } });
    const oneadmin = callers[3] as Caller;
    await operations.vmTemplates.create(oneadmin, body());
    await createVm(oneadmin);
  });
});

describe('what is said to be used', () => {
  it('is counted again only as long as it is what was seen', async () => {
    await createVm(alice);
    await store.quotas.models.user.updateOne({ _id: 2 }, { $inc: { 'used.cpu': 5 } });
    const [seen] = await drift();
    if (!seen) throw new Error('the drift was not seen');
    expect(seen).toEqual({ holder: { type: 'user', id: 2 }, used: { ...size, cpu: 155 }, sum: size });
    await createVm(alice);
    expect(await store.quotas.recount(seen)).toBe(false);
    const [now] = await drift();
    expect(now && (await store.quotas.recount(now))).toBe(true);
    await books();
  });

  it('is counted again where there is nothing yet', async () => {
    await createVm(alice);
    await store.quotas.models.user.deleteMany({});
    for (const seen of await drift()) expect(await store.quotas.recount(seen)).toBe(true);
    await books();
  });
});

/** Something that somebody does; `pick` chooses among what is there. */
type Deed =
  | { do: 'vm' | 'repeat'; who: number }
  | { do: 'service'; who: number; cardinality: number }
  | { do: 'endVm' | 'endNode' | 'fail' | 'give'; pick: number; who: number }
  | { do: 'endService'; pick: number; remove: boolean }
  | { do: 'limit'; who: number; vms: number; ofGroup: boolean }
  | { do: 'dies'; who: number };

const who = fc.nat(callers.length - 1);
const pick = fc.nat(20);
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('vm' as const, 'repeat' as const), who }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('service' as const), who, cardinality: fc.integer({ min: 0, max: 4 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('endVm' as const, 'endNode' as const, 'endNode' as const, 'fail' as const, 'give' as const),
      pick,
      who,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('endService' as const), pick, remove: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('limit' as const),
      who,
      vms: fc.integer({ min: -2, max: 6 }),
      ofGroup: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('dies' as const), who }) },
);

/** Chance alone seldom gives away a service: what is at work on it must have ended. */
const someGiven: Deed[][] = [
  [{ do: 'service', who: 0, cardinality: 1 }],
  [{ do: 'endService', pick: 0, remove: false }],
  [{ do: 'give', pick: 1, who: 1 }],
  [{ do: 'vm', who: 0 }],
  [{ do: 'give', pick: 0, who: 1 }],
];

/** How often something was given away. */
const given = { vms: 0, services: 0 };

async function perform(deed: Deed): Promise<void> {
  const caller = 'who' in deed ? (callers[deed.who] as Caller) : alice;
  const oneOf = async (model: Store['vms']['model'] | Store['services']['model'], at: number) => {
    const ids = (
      await connection
        .collection<{ _id: number }>(model.collection.name)
        .find({}, { projection: { _id: 1 } })
        .toArray()
    ).map(({ _id }) => _id);
    return ids[at % Math.max(1, ids.length)] ?? -1;
  };
  switch (deed.do) {
    case 'vm':
      await createVm(caller);
      return;
    case 'repeat':
      await createVm(caller, `key-${deed.who}`);
      return;
    case 'service':
      await createService(caller, deed.cardinality);
      return;
    case 'endVm':
      return endVm(await oneOf(store.vms.model, deed.pick));
    case 'endNode': {
      const service = await store.services.find(await oneOf(store.services.model, deed.pick));
      if (service && service.state !== 'DONE') await endNode(await nodeOf(service._id));
      return;
    }
    case 'fail': {
      const service = await store.services.find(await oneOf(store.services.model, deed.pick));
      if (service?.operation) await store.endings.end(service.operation, cancelled);
      return;
    }
    case 'endService': {
      const service = await store.services.find(await oneOf(store.services.model, deed.pick));
      if (service) await endService(service._id, deed.remove);
      return;
    }
    case 'give': {
      const [model, kind] =
        deed.pick % 2 === 0 ? [store.vms.model, 'vm' as const] : [store.services.model, 'service' as const];
      const to = { uid: caller.id, gid: caller.gid };
      await operations.ownership[kind].chown(caller, await oneOf(model, deed.pick), to);
      given[kind === 'vm' ? 'vms' : 'services'] += 1;
      return;
    }
    case 'limit': {
      const holder = deed.ofGroup
        ? ({ type: 'group', id: caller.gid } as const)
        : ({ type: 'user', id: caller.id } as const);
      if (holder.id !== 0) await store.quotas.setLimits(holder, { vms: deed.vms });
      return;
    }
    case 'dies':
      // Everything is written, and then the process is gone before it commits.
      await withTransaction(connection, async (transaction) => {
        const id = await store.counters.one('vm');
        await store.vms.model.create(
          [
            {
              _id: id,
              uid: caller.id,
              gid: caller.gid,
              permissions: defaultPermissions,
              state: 'PENDING',
              service: null,
              charge: size,
            },
          ],
          within(transaction),
        );
        await store.quotas.charge({ uid: caller.id, gid: caller.gid }, size, transaction);
        throw new Problem('cancelled', 'the process was killed');
      });
  }
}

describe('whatever is done, by several at once', () => {
  it('what is used is what the charged objects add up to, and nothing is left when all have ended', async () => {
    let refused = 0;
    let done = 0;
    const few = fc.array(deed, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(few, { minLength: 4, maxLength: 12 }), async (history) => {
        await empty();
        for (const [at, together] of history.entries()) {
          for (const result of await Promise.allSettled(together.map(perform))) {
            if (result.status === 'fulfilled') done += 1;
            else if (result.reason instanceof Problem) refused += 1;
            else throw result.reason;
          }
          await books(`after ${JSON.stringify(history.slice(0, at + 1))}`);
        }
        for (const { _id } of await store.vms.model.find().lean()) await endVm(_id);
        for (const { _id, state } of await store.services.model.find().lean())
          if (state !== 'DONE') await endService(_id, true);
        await books('the end of all');
        for (const type of ['user', 'group'] as const)
          for (const { used: left } of await store.quotas.models[type].find().lean()) expect(left).toEqual(all(0));
      }),
      { numRuns: 15, examples: [[someGiven]] },
    );
    expect(done).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(5);
    expect(given.vms).toBeGreaterThan(0);
    expect(given.services).toBeGreaterThan(0);
  });
});

import type { Connection } from 'mongoose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../../../domain/identity/caller.js';
import { permissionsOf } from '../../../domain/identity/permission-bits.js';
import { bind } from '../../../requests/bind.js';
import type { OperationsContext } from '../../../requests/context.js';
import { createOperations } from '../../../requests/operations.js';
import { repairServiceAgain } from '../../../requests/services/service-recovery.js';
import type { Ownership } from '../../../schemas/common/common.js';
import type { OperationResource } from '../../../schemas/operations/operation-resource.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { createDirectory, type MongodbDirectory } from '../../../store/identity/mongodb-directory.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { createStore, type Store } from '../../../store/store.js';
import { idleEngine } from '../../support/idle-engine.js';
import { madeVm } from '../../support/made-vm.js';
import { noSealer, noStorages } from '../../support/no-storages.js';
import { makeOwnedService, strays } from '../../support/owned-service.js';
import { addGroup, addUser } from '../../support/people.js';
import { ownDatabaseUri } from '../../support/servers.js';

const oneadmin: Caller = { id: 0, name: 'oneadmin', gid: 0, groups: [0], rules: [] };
const alice: Caller = { id: 2, name: 'alice', gid: 1, groups: [1, 100], rules: [] };
const bob: Caller = { id: 3, name: 'bob', gid: 1, groups: [1, 100], rules: [] };
const ofAlice = (octet: string): Ownership => ({ uid: 2, gid: 1, permissions: permissionsOf(octet) });
const admission = { requestId: 'test' };

let connection: Connection;
let another: Connection;
let store: Store;
let directory: MongodbDirectory;
let operations: Operations;
/** Those of another process, which takes turns of its own. */
let elsewhere: Operations;
const operationsOver = (over: Store) => {
  const context: OperationsContext = {
    ...{ store: over, directory, engine: idleEngine },
    ...{
      settings: { temporalUiUrl: undefined, failedLogins: 10 },
      storages: noStorages,
      sealer: noSealer,
      onDelayed: () => {},
    },
  };
  return { ...createOperations(context), ...bind(context, { repairAgain: repairServiceAgain }) };
};
type Operations = ReturnType<typeof operationsOver>;

beforeAll(async () => {
  const uri = ownDatabaseUri('ownership');
  const preparing = await connectMongodb(uri);
  await bootstrapStore(preparing);
  await preparing.close();
  connection = await connectMongodb(uri);
  store = createStore(connection);
  directory = createDirectory(connection);
  operations = operationsOver(store);
  another = await connectMongodb(uri);
  elsewhere = operationsOver(createStore(another));
  for (const { name } of [alice, bob]) await addUser(directory, name, { password_hash: '' });
  await addGroup(directory, 'shared');
});
afterAll(async () => {
  await connection.dropDatabase();
  await Promise.all([connection.close(), another.close()]);
});
const collections = ['vms', 'services', 'operations', 'user_quotas', 'group_quotas'];
beforeEach(async () => {
  for (const name of collections) await connection.collection(name).deleteMany({});
});

const contents = () =>
  Promise.all(collections.map((name) => connection.collection(name).find().sort({ _id: 1 }).toArray()));
const used = async (type: 'user' | 'group', id: number) => (await store.quotas.find({ type, id }))?.used.vms;

/** Tries what must be refused, and shows that nothing at all was written. */
async function refused(deed: () => Promise<unknown>, problem: object): Promise<void> {
  const before = await contents();
  await expect(deed()).rejects.toMatchObject(problem);
  expect(await contents()).toEqual(before);
}

describe('a service', () => {
  it('of 1,000 VMs is given away with all of them and every operation on them', async () => {
    await makeOwnedService(store, 1, { owner: ofAlice('600'), vms: 1_000 });
    await makeOwnedService(store, 2, { owner: ofAlice('600'), vms: 3 });
    await store.quotas.setLimits({ type: 'user', id: 3 }, { vms: 1_000 });
    const takes = () => operations.ownership.service.chown(bob, 1, { uid: 3, gid: 100 });
    await refused(takes, { code: 'not_authorized' });
    const begun = performance.now();
    await operations.ownership.service.chmod(alice, 1, { octet: '660' });
    const between = performance.now();
    await takes();
    const [chmod, chown] = [between - begun, performance.now() - between].map(Math.round);
    console.error(`a service of 1,000 VMs: chmod ${chmod} ms, chown ${chown} ms`);
    expect(await store.services.find(1)).toMatchObject({ uid: 3, gid: 100, permissions: permissionsOf('660') });
    expect([await strays(store, 1), await strays(store, 2)]).toEqual([[], []]);
    expect(await store.services.find(2)).toMatchObject(ofAlice('600'));
    expect([await used('user', 2), await used('user', 3), await used('group', 100)]).toEqual([-1_000, 1_000, 1_000]);
  });

  it('stays whole where it is when the new owner may not have so much', async () => {
    await makeOwnedService(store, 1, { owner: ofAlice('666'), vms: 5 });
    await store.quotas.setLimits({ type: 'user', id: 3 }, { vms: 4 });
    await refused(() => operations.ownership.service.chown(bob, 1, { uid: 3, gid: 100 }), {
      code: 'quota_exceeded',
      quota: { quota: 'vms', holder: { type: 'user', id: 3 } },
    });
    await store.quotas.setLimits({ type: 'user', id: 3 }, { vms: -2 });
    await store.quotas.setLimits({ type: 'group', id: 100 }, { memory: 64 });
    await refused(() => operations.ownership.service.chown(bob, 1, { uid: 3, gid: 100 }), {
      code: 'quota_exceeded',
      quota: { quota: 'memory', holder: { type: 'group', id: 100 } },
    });
  });

  it('stays whole as it is when one of its VMs may not be changed', async () => {
    const { vms } = await makeOwnedService(store, 1, { owner: { ...ofAlice('600'), gid: 7 }, vms: 4 });
    const [first = -1] = vms;
    for (const octet of ['400', '610']) {
      await operations.ownership.vm.chmod(oneadmin, first, { octet });
      await refused(() => operations.ownership.service.chmod(alice, 1, { octet: '640' }), {
        code: 'not_authorized',
        message: `You need the ${octet === '400' ? 'MANAGE' : 'ADMIN'} right on VM ${first} of service 1.`,
      });
    }
    await operations.ownership.service.chmod(oneadmin, 1, { octet: '640' });
    expect(await strays(store, 1)).toEqual([]);
  });

  it('has the bits of its VMs follow its own, those that have been changed by themselves, too', async () => {
    const { vms } = await makeOwnedService(store, 1, { owner: ofAlice('640'), vms: 4 });
    const [first = -1, , , done = -1] = vms;
    await operations.ownership.vm.chmod(alice, first, { permissions: { group: { use: false } } });
    await operations.ownership.vm.chmod(oneadmin, done, { octet: '000' });
    expect((await store.vms.find(first))?.permissions).toEqual(permissionsOf('600'));
    // Nothing of the service itself changes.
    await operations.ownership.service.chmod(alice, 1, { octet: '640' });
    expect(await strays(store, 1)).toEqual([]);
  });

  it.each(['operation', 'wanted'] as const)('is not given while an operation is at work on it (%s)', async (field) => {
    await makeOwnedService(store, 1, { owner: ofAlice('600'), vms: 2, [field]: 'the-operation' });
    const busy = { code: 'operation_in_progress', operation: 'the-operation' };
    await refused(() => operations.ownership.service.chown(alice, 1, { gid: 100 }), busy);
    await operations.ownership.service.chmod(alice, 1, { octet: '640' });
    expect(await strays(store, 1)).toEqual([]);
  });

  it('has its bits in each VM that an operation makes, whatever was read of it, also in those that meet a chmod', async () => {
    const op = 'the-deployment';
    const lastOf = (round: number) => (round % 2 === 0 ? '640' : '604');
    await makeOwnedService(store, 1, { owner: ofAlice('600'), vms: 1, state: 'DEPLOYING', operation: op });
    for (let round = 0; round < 30; round++) {
      const made = Array.from({ length: 4 }, (_, at) =>
        madeVm({
          ...{ _id: 2_000 + 10 * round + at, state: 'PENDING', lcm_state: 'LCM_INIT', ...ofAlice('600') },
          service: { id: 1, role: 'front', ordinal: 100 + 10 * round + at },
        }),
      );
      const [first, second] = [made.slice(0, 2), made.slice(2)];
      const roles = [{ name: 'front', cardinality: (await roleOf('front')).cardinality }];
      const [, one, other] = await Promise.all([
        elsewhere.ownership.service.chmod(alice, 1, { octet: lastOf(round) }),
        store.cardinality.insertFirst({ service: 1, op }, first),
        store.cardinality.insertWhile({ service: 1, op, roles }, second),
      ]);
      expect([one, other]).toEqual([true, true]);
      expect(await strays(store, 1), lastOf(round)).toEqual([]);
    }
    expect(await store.vms.model.countDocuments()).toBe(1 + 30 * 4);
    expect(
      await store.cardinality.insertFirst({ service: 1, op: 'another' }, [
        madeVm({ _id: 1, state: 'PENDING', lcm_state: 'LCM_INIT' }),
      ]),
    ).toBe(false);
  });
  const roleOf = async (name: string) => {
    const role = (await store.services.find(1))?.roles.find((one) => one.name === name);
    if (!role) throw new Error(`there is no role ${name}`);
    return role;
  };

  it('is not given while an operation is at work on one of its roles', async () => {
    await makeOwnedService(store, 1, { owner: ofAlice('600'), vms: 2 });
    await store.services.model.updateOne({ _id: 1 }, { $set: { 'roles.1.operation': 'a-scaling' } });
    const busy = { code: 'operation_in_progress', operation: 'a-scaling' };
    await refused(() => operations.ownership.service.chown(alice, 1, { gid: 100 }), busy);
    await operations.ownership.service.chmod(alice, 1, { octet: '640' });
    expect(await strays(store, 1)).toEqual([]);
  });
});

describe('a VM of a service', () => {
  it('is not given away by itself', async () => {
    const { vms } = await makeOwnedService(store, 1, { owner: ofAlice('600'), vms: 2 });
    await refused(() => operations.ownership.vm.chown(alice, vms[0] ?? -1, { gid: 100 }), {
      code: 'wrong_state',
      message: expect.stringContaining('belongs to service 1'),
    });
  });

  it('that awaits its end has an operation like itself, whatever was read of it', async () => {
    const { vms } = await makeOwnedService(store, 1, { owner: ofAlice('600'), vms: 2 });
    const [first = -1] = vms;
    await store.vms.model.updateOne({ _id: first }, { $set: { hold: { op: 'repair', epoch: 1, attempt: 0 } } });
    const read = await store.vms.find(first);
    const { id } = await operations.services.undeploy(alice, 1, {}, admission);
    const by = await store.operations.find(id);
    if (!read || !by) throw new Error('nothing was made');
    await operations.ownership.vm.chmod(alice, first, { octet: '640' });
    await store.terminations.await(read, { ...by, _id: 'repair' }, 'host-1');
    const [waiting] = await store.terminations.waiting();
    expect(waiting).toMatchObject({ resource: { type: 'vm', id: first }, ...ofAlice('640') });
  });
});

type Admitted = {
  on: 'service' | 'vm';
  state: object;
  ask: (by: Operations, caller: Caller, id: number) => Promise<OperationResource>;
};
const admissions: Record<string, Admitted> = {
  'an undeployment': {
    ...{ on: 'service', state: {} },
    ask: (by, caller, id) => by.services.undeploy(caller, id, {}, admission),
  },
  'a deletion': {
    ...{ on: 'service', state: {} },
    ask: (by, caller, id) => by.services.remove(caller, id, admission),
  },
  'a recovery': {
    ...{ on: 'service', state: { state: 'FAILED_DEPLOYING' } },
    ask: (by, caller, id) => by.services.recover(caller, id, {}, admission),
  },
  'a repair': {
    ...{ on: 'service', state: { state: 'WARNING', 'roles.0.state': 'WARNING' } },
    ask: (by, caller, id) => by.repairAgain(caller, id, { request: {}, admission }),
  },
  'a termination': {
    ...{ on: 'vm', state: {} },
    ask: (by, caller, id) => by.vms.terminate(caller, id, { hard: false }, admission),
  },
  'a resumption': {
    ...{ on: 'vm', state: { state: 'POWEROFF', lcm_state: 'LCM_INIT' } },
    ask: (by, caller, id) => by.vms.resume(caller, id, admission),
  },
};

describe.each(Object.entries(admissions))('%s', (_name, { on, state, ask }) => {
  const id = (vms: readonly number[]) => (on === 'service' ? 1 : (vms[0] ?? -1));
  const prepare = async (octet: string): Promise<number> => {
    const { vms } = await makeOwnedService(store, 1, { owner: ofAlice(octet), vms: 2 });
    const it = id(vms);
    if (on === 'service') await store.services.model.updateOne({ _id: it }, { $set: state });
    else await store.vms.model.updateOne({ _id: it }, { $set: state });
    return it;
  };
  /** Operations for whom the service is given to bob between the look at the caller's rights and the transaction. */
  const late = () =>
    operationsOver({
      ...store,
      operations: {
        ...store.operations,
        admit: async (...wish) => {
          await elsewhere.ownership.service.chown(bob, 1, { uid: 3, gid: 100 });
          return store.operations.admit(...wish);
        },
      },
    });

  it('has the owner, the group and the bits of what it is about', async () => {
    const operation = await ask(operations, bob, await prepare('660'));
    expect(await store.operations.find(operation.id)).toMatchObject(ofAlice('660'));
  });

  it('has those that this has when it is admitted, and not those that were read', async () => {
    const operation = await ask(late(), oneadmin, await prepare('662'));
    expect(await store.operations.find(operation.id)).toMatchObject({ uid: 3, gid: 100 });
    expect(await strays(store, 1)).toEqual([]);
  });

  it('is refused to who may not ask for it any more', async () => {
    const it = await prepare('622');
    const count = await store.operations.model.countDocuments();
    await store.services.model.updateOne({ _id: 1 }, { $set: { 'permissions.other': permissionsOf('002').other } });
    const giving = operationsOver({
      ...store,
      operations: {
        ...store.operations,
        admit: async (...wish) => {
          await elsewhere.ownership.service.chown(bob, 1, { uid: 3 });
          await elsewhere.ownership.service.chmod(bob, 1, { octet: '600' });
          return store.operations.admit(...wish);
        },
      },
    });
    await expect(ask(giving, alice, it)).rejects.toMatchObject({ code: 'not_authorized' });
    expect(await store.operations.model.countDocuments()).toBe(count);
    expect(await strays(store, 1)).toEqual([]);
  });
});

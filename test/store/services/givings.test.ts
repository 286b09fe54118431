import mongoose, { type Connection } from 'mongoose';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { judgeVms } from '../../../domain/consistency/judge-vms.js';
import { permissionsOf } from '../../../domain/identity/permission-bits.js';
import { createOperations, type Operations } from '../../../requests/operations.js';
import type { Ownership } from '../../../schemas/common/common.js';
import type { Service } from '../../../schemas/services/service.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { createDirectory } from '../../../store/identity/mongodb-directory.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { givenAtOnce } from '../../../store/services/givings.js';
import { createStore, type Store } from '../../../store/store.js';
import { idleEngine } from '../../support/idle-engine.js';
import { noSealer, noStorages } from '../../support/no-storages.js';
import { makeOwnedService, strays } from '../../support/owned-service.js';
import { addUser } from '../../support/people.js';
import { ownDatabaseUri } from '../../support/servers.js';
import { writesByTransaction } from '../../support/writes-by-transaction.js';

const callerOf = (id: number, name: string) => ({ id, name, gid: 1, groups: [1], rules: [] });
const [alice, bob] = [callerOf(2, 'alice'), callerOf(3, 'bob')];
const oneadmin = { id: 0, name: 'oneadmin', gid: 0, groups: [0], rules: [] };
const admission = { requestId: 'test' };
const service = 1;
/** VMs, a few more than one transaction gives. */
const few = givenAtOnce.vms + 20;
const ownedBy = (uid: number): Ownership => ({ uid, gid: 1, permissions: permissionsOf('600') });
const [ofAlice, ofBob] = [ownedBy(2), ownedBy(3)];

let connection: Connection;
let store: Store;
let operations: Operations;

beforeAll(async () => {
  const uri = ownDatabaseUri('givings');
  const preparing = await connectMongodb(uri);
  await bootstrapStore(preparing);
  await preparing.close();
  connection = await mongoose.createConnection(uri, { monitorCommands: true }).asPromise();
  store = createStore(connection);
  const directory = createDirectory(connection);
  for (const { name } of [alice, bob]) await addUser(directory, name, { password_hash: '' });
  operations = createOperations({
    ...{ store, directory, engine: idleEngine },
    ...{
      settings: { temporalUiUrl: undefined, failedLogins: 10 },
      storages: noStorages,
      sealer: noSealer,
      onDelayed: () => {},
    },
  });
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});
beforeEach(async () => {
  for (const name of ['vms', 'services', 'operations', 'user_quotas']) await connection.collection(name).deleteMany({});
});

/** Of a service of alice's, so many VMs. */
const vmsOf = async (count: number): Promise<number[]> =>
  (await makeOwnedService(store, service, { owner: ofAlice, vms: count })).vms;
const chown = (uid: number) => operations.ownership.service.chown(oneadmin, service, { uid });

/** Gives the service and a part of its VMs to bob, and then nothing more: the process that did it is dead. */
async function dieHalfway(count: number): Promise<number[]> {
  const vms = await vmsOf(count);
  await chown(3);
  const rest = { 'service.id': service, 'service.ordinal': { $gte: givenAtOnce.vms } };
  await store.vms.model.updateMany(rest, { $set: ofAlice });
  const ids = vms.slice(givenAtOnce.vms);
  await store.operations.model.updateMany({ 'resource.type': 'vm', 'resource.id': { $in: ids } }, { $set: ofAlice });
  await store.services.model.updateOne({ _id: service }, { $set: { giving: { since: new Date() } } });
  return ids;
}

const expectGiven = async (): Promise<void> => {
  expect(await strays(store, service)).toEqual([]);
  expect(await store.services.find(service)).not.toHaveProperty('giving');
  expect(await store.givings.unfinished(10)).toEqual([]);
};

it('a service of thousands of VMs is given away by transactions that each write a bounded number of documents', async () => {
  await vmsOf(1_600);
  await store.operations.model.updateMany({}, { $set: { requester: { id: 9, name: 'eve' } } });
  const written = await writesByTransaction(connection, ['vms', 'operations'], () => chown(3));
  expect(Math.max(...written)).toBeLessThanOrEqual(givenAtOnce.vms + givenAtOnce.operations);
  expect(written.filter((count) => count >= givenAtOnce.vms)).toHaveLength(3);
  await expectGiven();
  expect(await store.services.find(service)).toMatchObject({ uid: 3 });
});

it('VMs with many operations go in smaller portions', async () => {
  const [first = -1] = await vmsOf(40);
  const one = await store.operations.model.findOne({ 'resource.id': first }).lean().exec();
  const many = Array.from({ length: 40 * 100 }, (_, at) => ({
    ...{ ...one, _id: `${at}`.padStart(26, '0'), resource: { type: 'vm', id: first + (at % 40) } },
  }));
  await connection.collection<{ _id: string }>('operations').insertMany(many);
  const written = await writesByTransaction(connection, ['vms', 'operations'], () => chown(3));
  expect(Math.max(...written)).toBeLessThanOrEqual(givenAtOnce.vms + givenAtOnce.operations);
  expect(written.filter((count) => count > 1_000).length).toBeGreaterThan(1);
  await expectGiven();
});

it('whoever may not change one of thousands of VMs changes none', async () => {
  const vms = await vmsOf(few);
  await operations.ownership.vm.chmod(oneadmin, vms.at(-2) ?? -1, { octet: '400' });
  await expect(operations.ownership.service.chmod(alice, service, { octet: '640' })).rejects.toMatchObject({
    code: 'not_authorized',
  });
  expect(await store.services.find(service)).toMatchObject(ofAlice);
  expect(await store.vms.model.countDocuments({ 'permissions.group.use': true })).toBe(0);
});

it('who had a service does nothing with its VMs any more while they are on their way to another', async () => {
  const [late = -1] = await dieHalfway(few);
  expect(await store.vms.model.findById(late).lean().exec()).toMatchObject({ uid: 2 });
  expect(await store.vms.find(late)).toMatchObject({ ...ofBob, state: 'ACTIVE' });
  const deeds = [
    () => operations.vms.show(alice, late),
    () => operations.vms.terminate(alice, late, { hard: true }, admission),
    () => operations.ownership.vm.chmod(alice, late, { octet: '666' }),
  ];
  for (const deed of deeds) await expect(deed()).rejects.toMatchObject({ code: 'not_authorized' });
  expect(await operations.vms.show(bob, late)).toMatchObject({ id: late });
});

it.each<[string, (late: number) => Promise<unknown>]>([
  ['reconciliation', async () => Promise.all((await store.givings.unfinished(10)).map(store.givings.finish))],
  ['several at once', () => Promise.all([1, 2, 3].map(() => store.givings.finish(service)))],
  ['the next change of the service', () => operations.ownership.service.chmod(bob, service, { octet: '640' })],
])('is finished by %s when whoever began it dies', async (_who, finish) => {
  const [late = -1] = await dieHalfway(few);
  await finish(late);
  await expectGiven();
  expect(await store.vms.model.countDocuments({ uid: 3 })).toBe(few);
});

it('bits that a VM is given meanwhile are not those of the service again', async () => {
  const [late = -1] = await dieHalfway(few);
  await operations.ownership.vm.chmod(bob, late, { octet: '666' });
  for (const one of await store.givings.unfinished(10)) await store.givings.finish(one);
  expect(await store.vms.find(late)).toMatchObject({ uid: 3, permissions: permissionsOf('666') });
});

it('an operation that is admitted on a VM meanwhile goes with it', async () => {
  const [late = -1] = await dieHalfway(few);
  await operations.vms.terminate(bob, late, { hard: true }, admission);
  await store.givings.finish(service);
  await expectGiven();
});

it('a check says nothing of VMs that are about to follow their service', async () => {
  const [late = -1] = await dieHalfway(few);
  const [vm, its] = [await store.vms.model.findById(late).lean().exec(), await store.services.find(service)];
  const judged = (of: Service) =>
    judgeVms(vm ? [vm] : [], {
      ...{ operations: new Map(), services: new Map([[service, of]]), reserved: new Map(), unfinished: new Set() },
      operationsOn: new Map(),
    }).filter(({ code }) => code === 'vm_owner_differs');
  if (!its) throw new Error('the service is gone');
  expect(judged(its)).toEqual([]);
  const { giving: _giving, ...over } = its;
  expect(judged(over)).toHaveLength(1);
});

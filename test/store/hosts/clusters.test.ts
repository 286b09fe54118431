import type { Connection } from 'mongoose';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { defaultPermissions } from '../../../schemas/common/common.js';
import type { Reserve } from '../../../schemas/hosts/cluster.js';
import type { Host } from '../../../schemas/hosts/host.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { createStore, type Store } from '../../../store/store.js';
import { ownDatabaseUri } from '../../support/servers.js';

let databaseUri: string;
let connection: Connection;
let store: Store;
const owned = { uid: 0, gid: 0, permissions: defaultPermissions, created_at: new Date() };

/** On a connection of its own: models are made once a connection. */
async function bootstrapped(): Promise<void> {
  const own = await connectMongodb(databaseUri);
  await bootstrapStore(own);
  await own.close();
}

beforeAll(async () => {
  databaseUri = ownDatabaseUri('clusters');
  await bootstrapped();
  connection = await connectMongodb(databaseUri);
  store = createStore(connection);
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});
beforeEach(async () => {
  await Promise.all([store.hosts.model.deleteMany({}), store.clusters.model.deleteMany({ _id: { $gt: 0 } })]);
  await store.clusterChanges.changeCluster(0, { reserve: {}, attributes: {} });
});

const cluster = (id: number, reserve: Reserve = {}, attributes = {}) =>
  store.clusters.insert({ _id: id, name: `cluster-${id}`, ...owned, reserve, attributes });
const host = (id: number, more: Partial<Host> = {}) =>
  store.clusterChanges.insertHost({
    ...{ _id: id, name: `host-${id}`, ...owned, vm_mad: 'simulated', state: 'MONITORED', error: null },
    ...{ total: { cpu: 1_000, memory: 10_000 }, used: { cpu: 0, memory: 0 }, vms: {}, vm_count: 0 },
    last_monitored_at: null,
    ...more,
  });
const reservedOn = async (id: number) => (await store.hosts.find(id))?.reserved;

it('is there from the beginning as number 0, and others begin at 100', async () => {
  await bootstrapped();
  expect(await store.clusters.find(0)).toMatchObject({ name: 'default', uid: 0 });
  expect(await store.counters.one('cluster')).toBeGreaterThanOrEqual(100);
});

it('keeps back of its hosts what it says, where they do not say themselves', async () => {
  await cluster(100, { cpu: '10%', memory: 500 });
  await host(1, { cluster_id: 100 });
  await host(2, { cluster_id: 100, reserve: { cpu: 0, memory: '-50%' } });
  await host(3, { cluster_id: 100, reserve: { memory: null } });
  expect(await reservedOn(1)).toEqual({ cpu: 100, memory: 500 });
  expect(await reservedOn(2)).toEqual({ cpu: 0, memory: -5_000 });
  expect(await reservedOn(3)).toEqual({ cpu: 100, memory: 500 });
  await store.clusterChanges.changeCluster(100, { reserve: { cpu: '20%' } });
  expect(await reservedOn(1)).toEqual({ cpu: 200, memory: 0 });
  expect(await reservedOn(2)).toEqual({ cpu: 0, memory: -5_000 });
  await store.clusterChanges.resizeHost(1, { total: { cpu: 2_000, memory: 10_000 } });
  expect(await reservedOn(1)).toEqual({ cpu: 400, memory: 0 });
  await store.clusterChanges.resizeHost(1, { cluster_id: 0 });
  expect(await reservedOn(1)).toEqual({ cpu: 0, memory: 0 });
});

it('bounds what VMs may reserve: less than there is, or more', async () => {
  await host(1, { reserve: { cpu: 2 } });
  await host(2, { reserve: { cpu: -2 } });
  const reserve = (id: number, cpu: number) =>
    store.hosts.reserve([{ vm: cpu, host: id, capacity: { cpu, memory: 1 } }]).then(({ length }) => length);
  expect(await reserve(1, 801)).toBe(0);
  expect(await reserve(1, 800)).toBe(1);
  expect(await reserve(2, 1_201)).toBe(0);
  expect(await reserve(2, 1_200)).toBe(1);
  expect(await store.hosts.snapshot()).toMatchObject([
    { id: 1, total: { cpu: 800 }, free: { cpu: 0 }, cluster: { id: 0, name: 'default' } },
    { id: 2, total: { cpu: 1_200 }, free: { cpu: 0 } },
  ]);
});

it('gives its hosts its attributes, below their own', async () => {
  await cluster(100, {}, { SITE: 'paris', RACK: 'any' });
  await host(1, { cluster_id: 100, attributes: { RACK: 'b' } });
  expect(await store.hosts.snapshot()).toMatchObject([
    { cluster: { id: 100, name: 'cluster-100' }, attributes: { SITE: 'paris', RACK: 'b' } },
  ]);
});

it('takes a host of an earlier version, which says nothing of clusters, for one of the default', async () => {
  await host(1);
  await store.hosts.model.updateOne(
    { _id: 1 },
    { $unset: { cluster_id: '', reserve: '', reserved: '', attributes: '' } },
  );
  expect(await store.hosts.snapshot()).toMatchObject([{ cluster: { id: 0 }, free: { cpu: 1_000 }, attributes: {} }]);
  expect(await store.clusterChanges.hostsOf([0])).toEqual(new Map([[0, [1]]]));
  expect(await store.hosts.reserve([{ vm: 1, host: 1, capacity: { cpu: 1_000, memory: 1 } }])).toHaveLength(1);
  await store.clusterChanges.changeCluster(0, { reserve: { cpu: 1 } });
  expect(await reservedOn(1)).toEqual({ cpu: 100, memory: 0 });
});

it('goes only when no host is in it, even while one is put there', async () => {
  for (let round = 0; round < 20; round++) {
    await cluster(200 + round);
    await host(300 + round);
    const [left, moved] = await Promise.all([
      store.clusterChanges.removeCluster(200 + round),
      store.clusterChanges.resizeHost(300 + round, { cluster_id: 200 + round }).then(
        () => true,
        () => false,
      ),
    ]);
    const there = await store.clusters.find(200 + round);
    expect({ left: left > 0, there: there !== null }).toEqual({ left: moved, there: moved });
  }
});

it('leaves every host as the last change of its cluster says, whatever races', async () => {
  await cluster(100);
  await host(1, { cluster_id: 100 });
  for (let round = 1; round <= 10; round++) {
    await Promise.all([
      store.clusterChanges.changeCluster(100, { reserve: { cpu: `${round}%` } }),
      store.clusterChanges.resizeHost(1, { total: { cpu: 1_000 * round, memory: 10_000 } }),
      store.hosts.reserve([{ vm: round, host: 1, capacity: { cpu: 1, memory: 1 } }]),
    ]);
    expect(await reservedOn(1)).toEqual({ cpu: 10 * round * round, memory: 0 });
  }
});

it('gives back of a reservation what it is, whatever it was when somebody read it', async () => {
  await host(1);
  const now = { cpu: 200, memory: 256 };
  await store.hosts.reserve([
    { vm: 7, host: 1, capacity: now },
    { vm: 8, host: 1, capacity: now },
  ]);
  const before = { cpu: 100, memory: 128 };
  const late = [7, 8, 9].map((vm) => ({ vm, host: 1, capacity: before }));
  expect([await store.hosts.release(late), await store.hosts.release(late)]).toEqual([true, false]);
  expect(await store.hosts.find(1)).toMatchObject({ used: { cpu: 0, memory: 0 }, vms: {}, vm_count: 0 });
});

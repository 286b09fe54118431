import type { Connection } from 'mongoose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Disk } from '../../../schemas/operations/vm-devices.js';
import type { Image } from '../../../schemas/storage/image.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { ChoiceLost } from '../../../store/mongo/choice-lost.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { withTransaction } from '../../../store/mongo/transaction.js';
import { createStore, type Store } from '../../../store/store.js';
import { madeImage } from '../../support/made-image.js';
import { madeVm } from '../../support/made-vm.js';
import { ownDatabaseUri } from '../../support/servers.js';

/** Two on one database, as two processes have it: they take no turns with each other. */
let store: Store;
let other: Store;
const connections: Connection[] = [];
beforeAll(async () => {
  const uri = ownDatabaseUri('uses');
  const first = await connectMongodb(uri);
  await bootstrapStore(first);
  await first.close();
  const [one, two] = [await connectMongodb(uri), await connectMongodb(uri)];
  connections.push(one, two);
  [store, other] = [createStore(one), createStore(two)];
});
afterAll(async () => {
  await connections[0]?.dropDatabase();
  for (const each of connections) await each.close();
});

let ids = 0;
async function image(over: Partial<Image> = {}): Promise<Image> {
  const made = madeImage({ _id: ids++, state: 'READY', ...over });
  await store.images.model.create(made);
  return made;
}
const diskOf = ({ _id: id, name, datastore_id: datastore, ds_mad, persistent }: Image): Disk => ({
  ...{ disk_id: 0, type: 'file', size: 10, format: 'qcow2', target: 'vda' },
  image: { id, name, datastore, ds_mad, way: persistent ? 'use' : 'clone', persistent },
  ...{ snapshots: [], current: null, snapshot_ids: 0 },
});
const pending = () => madeVm({ _id: ids++, state: 'PENDING', lcm_state: 'LCM_INIT' });
const vmWith = (of: Image) => ({ ...pending(), disks: [diskOf(of)] });

const insert = (by: Store, vm: ReturnType<typeof vmWith>): Promise<boolean> =>
  withTransaction(by.connection, async (transaction) => {
    await by.vms.insert(vm, transaction);
    return true;
  }).catch((error: unknown) => {
    if (error instanceof ChoiceLost) return false;
    throw error;
  });
const now = async (id: number) => {
  const found = await store.images.find(id);
  return found && [found.state, found.vms.toSorted((one, two) => one - two)];
};
async function end(by: Store, id: number): Promise<void> {
  const vm = await by.vms.find(id);
  if (vm) await by.vms.transition([{ vm, event: 'done', set: { ended_at: new Date() } }]);
}

it('lets one of two VMs have a persistent image, and leaves nothing of the other', async () => {
  for (let round = 0; round < 10; round++) {
    const of = await image({ persistent: true });
    const [one, two] = [vmWith(of), vmWith(of)];
    const had = await Promise.all([insert(store, one), insert(other, two)]);
    expect(had.filter(Boolean)).toHaveLength(1);
    const winner = had[0] ? one : two;
    expect(await now(of._id)).toEqual(['USED_PERS', [winner._id]]);
    expect(await store.vms.model.countDocuments({ _id: { $in: [one._id, two._id] } })).toBe(1);
    await end(other, winner._id);
    expect(await now(of._id)).toEqual(['READY', []]);
  }
});

it('is deleted or used, of two who want either at once', async () => {
  for (let round = 0; round < 10; round++) {
    const of = await image();
    const vm = vmWith(of);
    const deletion = () =>
      withTransaction(other.connection, (transaction) => other.images.admitDeletion(of._id, 'deletion', transaction));
    // Each begins first now and then.
    const [used, deleted] =
      round % 2 === 0
        ? await Promise.all([insert(store, vm), deletion()])
        : (await Promise.all([deletion(), insert(store, vm)])).toReversed();
    expect([used, deleted].filter(Boolean)).toHaveLength(1);
    expect(await now(of._id)).toEqual(used ? ['USED', [vm._id]] : ['READY', []]);
    expect((await store.images.find(of._id))?.wanted).toBe(used ? null : 'deletion');
  }
});

it('is used by many at once, each once, while others come to their end', async () => {
  const of = await image();
  const first = Array.from({ length: 6 }, () => vmWith(of));
  for (const vm of first) expect(await insert(store, vm)).toBe(true);
  const more = Array.from({ length: 12 }, () => vmWith(of));
  const by = (nth: number): Store => (nth % 2 === 0 ? store : other);
  const inserted = await Promise.all(more.map((vm, nth) => insert(by(nth), vm).then((had) => had)));
  await Promise.all(first.map((vm, nth) => end(by(nth + 1), vm._id)));
  expect(new Set(inserted)).toEqual(new Set([true]));
  expect(await now(of._id)).toEqual(['USED', more.map(({ _id }) => _id)]);
  await Promise.all(more.map((vm, nth) => end(by(nth), vm._id)));
  expect(await now(of._id)).toEqual(['READY', []]);
});

it('stays CLONE as long as others are made of it when the last VM goes', async () => {
  const of = await image();
  const vm = vmWith(of);
  expect(await insert(store, vm)).toBe(true);
  const within = <T>(work: Parameters<typeof withTransaction<T>>[1]) => withTransaction(store.connection, work);
  expect(await within((transaction) => store.images.beginClone(of._id, 9_999, transaction))).toBe(true);
  await end(store, vm._id);
  expect(await now(of._id)).toEqual(['CLONE', []]);
  await within((transaction) => store.images.endClone(of._id, 9_999, transaction));
  expect(await now(of._id)).toEqual(['READY', []]);
});

it('gives the last room of a datastore to one of two', async () => {
  await store.datastores.model.updateOne({ _id: 0 }, { $set: { limit_mb: 1_000 } });
  for (let round = 0; round < 10; round++) {
    const vms = [pending(), pending()];
    await store.vms.model.create(vms);
    const datastore = { id: 0, ds_mad: 'fs', mb: 600, at: new Date() } as const;
    const moved = await Promise.all(
      vms.map((vm, nth) => (nth === 0 ? store : other).places.free([{ vm, event: 'place', set: { datastore } }])),
    );
    const outcomes = moved.map(({ there, refused }) => `${there.size} placed, ${refused.length} refused`);
    expect(outcomes.sort()).toEqual(['0 placed, 1 refused', '1 placed, 0 refused']);
    expect((await store.vmDatastores.snapshot())[0]).toMatchObject({ promised: 600 });
    await store.vms.model.deleteMany({ _id: { $in: vms.map(({ _id }) => _id) } });
  }
});

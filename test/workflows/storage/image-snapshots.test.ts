import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem, problemOf } from '../../../domain/problems.js';
import type { OperationInputs } from '../../../schemas/operations/inputs.js';
import { type Deed, everyStep } from '../../support/every-step.js';
import { ownDisk } from '../../support/own-disk.js';
import { newWorld, type World } from '../../support/world.js';
import { diesOnce, twice } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());
afterEach(() => {
  world.steps.watch();
  world.storage.beforeEach = async () => {};
});

const admission = { requestId: 'test' };
type Change = OperationInputs['snapshotImage'];
const taken_at = new Date();
/** Two after the first one, of which the last is written after. */
const tree = [
  { snapshot_id: 0, name: 'first', parent: null, taken_at },
  { snapshot_id: 1, name: 'second', parent: 0, taken_at },
  { snapshot_id: 2, name: 'third', parent: 0, taken_at },
];
let serial = 0;
/** A persistent image with these snapshots in it. */
async function made(snapshots = tree): Promise<number> {
  const wish = { name: `kept-${++serial}`, description: '', type: 'DATABLOCK', persistent: true } as const;
  const source = { empty: { size_mb: 3, format: 'qcow2' } } as const;
  const { id, resource } = await world.operations.images.create(world.caller, { ...wish, source }, admission);
  expect(await world.ended(id)).toMatchObject({ state: 'succeeded' });
  const current = snapshots.at(-1)?.snapshot_id ?? null;
  const $set = { snapshots: { snapshots, current, snapshot_ids: 3 } };
  await world.store.images.model.updateOne({ _id: resource.id }, { $set });
  world.storage.snapshots.set(
    `1/${resource.id}`,
    snapshots.map(({ snapshot_id }) => snapshot_id),
  );
  return resource.id;
}
const change = async (id: number, action: Change['action'], snapshot: number) => {
  const asked = await world.operations.images.changeSnapshots(world.caller, id, { action, snapshot }, admission);
  return { op: asked.id, id };
};
const ended = async (asked: Promise<{ op: string }>) => world.ended((await asked).op);
const refused = (act: Promise<unknown>) =>
  act.then(
    () => undefined,
    (error: unknown) => problemOf(error)?.message,
  );
const found = async (id: number) => {
  const image = await world.store.images.find(id);
  const { snapshots = [], current = null } = image?.snapshots ?? {};
  return {
    ...{ state: image?.state, operation: image?.operation, current },
    snapshots: snapshots.map(({ snapshot_id, parent }) => [snapshot_id, parent]),
  };
};
const inDatastore = (id: number) => world.storage.snapshots.get(`1/${id}`);
const free = { state: 'READY', operation: null };

const deed: Deed = {
  prepare: () => made(),
  ask: (id) => change(id ?? -1, 'snapshot-flatten', 0),
  again: async (id) => ((await found(id)).snapshots.length === 0 ? null : change(id, 'snapshot-flatten', 0)),
  arrived: async (id) => {
    expect(await found(id)).toEqual({ ...free, current: null, snapshots: [] });
    expect(inDatastore(id)).toEqual([]);
  },
  cancelled: async (id) => (await found(id)).state ?? 'gone',
  afterCancel: /^(READY|ERROR)$/,
  stops: 0,
};
describe('snapshotImage', () => everyStep(() => world, deed, 1));

describe('snapshots of an image', () => {
  it('are reverted to, deleted and flattened, each step twice', async () => {
    const id = await made();
    world.steps.watch(twice);
    expect(await ended(change(id, 'snapshot-revert', 1))).toMatchObject({ state: 'succeeded', error: null });
    expect(await found(id)).toMatchObject({ ...free, current: 1 });
    expect(await ended(change(id, 'snapshot-delete', 2))).toMatchObject({ state: 'succeeded' });
    expect(await found(id)).toEqual({
      ...{ ...free, current: 1 },
      snapshots: [
        [0, null],
        [1, 0],
      ],
    });
    expect(inDatastore(id)).toEqual([0, 1]);
    expect(await ended(change(id, 'snapshot-flatten', 1))).toMatchObject({ state: 'succeeded' });
    await deed.arrived(id);
    await world.accounted();
  });

  it('are what the datastore has of them, whatever becomes of a change', async () => {
    const id = await made();
    let calls = 0;
    world.storage.beforeEach = async (call) => {
      if (call === 'snapshotImage' && ++calls === 4) throw new Problem('datastore_full', 'there is no room for it');
    };
    expect(await ended(change(id, 'snapshot-flatten', 2))).toMatchObject({ state: 'failed' });
    expect(await found(id)).toMatchObject({
      ...free,
      snapshots: [
        [1, null],
        [2, null],
      ],
    });
    expect(inDatastore(id)).toEqual([1, 2]);
    world.steps.watch(diesOnce());
    expect(await ended(change(id, 'snapshot-flatten', 2))).toMatchObject({ state: 'succeeded' });
    await deed.arrived(id);
  });

  it('are changed where nothing uses it, and keep it from being cloned, made larger or not persistent', async () => {
    const id = await made();
    expect(await refused(change(id, 'snapshot-revert', 9))).toContain('has no snapshot 9');
    expect(await refused(change(id, 'snapshot-delete', 0))).toContain('has snapshot 1 after 0');
    expect(await refused(change(id, 'snapshot-delete', 2))).toContain('is written after snapshot 2');
    const { images } = world.operations;
    const whole = /has snapshots, and is .* when it has none: delete or flatten them first/;
    expect(await refused(images.clone(world.caller, id, { name: 'copy' }, admission))).toMatch(whole);
    expect(await refused(images.resize(world.caller, id, { size_mb: 9 }, admission))).toMatch(whole);
    await world.store.images.model.updateOne({ _id: id }, { $set: { state: 'USED_PERS', vms: [7] } });
    expect(await refused(change(id, 'snapshot-revert', 0))).toContain('VM 7 uses it');
  });

  it('come of the VM that uses it, and are of the disk of the next one', async () => {
    const id = await made([]);
    const { id: vm, op } = await world.createVm();
    await world.ended(op);
    const image = { id, name: 'kept', datastore: 1, ds_mad: 'fs', way: 'use', persistent: true } as const;
    const its = { ...ownDisk, type: 'file' as const, image };
    const datastore = { id: 0, ds_mad: 'fs', mb: 0, at: new Date() } as const;
    await world.store.vms.model.updateOne(
      { _id: vm },
      { $set: { disks: [its], datastore, device_ids: { nic: 0, disk: 1 } } },
    );
    await world.store.images.model.updateOne({ _id: id }, { $set: { state: 'USED_PERS', vms: [vm], snapshots: null } });
    await ended(world.switch(vm, 'undeploy'));
    await ended(world.resume(vm));
    const take = { action: 'disk-snapshot-create', disk_id: 0, name: 'before' } as const;
    world.steps.watch(twice);
    expect(await ended(world.changeDevices(vm, take))).toMatchObject({ state: 'succeeded', error: null });
    world.steps.watch();
    expect(await found(id)).toEqual({ state: 'USED_PERS', operation: null, current: 0, snapshots: [[0, null]] });
    expect(await ended(world.terminate(vm, true))).toMatchObject({ state: 'succeeded' });
    expect(await found(id)).toEqual({ ...free, current: 0, snapshots: [[0, null]] });
    const { id: next, op: begun } = await world.createVm();
    await world.ended(begun);
    const attach = { action: 'disk-attach', disk: { image: id } } as const;
    expect(await ended(world.changeDevices(next, attach))).toMatchObject({ state: 'succeeded', error: null });
    expect((await world.vm(next)).disks).toMatchObject([
      { current: 0, snapshot_ids: 1, snapshots: [{ name: 'before' }] },
    ]);
    expect((await world.operations.images.show(world.caller, id)).snapshots).toMatchObject([
      { snapshot_id: 0, name: 'before', parent: null, current: true },
    ]);
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Problem } from '../../../domain/problems.js';
import { idleAfter, silentAfter } from '../../../domain/storage/image-copies.js';
import { NewDisk } from '../../../schemas/operations/vm-devices.js';
import { CreateImage } from '../../../schemas/storage/image.js';
import type { ImageCopy } from '../../../schemas/storage/image-copy.js';
import { eventually } from '../../support/processes.js';
import { newWorld, type World } from '../../support/world.js';
import { datastoreElsewhere } from '../../support/world-images.js';

let world: World;
let elsewhere: number;
let images = 0;
beforeAll(async () => {
  world = await newWorld();
  elsewhere = await datastoreElsewhere(world);
});
afterAll(() => world?.stop());
beforeEach(() => {
  world.storage.pieceMilliseconds = 0;
  world.storage.beforeEach = async () => {};
  world.steps.watch();
});
afterEach(() => world.accounted());

const admission = { requestId: 'test' };
const done = { state: 'succeeded', error: null };
const mb = 6;

async function image(over: object = {}): Promise<number> {
  images += 1;
  const wish = { name: `image-${images}`, datastore_id: elsewhere, source: { url: `http://source/${mb}` }, ...over };
  const { id: op, resource } = await world.operations.images.create(world.caller, CreateImage.parse(wish), admission);
  expect(await world.ended(op)).toMatchObject(done);
  return Number(resource.id);
}
async function createVm(of: number, more: object = {}): Promise<{ op: string; id: number }> {
  const template_id = await world.vmTemplate();
  const request = { template_id, template: { DISK: [{ IMAGE_ID: of, ...more }] } };
  const { id: op, resource } = await world.operations.vms.create(world.caller, request, admission);
  return { op, id: Number(resource.id) };
}
async function running(of: number, more: object = {}): Promise<number> {
  const { op, id } = await createVm(of, more);
  expect(await world.ended(op)).toMatchObject(done);
  return id;
}
const end = async (id: number): Promise<void> => {
  expect(await world.ended((await world.terminate(id, true)).op)).toMatchObject(done);
};
const copies = (id: number): Promise<ImageCopy[]> => world.store.imageCopies.ofImages([id]);
const begun = async (id: number): Promise<number> => (await world.store.images.find(id))?.copied ?? 0;
const remove = async (id: number): Promise<void> => {
  const { id: op } = await world.operations.images.remove(world.caller, id, admission);
  expect(await world.ended(op)).toMatchObject(done);
};
/** What lies in the datastore of the VMs of images of others. */
const lying = (id: number): string[] =>
  [...world.storage.kept.keys(), ...world.storage.staged.keys()].filter((key) => key === `0/${id}`);
const persist = (id: number, persistent: boolean) =>
  world.operations.images.update(world.caller, id, {
    revise: (before) => ({ wish: { ...before, persistent }, named: new Set(['persistent']) }),
    precondition: { demand: async () => {} },
  });
const room = async () => (await world.operations.datastores.show(world.caller, 0)).reserved_mb;

it('brings an image once for VMs that come at once, though the step is done twice, and counts what it takes', async () => {
  const id = await image();
  const before = await room();
  world.storage.pieceMilliseconds = 20;
  world.steps.watch(async ({ name }, run) => (name === 'bringImages' ? run().then(run) : run()));
  const vms = await Promise.all([running(id), running(id), running(id, { READONLY: 'YES' })]);
  expect(await begun(id)).toBe(1);
  expect(lying(id)).toEqual([`0/${id}`]);
  expect(await copies(id)).toMatchObject([{ image: id, datastore_id: 0, state: 'READY', holder: null, size_mb: mb }]);
  for (const [at, vm] of vms.entries())
    expect(world.storage.disks.kept.get(`0/${vm}/0`)?.wish).toMatchObject({
      from: { id, datastore: { id: 0, ds_mad: 'fs' } },
      way: at === 2 ? 'use' : 'clone',
    });
  // Two clones and what they stand on.
  expect((await room()) - before).toBe(3 * mb);
  const asked = world.steps.names();
  for (const vm of vms) await end(vm);
  // One that needs nothing brought takes no step more.
  world.steps.watch();
  await end(await running(id));
  expect(asked).toContain('bringImages');
  expect(world.steps.names()).not.toContain('bringImages');
  expect((await room()) - before).toBe(mb);
  await remove(id);
  expect([await copies(id), lying(id), await room()]).toEqual([[], [], before]);
});

it('waits for who brings it, and goes on in the place of who is silent', async () => {
  const id = await image();
  const { epoch } = (await world.store.images.find(id)) ?? {};
  const now = new Date();
  const other: Omit<ImageCopy, 'beat_at'> = {
    ...{ _id: `${id}/0`, image: id, datastore_id: 0, ds_mad: 'fs', state: 'COMING', of: epoch ?? 0, epoch: 1 },
    ...{ holder: { step: 'of another', attempt: 1 }, clear: false, size_mb: mb, summed: null },
    ...{ moved: { done: 2 ** 20, total: 4 * 2 ** 20, at: now }, used_at: now, created_at: now },
  };
  await world.store.imageCopies.model.create({ ...other, beat_at: now });
  await world.store.images.model.updateOne({ _id: id }, { $set: { copied: 1 } });
  const { op, id: vm } = await createVm(id);
  await eventually(async () => (await world.vm(vm)).reason === `waits: image ${id} is brought to datastore 0: 25 %`);
  expect(lying(id)).toEqual([]);
  await world.store.imageCopies.model.updateOne(
    { _id: `${id}/0` },
    { $set: { beat_at: new Date(now.getTime() - silentAfter) } },
  );
  expect(await world.ended(op)).toMatchObject(done);
  expect(await copies(id)).toMatchObject([{ state: 'READY', epoch: 2 }]);
  await end(vm);
  await remove(id);
});

it('is brought anew when its bytes may have changed since, and what was there goes first', async () => {
  const id = await image();
  await end(await running(id));
  const calls: string[] = [];
  world.storage.beforeEach = async (call, { id: of, datastore }) => {
    if (of === id && datastore.id === 0) calls.push(call);
  };
  await persist(id, true);
  await persist(id, false);
  await end(await running(id));
  expect(calls).toEqual(['remove', 'append', 'keep']);
  expect(await begun(id)).toBe(2);
  const { id: op } = await world.operations.images.resize(world.caller, id, { size_mb: 2 * mb }, admission);
  expect(await world.ended(op)).toMatchObject(done);
  const vm = await running(id);
  expect(await begun(id)).toBe(3);
  expect(await copies(id)).toMatchObject([
    { image: id, state: 'READY', of: (await world.store.images.find(id))?.epoch },
  ]);
  await end(vm);
  await remove(id);
});

it('fails its VM with the reason when it cannot be kept, leaves nothing, and is brought when that is tried again', async () => {
  const id = await image();
  let refuses = true;
  world.storage.beforeEach = async (call, { datastore }) => {
    if (call === 'keep' && datastore.id === 0 && refuses)
      throw new Problem('image_refused', 'It is not what was read.');
  };
  const { op, id: vm } = await createVm(id);
  const reason = `Image ${id} was not brought to datastore 0: It is not what was read.`;
  expect(await world.ended(op)).toMatchObject({ state: 'failed' });
  expect(await world.vm(vm)).toMatchObject({ lcm_state: 'PROLOG_FAILURE', reason });
  expect([await copies(id), lying(id)]).toEqual([[], []]);
  refuses = false;
  expect(await world.ended((await world.recoverVm(vm, 'retry')).op)).toMatchObject(done);
  await end(vm);
  await remove(id);
});

it('is brought nowhere where there is no room for it: its VM waits; and fails where there was, when it was placed', async () => {
  const id = await image();
  const before = await room();
  const limit = (limit_mb: number | null) => world.store.datastores.model.updateOne({ _id: 0 }, { $set: { limit_mb } });
  await limit(before + 2 * mb - 1);
  const { op, id: vm } = await createVm(id);
  await eventually(async () =>
    (await world.vm(vm)).reason?.includes(`holds ${2 * mb - 1} MB in all, and they may come to ${2 * mb} MB`),
  );
  world.steps.watch(async ({ name }, run) => {
    if (name === 'bringImages') await limit(before + 2 * mb - 1);
    return run();
  });
  await limit(null);
  await world.tick('reconcile');
  await eventually(async () => (await world.vm(vm)).lcm_state === 'PROLOG_FAILURE');
  expect(await world.ended(op)).toMatchObject({ state: 'failed' });
  expect((await world.vm(vm)).reason).toContain(`Image ${id} was not brought to datastore 0: Datastore 0 (system) has`);
  await limit(null);
  await end(vm);
  await remove(id);
});

it('goes with the VM that it was on its way for, unless another waits for it', async () => {
  const id = await image();
  world.storage.pieceMilliseconds = 200;
  const [one, other] = [await createVm(id), await createVm(id)];
  await eventually(async () => ((await copies(id))[0]?.moved.done ?? 0) > 0 || lying(id).length > 0);
  await end(one.id);
  world.storage.pieceMilliseconds = 0;
  expect(await world.ended(other.op)).toMatchObject(done);
  await end(other.id);
  await remove(id);

  const alone = await image();
  world.storage.pieceMilliseconds = 200;
  const { id: vm } = await createVm(alone);
  await eventually(async () => lying(alone).length > 0);
  await end(vm);
  expect([await copies(alone), lying(alone)]).toEqual([[], []]);
  await remove(alone);
});

it('goes when no VM has had a disk of it for long, and with its datastore', async () => {
  const id = await image();
  const vm = await running(id);
  const long = new Date(Date.now() - idleAfter - 1_000);
  const idle = () => world.store.imageCopies.model.updateOne({ image: id }, { $set: { used_at: long } });
  await idle();
  await world.tick('monitorDatastores');
  expect(await copies(id)).toMatchObject([{ image: id, state: 'READY' }]);
  await end(vm);
  await world.tick('monitorDatastores');
  expect(await copies(id)).toHaveLength(1);
  await idle();
  await world.tick('monitorDatastores');
  expect([await copies(id), lying(id)]).toEqual([[], []]);

  const other = await world.operations.datastores.create(world.caller, {
    ...{ name: 'for VMs', type: 'system', ds_mad: 'fs' },
  });
  const there = await running(id, {});
  await end(there);
  const [copy] = await copies(id);
  await world.store.imageCopies.model.deleteOne({ _id: copy?._id });
  await world.store.imageCopies.model.create({ ...copy, _id: `${id}/${other.id}`, datastore_id: other.id });
  await world.operations.datastores.remove(world.caller, other.id, { demand: async () => {} });
  expect(await copies(id)).toEqual([]);
  world.storage.kept.delete(`0/${id}`);
  await remove(id);
});

it('is brought for a disk that is attached, and refused where it is persistent', async () => {
  const [system, data] = [await image(), await image({ type: 'DATABLOCK' })];
  const vm = await running(system);
  const attach = async (of: number) =>
    world.ended((await world.changeDevices(vm, { action: 'disk-attach', disk: NewDisk.parse({ image: of }) })).op);
  expect(await attach(data)).toMatchObject(done);
  expect((await world.vm(vm)).disks).toMatchObject([{ disk_id: 0 }, { disk_id: 1, image: { id: data } }]);
  expect(lying(data)).toEqual([`0/${data}`]);
  const kept = await image({ persistent: true });
  const refused = await attach(kept);
  expect(refused.error?.detail).toContain('is persistent, is used where it lies, and lies elsewhere than datastore 0');
  await end(vm);
  for (const id of [system, data, kept]) await remove(id);
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem, problemOf } from '../../../domain/problems.js';
import { vmStateName } from '../../../domain/vms/vm-states.js';
import type { VmSwitch } from '../../../schemas/operations/vm-action.js';
import type { Image } from '../../../schemas/storage/image.js';
import { type Deed, everyStep } from '../../support/every-step.js';
import { giveDisk, ownDisk } from '../../support/own-disk.js';
import { type Asked, newWorld, type World } from '../../support/world.js';
import { diesOnce, holding, twice } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());
afterEach(() => {
  world.steps.watch();
  world.storage.disks.beforeEach = async () => {};
});

const admission = { requestId: 'test' };
/** A VM that is off, with a disk of 3 MB in datastore 0. */
async function made(action: VmSwitch = 'poweroff'): Promise<number> {
  const { id, op } = await world.createVm();
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
  expect(await world.ended((await world.switch(id, action)).op)).toMatchObject({ state: 'succeeded' });
  await giveDisk(world, id);
  return id;
}

let serial = 0;
async function newImage(size_mb = 3, more: Partial<Image> = {}): Promise<number> {
  const wish = { name: `backup-${++serial}`, description: '', type: 'OS', persistent: false } as const;
  const source = { empty: { size_mb, format: 'qcow2' } } as const;
  const { id, resource } = await world.operations.images.create(world.caller, { ...wish, source }, admission);
  expect(await world.ended(id)).toMatchObject({ state: 'succeeded' });
  if (Object.keys(more).length > 0) await world.store.images.model.updateOne({ _id: resource.id }, { $set: more });
  return resource.id;
}
let backup = -1;
beforeAll(async () => {
  backup = await newImage();
});

async function restore(vm: number, image_id = backup): Promise<Asked> {
  const asked = await world.operations.vms.restoreDisk(world.caller, { vm, disk: 0 }, { image_id }, admission);
  return { op: asked.id, id: vm };
}
const retry = async (op: string) => ({ op: (await world.operations.operations.retry(world.caller, op, admission)).id });
const refused = (act: Promise<unknown>) =>
  act.then(
    () => null,
    (error: unknown) => problemOf(error),
  );
const imageOf = (id = backup) => world.store.images.find(id);
const restoredTo = (vm: number) => world.storage.disks.kept.get(`0/${vm}/0`)?.restored ?? null;
const isFree = { hold: null, operation: null, wanted: null };

async function arrived(vm: number, state = 'POWEROFF', image = backup): Promise<void> {
  expect(await world.vm(vm)).toMatchObject({ ...isFree, disks: [ownDisk] });
  expect(vmStateName(await world.vm(vm))).toBe(state);
  expect(await imageOf(image)).toMatchObject({ state: 'READY', vms: [], operation: null });
}

const deed: Deed = {
  prepare: () => made(),
  ask: (vm) => restore(vm ?? -1),
  again: async (vm) => {
    const last = await world.store.operations.lastOf({ type: 'vm', id: vm });
    return last?.kind === 'restoreDisk' && last.state !== 'succeeded' ? retry(last._id) : null;
  },
  arrived: async (vm) => {
    await arrived(vm);
    expect(restoredTo(vm)).toBe(backup);
  },
  cancelled: async (vm) => vmStateName(await world.vm(vm)),
  afterCancel: /^POWEROFF$/,
  stops: 1,
};
describe('restoreDisk', () => everyStep(() => world, deed, 1));

describe('a disk', () => {
  it.each([
    ['POWEROFF', 'poweroff'],
    ['UNDEPLOYED', 'undeploy'],
  ] as const)('of a VM that is %s becomes what an image is, each step twice', async (state, action) => {
    const vm = await made(action);
    const { image } = { image: await newImage(2) };
    const during: unknown[] = [];
    world.storage.disks.beforeEach = async (call) => {
      if (call !== 'restoreDisk') return;
      const { vms, state: used } = (await imageOf(image)) ?? {};
      during.push([vmStateName(await world.vm(vm)), used, vms]);
    };
    world.steps.watch(twice);
    const { op } = await restore(vm, image);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    world.steps.watch();
    expect(during).toEqual([[state, 'USED', [vm]]]);
    await arrived(vm, state, image);
    expect(restoredTo(vm)).toBe(image);
    expect((await world.vm(vm)).disk_restored).toMatchObject({ op, disk: 0, image });
    await world.accounted();
  });

  it('is restored although the worker died in the middle', async () => {
    const vm = await made();
    world.steps.watch(diesOnce());
    const { op } = await restore(vm);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    await deed.arrived(vm);
  });

  it('that cannot be restored is what it was, and is tried again', async () => {
    const vm = await made();
    let calls = 0;
    world.storage.disks.beforeEach = async (call) => {
      if (call === 'restoreDisk' && ++calls === 1) throw new Problem('datastore_full', 'there is no room for it');
    };
    const { op } = await restore(vm);
    expect(await world.ended(op)).toMatchObject({ state: 'failed', error: { code: 'datastore_full' } });
    await arrived(vm);
    expect(restoredTo(vm)).toBeNull();
    expect(await world.ended((await retry(op)).op)).toMatchObject({ state: 'succeeded' });
    await deed.arrived(vm);
  });

  it('is fenced when it is cancelled: what an older try still does is refused', async () => {
    const vm = await made();
    let late: Promise<unknown> = Promise.resolve();
    world.steps.watch(async (step, run) => {
      if (step.name !== 'restoreDisk') return run();
      late = step.cancelled.catch(() => undefined);
      return step.cancelled;
    });
    const { op } = await restore(vm);
    await expect.poll(() => world.steps.names()).toContain('restoreDisk');
    const { epoch } = await world.vm(vm);
    await world.cancel(op);
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled' });
    await late;
    expect(world.steps.names()).toContain('settleRestore');
    const claim = { vm, disk: 0, epoch, datastore: { id: 0, ds_mad: 'fs' } } as const;
    const from = { id: backup, datastore: { id: 1, ds_mad: 'fs' } } as const;
    const again = world.storage.disks.calls.restoreDisk(claim, from, () => {}, new AbortController().signal);
    expect(await refused(again)).toMatchObject({ code: 'taken' });
    await arrived(vm);
  });

  it('keeps its image and its VM to itself meanwhile; a termination takes the VM, and lets go of both', async () => {
    const vm = await made();
    const { around, reached, release } = holding('restoreDisk');
    world.steps.watch(around);
    const { op } = await restore(vm);
    await reached;
    const removal = world.operations.images.remove(world.caller, backup, admission);
    expect(await refused(removal)).toMatchObject({ message: expect.stringContaining(`VM ${vm} uses it`) });
    expect(await refused(restore(vm))).toMatchObject({ code: 'operation_in_progress', operation: op });
    const { op: end } = await world.terminate(vm, true);
    release();
    expect(await world.ended(end)).toMatchObject({ state: 'succeeded' });
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled' });
    expect(vmStateName(await world.vm(vm))).toBe('DONE');
    expect(await imageOf()).toMatchObject({ state: 'READY', vms: [] });
    await world.accounted();
  });

  it('is refused where it cannot be, with why', async () => {
    const vm = await made();
    const set = (change: object) => world.store.vms.model.updateOne({ _id: vm }, { $set: change });
    const why = async (change: object, image = backup) => {
      await set({ disks: [{ ...ownDisk, ...change }] });
      return (await refused(restore(vm, image)))?.message;
    };
    expect(await why({ disk_id: 4 })).toBe(`VM ${vm} has no disk 0.`);
    expect(await why({ type: 'swap' })).toContain('one to swap to');
    expect(await why({ readonly: true })).toContain('is only read');
    const snapshot = { snapshot_id: 0, name: 'first', parent: null, taken_at: new Date() };
    expect(await why({ snapshots: [snapshot] })).toContain('delete them first');
    const itself = { id: backup, name: 'b', datastore: 1, ds_mad: 'fs', way: 'use', persistent: true };
    expect(await why({ image: itself })).toContain('itself');
    expect(await why({}, await newImage(4))).toContain('make the disk larger first');
    expect(await why({}, await newImage(3, { state: 'ERROR', reason: 'x' }))).toContain('is in ERROR');
    const used = await newImage(3, { state: 'USED_PERS', persistent: true, vms: [99] });
    expect(await why({}, used)).toContain('is persistent, and VM 99 uses it');
    expect(await why({}, await newImage(3, { ds_mad: 's3' }))).toContain('kind s3');
    expect(await why({}, 9_999)).toContain('no image 9999');
    await set({ disks: [ownDisk], datastore: null });
    expect((await refused(restore(vm)))?.message).toContain('kept by its host');
    await set({ state: 'ACTIVE', lcm_state: 'RUNNING' });
    expect((await refused(restore(vm)))?.message).toContain('this is for POWEROFF, UNDEPLOYED');
    await set({ state: 'POWEROFF', lcm_state: 'LCM_INIT' });
    expect(await world.vm(vm)).toMatchObject(isFree);
  });
});

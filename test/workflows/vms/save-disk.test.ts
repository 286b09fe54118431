import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem, problemOf } from '../../../domain/problems.js';
import { type VmStateName, vmStateName } from '../../../domain/vms/vm-states.js';
import type { VmSwitch } from '../../../schemas/operations/vm-action.js';
import type { SaveDisk } from '../../../schemas/storage/image.js';
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
  world.storage.beforeEach = async () => {};
});

const admission = { requestId: 'test' };
const mebi = 2 ** 20;
/** A VM with a disk of 3 MB in datastore 0. */
async function made(action?: VmSwitch): Promise<number> {
  const { id, op } = await world.createVm();
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
  if (action) expect(await world.ended((await world.switch(id, action)).op)).toMatchObject({ state: 'succeeded' });
  await giveDisk(world, id);
  return id;
}

let serial = 0;
async function save(vm: number, wish: Partial<SaveDisk> = {}): Promise<Asked & { image: number }> {
  const named = { name: `saved-${++serial}`, description: '', persistent: false, ...wish };
  const operation = await world.operations.vms.saveDisk(world.caller, { vm, disk: 0 }, named, admission);
  return { op: operation.id, id: vm, image: operation.image_id ?? -1 };
}
const retry = async (op: string) => ({ op: (await world.operations.operations.retry(world.caller, op, admission)).id });
const lastOf = (vm: number) => world.store.operations.lastOf({ type: 'vm', id: vm });
const stateOf = async (vm: number): Promise<VmStateName> => vmStateName(await world.vm(vm));
const imageOf = (id: number) => world.store.images.find(id);
const bytesOf = (id: number): string[] =>
  [...world.storage.kept.keys(), ...world.storage.staged.keys()].filter((key) => key === `1/${id}`);
const refused = (act: Promise<unknown>) =>
  act.then(
    () => null,
    (error: unknown) => problemOf(error),
  );
const used = async () => (await world.store.quotas.find({ type: 'user', id: world.caller.id }))?.used;

/** The image that the last operation on a VM was to make. */
async function lastImage(vm: number): Promise<number> {
  const operation = await lastOf(vm);
  return operation && 'image' in operation.input ? operation.input.image : -1;
}
const isFree = { hold: null, operation: null, wanted: null };
const isSaved = { state: 'READY', operation: null, reason: null, size_mb: 3, format: 'qcow2', virtual_size: 3 * mebi };

async function arrived(vm: number, state: VmStateName): Promise<void> {
  expect(await world.vm(vm)).toMatchObject(isFree);
  expect(await stateOf(vm)).toBe(state);
  const id = await lastImage(vm);
  const image = await imageOf(id);
  // What was cancelled is gone, and nothing of it is left.
  if (!image) return expect(bytesOf(id)).toEqual([]);
  expect(image).toMatchObject(isSaved);
  expect(bytesOf(id)).toEqual([`1/${id}`]);
}

const deed: Deed = {
  prepare: () => made(),
  ask: (vm) => save(vm ?? -1),
  again: async (vm) => {
    const last = await lastOf(vm);
    return (await imageOf(await lastImage(vm)))?.state === 'ERROR' && last ? retry(last._id) : null;
  },
  arrived: (vm) => arrived(vm, 'ACTIVE/RUNNING'),
  cancelled: async (vm) => (await imageOf(await lastImage(vm)))?.state ?? 'gone',
  afterCancel: /^gone$/,
  stops: 1,
};
describe('saveDisk', () => everyStep(() => world, deed, 1));

describe('a disk', () => {
  it.each([
    ['RUNNING', undefined, 'ACTIVE/RUNNING', 'ACTIVE/HOTPLUG_SAVEAS'],
    ['POWEROFF', 'poweroff', 'POWEROFF', 'ACTIVE/HOTPLUG_SAVEAS_POWEROFF'],
    ['SUSPENDED', 'suspend', 'SUSPENDED', 'ACTIVE/HOTPLUG_SAVEAS_SUSPENDED'],
  ] as const)(
    'of a VM that is %s is saved once, each step twice, and the VM is that again',
    async (_, action, before, during) => {
      const vm = await made(action);
      const seen: string[] = [];
      world.storage.beforeEach = async (call) => {
        if (call === 'saveDisk') seen.push(await stateOf(vm));
      };
      world.steps.watch(twice);
      const { op, image } = await save(vm);
      expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
      world.steps.watch();
      expect(new Set(seen)).toEqual(new Set([during]));
      expect(await imageOf(image)).toMatchObject({ ...isSaved, type: 'DATABLOCK', origin: { vm, disk: 0 } });
      await arrived(vm, before);
      await world.accounted();
    },
  );

  it('is charged to whoever saves it before a byte is copied, and given back with the image', async () => {
    const vm = await made();
    const before = await used();
    const { around, reached, release } = holding('fillImage');
    world.steps.watch(around);
    const { op, image } = await save(vm, { persistent: true, type: 'OS' });
    await reached;
    const charged = { images: (before?.images ?? 0) + 1, storage: (before?.storage ?? 0) + 3 };
    expect(await used()).toMatchObject(charged);
    expect(await imageOf(image)).toMatchObject({ state: 'LOCKED', operation: op, persistent: true, type: 'OS' });
    release();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    expect(await used()).toMatchObject(charged);
    const { id } = await world.operations.images.remove(world.caller, image, admission);
    expect(await world.ended(id)).toMatchObject({ state: 'succeeded' });
    expect(await used()).toMatchObject({ images: before?.images ?? 0, storage: before?.storage ?? 0 });
  });

  it('that cannot be saved leaves an image in ERROR that says why, and a VM as it was; tried again it is the same image', async () => {
    const vm = await made();
    let calls = 0;
    world.storage.beforeEach = async (call) => {
      if (call === 'saveDisk' && ++calls === 1) throw new Problem('datastore_full', 'there is no room for it');
    };
    const { op, image } = await save(vm);
    expect(await world.ended(op)).toMatchObject({ state: 'failed', error: { code: 'datastore_full' } });
    expect(await imageOf(image)).toMatchObject({ state: 'ERROR', reason: 'there is no room for it', operation: null });
    expect(bytesOf(image)).toEqual([]);
    expect(await world.vm(vm)).toMatchObject(isFree);
    expect(await stateOf(vm)).toBe('ACTIVE/RUNNING');
    expect(await world.ended((await retry(op)).op)).toMatchObject({ state: 'succeeded' });
    expect(await lastImage(vm)).toBe(image);
    await arrived(vm, 'ACTIVE/RUNNING');
  });

  it('is saved although the worker died in the middle', async () => {
    const vm = await made();
    world.steps.watch(diesOnce());
    const { op } = await save(vm);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    await arrived(vm, 'ACTIVE/RUNNING');
  });

  it('of a VM that is terminated meanwhile is not saved: the VM is gone, and no bytes are left', async () => {
    const vm = await made();
    let begun: () => void = () => {};
    const reached = new Promise<void>((resolve) => {
      begun = resolve;
    });
    world.steps.watch(async (step, run) => {
      if (step.name !== 'fillImage') return run();
      begun();
      return step.cancelled;
    });
    const { op, image } = await save(vm);
    await reached;
    const { op: end } = await world.terminate(vm, true);
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled' });
    expect(await world.ended(end)).toMatchObject({ state: 'succeeded' });
    expect(await stateOf(vm)).toBe('DONE');
    expect(['gone', 'ERROR']).toContain((await imageOf(image))?.state ?? 'gone');
    expect(bytesOf(image)).toEqual([]);
    await world.accounted();
  });

  it('of which the image is removed meanwhile is not saved, and the VM is what it was', async () => {
    const vm = await made('poweroff');
    const { around, reached, release } = holding('fillImage');
    world.steps.watch(around);
    const { op, image } = await save(vm);
    await reached;
    const { id } = await world.operations.images.remove(world.caller, image, admission);
    release();
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled' });
    expect(await world.ended(id)).toMatchObject({ state: 'succeeded' });
    expect(await imageOf(image)).toBeNull();
    expect(bytesOf(image)).toEqual([]);
    expect(await stateOf(vm)).toBe('POWEROFF');
    expect(await world.vm(vm)).toMatchObject(isFree);
  });

  it('of a VM of which something else is done is refused, and so is what else is asked while it is saved', async () => {
    const vm = await made();
    const { around, reached, release } = holding('fillImage');
    world.steps.watch(around);
    const { op } = await save(vm);
    await reached;
    expect(await refused(save(vm))).toMatchObject({ code: 'operation_in_progress', operation: op });
    expect(await refused(world.switch(vm, 'poweroff'))).toMatchObject({ code: 'operation_in_progress' });
    release();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
  });

  it('that is not there, or is to swap to, or that a host has, is refused with what it is', async () => {
    const vm = await made();
    const set = (change: object) => world.store.vms.model.updateOne({ _id: vm }, { $set: change });
    await set({ disks: [{ ...ownDisk, disk_id: 4 }] });
    expect(await refused(save(vm))).toMatchObject({ code: 'not_found', message: `VM ${vm} has no disk 0.` });
    await set({ disks: [{ ...ownDisk, type: 'swap' }] });
    expect(await refused(save(vm))).toMatchObject({ code: 'wrong_state', message: expect.stringContaining('swap') });
    await set({ disks: [ownDisk], datastore: null });
    expect(await refused(save(vm))).toMatchObject({
      code: 'wrong_state',
      message: expect.stringContaining('its host'),
    });
  });

  it('is saved under a name that is free, in a datastore for images', async () => {
    const vm = await made();
    const { op } = await save(vm, { name: 'same' });
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    expect(await refused(save(vm, { name: 'same' }))).toMatchObject({ code: 'name_taken' });
    expect(await refused(save(vm, { datastore_id: 0 }))).toMatchObject({ code: 'invalid_request' });
    expect(await world.vm(vm)).toMatchObject(isFree);
  });
});

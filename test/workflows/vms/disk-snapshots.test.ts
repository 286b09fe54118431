import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem, problemOf } from '../../../domain/problems.js';
import type { DeviceChange } from '../../../schemas/operations/vm-devices.js';
import { giveDisk } from '../../support/own-disk.js';
import { newWorld, type World } from '../../support/world.js';
import { twice } from '../../support/world-steps.js';

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
/** A VM that runs, with a disk in a datastore that its domain has, too. */
async function made(): Promise<number> {
  const { id, op } = await world.createVm();
  await ok({ op });
  await giveDisk(world, id);
  await world.store.vms.model.updateOne({ _id: id }, { $set: { device_ids: { nic: 0, disk: 1 } } });
  await ok(world.switch(id, 'undeploy'));
  await ok(world.resume(id));
  return id;
}
async function ok(asked: Promise<{ op: string }> | { op: string }): Promise<void> {
  expect(await world.ended((await asked).op)).toMatchObject({ state: 'succeeded', error: null });
}
const change = (vm: number, action: 'revert' | 'delete', snapshot_id: number) =>
  world.changeDevices(vm, { action: `disk-snapshot-${action}`, disk_id: 0, snapshot_id } as DeviceChange);
const take = (vm: number, name: string) =>
  world.changeDevices(vm, { action: 'disk-snapshot-create', disk_id: 0, name });
const inDatastore = (vm: number) => [...(world.storage.disks.kept.get(`0/${vm}/0`)?.snapshots ?? [])];
const inVm = async (vm: number) => (await world.vm(vm)).disks?.[0]?.snapshots.map(({ snapshot_id }) => snapshot_id);

describe('snapshots of a disk in a datastore', () => {
  it('are taken there, each step twice, stay when the VM leaves its host, and are reverted to and deleted there', async () => {
    const vm = await made();
    world.steps.watch(twice);
    await ok(take(vm, 'first'));
    await ok(take(vm, 'second'));
    world.steps.watch();
    expect(inDatastore(vm)).toEqual([0, 1]);
    await ok(world.switch(vm, 'undeploy'));
    expect(await inVm(vm)).toEqual([0, 1]);
    await ok(world.resume(vm));
    await ok(world.switch(vm, 'poweroff'));
    const calls: string[] = [];
    world.storage.disks.beforeEach = async (call) => void calls.push(call);
    world.steps.watch(twice);
    await ok(change(vm, 'revert', 0));
    await ok(change(vm, 'delete', 1));
    expect(new Set(calls)).toEqual(new Set(['snapshotDisk']));
    expect([inDatastore(vm), await inVm(vm), (await world.vm(vm)).disks?.[0]?.current]).toEqual([[0], [0], 0]);
    await world.accounted();
  });

  it('are none where the datastore refuses: neither in the VM, nor left there for the next of that number', async () => {
    const vm = await made();
    await ok(world.switch(vm, 'poweroff'));
    let calls = 0;
    world.storage.disks.beforeEach = async (call) => {
      if (call === 'snapshotDisk' && ++calls === 1) throw new Problem('datastore_full', 'there is no room for it');
    };
    const { op } = await take(vm, 'first');
    const { state } = await world.ended(op);
    // What its host has of it is what it has: the datastore is told again when that is looked at.
    expect(['failed', 'succeeded']).toContain(state);
    expect(inDatastore(vm)).toEqual(await inVm(vm));
    await world.accounted();
  });

  it('are saved as images, and refused where there is none', async () => {
    const vm = await made();
    await ok(take(vm, 'first'));
    const save = (snapshot_id: number) =>
      world.operations.vms.saveDisk(
        world.caller,
        { vm, disk: 0 },
        { name: `saved ${vm} ${snapshot_id}`, description: '', persistent: false, snapshot_id },
        admission,
      );
    const { id, image_id: image = -1 } = await save(0);
    expect(await world.ended(id)).toMatchObject({ state: 'succeeded', input: { disk: 0, image, snapshot: 0 } });
    expect(await world.store.images.find(image)).toMatchObject({
      state: 'READY',
      origin: { vm, disk: 0, snapshot: 0 },
    });
    const shown = await world.operations.images.show(world.caller, image);
    expect(shown.source).toBe(`snapshot 0 of disk 0 of VM ${vm}`);
    const refused = await save(4).catch((error: unknown) => problemOf(error));
    expect(refused).toMatchObject({ code: 'not_found', message: `Disk 0 of VM ${vm} has no snapshot 4.` });
  });
});

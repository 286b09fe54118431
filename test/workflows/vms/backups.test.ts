import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fireVmSchedules } from '../../../activities/vms/vm-schedules.js';
import { Problem, problemOf } from '../../../domain/problems.js';
import { vmStateName } from '../../../domain/vms/vm-states.js';
import { unconditional } from '../../../requests/precondition.js';
import type { Image } from '../../../schemas/storage/image.js';
import type { AddVmSchedule } from '../../../schemas/vms/vm-schedules.js';
import { giveDisk, ownDisk } from '../../support/own-disk.js';
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
const system = { id: 0, ds_mad: 'fs' } as const;
const fire = (performScheduled = world.performScheduled) =>
  new MockActivityEnvironment().run(() => fireVmSchedules({ store: world.store, performScheduled }));

/** A VM that is off, with as many disks of 3 MB, of which something is to be saved every year. */
async function backedUp(wish: Partial<AddVmSchedule> = {}, disks = 1): Promise<number> {
  const { id, op } = await world.createVm();
  await world.ended(op);
  await world.ended((await world.switch(id, 'poweroff')).op);
  await giveDisk(world, id);
  const all = Array.from({ length: disks }, (_, disk_id) => ({ ...ownDisk, disk_id, target: `vd${'abc'[disk_id]}` }));
  await world.store.vms.model.updateOne({ _id: id }, { $set: { disks: all } });
  for (const { disk_id: disk } of all)
    await world.storage.disks.calls.makeDisk(
      { vm: id, disk, datastore: system, epoch: 1_000 },
      { empty: { format: 'qcow2', size: 3 * 2 ** 20 }, content: 'none' },
      new AbortController().signal,
    );
  const yearly = { action: 'disk-saveas', recurrence: '0 0 29 2 *', ...wish } as const;
  await world.operations.vmSchedules.add(world.caller, id, yearly, unconditional);
  return id;
}

const begin = Date.now() - 50 * 60_000;
let rounds = 0;
/** It is due by now, since another time than before. */
async function due(vm: number): Promise<Date> {
  const past = new Date(begin + ++rounds * 1_000);
  await world.store.vms.model.updateOne(
    { _id: vm },
    { $set: { 'schedule.due_at': past, 'schedule.of.0.next_at': past } },
  );
  return past;
}
const lastOf = async (vm: number) =>
  (await world.operations.vmSchedules.show(world.caller, vm)).schedules[0]?.last ?? null;
/** It is due, is done, and its operation has ended so. */
async function round(vm: number, state = 'succeeded'): Promise<string> {
  await due(vm);
  await fire();
  const op = (await lastOf(vm))?.operation ?? '';
  expect(await world.ended(op)).toMatchObject({ state });
  return op;
}
const imagesOf = (vm: number): Promise<Image[]> => world.store.images.backups(vm, 0);
const removing = async (vm: number): Promise<void> => {
  for (const { _id: id } of await imagesOf(vm)) {
    const last = await world.store.operations.lastOf({ type: 'image', id });
    if (last?.kind === 'deleteImage') await world.ended(last._id);
  }
};
/** Which disks and states there are once all deletions have come to their ends. */
async function there(vm: number): Promise<[number, string][]> {
  await removing(vm);
  return (await imagesOf(vm)).map(({ origin, state }) => ['vm' in origin ? origin.disk : -1, state]);
}

describe('disks that are saved again and again', () => {
  it('become images by VM, disk and time, of which the newest stay, each step twice', async () => {
    const vm = await backedUp({ image_name: 'nightly', keep: 2 }, 2);
    world.steps.watch(twice);
    const op = await round(vm);
    world.steps.watch();
    expect(await world.operation(op)).toMatchObject({ kind: 'saveDisk', requester: { id: world.caller.id } });
    const first = await imagesOf(vm);
    const at = new Date(begin + rounds * 1_000).toISOString().replace(/\.\d+/, '');
    expect(first.map(({ name, state, persistent }) => [name, state, persistent])).toEqual([
      [`nightly ${vm}.0 ${at}`, 'READY', false],
      [`nightly ${vm}.1 ${at}`, 'READY', false],
    ]);
    await round(vm);
    world.steps.watch(twice);
    await round(vm);
    expect(await there(vm)).toEqual([0, 1, 0, 1].map((disk) => [disk, 'READY']));
    expect((await imagesOf(vm)).some(({ _id }) => first.some((one) => one._id === _id))).toBe(false);
    expect(vmStateName(await world.vm(vm))).toBe('POWEROFF');
    await world.accounted();
  });

  it('are saved once, though two look at once, or whoever looks dies before or after it is admitted', async () => {
    const vm = await backedUp();
    await due(vm);
    const dies = (before: boolean) =>
      fire(async (action) => {
        if (!before) await world.performScheduled(action);
        throw new Error('the worker dies');
      });
    await dies(true);
    expect(await imagesOf(vm)).toEqual([]);
    await Promise.all([fire(), fire()]);
    await dies(false);
    await fire();
    await world.ended((await lastOf(vm))?.operation ?? '');
    expect(await there(vm)).toEqual([[0, 'READY']]);
  });

  it('leave to whoever uses them, and to whoever has locked them, images that newer ones take the place of, and say so', async () => {
    const vm = await backedUp({ keep: 1 });
    await round(vm);
    const [used] = await imagesOf(vm);
    await world.store.images.model.updateOne({ _id: used?._id }, { $set: { state: 'USED', vms: [vm] } });
    const op = await round(vm);
    expect((await world.operation(op)).warnings).toEqual([
      expect.stringMatching(new RegExp(`^Image ${used?._id} stays, although newer .* is in use: VM ${vm} uses it`)),
    ]);
    expect(await there(vm)).toEqual([
      [0, 'USED'],
      [0, 'READY'],
    ]);
    const lock = { uid: world.caller.id, at: new Date() };
    await world.store.images.model.updateOne({ _id: used?._id }, { $set: { state: 'READY', vms: [], lock } });
    const next = await round(vm);
    expect((await world.operation(next)).warnings).toEqual([expect.stringContaining('is locked. Unlock it first')]);
    await world.store.images.model.updateOne({ _id: used?._id }, { $set: { lock: null } });
    await round(vm);
    expect(await there(vm)).toEqual([[0, 'READY']]);
  });

  it('that cannot be saved are no reason to delete older ones; what failed goes with the next that is there', async () => {
    const vm = await backedUp({ keep: 1 });
    await round(vm);
    const [old] = await imagesOf(vm);
    world.storage.beforeEach = async (call) => {
      if (call === 'saveDisk') throw new Problem('datastore_full', 'there is no room for it');
    };
    await round(vm, 'failed');
    expect(await there(vm)).toEqual([
      [0, 'READY'],
      [0, 'ERROR'],
    ]);
    expect((await imagesOf(vm))[0]?._id).toBe(old?._id);
    world.storage.beforeEach = async () => {};
    await round(vm);
    expect(await there(vm)).toEqual([[0, 'READY']]);
  });

  it('are tried again as the images that were not made, and those alone', async () => {
    const vm = await backedUp({ keep: 1 }, 2);
    let calls = 0;
    world.storage.beforeEach = async (call) => {
      if (call === 'saveDisk' && ++calls === 2) throw new Problem('datastore_full', 'there is no room for it');
    };
    const op = await round(vm, 'failed');
    expect(await there(vm)).toEqual([
      [0, 'READY'],
      [1, 'ERROR'],
    ]);
    const again = await world.operations.operations.retry(world.caller, op, admission);
    expect(await world.ended(again.id)).toMatchObject({ state: 'succeeded', input: { disk: 1 } });
    expect(calls).toBe(3);
    expect(await there(vm)).toEqual([
      [0, 'READY'],
      [1, 'READY'],
    ]);
  });

  it('are saved although the worker died in the middle; cancelled, what is whole stays and the rest is gone', async () => {
    const vm = await backedUp({ keep: 1 }, 2);
    world.steps.watch(diesOnce());
    await round(vm);
    expect(await there(vm)).toEqual([
      [0, 'READY'],
      [1, 'READY'],
    ]);
    let calls = 0;
    world.steps.watch((step, run) => (step.name === 'fillImage' && ++calls === 2 ? step.cancelled : run()));
    await due(vm);
    await fire();
    const op = (await lastOf(vm))?.operation ?? '';
    await expect.poll(() => calls).toBe(2);
    await world.cancel(op);
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled' });
    expect((await there(vm)).map(([disk]) => disk)).toEqual([0, 1, 0]);
    expect(vmStateName(await world.vm(vm))).toBe('POWEROFF');
    await world.accounted();
  });

  it('wait while as many images of one user are made as may be', async () => {
    const vm = await backedUp();
    await world.store.images.model.collection.insertMany(
      Array.from({ length: 8 }, (_, at) => ({
        ...{ _id: 90_000 + at, uid: world.caller.id, name: `in the making ${at}`, state: 'LOCKED', datastore_id: 1 },
      })) as never[],
    );
    await due(vm);
    await fire();
    expect(await lastOf(vm)).toMatchObject({ verdict: 'waits', why: expect.stringContaining('are being made') });
    await world.store.images.model.deleteMany({ _id: { $gte: 90_000 } });
    await world.store.vms.model.updateOne({ _id: vm }, { $set: { 'schedule.due_at': new Date() } });
    await fire();
    expect(await world.ended((await lastOf(vm))?.operation ?? '')).toMatchObject({ state: 'succeeded' });
  });

  it('are refused when there is no such disk, and what is said of them with another action', async () => {
    const vm = await backedUp();
    const add = (wish: AddVmSchedule) =>
      world.operations.vmSchedules.add(world.caller, vm, { recurrence: '0 2 * * *', ...wish }, unconditional).then(
        () => null,
        (error: unknown) => problemOf(error)?.findings,
      );
    expect(await add({ action: 'disk-saveas', disk_id: 7 })).toMatchObject([{ pointer: '/disk_id' }]);
    expect(await add({ action: 'poweroff', keep: 3, image_name: 'x' })).toMatchObject([
      { pointer: '/image_name', detail: 'goes with the action disk-saveas alone' },
      { pointer: '/keep' },
    ]);
    await world.store.vms.model.updateOne({ _id: vm }, { $set: { disks: [{ ...ownDisk, type: 'swap' }] } });
    await due(vm);
    await fire();
    expect(await lastOf(vm)).toMatchObject({ verdict: 'refused', why: expect.stringContaining('no disk that could') });
  });
});

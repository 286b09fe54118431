import type { DiskClaim, DiskWish, Storage } from '../../adapters/storage/port.js';
import { Problem, problemOf, problems } from '../../domain/problems.js';
import { copyId } from '../../domain/storage/image-copies.js';
import { wrongWithDisk } from '../../domain/vms/disk-fault.js';
import { isStill } from '../../domain/vms/disk-saves.js';
import { placeOf as hostOf } from '../../domain/vms/stays.js';
import { snapshotChange } from '../../domain/vms/vm-devices.js';
import { mebi } from '../../schemas/common/mebi.js';
import type { Disk } from '../../schemas/operations/vm-devices.js';
import type { DeviceChanging, VmDatastore } from '../../schemas/vms/vm.js';
import type { CopyWish } from '../../store/vms/copy-claims.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import type { StepPorts } from '../ports.js';
import { type BatchOutcome, eachVm } from './each-vm.js';
import { copiesThere, neededCopies, type Unbrought } from './needed-copies.js';

// The disks of VMs where they lie: what steps ask of a datastore.

type Storages = StepPorts['storages'];
type Copies = ReadonlySet<string>;
type DisksVm = Pick<WorkVm, '_id' | 'epoch' | 'disks' | 'datastore' | 'device_change'>;

/** Whoever has come later has the VM, and says what becomes of it. */
export async function inTime<T>(vm: Pick<WorkVm, '_id'>, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (problemOf(error)?.code !== 'taken') throw error;
    throw new Problem('stale_epoch', `A newer operation has the disks of VM ${vm._id}, or what it is told.`, {
      cause: error,
    });
  }
}

/** Where a disk of a VM lies, if anywhere but with its host. */
function placeOf(
  storages: Storages,
  { _id: vm, epoch, datastore }: Pick<WorkVm, '_id' | 'epoch' | 'datastore'>,
): { storage: Storage; claim: (disk: number) => DiskClaim } | null {
  if (!datastore) return null;
  const { id, ds_mad } = datastore;
  return {
    storage: storages.of({ ds_mad }),
    claim: (disk) => ({ vm, disk, epoch, datastore: { id, ds_mad } }),
  };
}

/** `copies`: of images that lie elsewhere, what there is in the datastore of the disk. */
function wishFor({ type, size, format, image }: Disk, { id, ds_mad }: VmDatastore, copies: Copies): DiskWish {
  const bytes = size * mebi;
  if (image) {
    const isHere = copies.has(copyId({ image: image.id, datastore_id: id }));
    const from = { id: image.id, datastore: { id: isHere ? id : image.datastore, ds_mad } };
    return { from, way: image.way, size: image.way === 'clone' ? bytes : null };
  }
  if (type === 'swap') return { empty: { format: 'raw', size: bytes }, content: 'swap' };
  return { empty: { format, size: bytes }, content: 'none' };
}

/** A disk of a VM is there. One that is there already stays as it is, but for being as large as it is to be. */
export async function madeDisk(
  storages: Storages,
  vm: DisksVm,
  disk: Disk,
  copies: Copies,
  signal: AbortSignal,
): Promise<void> {
  const place = placeOf(storages, vm);
  if (!place || !vm.datastore) return;
  const { storage, claim } = place;
  await inTime(vm, storage.makeDisk(claim(disk.disk_id), wishFor(disk, vm.datastore, copies), signal));
}

/** Nothing of a disk is left where it lay; the image that it was stays. */
export async function removedDisk(storages: Storages, vm: DisksVm, disk: number, signal: AbortSignal): Promise<void> {
  const place = placeOf(storages, vm);
  if (place) await inTime(vm, place.storage.removeDisk(place.claim(disk), signal));
}

/** A disk that nobody has open is as large as this. */
export async function grownDisk(
  storages: Storages,
  vm: DisksVm,
  disk: number,
  megabytes: number,
  signal: AbortSignal,
): Promise<void> {
  const place = placeOf(storages, vm);
  if (place) await inTime(vm, place.storage.growDisk(place.claim(disk), megabytes * mebi, signal));
}

/** What a change does to the snapshots of a disk, where that lies, unless a hypervisor that has it open has done it. */
export async function snapshotDone(
  storages: Storages,
  vm: DisksVm & Pick<WorkVm, 'history'>,
  { change, from }: Pick<DeviceChanging, 'change' | 'from'>,
  signal: AbortSignal,
): Promise<void> {
  const place = placeOf(storages, vm);
  const its = snapshotChange(change);
  if (!place || !its || !isStill(from === 'running', hostOf(vm)?.vm_mad)) return;
  await inTime(vm, place.storage.snapshotDisk(place.claim(its.disk), { do: its.do, snapshot: its.snapshot }, signal));
}

/** The disks of a VM are there, or that one of them, and none that was about to be attached when it was lost. */
export async function madeDisks(
  storages: Storages,
  vm: DisksVm,
  copies: Copies,
  signal: AbortSignal,
  only?: number,
): Promise<void> {
  const { disks = [], device_change: last } = vm;
  if (last?.open && last.change.action === 'disk-attach')
    await removedDisk(storages, vm, last.change.disk.disk_id, signal);
  for (const disk of disks)
    if (only === undefined || disk.disk_id === only)
      await namingDisk(
        disks.length > 1 && only === undefined ? disk.disk_id : null,
        madeDisk(storages, vm, disk, copies, signal),
      );
}

/** Of several disks what went wrong says which it was. */
async function namingDisk<T>(disk: number | null, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const problem = problemOf(error);
    if (disk === null || !problem) throw error;
    throw new Problem(problem.code, wrongWithDisk(disk, problem.message), { cause: error });
  }
}

/** Nothing of the disks of a VM is left, but for images that they were, nor of what its guest was told. */
export async function removedDisks(storages: Storages, vm: DisksVm, signal: AbortSignal): Promise<void> {
  const { _id, epoch, datastore } = vm;
  if (!datastore) return;
  const { id, ds_mad } = datastore;
  const claim = { vm: _id, epoch, datastore: { id, ds_mad } };
  await inTime(vm, storages.of({ ds_mad }).removeDisks(claim, signal));
}

/**
 * PROLOG → BOOT, of those among these VMs whose disks are to be made in a datastore. `rest`: what has still to be booted; `bring`: VMs of which images are to be
 * brought there first. `unbrought`: why some of those cannot be, of VMs for which that was tried.
 */
export async function makeDisks(
  { store, storages }: StepPorts,
  op: string,
  all: readonly number[],
  unbrought?: readonly Unbrought[],
): Promise<{ rest: number[]; lost: BatchOutcome | null; bring: number[] }> {
  const found = await store.vms.withDisksToMake(all);
  if (found.length === 0) return { rest: [...all], lost: null, bring: [] };
  const wishes = await neededCopies({ store }, await store.vms.byIds(found));
  const { there: copies, missing } = await copiesThere({ store }, wishes);
  const lacking = new Set(missing.flatMap((wish) => wish.vms));
  const bring = unbrought ? [] : found.filter((vm) => lacking.has(vm));
  const vms = unbrought ? found : found.filter((vm) => !lacking.has(vm));
  const { done, ...lost } = await eachVm(store.vms, op, vms, {
    verb: 'makeDisks',
    goesOn: true,
    work: async (vm, signal) => {
      const wish = missing.find((one) => one.vms.includes(vm._id));
      if (wish) throw whyMissing(wish, unbrought);
      await madeDisks(storages, vm, copies, signal);
      return {};
    },
  });
  const has = new Set([...done, ...bring]);
  const isLost = new Set(found.filter((vm) => !has.has(vm)));
  const waits = new Set(bring);
  return {
    rest: all.filter((vm) => !isLost.has(vm) && !waits.has(vm)),
    lost: isLost.size > 0 ? { done: [], ...lost } : null,
    bring,
  };
}

/** It may have been changed, or have gone, since it was brought: another deployment brings it. */
function whyMissing({ image, datastore_id: datastore }: CopyWish, unbrought: readonly Unbrought[] = []): Problem {
  const found = unbrought.find((one) => one.image === image && one.datastore === datastore);
  // Whatever it was, it was tried for long enough.
  const code = found && !problems[found.code].retryable ? found.code : 'deploy_refused';
  const why = found?.detail ?? 'it has changed, or has gone again.';
  return new Problem(code, `Image ${image} was not brought to datastore ${datastore}: ${why}`);
}

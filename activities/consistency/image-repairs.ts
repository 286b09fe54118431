import type { Evidence } from '../../domain/consistency/evidence.js';
import { whyNotIts, whyNotTold } from '../../domain/consistency/judge-disks.js';
import { Problem } from '../../domain/problems.js';
import { copyId } from '../../domain/storage/image-copies.js';
import { droppedCopy } from '../storage/image-copies.js';
import type { LookPorts } from './consistency-looks.js';

/** Later than any try: nobody has a claim to what belongs to no image, and whoever still writes to it has been overtaken. */
const lastEpoch = Number.MAX_SAFE_INTEGER;

/** Removes what has arrived of an image of which nobody knows, but nothing where its datastore keeps an image under that id. */
export async function removeStaging(
  { datastore, image }: Evidence['staging_orphaned'],
  { store, storages, signal }: LookPorts,
): Promise<boolean> {
  const [at] = await store.datastores.byIds([datastore]);
  if (!at) throw new Problem('not_found', `Datastore ${datastore} does not exist any more.`);
  const found = await store.images.find(image);
  if (found?.datastore_id === datastore) return false;
  if (await store.imageCopies.find({ image, datastore_id: datastore })) return false;
  const { ds_mad } = at;
  const stored = { id: image, datastore: { id: datastore, ds_mad } };
  if ((await storages.of(at).find(stored, signal)) !== undefined) return false;
  await storages.of(at).remove({ ...stored, epoch: lastEpoch }, signal);
  return true;
}

/** A copy that is not there is known no more. */
export const forgetCopy = (
  { datastore, image, epoch }: Evidence['copy_missing'],
  { store }: LookPorts,
): Promise<boolean> => store.imageCopies.forget({ _id: copyId({ image, datastore_id: datastore }), epoch });

/** Removes what nobody knows of, unless disks may stand on it: whoever brings one meanwhile has written that down before, and is asked for. */
export async function removeOrphanedCopy(
  { datastore, image }: Evidence['copy_orphaned'],
  { store, storages, signal }: LookPorts,
): Promise<boolean> {
  const [at] = await store.datastores.byIds([datastore]);
  const found = await store.images.find(image);
  if (!at || !found || found.datastore_id === datastore) return false;
  if (await store.imageCopies.find({ image, datastore_id: datastore })) return false;
  if (await store.copyClaims.isNeeded(found, datastore))
    throw new Problem('in_use', `VMs have disks of image ${image} in datastore ${datastore}, which may stand on it.`);
  const claim = { id: image, datastore: { id: datastore, ds_mad: at.ds_mad }, epoch: lastEpoch };
  await storages.of(at).remove(claim, signal);
  return true;
}

/** Removes a copy of an image that is not there. */
export async function removeCopy(
  { datastore, image, epoch }: Evidence['copy_left'],
  { store, storages, signal }: LookPorts,
): Promise<boolean> {
  const copy = await store.imageCopies.find({ image, datastore_id: datastore });
  return copy?.epoch === epoch && (await droppedCopy({ store, storages }, copy, signal));
}

/**
 * Removes a disk that its VM has not, under the epoch of that, which nobody has in hand: whoever has been at its disks under a later one, as before a backup was put
 * back, is heeded.
 */
export async function removeDisk(
  { datastore, vm: id, disk, is }: Evidence['disk_left'],
  { store, storages, signal }: LookPorts,
): Promise<boolean> {
  const [at] = await store.datastores.byIds([datastore]);
  if (!at) throw new Problem('not_found', `Datastore ${datastore} does not exist any more.`);
  const vm = await store.vms.find(id);
  if (!vm || vm.hold !== null || whyNotIts(vm, disk, datastore) !== is) return false;
  const { ds_mad } = at;
  const claim = { vm: id, disk, datastore: { id: datastore, ds_mad }, epoch: vm.epoch };
  await storages.of(at).removeDisk(claim, signal);
  return true;
}

/** The same of what its guest was told, and is not any more. */
export async function removeContext(
  { datastore, vm: id, is }: Evidence['context_left'],
  { store, storages, signal }: LookPorts,
): Promise<boolean> {
  const [at] = await store.datastores.byIds([datastore]);
  if (!at) throw new Problem('not_found', `Datastore ${datastore} does not exist any more.`);
  const vm = await store.vms.find(id);
  if (!vm || vm.hold !== null || whyNotTold(vm, datastore) !== is) return false;
  const { ds_mad } = at;
  await storages.of(at).keepContext({ vm: id, datastore: { id: datastore, ds_mad }, epoch: vm.epoch }, [], signal);
  return true;
}

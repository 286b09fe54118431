import type { Act } from '../../domain/acts/acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import { Problem, problemOf, problems } from '../../domain/problems.js';
import { backupName, disksToSave } from '../../domain/vms/backups.js';
import { limits } from '../../schemas/common/limits.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { Image } from '../../schemas/storage/image.js';
import type { DueAction } from '../../store/vms/vm-schedules.js';
import type { Admission, OperationsContext } from '../context.js';
import { asUser } from '../identity/as-user.js';
import { repeatedRequest } from '../operations/admit.js';
import { removeImage } from '../storage/images.js';
import { begin, imageOfDisk, insertImages } from './disk-saves.js';
import { findVm } from './vm-recovery.js';

/** Saves what a scheduled action says of the disks of a VM, in one operation; what is due again and again makes other images each time. */
export async function backUp(
  context: OperationsContext,
  caller: Caller,
  { vm: id, entry, due_at: due }: Pick<DueAction, 'vm' | 'entry' | 'due_at'>,
  admission: Admission,
): Promise<OperationResource> {
  const { id: schedule, disk_id, image_name, datastore_id, keep = null } = entry;
  // Nothing that may be another at the next try: names and disks change.
  const request = { deed: 'back up', id, schedule, due };
  const act: Act = { do: 'saveDisk', disk: disk_id ?? 0 };
  const vm = await findVm(context, caller, id, act);
  const repeated = await repeatedRequest(context, caller, admission, request);
  if (repeated) return repeated;
  const disks = disk_id === undefined ? disksToSave(vm.disks) : [disk_id];
  const { most } = limits.imagesBeingMade;
  if (disks.length === 0) throw new Problem('wrong_state', `VM ${id} has no disk that could be saved.`);
  if (disks.length > most)
    throw new Problem(
      'wrong_state',
      `VM ${id} has ${disks.length} disks, and ${most} images of one user are made at a time: have some of them saved by actions of their own.`,
    );
  const images: Omit<Image, 'operation'>[] = [];
  for (const disk of disks) {
    const name = backupName(image_name ?? vm.name, { vm: id, disk }, due);
    const wish = { name, description: '', persistent: false, ...(datastore_id !== undefined && { datastore_id }) };
    images.push((await imageOfDisk(context, caller, vm, { disk, schedule }, wish)).image);
  }
  const [first, ...also] = images.map(({ _id: image, origin }) => ({ disk: 'vm' in origin ? origin.disk : 0, image }));
  if (!first) throw new Error(`nothing of VM ${id} is saved`);
  const input = { ...first, ...(also.length > 0 && { also }), backup: { schedule, keep } };
  // Others of theirs are being made: that ends, and this is waited for as whatever else is at work is.
  return begin(context, caller, vm, input, { request, admission }, (op, transaction) =>
    insertImages(context, caller, images, { op, transaction, full: 'operation_in_progress' }),
  );
}

/** An image that gives way to a newer one, by the operation that has made that. */
export type Retirement = { op: string; requester: number; image: number };

/** Has it deleted as whoever asked for the savings would; once for an operation. Resolves with why it stays; null: it goes. */
export async function retireBackup(
  context: OperationsContext,
  { op, requester, image }: Retirement,
): Promise<string | null> {
  const key = `retire ${op} ${image}`;
  try {
    const caller = await asUser(context, requester, 'whose images they are');
    await removeImage(context, caller, image, { idempotencyKey: key, requestId: key });
    return null;
  } catch (error) {
    const problem = problemOf(error);
    if (!problem || problems[problem.code].retryable) throw error;
    // It is gone already.
    return problem.code === 'not_found' ? null : problem.message;
  }
}

import { grouped } from '../../schemas/common/limits.js';
import { mebi } from '../../schemas/common/mebi.js';
import type { Disk } from '../../schemas/operations/vm-devices.js';
import type { Image } from '../../schemas/storage/image.js';
import type { Vm, VmDatastore } from '../../schemas/vms/vm.js';
import type { ProblemCode } from '../problems.js';
import { whyNotUsed } from '../storage/image-use.js';

type Restored = Pick<Vm, '_id' | 'disks' | 'datastore'>;
type Source = Pick<
  Image,
  '_id' | 'name' | 'type' | 'state' | 'reason' | 'persistent' | 'vms' | 'wanted' | 'ds_mad' | 'virtual_size'
>;
export type DiskRestore = { disk: Disk; datastore: VmDatastore };

/** Which disk is to be as an image is, and where that lies; or why it is not, as a sentence. `mine`: the operation that does it has taken the image. */
export function planRestore(
  { _id: id, disks = [], datastore }: Restored,
  disk: number,
  image: Source,
  mine = false,
): DiskRestore | { code: ProblemCode; why: string } {
  const found = disks.find(({ disk_id }) => disk_id === disk);
  if (!found) return { code: 'not_found', why: `VM ${id} has no disk ${disk}.` };
  const refused = (why: string) => ({ code: 'wrong_state', why: `Disk ${disk} of VM ${id} ${why}` }) as const;
  if (found.type === 'swap') return refused('is one to swap to: there is nothing to restore.');
  if (found.readonly) return refused('is only read: it is what its image is.');
  if (!datastore) return refused('is kept by its host, and in no datastore.');
  if (found.snapshots.length > 0) return refused('has snapshots, which would be of what it was: delete them first.');
  const it = `image ${image._id} (${image.name})`;
  if (found.image?.way === 'use' && found.image.id === image._id) return refused(`is ${it} itself.`);
  if (image.ds_mad !== datastore.ds_mad)
    return refused(`is in a datastore of kind ${datastore.ds_mad}, and ${it} in one of kind ${image.ds_mad}.`);
  const unused = mine ? null : whyNotUsed(image);
  if (unused) return unused;
  if (image.virtual_size === null || image.virtual_size > found.size * mebi)
    return refused(
      `has ${found.size} MB, and ${it} ${grouped(image.virtual_size ?? 0)} bytes: make the disk larger first (disk-resize).`,
    );
  return { disk: found, datastore };
}

import { defaultPermissions } from '../../schemas/common/common.js';
import type { Image } from '../../schemas/storage/image.js';

/** A small image of oneadmin's made by hand, of which nothing is in a datastore, but for what is said. */
export const madeImage = (said: Pick<Image, '_id' | 'state'> & Partial<Image>): Image => ({
  name: `image ${said._id}`,
  ...{ uid: 0, gid: 0, permissions: defaultPermissions },
  ...{ description: '', type: 'OS', datastore_id: 1, ds_mad: 'fs', persistent: false, reason: null },
  ...{ origin: { empty: { size_mb: 10, format: 'qcow2' } }, wish: { size_mb: 10 }, size_mb: 10 },
  ...{ format: 'qcow2', virtual_size: 10 * 2 ** 20, bytes: 196_624, published: null },
  ...{ vms: [], clones: [], operation: null, wanted: null, epoch: 1 },
  charge: { services: 0, vms: 0, cpu: 0, memory: 0 },
  created_at: new Date(),
  ...said,
});

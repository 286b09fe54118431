import type { ImageResource } from '../../schemas/storage/image.js';
import { sizeOf } from '../shell/output.js';

type Copy = ImageResource['copies'][number];

/** How far one is that is on its way. */
const stateOf = ({ state, moved: { done, total } }: Copy): string =>
  state === 'READY'
    ? ''
    : `, ${state}${state === 'COMING' && total > 0 ? ` ${Math.floor((100 * done) / total)} %` : ''}`;

/** In which datastores for VMs there is a copy of an image, and how large it is; null: it lies beside all of its disks. */
export const copiesText = ({ copies }: Pick<ImageResource, 'copies'>): string | null =>
  copies.map((copy) => `datastore ${copy.datastore_id} (${sizeOf(copy.size_mb)}${stateOf(copy)})`).join(', ') || null;

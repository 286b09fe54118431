import type { ImageClaim } from '../../adapters/storage/port.js';
import type { Image } from '../../schemas/storage/image.js';

/** An image as its adapter knows it, under the epoch that it was read with. */
export const claimOf = ({ _id: id, datastore_id, ds_mad, epoch }: Image): ImageClaim => ({
  ...{ id, epoch, datastore: { id: datastore_id, ds_mad } },
});

/** Somebody else has it, or a later try. */
export const takenImage = (id: number): string => `Somebody else has taken image ${id}.`;

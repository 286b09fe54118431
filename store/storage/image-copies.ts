import type { Connection } from 'mongoose';
import { copyId } from '../../domain/storage/image-copies.js';
import type { Image } from '../../schemas/storage/image.js';
import type { CopyPlace, ImageCopy } from '../../schemas/storage/image-copy.js';
import { modelOf } from '../mongo/model.js';
import { sessionOf, type Transaction, within, withTransaction } from '../mongo/transaction.js';
import type { ImageStore } from './images.js';

/** A copy, for whoever is at work on it under this epoch. */
export type CopyClaim = Pick<ImageCopy, '_id' | 'epoch'>;

/**
 * What images are in system datastores that lie elsewhere than their own: one document a copy, written before the first byte of it is there, and gone after the last one.
 * They stand apart from images, which each VM of them writes: of how far a copy is something is written every second.
 */
export function createImageCopies(connection: Connection, { images }: { images: ImageStore }) {
  const copies = modelOf<ImageCopy>(connection, 'image_copies', String, [
    { fields: { image: 1 } },
    { fields: { datastore_id: 1 } },
    { fields: { state: 1, used_at: 1 } },
  ]);
  const mine = ({ _id, epoch }: CopyClaim) => ({ _id, epoch });
  return {
    model: copies,
    find: (place: CopyPlace, transaction?: Transaction) =>
      copies.findById(copyId(place)).session(sessionOf(transaction)).lean<ImageCopy>().exec(),
    ofImages: (ids: readonly number[]) =>
      copies
        .find({ image: { $in: [...ids] } })
        .sort({ image: 1, datastore_id: 1 })
        .lean<ImageCopy[]>()
        .exec(),
    inDatastores: (ids: readonly number[], transaction?: Transaction) =>
      copies
        .find({ datastore_id: { $in: [...ids] } }, null, within(transaction))
        .sort({ datastore_id: 1, image: 1 })
        .lean<ImageCopy[]>()
        .exec(),

    /**
     * A disk is about to be made of it: of who does that and who has it removed, one comes after the other. false: it is not there, or is of another state of the
     * image.
     */
    async use(place: CopyPlace, { epoch }: Pick<Image, 'epoch'>): Promise<boolean> {
      const { matchedCount } = await copies.updateOne(
        { _id: copyId(place), state: 'READY', of: epoch },
        { $set: { used_at: new Date() } },
      );
      return matchedCount > 0;
    },

    // What whoever has it writes: false where somebody else has it by now.

    /** A sign of life, and how far it is. */
    async beats(
      claim: CopyClaim,
      far: Partial<Pick<ImageCopy, 'moved' | 'summed' | 'clear' | 'size_mb'>>,
    ): Promise<boolean> {
      const { matchedCount } = await copies.updateOne(mine(claim), { $set: { ...far, beat_at: new Date() } });
      return matchedCount > 0;
    },
    /** It is there, whole, as long as the image is what it was when that began. */
    ready: (claim: CopyClaim & Pick<ImageCopy, 'image' | 'of'>, size_mb: number): Promise<boolean> =>
      withTransaction(connection, async (transaction) => {
        const image = await images.find(claim.image, transaction);
        if (image?.epoch !== claim.of) return false;
        const now = new Date();
        const { matchedCount } = await copies.updateOne(
          { ...mine(claim), state: 'COMING' },
          { $set: { state: 'READY', holder: null, size_mb, summed: null, used_at: now, beat_at: now } },
          within(transaction),
        );
        return matchedCount > 0;
      }),
    /** Nobody is at work on it: others need not wait. */
    letGo: (claim: CopyClaim) => copies.updateOne(mine(claim), { $set: { holder: null } }).exec(),
    /** Nothing of it is left. */
    async forget(claim: CopyClaim): Promise<boolean> {
      return (await copies.deleteOne(mine(claim))).deletedCount > 0;
    },

    /** MB that copies take in a datastore; of these, what came after its last look. */
    async megabytesIn(id: number, since: Date, transaction?: Transaction): Promise<{ all: number; fresh: number }> {
      const isFresh = { $gte: ['$created_at', since] };
      const [found] = await copies
        .aggregate<{ all: number; fresh: number }>([
          { $match: { datastore_id: id } },
          {
            $group: {
              _id: null,
              all: { $sum: '$size_mb' },
              fresh: { $sum: { $cond: [isFresh, '$size_mb', 0] } },
            },
          },
        ])
        .session(sessionOf(transaction))
        .exec();
      return { all: found?.all ?? 0, fresh: found?.fresh ?? 0 };
    },
  };
}
export type ImageCopies = ReturnType<typeof createImageCopies>;

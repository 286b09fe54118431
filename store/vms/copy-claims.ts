import type { Connection } from 'mongoose';
import { copyId, copyTurn } from '../../domain/storage/image-copies.js';
import { megabytesOf } from '../../domain/storage/image-states.js';
import type { Image } from '../../schemas/storage/image.js';
import type { CopyHolder, CopyPlace, ImageCopy } from '../../schemas/storage/image-copy.js';
import type { StorageKind } from '../../schemas/storage/stored.js';
import { sessionOf, type Transaction, within, withTransaction } from '../mongo/transaction.js';
import type { ImageCopies } from '../storage/image-copies.js';
import type { ImageStore } from '../storage/images.js';
import type { VmDatastores } from './vm-datastores.js';
import type { VmStore } from './vms.js';

/** A copy that VMs need. */
export type CopyWish = CopyPlace & { ds_mad: StorageKind; vms: readonly number[] };

/** What is to be done about a copy that is needed. `lost`: none of these VMs uses the image any more, or a later try is at it. */
export type CopyTaken =
  | { do: 'use' }
  | { do: 'wait'; copy: ImageCopy }
  | { do: 'bring'; copy: ImageCopy; image: Image }
  | { do: 'lost' };

type CopyStores = { images: ImageStore; copies: ImageCopies; vms: VmStore; datastores: VmDatastores };

/** Who is at work on copies. Each claim writes the image, too, which whoever removes or edits it does: of two that meet one goes again. */
export function createCopyClaims(connection: Connection, { images, copies, vms, datastores }: CopyStores) {
  const counted = (filter: object, transaction: Transaction): Promise<Image | null> =>
    images.model
      .findOneAndUpdate(filter, { $inc: { copied: 1 } }, { returnDocument: 'after', ...within(transaction) })
      .lean<Image>()
      .exec();

  /** Whether disks of VMs are there, or will be, that stand on it. */
  const isNeeded = async (
    { _id: id, vms: users }: Pick<Image, '_id'> & Partial<Pick<Image, 'vms'>>,
    datastore: number,
    transaction?: Transaction,
  ): Promise<boolean> => {
    // Of an image that is not there nobody says who uses it, but those who do.
    const its = users ? { _id: { $in: users } } : { 'disks.image.id': id };
    return (
      (await vms.model
        .exists({ ...its, 'datastore.id': datastore })
        .session(sessionOf(transaction))
        .exec()) !== null
    );
  };

  return {
    isNeeded,

    /**
     * Whoever needs a copy has it, waits for who is at work on it, or is that from now on. Throws `datastore_full` where there is no room for it.
     */
    async take(wish: CopyWish, holder: CopyHolder): Promise<CopyTaken> {
      const { image: id, datastore_id, ds_mad } = wish;
      const usable = { _id: id, vms: { $in: [...wish.vms] }, persistent: false, wanted: null };
      const now = new Date();
      // First without a write: many ask, now and then, and one brings it.
      const [seen, before] = [await images.find(id), await copies.find(wish)];
      const turn = seen && copyTurn(before, seen, holder, now);
      if (turn === 'wait' && before) return { do: turn, copy: before };
      if (turn === 'use' || turn === 'late' || turn === null) return { do: turn === 'use' ? 'use' : 'lost' };
      return withTransaction(connection, async (transaction): Promise<CopyTaken> => {
        const had = await copies.find(wish, transaction);
        const found = await images.find(id, transaction);
        const now = new Date();
        const then = found && copyTurn(had, found, holder, now);
        if (then === 'use') return { do: 'use' };
        if (then === 'wait' && had) return { do: 'wait', copy: had };
        const image = then === 'take' ? await counted(usable, transaction) : null;
        if (!image) return { do: 'lost' };
        const size_mb = megabytesOf(image.bytes ?? 0);
        await datastores.demandRoom(datastore_id, size_mb - (had?.size_mb ?? 0), transaction);
        const isSame = had?.of === image.epoch && had.state === 'COMING';
        const copy: ImageCopy = {
          ...{ _id: copyId(wish), image: id, datastore_id, ds_mad, state: 'COMING', of: image.epoch },
          ...{ epoch: image.copied ?? 1, holder, beat_at: now, size_mb },
          clear: had !== null && (!isSame || had.clear),
          moved: {
            done: isSame ? had.moved.done : 0,
            total: image.bytes ?? 0,
            // Tries of one step count their time together.
            at: isSame && had.holder?.step === holder.step ? had.moved.at : now,
          },
          summed: isSame ? had.summed : null,
          ...{ used_at: now, created_at: isSame ? had.created_at : now },
        };
        await copies.model.replaceOne({ _id: copy._id }, copy, { upsert: true, ...within(transaction) });
        return { do: 'bring', copy, image };
      });
    },

    /**
     * A copy that no VM needs is going from now on, and whoever was at work on it has nothing of it any more. null: it is not as it was seen, or VMs need it. `isUnfit`: it
     * goes though they do, for it will never be there.
     */
    end: (
      { _id, epoch, image: id, datastore_id }: ImageCopy,
      { holder, isUnfit }: { holder: CopyHolder; isUnfit: boolean },
    ): Promise<ImageCopy | null> =>
      withTransaction(connection, async (transaction) => {
        const image = await counted({ _id: id }, transaction);
        const now = new Date();
        const seen = { _id, epoch, ...(isUnfit && { state: 'COMING' as const }) };
        if (!isUnfit && (await isNeeded(image ?? { _id: id }, datastore_id, transaction))) {
          // It is not looked at again before long.
          await copies.model.updateOne(
            seen,
            { $set: { used_at: now, beat_at: now, holder: null } },
            within(transaction),
          );
          return null;
        }
        const gone = { state: 'GOING' as const, epoch: image?.copied ?? epoch + 1, holder, beat_at: now, clear: true };
        return copies.model
          .findOneAndUpdate(seen, { $set: gone }, { returnDocument: 'after', ...within(transaction) })
          .lean<ImageCopy>()
          .exec();
      }),

    /** Some that may go for long, at these moments: those that nobody has made a disk of, and those that nobody has gone on with. */
    idle: ({ used, beat }: { used: Date; beat: Date }, most: number): Promise<ImageCopy[]> =>
      copies.model
        .find({
          $or: [
            { state: 'READY', used_at: { $lt: used } },
            { state: { $in: ['COMING', 'GOING'] }, beat_at: { $lt: beat } },
          ],
        })
        .sort({ used_at: 1 })
        .limit(most)
        .lean<ImageCopy[]>()
        .exec(),
  };
}
export type CopyClaims = ReturnType<typeof createCopyClaims>;

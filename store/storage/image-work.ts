import type { Connection, Model } from 'mongoose';
import { brief, longest } from '../../domain/brief.js';
import { Problem } from '../../domain/problems.js';
import { sizeOf } from '../../domain/storage/image-states.js';
import type { DiskSnapshots } from '../../schemas/operations/vm-devices.js';
import type { Image } from '../../schemas/storage/image.js';
import type { ImageFormat } from '../../schemas/storage/stored.js';
import { type Transaction, within, withTransaction } from '../mongo/transaction.js';
import { type RoomStores, recharged, resized } from './image-room.js';

/** What an image has become, as whoever has made it found it. */
export type Made = {
  format: ImageFormat;
  virtualSize: number;
  bytes: number;
  published: Image['published'];
};

/** A try of a step, by the operation and the epoch under which it has the image. */
type By = { op: string; epoch: number };
type WorkStores = RoomStores & { connection: Connection };

/** What the operation that has an image does to it, a try of a step under an epoch of its own: who was overtaken matches nothing. */
export interface ImageWork {
  /** The image, for a try of a step of the operation that has it. null: it has it no more. */
  claim(id: number, op: string): Promise<Image | null>;
  /** The same for a try that goes on with something else, as long as no other one has begun since. */
  claimAgain(id: number, by: By): Promise<Image | null>;
  /** The image, for the deletion that wants it; whoever had it has nothing of it any more. null: it is not there. */
  takeOver(id: number, op: string): Promise<Image | null>;
  /** The image, to be undone with others that its operation makes, there or not; null: it is somebody else's, or used by now. */
  claimToUndo(id: number, op: string): Promise<Image | null>;
  /** Its bytes are there: what is found of them is what its owner is charged. false: the try has been overtaken. */
  made(id: number, by: By, found: Made): Promise<boolean>;
  /** So many MB of it have arrived, and stay: they are charged. false: there is no room for them; null: somebody else is at it. */
  arrived(id: number, by: By, size_mb: number): Promise<boolean | null>;
  /** Nothing of it is left in its datastore. */
  emptied(id: number, by: By): Promise<unknown>;
  /** It has these snapshots, and may be used again. false: somebody else has it. */
  snapshotted(id: number, by: By, snapshots: DiskSnapshots): Promise<boolean>;
  /** What a VM that uses it keeps in it. */
  keepsSnapshots(id: number, vm: number, snapshots: DiskSnapshots): Promise<unknown>;
  /** One that was to be resized, and was not touched, is as it was, with what its owner was charged. false: it was. */
  restore(image: Image, op: string, transaction: Transaction): Promise<boolean>;
  /** It stays, in this state if any; nothing is at work on it any more. */
  letGo(
    id: number,
    op: string,
    left: { state?: Image['state']; reason: string | null },
    transaction: Transaction,
  ): Promise<unknown>;
  /** It is not wanted any more. */
  unwant(id: number, op: string, transaction: Transaction): Promise<unknown>;
  /** It is gone, with what its owner was charged. */
  remove(image: Image, transaction: Transaction): Promise<void>;
}

export function imageWork(stores: WorkStores): ImageWork {
  const { images, quotas } = stores;
  const take = (filter: object, update: object): Promise<Image | null> =>
    images.findOneAndUpdate(filter, update, { returnDocument: 'after' }).lean<Image>().exec();
  return {
    claim: (id, op) => take({ _id: id, operation: op }, { $inc: { epoch: 1 }, $unset: { untouched: '' } }),
    claimAgain: (id, { op, epoch }) => take({ _id: id, operation: op, epoch }, { $inc: { epoch: 1 } }),
    claimToUndo: (id, op) =>
      take(
        {
          ...{ _id: id, operation: op, wanted: null, vms: [], clones: [], apps: { $in: [null, []] } },
          state: { $in: ['LOCKED', 'READY'] },
        },
        { $set: { state: 'LOCKED', reason: null }, $inc: { epoch: 1 } },
      ),
    takeOver: (id, op) =>
      take(
        { _id: id, $or: [{ wanted: op }, { operation: op }] },
        { $set: { operation: op, wanted: null, state: 'DELETE', reason: null }, $inc: { epoch: 1 } },
      ),
    made: (id, by, found) => made(stores, id, by, found),
    arrived: (id, by, size_mb) => arrived(stores, id, by, size_mb),
    emptied: (id, by) =>
      images.updateOne({ _id: id, operation: by.op, epoch: by.epoch }, { $set: { emptied: by.op } }).exec(),
    async snapshotted(id, by, snapshots) {
      const { matchedCount } = await images.updateOne(atWork(id, by), {
        $set: { snapshots, state: 'READY', reason: null },
      });
      return matchedCount > 0;
    },
    keepsSnapshots: (id, vm, { snapshots, current, snapshot_ids }) =>
      images.updateOne({ _id: id, vms: vm }, { $set: { snapshots: { snapshots, current, snapshot_ids } } }).exec(),
    restore: (image, op, transaction) => restore(stores, image, op, transaction),
    letGo: (id, op, { state, reason }, transaction) =>
      images
        .updateOne(
          { _id: id, operation: op },
          { $set: { operation: null, ...(state && { state, reason: reason && brief(reason, longest.vm) }) } },
          within(transaction),
        )
        .exec(),
    unwant: (id, op, transaction) =>
      images.updateOne({ _id: id, wanted: op }, { $set: { wanted: null } }, within(transaction)).exec(),
    async remove(image, transaction) {
      const { deletedCount } = await images.deleteOne({ _id: image._id }, within(transaction));
      if (deletedCount > 0) await quotas.giveBack(image, image.charge, transaction);
    },
  };
}

const atWork = (id: number, { op, epoch }: By) => ({ _id: id, operation: op, epoch, state: 'LOCKED' as const });

/** The image as long as this try is at work on it, written first: of two that meet, one goes again. */
const written = (images: Model<Image>, id: number, by: By, transaction: Transaction): Promise<Image | null> =>
  images
    .findOneAndUpdate(atWork(id, by), { $inc: { edits: 1 } }, { ...within(transaction), returnDocument: 'after' })
    .lean<Image>()
    .exec();

const made = (stores: WorkStores, id: number, by: By, found: Made): Promise<boolean> =>
  withTransaction(stores.connection, async (transaction) => {
    const image = await written(stores.images, id, by, transaction);
    if (!image) return false;
    const size_mb = sizeOf(found);
    const charge = await recharged(stores, image, size_mb, transaction);
    const { format, virtualSize: virtual_size, bytes, published } = found;
    await stores.images.updateOne(
      { _id: id },
      {
        $set: {
          ...{ state: 'READY', reason: null, format, virtual_size, bytes, published, size_mb },
          charge,
        },
      },
      within(transaction),
    );
    return true;
  });

async function arrived(stores: WorkStores, id: number, by: By, size_mb: number): Promise<boolean | null> {
  try {
    return await withTransaction(stores.connection, async (transaction) => {
      const image = await written(stores.images, id, by, transaction);
      if (!image) return null;
      if (size_mb > image.size_mb) await resized(stores, image, size_mb, transaction);
      return true;
    });
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}

async function restore(stores: WorkStores, image: Image, op: string, transaction: Transaction): Promise<boolean> {
  const { _id: id, virtual_size, bytes, untouched } = image;
  if (untouched?.op !== op) return false;
  const { state, reason } = untouched;
  await resized(stores, image, sizeOf({ virtualSize: virtual_size ?? 0, bytes: bytes ?? 0 }), transaction);
  await stores.images.updateOne(
    { _id: id, operation: op },
    { $set: { operation: null, state, reason }, $unset: { untouched: '' } },
    within(transaction),
  );
  return true;
}

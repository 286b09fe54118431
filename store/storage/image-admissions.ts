import type { Model } from 'mongoose';
import { statesBefore } from '../../domain/storage/image-states.js';
import type { Ownership } from '../../schemas/common/common.js';
import { limits } from '../../schemas/common/limits.js';
import type { Image } from '../../schemas/storage/image.js';
import { ownershipFields } from '../mongo/model.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { type RoomStores, resized } from './image-room.js';
import { isUpload } from './uploads.js';

/** How operations get images, each in the transaction that admits one. Returns whose the image is; null: the guard did not match. */
export interface ImageAdmissions {
  /** Of another try to make it. */
  admitAgain(id: number, op: string, transaction: Transaction): Promise<Ownership | null>;
  /** Of a resizing: what it comes to then is charged. */
  admitResize(id: number, op: string, size_mb: number, transaction: Transaction): Promise<Ownership | null>;
  /** Of a change of its snapshots. */
  admitSnapshots(id: number, op: string, transaction: Transaction): Promise<Ownership | null>;
  /** Of a deletion: whatever is at work on it gives way. */
  admitDeletion(id: number, op: string, transaction: Transaction): Promise<Ownership | null>;
  /** Another one is being made of it, from now on. false: it may not be. */
  beginClone(of: number, id: number, transaction: Transaction): Promise<boolean>;
  /** That one is not being made of it any more; said again it is so already. */
  endClone(of: number, id: number, transaction: Transaction): Promise<{ modifiedCount: number }>;
  /** The same of an app that is published of it. */
  beginPublishing(of: number, app: number, transaction: Transaction): Promise<boolean>;
  endPublishing(of: number, app: number, transaction: Transaction): Promise<{ modifiedCount: number }>;
}

export const imageAdmissions = (stores: RoomStores): ImageAdmissions => ({
  admitAgain: (id, op, transaction) => admitAgain(stores.images, id, op, transaction),
  async admitResize(id, op, size_mb, transaction) {
    const image = await takenUnused(stores.images, id, { op, event: 'resize' }, transaction);
    if (image) await resized(stores, image, Math.max(size_mb, image.size_mb), transaction);
    return image;
  },
  admitSnapshots: (id, op, transaction) => takenUnused(stores.images, id, { op, event: 'snapshot' }, transaction),
  admitDeletion: (id, op, transaction) => admitDeletion(stores.images, id, op, transaction),
  beginClone: (of, id, transaction) => beginMaking(stores.images, 'clones', of, id, transaction),
  endClone: (of, id, transaction) => endMaking(stores.images, 'clones', of, id, transaction),
  beginPublishing: (of, app, transaction) => beginMaking(stores.images, 'apps', of, app, transaction),
  endPublishing: (of, app, transaction) => endMaking(stores.images, 'apps', of, app, transaction),
});

const admitAgain = (
  images: Model<Image>,
  id: number,
  op: string,
  transaction: Transaction,
): Promise<Ownership | null> =>
  images
    .findOneAndUpdate(
      { _id: id, operation: null, wanted: null, state: { $in: statesBefore('make') } },
      [
        {
          $set: {
            ...{ operation: op, state: 'LOCKED', reason: null },
            // What is to be sent may be sent anew, or is all there.
            upload: {
              $cond: [isUpload, { $mergeObjects: ['$upload', { open: true, at: new Date() }] }, '$$REMOVE'],
            },
          },
        },
      ],
      { ...within(transaction), projection: ownershipFields, updatePipeline: true },
    )
    .lean<Ownership>()
    .exec();

/** One that nobody uses, LOCKED for an operation, with what it was before: where that does not touch it, it is so again. */
const takenUnused = (
  images: Model<Image>,
  id: number,
  { op, event }: { op: string; event: 'resize' | 'snapshot' },
  transaction: Transaction,
): Promise<Image | null> =>
  images
    .findOneAndUpdate(
      {
        ...{ _id: id, operation: null, wanted: null, lock: null, vms: [], clones: [], apps: { $in: [null, []] } },
        ...{ state: { $in: statesBefore(event) }, format: { $ne: null } },
      },
      [
        {
          $set: {
            ...{ operation: op, state: 'LOCKED', reason: null },
            untouched: { op, state: '$state', reason: '$reason' },
          },
        },
      ],
      { ...within(transaction), returnDocument: 'after', updatePipeline: true },
    )
    .lean<Image>()
    .exec();

const admitDeletion = (
  images: Model<Image>,
  id: number,
  op: string,
  transaction: Transaction,
): Promise<Ownership | null> =>
  images
    .findOneAndUpdate(
      {
        ...{ _id: id, wanted: null, vms: [], clones: [], apps: { $in: [null, []] }, lock: null },
        state: { $in: statesBefore('remove') },
      },
      { $set: { wanted: op } },
      { ...within(transaction), projection: ownershipFields },
    )
    .lean<Ownership>()
    .exec();

/** What is being made of an image: others, or apps. */
type Making = 'clones' | 'apps';

async function beginMaking(
  images: Model<Image>,
  what: Making,
  of: number,
  id: number,
  transaction: Transaction,
): Promise<boolean> {
  const { modifiedCount } = await images
    .updateOne(
      {
        ...{ _id: of, operation: null, wanted: null, state: { $in: statesBefore('clone') } },
        [`${what}.${limits.imageClones.most - 1}`]: { $exists: false },
      },
      [
        {
          $set: {
            state: { $cond: [{ $eq: ['$state', 'READY'] }, 'CLONE', '$state'] },
            [what]: { $setUnion: [{ $ifNull: [`$${what}`, []] }, [id]] },
          },
        },
      ],
      { ...within(transaction), updatePipeline: true },
    )
    .exec();
  return modifiedCount > 0;
}

const endMaking = (images: Model<Image>, what: Making, of: number, id: number, transaction: Transaction) =>
  images
    .updateOne(
      { _id: of, [what]: id },
      [
        { $set: { [what]: { $setDifference: [`$${what}`, [id]] } } },
        { $set: { state: { $cond: [{ $and: [{ $eq: ['$state', 'CLONE'] }, unmade] }, 'READY', '$state'] } } },
      ],
      { ...within(transaction), updatePipeline: true },
    )
    .exec();

/** Nothing is being made of it. */
export const unmade = {
  $and: [{ $eq: ['$clones', []] }, { $eq: [{ $ifNull: ['$apps', []] }, []] }],
};

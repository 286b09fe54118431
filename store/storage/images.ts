import type { Connection, Model } from 'mongoose';
import { type Image, imageFields } from '../../schemas/storage/image.js';
import { chargeIndex, type QuotaStore } from '../identity/quotas.js';
import { modelOf } from '../mongo/model.js';
import { pageIndexes, sortIndexes } from '../mongo/paging.js';
import { orTaken } from '../mongo/taken.js';
import { type Transaction, within } from '../mongo/transaction.js';
import type { DatastoreStore } from './datastores.js';
import { type ImageAdmissions, imageAdmissions } from './image-admissions.js';
import { type ImageReads, imageReads } from './image-reads.js';
import { type ImageRoom, imageRoom } from './image-room.js';
import { type ImageWork, imageWork } from './image-work.js';
import { type Uploads, uploadsOf } from './uploads.js';

type ImageChange = Partial<
  Pick<Image, 'name' | 'description' | 'type' | 'persistent' | 'state' | 'attributes' | 'lock'>
>;

export interface ImageStore extends ImageReads, ImageRoom, ImageAdmissions, ImageWork, Uploads {
  readonly model: Model<Image>;
  /** Throws Taken where its owner has one of this name. */
  insert(image: Image, transaction: Transaction): Promise<unknown>;
  /**
   * The same. Only while nothing is at work on it: the edit has written it first. What was persistent, or is from now on, may be written by VMs: copies of it elsewhere
   * count for nothing any more.
   */
  change(
    id: number,
    change: ImageChange,
    before: Pick<Image, 'persistent'>,
    transaction: Transaction,
  ): Promise<Image | null>;
}

export function createImageStore(
  connection: Connection,
  { quotas, datastores }: { quotas: QuotaStore; datastores: DatastoreStore },
): ImageStore {
  const images = modelOf<Image>(connection, 'images', Number, [
    { fields: { uid: 1, name: 1 }, options: { unique: true } },
    { fields: { datastore_id: 1, size_mb: 1 } },
    { fields: { 'upload.at': 1 }, options: { partialFilterExpression: { 'upload.open': true } } },
    // Whatever VM ends is looked for in it.
    { fields: { vms: 1 } },
    // Those that a scheduled action of a VM has made.
    {
      fields: { 'origin.vm': 1, 'origin.schedule': 1 },
      options: { partialFilterExpression: { 'origin.schedule': { $exists: true } } },
    },
    chargeIndex,
    ...pageIndexes(),
    ...sortIndexes(imageFields),
  ]);
  const stores = { connection, images, quotas, datastores };
  return {
    model: images,
    insert: (image, transaction) => orTaken(() => images.create([image], within(transaction))),
    change: (id, change, { persistent }, transaction) =>
      orTaken(() =>
        images
          .findOneAndUpdate(
            { _id: id },
            { $set: change, ...((change.persistent ?? persistent) !== persistent && { $inc: { epoch: 1 } }) },
            { returnDocument: 'after', ...within(transaction) },
          )
          .lean<Image>()
          .exec(),
      ),
    ...imageReads(images),
    ...imageRoom(stores),
    ...imageAdmissions(stores),
    ...imageWork(stores),
    ...uploadsOf(images),
  };
}

import type { Model } from 'mongoose';
import type { Caller } from '../../domain/identity/caller.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import { type Image, imageFields } from '../../schemas/storage/image.js';
import { pageOf, visibleTo } from '../mongo/paging.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';

/** What images there are. */
export interface ImageReads {
  find(id: number, transaction?: Transaction): Promise<Image | null>;
  /** Those of this name, by whose they are. */
  named(name: string, uid: number): Promise<Image | null>;
  byIds(ids: readonly number[]): Promise<Image[]>;
  /** What a scheduled action of a VM has made of its disks. */
  backups(vm: number, schedule: number): Promise<Image[]>;
  list(caller: Caller, query: ListQuery): Promise<Page<Image>>;
  /** Ids of some that are in a datastore, and how many there are. */
  inDatastore(datastore: number, most: number, transaction: Transaction): Promise<{ count: number; first: number[] }>;
  /** How many images of a user are being made. */
  beingMade(uid: number, transaction: Transaction): Promise<number>;
}

export const imageReads = (images: Model<Image>): ImageReads => ({
  find: (id, transaction) => images.findById(id).session(sessionOf(transaction)).lean<Image>().exec(),
  named: (name, uid) => images.findOne({ uid, name }).lean<Image>().exec(),
  byIds: (ids) =>
    images
      .find({ _id: { $in: [...ids] } })
      .sort({ _id: 1 })
      .lean<Image[]>()
      .exec(),
  backups: (vm, schedule) =>
    images.find({ 'origin.vm': vm, 'origin.schedule': schedule }).sort({ _id: 1 }).lean<Image[]>().exec(),
  list: (caller, query) => pageOf(images, visibleTo(caller, 'image'), query, { ids: 'number', list: imageFields }),
  async inDatastore(datastore, most, transaction) {
    const first = await images
      .find({ datastore_id: datastore }, { _id: 1 }, within(transaction))
      .sort({ _id: 1 })
      .limit(most)
      .lean<Pick<Image, '_id'>[]>()
      .exec();
    const count = await images.countDocuments({ datastore_id: datastore }, within(transaction));
    return { count, first: first.map(({ _id }) => _id) };
  },
  beingMade: (uid, transaction) => images.countDocuments({ uid, state: 'LOCKED' }, within(transaction)),
});

import type { Model } from 'mongoose';
import { added, chargeOfImage, negated } from '../../domain/identity/quotas.js';
import { Problem } from '../../domain/problems.js';
import { limits } from '../../schemas/common/limits.js';
import { measureOf } from '../../schemas/identity/quota-on.js';
import type { Datastore } from '../../schemas/storage/datastore.js';
import type { Image } from '../../schemas/storage/image.js';
import type { QuotaStore } from '../identity/quotas.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';
import type { DatastoreStore } from './datastores.js';

/** What the room of images is kept in. */
export type RoomStores = { images: Model<Image>; quotas: QuotaStore; datastores: DatastoreStore };

/**
 * How much images take, of their datastores and of their owners. MB in a datastore are summed up where they are decided on: whoever
 * adds some writes the datastore first, so that of two one goes again.
 */
export interface ImageRoom {
  /** MB in each of several datastores: those that have any. */
  megabytesOf(ids: readonly number[]): Promise<ReadonlyMap<number, number>>;
  /** Refuses where the datastore may not hold so much; returns it. */
  demandRoomIn(image: Pick<Image, '_id' | 'datastore_id' | 'size_mb'>, transaction: Transaction): Promise<Datastore>;
  /** MB that may still be kept of an image: what is left of the quotas of its owner and group, and of its datastore. */
  room(image: Image): Promise<number>;
}

export const imageRoom = (stores: RoomStores): ImageRoom => ({
  megabytesOf: (ids) => megabytesOf(stores.images, ids),
  demandRoomIn: (image, transaction) => demandRoomIn(stores, image, transaction),
  room: (image) => roomOf(stores, image),
});

async function megabytesOf(images: Model<Image>, ids: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const found = await images
    .aggregate<{ _id: number; sum: number }>([
      { $match: { datastore_id: { $in: [...ids] } } },
      { $group: { _id: '$datastore_id', sum: { $sum: '$size_mb' } } },
    ])
    .exec();
  return new Map(found.map(({ _id, sum }) => [_id, sum]));
}

/** MB of all others in the datastore of an image. */
async function megabytesBeside(
  images: Model<Image>,
  { _id: id, datastore_id }: Pick<Image, '_id' | 'datastore_id'>,
  transaction?: Transaction,
): Promise<number> {
  const [found] = await images
    .aggregate<{ sum: number }>([
      { $match: { datastore_id, _id: { $ne: id } } },
      { $group: { _id: null, sum: { $sum: '$size_mb' } } },
    ])
    .session(sessionOf(transaction))
    .exec();
  return found?.sum ?? 0;
}

async function demandRoomIn(
  { images, datastores }: Pick<RoomStores, 'images' | 'datastores'>,
  image: Pick<Image, '_id' | 'datastore_id' | 'size_mb'>,
  transaction: Transaction,
): Promise<Datastore> {
  const { datastore_id, size_mb } = image;
  const datastore = await datastores.model
    .findOneAndUpdate({ _id: datastore_id }, { $inc: { images: 1 } }, { ...within(transaction) })
    .lean<Datastore>()
    .exec();
  if (!datastore) throw new Problem('not_found', `There is no datastore ${datastore_id}.`);
  const { name, limit_mb } = datastore;
  if (limit_mb === null) return datastore;
  const others = await megabytesBeside(images, image, transaction);
  if (others + size_mb > limit_mb)
    throw new Problem(
      'datastore_full',
      `Datastore ${datastore_id} (${name}) takes ${limit_mb} MB: ${others} MB are in it, and this takes ${size_mb} MB.`,
    );
  return datastore;
}

async function roomOf({ images, quotas, datastores }: RoomStores, image: Image): Promise<number> {
  const left = await Promise.all(
    ['storage', measureOf('datastore', image.datastore_id, 'size')].map((measure) => quotas.left(image, measure)),
  );
  const datastore = await datastores.find(image.datastore_id);
  const others = datastore?.limit_mb == null ? 0 : await megabytesBeside(images, image);
  const bounds = [
    limits.imageSize.most,
    image.wish.size_mb,
    ...left.map((more) => (more === null ? null : more + image.size_mb)),
    datastore?.limit_mb == null ? null : datastore.limit_mb - others,
  ];
  return Math.max(0, Math.min(...bounds.filter((bound) => bound !== null)));
}

/** What an image is charged with so many MB, which its owner is from now on. Throws where he, or its datastore, may not have them. */
export async function recharged(
  stores: RoomStores,
  image: Image,
  size_mb: number,
  transaction: Transaction,
): Promise<Image['charge']> {
  const after = { ...image, size_mb };
  const charge = chargeOfImage(after);
  await stores.quotas.charge(image, added(charge, negated(image.charge)), transaction);
  if (size_mb > image.size_mb) await demandRoomIn(stores, after, transaction);
  return charge;
}

/** So many MB are charged for it from now on. Throws where they may not be. */
export async function resized(
  stores: RoomStores,
  image: Image,
  size_mb: number,
  transaction: Transaction,
): Promise<void> {
  const charge = await recharged(stores, image, size_mb, transaction);
  await stores.images.updateOne({ _id: image._id }, { $set: { size_mb, charge } }, within(transaction));
}

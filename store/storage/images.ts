import type { Connection } from 'mongoose';
import { brief, longest } from '../../domain/brief.js';
import type { Caller } from '../../domain/identity/caller.js';
import { chargeOfImage, nothing } from '../../domain/identity/quotas.js';
import { Problem } from '../../domain/problems.js';
import { sizeOf, statesBefore } from '../../domain/storage/image-states.js';
import type { Ownership } from '../../schemas/common/common.js';
import { limits } from '../../schemas/common/limits.js';
import type { ListQuery } from '../../schemas/common/list.js';
import type { Datastore } from '../../schemas/storage/datastore.js';
import { type Image, imageFields } from '../../schemas/storage/image.js';
import type { ImageFormat } from '../../schemas/storage/stored.js';
import { chargeIndex, type QuotaStore } from '../identity/quotas.js';
import { modelOf, ownershipFields } from '../mongo/model.js';
import { pageIndexes, pageOf, sortIndexes, visibleTo } from '../mongo/paging.js';
import { sessionOf, type Transaction, within, withTransaction } from '../mongo/transaction.js';
import type { DatastoreStore } from './datastores.js';

/** What an image has become, as whoever has made it found it. */
export type Made = {
  format: ImageFormat;
  virtualSize: number;
  bytes: number;
  published: Image['published'];
};

type ImageChange = Partial<Pick<Image, 'name' | 'description' | 'type' | 'persistent' | 'state'>>;

/** MB in a datastore are summed up where they are decided on: whoever adds some writes the datastore first, so that of two one goes again. */
export function createImageStore(
  connection: Connection,
  { quotas, datastores }: { quotas: QuotaStore; datastores: DatastoreStore },
) {
  const images = modelOf<Image>(connection, 'images', Number, [
    { fields: { uid: 1, name: 1 }, options: { unique: true } },
    { fields: { datastore_id: 1, size_mb: 1 } },
    chargeIndex,
    ...pageIndexes(),
    ...sortIndexes(imageFields),
  ]);

  /** MB of all others in a datastore. */
  async function megabytesIn(datastore: number, except: number, transaction?: Transaction): Promise<number> {
    const [found] = await images
      .aggregate<{ sum: number }>([
        { $match: { datastore_id: datastore, _id: { $ne: except } } },
        { $group: { _id: null, sum: { $sum: '$size_mb' } } },
      ])
      .session(sessionOf(transaction))
      .exec();
    return found?.sum ?? 0;
  }

  /** Refuses where the datastore may not hold so much. It is written first: of two that come at once, one goes again. */
  async function demandRoomIn(
    { _id: id, datastore_id, size_mb }: Pick<Image, '_id' | 'datastore_id' | 'size_mb'>,
    transaction: Transaction,
  ): Promise<Datastore> {
    const datastore = await datastores.model
      .findOneAndUpdate({ _id: datastore_id }, { $inc: { images: 1 } }, { ...within(transaction) })
      .lean<Datastore>()
      .exec();
    if (!datastore) throw new Problem('not_found', `There is no datastore ${datastore_id}.`);
    const { name, limit_mb } = datastore;
    if (limit_mb === null) return datastore;
    const others = await megabytesIn(datastore_id, id, transaction);
    if (others + size_mb > limit_mb)
      throw new Problem(
        'datastore_full',
        `Datastore ${datastore_id} (${name}) takes ${limit_mb} MB: ${others} MB are in it, and this takes ${size_mb} MB.`,
      );
    return datastore;
  }

  const take = (filter: object, update: object): Promise<Image | null> =>
    images.findOneAndUpdate(filter, update, { returnDocument: 'after' }).lean<Image>().exec();

  return {
    model: images,
    demandRoomIn,
    find: (id: number, transaction?: Transaction) =>
      images.findById(id).session(sessionOf(transaction)).lean<Image>().exec(),
    list: (caller: Caller, query: ListQuery) =>
      pageOf(images, visibleTo(caller, 'image'), query, { ids: 'number', list: imageFields }),
    insert: (image: Image, transaction: Transaction) => images.create([image], within(transaction)),
    /** Only while nothing is at work on it: the edit has written it first. */
    change: (id: number, change: ImageChange, transaction: Transaction) =>
      images
        .findOneAndUpdate({ _id: id }, { $set: change }, { returnDocument: 'after', ...within(transaction) })
        .lean<Image>()
        .exec(),
    /** Ids of some that are in a datastore, and how many there are. */
    async inDatastore(datastore: number, most: number, transaction: Transaction) {
      const first = await images
        .find({ datastore_id: datastore }, { _id: 1 }, within(transaction))
        .sort({ _id: 1 })
        .limit(most)
        .lean<Pick<Image, '_id'>[]>()
        .exec();
      const count = await images.countDocuments({ datastore_id: datastore }, within(transaction));
      return { count, first: first.map(({ _id }) => _id) };
    },

    /** Admission of another try, in its transaction. Returns whose it is; null: the guard did not match. */
    admitAgain: (id: number, op: string, transaction: Transaction): Promise<Ownership | null> =>
      images
        .findOneAndUpdate(
          { _id: id, operation: null, wanted: null, state: { $in: statesBefore('make') } },
          { $set: { operation: op, state: 'LOCKED', reason: null } },
          { ...within(transaction), projection: ownershipFields },
        )
        .lean<Ownership>()
        .exec(),

    /** Admission of a deletion: whatever is at work on it gives way. */
    admitDeletion: (id: number, op: string, transaction: Transaction): Promise<Ownership | null> =>
      images
        .findOneAndUpdate(
          { ...{ _id: id, wanted: null, vms: [], clones: [] }, state: { $in: statesBefore('remove') } },
          { $set: { wanted: op } },
          { ...within(transaction), projection: ownershipFields },
        )
        .lean<Ownership>()
        .exec(),

    /** Another one is being made of it, from now on. false: it may not be. */
    async beginClone(of: number, id: number, transaction: Transaction): Promise<boolean> {
      const { modifiedCount } = await images.updateOne(
        {
          ...{ _id: of, operation: null, wanted: null, state: { $in: statesBefore('clone') } },
          [`clones.${limits.imageClones.most - 1}`]: { $exists: false },
        },
        [
          {
            $set: {
              state: { $cond: [{ $eq: ['$state', 'READY'] }, 'CLONE', '$state'] },
              clones: { $setUnion: ['$clones', [id]] },
            },
          },
        ],
        { ...within(transaction), updatePipeline: true },
      );
      return modifiedCount > 0;
    },

    /** That one is not being made of it any more; said again it is so already. */
    endClone: (of: number, id: number, transaction: Transaction) =>
      images.updateOne(
        { _id: of, clones: id },
        [
          { $set: { clones: { $setDifference: ['$clones', [id]] } } },
          {
            $set: {
              state: {
                $cond: [{ $and: [{ $eq: ['$state', 'CLONE'] }, { $eq: ['$clones', []] }] }, 'READY', '$state'],
              },
            },
          },
        ],
        { ...within(transaction), updatePipeline: true },
      ),

    /** The image, for a try of a step of the operation that has it: under an epoch of its own. null: it has it no more. */
    claim: (id: number, op: string): Promise<Image | null> => take({ _id: id, operation: op }, { $inc: { epoch: 1 } }),

    /** The same for a try that goes on with something else, as long as no other one has begun since. */
    claimAgain: (id: number, { op, epoch }: { op: string; epoch: number }): Promise<Image | null> =>
      take({ _id: id, operation: op, epoch }, { $inc: { epoch: 1 } }),

    /** The image, for the deletion that wants it; whoever had it has nothing of it any more. null: it is not there. */
    takeOver: (id: number, op: string): Promise<Image | null> =>
      take(
        { _id: id, $or: [{ wanted: op }, { operation: op }] },
        { $set: { operation: op, wanted: null, state: 'DELETE', reason: null }, $inc: { epoch: 1 } },
      ),

    /** Its bytes are there: what is found of them is what its owner is charged. false: the try has been overtaken. */
    made: (id: number, by: { op: string; epoch: number }, found: Made): Promise<boolean> =>
      withTransaction(connection, async (transaction) => {
        const image = await images
          .findOneAndUpdate(
            { _id: id, operation: by.op, epoch: by.epoch, state: 'LOCKED' },
            { $inc: { edits: 1 } },
            { ...within(transaction), returnDocument: 'after' },
          )
          .lean<Image>()
          .exec();
        if (!image) return false;
        const size_mb = sizeOf(found);
        const more = size_mb - image.size_mb;
        if (more > 0) await quotas.charge(image, { ...nothing, storage: more }, transaction);
        if (more < 0) await quotas.giveBack(image, { ...nothing, storage: -more }, transaction);
        if (more > 0) await demandRoomIn({ ...image, size_mb }, transaction);
        const { format, virtualSize: virtual_size, bytes, published } = found;
        await images.updateOne(
          { _id: id },
          {
            $set: {
              ...{ state: 'READY', reason: null, format, virtual_size, bytes, published, size_mb },
              charge: chargeOfImage(size_mb),
            },
          },
          within(transaction),
        );
        return true;
      }),

    /** So many MB of it have arrived, and stay: they are charged. false: there is no room for them; null: somebody else is at it. */
    async arrived(id: number, by: { op: string; epoch: number }, size_mb: number): Promise<boolean | null> {
      try {
        return await withTransaction(connection, async (transaction) => {
          const image = await images
            .findOneAndUpdate(
              { _id: id, operation: by.op, epoch: by.epoch, state: 'LOCKED' },
              { $inc: { edits: 1 } },
              { ...within(transaction), returnDocument: 'after' },
            )
            .lean<Image>()
            .exec();
          if (!image) return null;
          const more = size_mb - image.size_mb;
          if (more <= 0) return true;
          await quotas.charge(image, { ...nothing, storage: more }, transaction);
          await demandRoomIn({ ...image, size_mb }, transaction);
          await images.updateOne(
            { _id: id },
            { $set: { size_mb, charge: chargeOfImage(size_mb) } },
            within(transaction),
          );
          return true;
        });
      } catch (error) {
        if (error instanceof Problem) return false;
        throw error;
      }
    },

    /** How many images of a user are being made. */
    beingMade: (uid: number, transaction: Transaction): Promise<number> =>
      images.countDocuments({ uid, state: 'LOCKED' }, within(transaction)),

    /** Nothing of it is left in its datastore. */
    emptied: (id: number, by: { op: string; epoch: number }) =>
      images.updateOne({ _id: id, operation: by.op, epoch: by.epoch }, { $set: { emptied: by.op } }),

    /** It stays, in this state if any; nothing is at work on it any more. */
    letGo: (
      id: number,
      op: string,
      { state, reason }: { state?: Image['state']; reason: string | null },
      transaction: Transaction,
    ) =>
      images.updateOne(
        { _id: id, operation: op },
        { $set: { operation: null, ...(state && { state, reason: reason && brief(reason, longest.vm) }) } },
        within(transaction),
      ),
    /** It is not wanted any more. */
    unwant: (id: number, op: string, transaction: Transaction) =>
      images.updateOne({ _id: id, wanted: op }, { $set: { wanted: null } }, within(transaction)),

    /** It is gone, with what its owner was charged. */
    async remove(image: Image, transaction: Transaction): Promise<void> {
      const { deletedCount } = await images.deleteOne({ _id: image._id }, within(transaction));
      if (deletedCount > 0) await quotas.giveBack(image, image.charge, transaction);
    },

    /** MB that may still be kept of an image: what is left of the quotas of its owner and group, and of its datastore. */
    async room(image: Image): Promise<number> {
      const left = await quotas.left(image, 'storage');
      const datastore = await datastores.find(image.datastore_id);
      const others = datastore?.limit_mb == null ? 0 : await megabytesIn(image.datastore_id, image._id);
      const bounds = [
        limits.imageSize.most,
        image.wish.size_mb,
        left === null ? null : left + image.size_mb,
        datastore?.limit_mb == null ? null : datastore.limit_mb - others,
      ];
      return Math.max(0, Math.min(...bounds.filter((bound) => bound !== null)));
    },
  };
}
export type ImageStore = ReturnType<typeof createImageStore>;

import type { Connection } from 'mongoose';
import type { Evidence } from '../../domain/consistency/evidence.js';
import type { SeenImage } from '../../domain/consistency/judge-images.js';
import { openStates } from '../../domain/operation-states.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { Datastore } from '../../schemas/storage/datastore.js';
import { sessionOf, type Transaction, within, withTransaction } from '../mongo/transaction.js';
import type { OperationStore } from '../operations/operations.js';
import type { DatastoreStore } from '../storage/datastores.js';
import type { ImageStore } from '../storage/images.js';

const ofImage = 'datastore_id state epoch operation wanted clones';

type Page = { after: number | null; limit: number };
const after = (id: number | null): object => (id === null ? {} : { _id: { $gt: id } });

/** What a check of consistency reads of images and datastores, and changes of images. */
export function createImageConsistency(
  connection: Connection,
  { images, datastores, operations }: { images: ImageStore; datastores: DatastoreStore; operations: OperationStore },
) {
  const some = (filter: object, limit = 0) =>
    images.model.find(filter, ofImage).sort({ _id: 1 }).limit(limit).lean<SeenImage[]>().exec();

  /** Those of these images about which an open operation is. */
  async function atWorkOn(ids: readonly number[], transaction?: Transaction): Promise<Set<number>> {
    if (ids.length === 0) return new Set();
    const found = await operations.model
      .find({ 'resource.type': 'image', 'resource.id': { $in: [...ids] }, state: { $in: openStates } }, { resource: 1 })
      .session(sessionOf(transaction))
      .lean<Pick<Operation, 'resource'>[]>()
      .exec();
    return new Set(found.map(({ resource }) => resource.id));
  }

  return {
    /** In order of ids, after one. */
    page: ({ after: id, limit }: Page) => some(after(id), limit),
    byIds: (ids: readonly number[]) => some({ _id: { $in: [...ids] } }),
    /** Those that are said to be in a datastore. */
    inDatastore: (datastore: number, { after: id, limit }: Page) =>
      some({ datastore_id: datastore, ...after(id) }, limit),
    datastores: ({ after: id, limit }: Page) =>
      datastores.model.find(after(id), 'name ds_mad').sort({ _id: 1 }).limit(limit).lean<SeenStore[]>().exec(),

    atWorkOn,

    // Repairs: each is one guarded change that filters on what was seen, and false where that is not there any more.

    async abandon({ image, ...seen }: Evidence['image_abandoned']): Promise<boolean> {
      const reason = `no operation was at work on it while it was ${seen.state}: found by a check of consistency`;
      const { modifiedCount } = await images.model.updateOne(
        { _id: image, ...seen },
        { $set: { state: 'ERROR', reason, operation: null, wanted: null } },
      );
      return modifiedCount > 0;
    },

    async clearName({ image, op }: Evidence['image_operation_stale'], field: 'operation' | 'wanted'): Promise<boolean> {
      const { modifiedCount } = await images.model.updateOne({ _id: image, [field]: op }, { $set: { [field]: null } });
      return modifiedCount > 0;
    },

    /** The image that is named is written, too: of who begins to make it again meanwhile, and this, one comes after the other. */
    forgetClone: ({ image, clone }: Evidence['image_clone_stale']): Promise<boolean> =>
      withTransaction(connection, async (transaction) => {
        await images.model.updateOne({ _id: clone }, { $inc: { edits: 1 } }, within(transaction));
        if ((await atWorkOn([clone], transaction)).size > 0) return false;
        return (await images.endClone(image, clone, transaction)).modifiedCount > 0;
      }),

    async correctState({ image, state, becomes, epoch, clones }: Evidence['image_state_wrong']): Promise<boolean> {
      const isAsSeen = clones === 0 ? { clones: [] } : { 'clones.0': { $exists: true } };
      const { modifiedCount } = await images.model.updateOne(
        { _id: image, state, epoch, ...isAsSeen },
        { $set: { state: becomes } },
      );
      return modifiedCount > 0;
    },
  };
}
type SeenStore = Pick<Datastore, '_id' | 'name' | 'ds_mad'>;

import type { Connection } from 'mongoose';
import type { Evidence } from '../../domain/consistency/evidence.js';
import type { SeenImage } from '../../domain/consistency/judge-images.js';
import { openStates } from '../../domain/operation-states.js';
import { Problem } from '../../domain/problems.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { Datastore } from '../../schemas/storage/datastore.js';
import { ChoiceLost } from '../mongo/choice-lost.js';
import { sessionOf, type Transaction, within, withTransaction } from '../mongo/transaction.js';
import type { OperationStore } from '../operations/operations.js';
import type { DatastoreStore } from '../storage/datastores.js';
import type { ImageUses } from '../storage/image-uses.js';
import type { ImageStore } from '../storage/images.js';
import type { VmHoldings } from '../vms/vm-holdings.js';
import type { VmStore } from '../vms/vms.js';

const ofImage = 'datastore_id state epoch operation wanted clones apps vms persistent';

type Page = { after: number | null; limit: number };
const after = (id: number | null): object => (id === null ? {} : { _id: { $gt: id } });

/** What a check of consistency reads of images and datastores, and changes of images. */
export function createImageConsistency(
  connection: Connection,
  { images, datastores, operations, vms, uses, holdings }: ImageStores,
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
      datastores.model.find(after(id), 'name ds_mad type').sort({ _id: 1 }).limit(limit).lean<SeenStore[]>().exec(),

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

    async correctState({
      image,
      state,
      becomes,
      epoch,
      clones,
      apps,
      vms,
    }: Evidence['image_state_wrong']): Promise<boolean> {
      // One of before apps were published has no list of them.
      const isAsSeen = (name: string, count: number) =>
        count === 0 ? { [`${name}.0`]: { $exists: false } } : { [`${name}.0`]: { $exists: true } };
      const { modifiedCount } = await images.model.updateOne(
        { _id: image, state, epoch, ...isAsSeen('clones', clones), ...isAsSeen('apps', apps), ...isAsSeen('vms', vms) },
        { $set: { state: becomes } },
      );
      return modifiedCount > 0;
    },

    /** The image is written in the transaction in which the VM is read: of who attaches a disk of it meanwhile, and this, one comes after the other. */
    forgetUser: ({ image, vm }: Evidence['image_use_stale']): Promise<boolean> =>
      withTransaction(connection, async (transaction) => {
        const named = { _id: image, vms: vm };
        const { matchedCount } = await images.model.updateOne(named, { $inc: { edits: 1 } }, within(transaction));
        if (matchedCount === 0) return false;
        const its = await vms.model.findById(vm, { state: 1 }).session(sessionOf(transaction)).lean().exec();
        if (its === null || its.state === 'DONE') await uses.release([vm], transaction);
        else await holdings.releaseOthers(vms.model, vm, transaction);
        return (await images.model.exists(named).session(sessionOf(transaction))) === null;
      }),

    /** The VM is fenced in the same transaction: whoever takes it meanwhile wins. */
    async nameUser({ vm, state, lcm_state, epoch, image: id }: Evidence['image_use_missing']): Promise<boolean> {
      try {
        return await withTransaction(connection, async (transaction) => {
          const seen = { _id: vm, state, lcm_state, epoch };
          const fenced = await vms.model.updateOne(seen, { $inc: { epoch: 1 } }, within(transaction));
          const image = await images.find(id, transaction);
          if (fenced.modifiedCount === 0 || image?.vms.includes(vm) === true) return false;
          const { persistent = false, datastore_id = -1 } = image ?? {};
          await uses.take([{ image: id, persistent, datastore: datastore_id, vms: [vm] }], transaction);
          return true;
        });
      } catch (error) {
        if (!(error instanceof ChoiceLost)) throw error;
        throw new Problem('not_found', `Image ${id} is not there, or may not be used by one more VM.`);
      }
    },
  };
}
type ImageStores = {
  images: ImageStore;
  datastores: DatastoreStore;
  operations: OperationStore;
  vms: VmStore;
  uses: ImageUses;
  holdings: VmHoldings;
};
type SeenStore = Pick<Datastore, '_id' | 'name' | 'ds_mad' | 'type'>;

import type { Connection } from 'mongoose';
import { brief, longest } from '../../domain/brief.js';
import type { Caller } from '../../domain/identity/caller.js';
import { defaultPermissions } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import {
  type Datastore,
  type DatastoreCapacity,
  datastoreFields,
  defaultDatastores,
} from '../../schemas/storage/datastore.js';
import { modelOf } from '../mongo/model.js';
import { pageIndexes, pageOf, sortIndexes, visibleTo } from '../mongo/paging.js';
import { orTaken } from '../mongo/taken.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';

/** What a look at a datastore came to. */
export type DatastoreLook = { id: number } & ({ capacity: DatastoreCapacity } | { error: string });

export function createDatastoreStore(connection: Connection) {
  const datastores = modelOf<Datastore>(connection, 'datastores', Number, [
    { fields: { name: 1 }, options: { unique: true } },
    { fields: { cluster_ids: 1 } },
    ...pageIndexes(),
    ...sortIndexes(datastoreFields),
  ]);
  return {
    model: datastores,
    find: (id: number, transaction?: Transaction) =>
      datastores.findById(id).session(sessionOf(transaction)).lean<Datastore>().exec(),
    byIds: (ids: readonly number[]) =>
      datastores
        .find({ _id: { $in: [...ids] } })
        .lean<Datastore[]>()
        .exec(),
    list: (caller: Caller, query: ListQuery) =>
      pageOf(datastores, visibleTo(caller, 'datastore'), query, { ids: 'number', list: datastoreFields }),
    /** Throws Taken where there is one of this name. */
    insert: (datastore: Datastore, transaction: Transaction) =>
      orTaken(() => datastores.create([datastore], within(transaction))),
    /** The same. */
    change: (
      id: number,
      change: Partial<Pick<Datastore, 'name' | 'state' | 'limit_mb' | 'cluster_ids' | 's3' | 'ssh'>>,
      transaction: Transaction,
    ) =>
      orTaken(() =>
        datastores
          .findOneAndUpdate({ _id: id }, { $set: change }, { returnDocument: 'after', ...within(transaction) })
          .lean<Datastore>()
          .exec(),
      ),
    remove: (id: number, transaction: Transaction) => datastores.deleteOne({ _id: id }, within(transaction)),
    /** How many are reached by the hosts of a cluster. */
    inCluster: (cluster: number, transaction: Transaction) =>
      datastores.countDocuments({ cluster_ids: cluster }, within(transaction)),

    /** Ids of all, those first at which nobody has looked for longest. */
    async toMonitor(most: number): Promise<number[]> {
      const found = await datastores
        .find({}, { _id: 1 })
        .sort({ monitored_at: 1, _id: 1 })
        .limit(most)
        .lean<Pick<Datastore, '_id'>[]>()
        .exec();
      return found.map(({ _id }) => _id);
    },
    /** What looks came to, in one write. One that was not answered leaves what an earlier look has found. */
    async looked(looks: readonly DatastoreLook[], at: Date): Promise<void> {
      if (looks.length === 0) return;
      await datastores.bulkWrite(
        looks.map((look) => ({
          updateOne: {
            filter: { _id: look.id },
            update: {
              $set: {
                ...('error' in look
                  ? { error: brief(look.error, longest.vm) }
                  : { error: null, capacity: look.capacity }),
                monitored_at: at,
              },
            },
          },
        })),
        { ordered: false },
      );
    },

    /** Makes those that are always there. They belong to the administrator; everybody may use them. */
    ensureDefaults: () =>
      datastores.bulkWrite(
        defaultDatastores.map(({ _id, name, type }) => ({
          updateOne: {
            filter: { _id },
            update: {
              $setOnInsert: {
                name,
                type,
                uid: 0,
                gid: 0,
                permissions: { ...defaultPermissions, other: { use: true, manage: false, admin: false } },
                ds_mad: 'fs',
                state: 'READY',
                limit_mb: null,
                cluster_ids: [0],
                capacity: null,
                error: null,
                monitored_at: null,
                created_at: new Date(),
              },
            },
            upsert: true,
          },
        })),
      ),
  };
}
export type DatastoreStore = ReturnType<typeof createDatastoreStore>;

import type { Connection } from 'mongoose';
import type { Caller } from '../../domain/identity/caller.js';
import { defaultPermissions } from '../../schemas/common/common.js';
import { type ListQuery, namedFields } from '../../schemas/common/list.js';
import { type Cluster, defaultCluster } from '../../schemas/hosts/cluster.js';
import { modelOf } from '../mongo/model.js';
import { pageIndexes, pageOf, sortIndexes, visibleTo } from '../mongo/paging.js';
import { orTaken } from '../mongo/taken.js';
import { type Transaction, within } from '../mongo/transaction.js';

export function createClusterStore(connection: Connection) {
  const clusters = modelOf<Cluster>(connection, 'clusters', Number, [
    { fields: { name: 1 }, options: { unique: true } },
    ...pageIndexes(),
    ...sortIndexes(namedFields),
  ]);
  return {
    model: clusters,
    find: (id: number) => clusters.findById(id).lean<Cluster>().exec(),
    list: (caller: Caller, query: ListQuery) =>
      pageOf(clusters, visibleTo(caller, 'cluster'), query, {
        ids: 'number',
        list: namedFields,
        parts: { attributes: { neededBy: ['attributes'], empty: {} } },
      }),
    /** Throws Taken where there is one of this name. */
    insert: (cluster: Cluster, transaction?: Transaction) =>
      orTaken(() => clusters.create([cluster], within(transaction))),
    /** Makes the cluster that is always there. It belongs to the administrator; everybody may know of it. */
    ensureDefault: () =>
      clusters.updateOne(
        { _id: defaultCluster },
        {
          $setOnInsert: {
            name: 'default',
            uid: 0,
            gid: 0,
            permissions: { ...defaultPermissions, other: { use: true, manage: false, admin: false } },
            attributes: {},
            reserve: {},
            created_at: new Date(),
          },
        },
        { upsert: true },
      ),
  };
}
export type ClusterStore = ReturnType<typeof createClusterStore>;

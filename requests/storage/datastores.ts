import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import { listed } from '../../domain/words.js';
import {
  type CreateDatastore,
  type Datastore,
  type DatastoreEdit,
  type DatastoreResource,
  isDefaultDatastore,
} from '../../schemas/storage/datastore.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { managed } from '../managed.js';
import { iso, isoOrNull, type Names, namesFor, ownership } from '../resources.js';

export const datastores = (context: OperationsContext) => {
  const { store, directory } = context;

  return managed(context, 'datastore', {
    ...store.datastores,
    async shown(caller, found): Promise<DatastoreResource[]> {
      const names = await namesFor(directory, caller, found);
      return found.map((datastore) => datastoreResource(datastore, names));
    },
    async make(caller, { type, ds_mad, limit_mb = null, cluster_ids }: CreateDatastore) {
      await mayPutInto(context, caller, cluster_ids ?? []);
      return (base): Datastore => ({
        ...base,
        type,
        ds_mad,
        state: 'READY',
        limit_mb,
        cluster_ids: cluster_ids ?? [0],
        capacity: null,
        error: null,
        monitored_at: null,
      });
    },
    async insert(datastore, transaction) {
      await inClusters(context, datastore.cluster_ids, transaction);
      return store.datastores.insert(datastore, transaction);
    },
    editable,
    async change(caller, { name, state, limit_mb, cluster_ids }, present, transaction) {
      const added = cluster_ids.filter((id) => !present.cluster_ids.includes(id));
      await mayPutInto(context, caller, added);
      await inClusters(context, added, transaction);
      const becomes = state === 'enabled' ? 'READY' : 'DISABLED';
      return store.datastores.change(present._id, { name, state: becomes, limit_mb, cluster_ids }, transaction);
    },
    async remove(_caller, { _id: id, name }, transaction) {
      if (isDefaultDatastore(id))
        throw new Problem('wrong_state', `Datastore ${id} (${name}) is always there. Disable it instead.`);
      // Whoever puts an image into it writes the datastore, which this transaction has done, too.
      const { count, first } = await store.images.inDatastore(id, mostNamed, transaction);
      if (count > 0) throw inUse(`Datastore ${id} (${name})`, count, first);
      await store.datastores.remove(id, transaction);
    },
  });
};

/** How many images a refusal names. */
const mostNamed = 10;

function inUse(datastore: string, count: number, first: readonly number[]): Problem {
  const more = count > first.length ? [`${count - first.length} more`] : [];
  const named = listed([...first.map(String), ...more]);
  return new Problem(
    'in_use',
    `${datastore} has image${count === 1 ? '' : 's'} ${named}. Delete ${count === 1 ? 'it' : 'them'} first.`,
  );
}

/** What can be edited of a datastore, as it is. */
const editable = ({ name, state, limit_mb, cluster_ids }: Datastore): DatastoreEdit => ({
  name,
  state: state === 'READY' ? 'enabled' : 'disabled',
  limit_mb,
  cluster_ids,
});

async function mayPutInto({ store }: OperationsContext, caller: Caller, clusters: readonly number[]): Promise<void> {
  for (const id of clusters) {
    const found = await store.clusters.find(id);
    if (!found) throw noCluster(id);
    authorised(caller, 'cluster', found, 'admin', id);
  }
}

/** Sees to it that the clusters stay until the transaction has committed. */
async function inClusters(
  { store }: OperationsContext,
  clusters: readonly number[],
  transaction: Transaction,
): Promise<void> {
  const [missing] = await store.references.touch('cluster', clusters, transaction);
  if (missing !== undefined) throw noCluster(missing);
}

const noCluster = (id: number): Problem =>
  new Problem('invalid_request', `There is no cluster ${id}.`, {
    findings: [{ pointer: '/cluster_ids', detail: `there is no cluster ${id}` }],
  });

const datastoreResource = (datastore: Datastore, names: Names): DatastoreResource => {
  const { _id: id, name, type, ds_mad, state, limit_mb, cluster_ids, capacity, error } = datastore;
  return {
    id,
    name,
    ...ownership(datastore),
    ...names(datastore),
    type,
    ds_mad,
    state,
    limit_mb,
    cluster_ids,
    capacity,
    error,
    monitored_at: isoOrNull(datastore.monitored_at),
    created_at: iso(datastore.created_at),
  };
};

import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import { privateKeyOf, secretKeyOf } from '../../domain/storage/datastore-secrets.js';
import { listed } from '../../domain/words.js';
import { calledOf } from '../../schemas/common/counted.js';
import { kinds } from '../../schemas/kinds.js';
import {
  type CreateDatastore,
  type Datastore,
  type DatastoreEdit,
  type DatastoreResource,
  isDefaultDatastore,
} from '../../schemas/storage/datastore.js';
import type { StorageKind } from '../../schemas/storage/stored.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { managed } from '../managed.js';
import { iso, isoOrNull, type Names, namesFor, ownership } from '../resources.js';
import { dropCopies } from './dropped-copies.js';

export const datastores = (context: OperationsContext) => {
  const { store, directory, sealer } = context;
  const sealedOrNull = (key: string | null, id: number) => (key === null ? null : sealer.seal(key, privateKeyOf(id)));

  const all = managed(context, 'datastore', {
    ...store.datastores,
    async shown(caller, found): Promise<DatastoreResource[]> {
      const ids = found.map(({ _id }) => _id);
      const [names, ofImages, ofVms] = await Promise.all([
        namesFor(directory, caller, found),
        store.images.megabytesOf(ids),
        store.vmDatastores.megabytesOf(ids),
      ]);
      return found.map((datastore) => ({
        ...datastoreResource(datastore, names),
        reserved_mb: (ofImages.get(datastore._id) ?? 0) + (ofVms.get(datastore._id) ?? 0),
      }));
    },
    async make(caller, { type, ds_mad, limit_mb = null, cluster_ids, s3, ssh }: CreateDatastore) {
      refuseUnlikeKind({ ds_mad, type, s3, ssh });
      await mayPutInto(context, caller, cluster_ids ?? []);
      return (base): Datastore => ({
        ...base,
        type,
        ds_mad,
        state: 'READY',
        limit_mb,
        cluster_ids: cluster_ids ?? [0],
        ...(s3 && { s3: { ...s3, secret_key: sealer.seal(s3.secret_key, secretKeyOf(base._id)) } }),
        ...(ssh && { ssh: { ...ssh, private_key: sealedOrNull(ssh.private_key, base._id) } }),
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
    async change(caller, { name, state, limit_mb, cluster_ids, s3: wish, ssh: wishSsh }, present, transaction) {
      const added = cluster_ids.filter((id) => !present.cluster_ids.includes(id));
      await mayPutInto(context, caller, added);
      await inClusters(context, added, transaction);
      const { s3: before } = present;
      if (wish && !before) throw notOfKind('s3', present.ds_mad);
      if (wishSsh && !present.ssh) throw notOfKind('ssh', present.ds_mad);
      const { secret_key, ...way } = wish ?? {};
      const s3 = before && {
        ...{ ...before, ...way },
        ...(secret_key !== undefined && { secret_key: sealer.seal(secret_key, secretKeyOf(present._id)) }),
      };
      const { private_key, ...sshWay } = wishSsh ?? {};
      const ssh = present.ssh && {
        ...{ ...present.ssh, ...sshWay },
        ...(private_key !== undefined && { private_key: sealedOrNull(private_key, present._id) }),
      };
      const becomes = state === 'enabled' ? 'READY' : 'DISABLED';
      return store.datastores.change(
        present._id,
        { name, state: becomes, limit_mb, cluster_ids, ...(s3 && { s3 }), ...(ssh && { ssh }) },
        transaction,
      );
    },
    async remove(_caller, { _id: id, name }, transaction) {
      if (isDefaultDatastore(id))
        throw new Problem('wrong_state', `Datastore ${id} (${name}) is always there. Disable it instead.`);
      // Whoever puts an image, or disks of a VM, into it writes the datastore, which this transaction has done, too.
      const { count, first } = await store.images.inDatastore(id, mostNamed, transaction);
      if (count > 0) throw inUse(`Datastore ${id} (${name})`, 'image', count, first);
      const disks = await store.vmDatastores.inDatastore(id, mostNamed, transaction);
      if (disks.count > 0) throw inUse(`Datastore ${id} (${name})`, 'vm', disks.count, disks.first);
      const [copy] = await store.imageCopies.inDatastores([id], transaction);
      if (copy)
        throw new Problem(
          'in_use',
          `Datastore ${id} (${name}) is being given a copy of image ${copy.image}. Disable it, and ask again.`,
        );
      await store.datastores.remove(id, transaction);
    },
  });
  return {
    ...all,
    /** What was brought to it of images goes first. */
    async remove(...[caller, id, precondition]: Parameters<typeof all.remove>): Promise<void> {
      await dropCopies(context, caller, id);
      await all.remove(caller, id, precondition);
    },
  };
};

/** How many images, or VMs, a refusal names. */
const mostNamed = 10;

function inUse(datastore: string, what: 'image' | 'vm', count: number, first: readonly number[]): Problem {
  const more = count > first.length ? [`${count - first.length} more`] : [];
  const named = `${calledOf(count, kinds[what])} ${listed([...first.map(String), ...more])}`;
  return new Problem(
    'in_use',
    what === 'image'
      ? `${datastore} has ${named}. Delete ${count === 1 ? 'it' : 'them'} first.`
      : `${datastore} has disks of ${named}. End ${count === 1 ? 'it' : 'them'} first.`,
  );
}

/** What is elsewhere says where, and nothing else does. */
function refuseUnlikeKind({ ds_mad, type, ...places }: Pick<CreateDatastore, 'ds_mad' | 'type' | 's3' | 'ssh'>): void {
  for (const kind of ['s3', 'ssh'] as const) {
    if (ds_mad !== kind && places[kind]) throw notOfKind(kind, ds_mad);
    if (ds_mad === kind && !places[kind])
      throw new Problem('invalid_request', `A datastore of kind ${kind} says where it is.`, {
        findings: [{ pointer: `/${kind}`, detail: `is required of ds_mad ${kind}` }],
      });
  }
  if (ds_mad === 's3' && type === 'system')
    throw new Problem('invalid_request', 'Disks of VMs are not made in S3.', {
      findings: [{ pointer: '/type', detail: 'of ds_mad s3 is image or file' }],
    });
}

const notOfKind = (kind: 's3' | 'ssh', ds_mad: StorageKind): Problem =>
  new Problem('invalid_request', `A datastore of kind ${ds_mad} is not of kind ${kind}.`, {
    findings: [{ pointer: `/${kind}`, detail: `is of ds_mad ${kind}` }],
  });

/** What can be edited of a datastore, as it is. A secret is not shown, and stays unless there is another. */
const editable = ({ name, state, limit_mb, cluster_ids, s3, ssh }: Datastore): DatastoreEdit => ({
  name,
  state: state === 'READY' ? 'enabled' : 'disabled',
  limit_mb,
  cluster_ids,
  ...(s3 && {
    s3: {
      ...{ region: s3.region, endpoint: s3.endpoint },
      ...{ force_path_style: s3.force_path_style, access_key: s3.access_key },
    },
  }),
  ...(ssh && { ssh: { host: ssh.host, port: ssh.port, user: ssh.user, host_keys: ssh.host_keys } }),
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

const datastoreResource = (datastore: Datastore, names: Names): Omit<DatastoreResource, 'reserved_mb'> => {
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
    s3: s3Shown(datastore),
    ssh: sshShown(datastore),
    capacity,
    error,
    monitored_at: isoOrNull(datastore.monitored_at),
    created_at: iso(datastore.created_at),
  };
};

function s3Shown({ s3 }: Datastore): DatastoreResource['s3'] {
  if (!s3) return null;
  const { secret_key: _sealed, ...rest } = s3;
  return rest;
}

function sshShown({ ssh }: Datastore): DatastoreResource['ssh'] {
  if (!ssh) return null;
  const { private_key: _sealed, ...rest } = ssh;
  return rest;
}

import type { Connection } from 'mongoose';
import { policyOwner } from '../../domain/hosts/policy-owner.js';
import { reservedOf } from '../../domain/hosts/reserved.js';
import { Problem } from '../../domain/problems.js';
import { type Cluster, defaultCluster } from '../../schemas/hosts/cluster.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { References } from '../mongo/references.js';
import { orTaken } from '../mongo/taken.js';
import { type Transaction, within, withTransaction } from '../mongo/transaction.js';
import type { ClusterStore } from './clusters.js';
import type { HostStore } from './hosts.js';

type HostSizes = Partial<Pick<Host, 'total' | 'cluster_id' | 'reserve'>>;

/** Hosts that do what their cluster says when they fail: as `policyOwner` has it. */
const following = { $or: [{ ha_of: 'cluster' as const }, { ha_of: { $exists: false }, ha: null }] };

/**
 * A host repeats what its cluster keeps back, and does when it fails, so that a reservation is guarded by one document, and a failover goes by one. Whatever changes the one
 * or the other therefore writes the cluster, too: of two that meet, one goes again and sees what the first has done.
 */
export function createClusterChanges(
  connection: Connection,
  { clusters, hosts, references }: { clusters: ClusterStore; hosts: HostStore; references: References },
) {
  /** In the transaction of a larger change, or in one of its own. */
  const inTransaction = <T>(outer: Transaction | undefined, work: (transaction: Transaction) => Promise<T>) =>
    outer ? work(outer) : withTransaction(connection, work);

  const touched = async (id: number, transaction: Transaction): Promise<Cluster> => {
    const cluster = await clusters.model
      .findOneAndUpdate({ _id: id }, { $inc: { revision: 1 } }, { ...within(transaction), returnDocument: 'after' })
      .lean<Cluster>()
      .exec();
    if (!cluster) throw new Problem('invalid_request', `There is no cluster ${id}.`, { findings: [notThere(id)] });
    return cluster;
  };

  return {
    /** A new host, with what its cluster keeps back of it. Throws Taken where another has its name, or its libvirt. */
    insertHost: (host: Host): Promise<void> =>
      references.make(host, async (transaction) => {
        const cluster = await touched(host.cluster_id ?? defaultCluster, transaction);
        const reserved = reservedOf(host.total, host.reserve ?? {}, cluster.reserve);
        await orTaken(() => hosts.model.create([{ ...host, reserved, ...policyIn(cluster) }], within(transaction)));
      }),

    /** Another size, another cluster, or another wish of what to keep back. null: the host is gone. */
    resizeHost: (id: number, change: HostSizes, outer?: Transaction): Promise<Host | null> =>
      inTransaction(outer, async (transaction) => {
        const host = await hosts.model.findById(id, undefined, within(transaction)).lean<Host>().exec();
        if (!host) return null;
        const after = { ...host, ...change };
        const cluster = await touched(after.cluster_id ?? defaultCluster, transaction);
        const reserved = reservedOf(after.total, after.reserve ?? {}, cluster.reserve);
        const moves = after.cluster_id !== host.cluster_id && policyOwner(host) === 'cluster';
        return hosts.update(id, { ...change, reserved, ...(moves && policyIn(cluster)) }, transaction);
      }),

    /** What is done when a host fails is from now on what its cluster says. null: the host is gone. */
    followPolicy: (id: number, outer?: Transaction): Promise<Host | null> =>
      inTransaction(outer, async (transaction) => {
        const host = await hosts.model.findById(id, { cluster_id: 1 }, within(transaction)).lean<Host>().exec();
        if (!host) return null;
        return hosts.update(id, policyIn(await touched(host.cluster_id ?? defaultCluster, transaction)), transaction);
      }),

    /** Those of a cluster that do what it says when they fail, and at which something is at work. */
    followingAtWork: (id: number, transaction: Transaction) =>
      hosts.model
        .find({ $and: [inCluster(id), following], operation: { $ne: null } }, undefined, within(transaction))
        .lean<Host[]>()
        .exec(),

    /** Changes a cluster, and what is kept back of its hosts. null: it is gone. Throws Taken where another has its name. */
    changeCluster: (
      id: number,
      change: Partial<Pick<Cluster, 'name' | 'attributes' | 'reserve' | 'ha'>>,
      outer?: Transaction,
    ): Promise<Cluster | null> =>
      inTransaction(outer, async (transaction) => {
        const after = await orTaken(() =>
          clusters.model
            .findOneAndUpdate(
              { _id: id },
              { $set: change, $inc: { revision: 1 } },
              { ...within(transaction), returnDocument: 'after' },
            )
            .lean<Cluster>()
            .exec(),
        );
        if (after && change.ha !== undefined)
          await hosts.model.updateMany(
            { $and: [inCluster(id), following] },
            { $set: policyIn(after) },
            within(transaction),
          );
        if (!after || change.reserve === undefined) return after;
        const its = await hosts.model
          .find(inCluster(id), { total: 1, reserve: 1 }, within(transaction))
          .lean<Pick<Host, '_id' | 'total' | 'reserve'>[]>()
          .exec();
        if (its.length > 0)
          await hosts.model.bulkWrite(
            its.map(({ _id, total, reserve }) => ({
              updateOne: {
                filter: { _id },
                update: { $set: { reserved: reservedOf(total, reserve ?? {}, after.reserve) } },
              },
            })),
            within(transaction),
          );
        return after;
      }),

    /** Removes a cluster that has no hosts; returns how many it has. */
    removeCluster: (id: number, outer?: Transaction): Promise<number> =>
      inTransaction(outer, async (transaction) => {
        await clusters.model.updateOne({ _id: id }, { $inc: { revision: 1 } }, within(transaction));
        const count = await hosts.model.countDocuments(inCluster(id), within(transaction));
        if (count === 0) await clusters.model.deleteOne({ _id: id }, within(transaction));
        return count;
      }),

    /** Ids of the hosts of each of these clusters. */
    async hostsOf(ids: readonly number[]): Promise<Map<number, number[]>> {
      if (ids.length === 0) return new Map();
      const found = await hosts.model
        .find({ $or: ids.map(inCluster) }, { cluster_id: 1 })
        .sort({ _id: 1 })
        .lean<Pick<Host, '_id' | 'cluster_id'>[]>()
        .exec();
      const its = new Map(ids.map((id): [number, number[]] => [id, []]));
      for (const { _id, cluster_id = defaultCluster } of found) its.get(cluster_id)?.push(_id);
      return its;
    },
  };
}

/** What a host has that does what its cluster says. */
const policyIn = ({ ha = null }: Pick<Cluster, 'ha'>): Pick<Host, 'ha' | 'ha_of'> => ({ ha, ha_of: 'cluster' });

const notThere = (id: number) => ({ pointer: '/cluster_id', detail: `there is no cluster ${id}` });

const inCluster = (id: number) => (id === defaultCluster ? { cluster_id: { $in: [id, null] } } : { cluster_id: id });

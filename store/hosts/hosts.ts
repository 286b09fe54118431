import type { Connection, mongo } from 'mongoose';
import { brief, longest } from '../../domain/brief.js';
import type { DescribedHost } from '../../domain/hosts/host-attributes.js';
import { heardStates } from '../../domain/hosts/host-states.js';
import type { Caller } from '../../domain/identity/caller.js';
import type { Capacity } from '../../schemas/common/capacity.js';
import type { ListQuery } from '../../schemas/common/list.js';
import { type Cluster, defaultCluster } from '../../schemas/hosts/cluster.js';
import { type Host, type HostState, hostFields } from '../../schemas/hosts/host.js';
import type { Condemned, Strays } from '../../schemas/hosts/strays.js';
import { modelOf } from '../mongo/model.js';
import { pageIndexes, pageOf, sortIndexes, visibleTo } from '../mongo/paging.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';
import type { ClusterStore } from './clusters.js';

type HostChange = Partial<
  Pick<Host, 'state' | 'error' | 'total' | 'last_monitored_at' | 'cluster_id' | 'attributes' | 'reserve' | 'reserved'>
>;

export type Reservation = { vm: number; host: number; capacity: Capacity };

const sumOf = (reservations: readonly Reservation[]): Capacity =>
  reservations.reduce((sum, { capacity }) => ({ cpu: sum.cpu + capacity.cpu, memory: sum.memory + capacity.memory }), {
    cpu: 0,
    memory: 0,
  });

/** Each host's share, every VM once. */
function byHost(reservations: readonly Reservation[]): [number, Reservation[]][] {
  const shares = new Map<number, Map<number, Reservation>>();
  for (const reservation of reservations) {
    const share = shares.get(reservation.host) ?? new Map<number, Reservation>();
    shares.set(reservation.host, share.set(reservation.vm, reservation));
  }
  return [...shares].map(([host, share]) => [host, [...share.values()]]);
}

/** What nobody may reserve of a host, in an expression of MongoDB: what is kept back, and what domains take that are not ours. */
export const keptBack = (size: keyof Capacity) => ({
  $add: [{ $ifNull: [`$reserved.${size}`, 0] }, { $ifNull: [`$outside.${size}`, 0] }],
});

/** What VMs may reserve of a host. */
export const usable = ({ total, reserved }: Pick<Host, 'total' | 'reserved'>): Capacity => ({
  cpu: total.cpu - (reserved?.cpu ?? 0),
  memory: total.memory - (reserved?.memory ?? 0),
});

/** What is taken of it: by VMs that have reserved it, and by domains that should not be there. */
export const taken = ({ used, outside }: Pick<Host, 'used' | 'outside'>): Capacity => ({
  cpu: used.cpu + (outside?.cpu ?? 0),
  memory: used.memory + (outside?.memory ?? 0),
});

/** What is much of a host, and not always shown. */
const parts = {
  vms: { neededBy: ['vms'], empty: {} },
  attributes: { neededBy: ['attributes'], empty: {} },
  strays: { neededBy: ['zombies', 'wilds'], empty: { zombies: [], wilds: [], zombie_count: 0, wild_count: 0 } },
} as const;

/** Where a host keeps the reservation of a VM. */
export const entryOf = (vm: number): string => `vms.${vm}`;

/** All reservations of one host, or none when one of them is not there. */
function releaseAtOnce([host, share]: [number, readonly Reservation[]]): mongo.AnyBulkWriteOperation<Host> {
  const sum = sumOf(share);
  return {
    updateOne: {
      filter: {
        _id: host,
        ...Object.fromEntries(
          share.flatMap(({ vm, capacity: { cpu, memory } }) => [
            [`${entryOf(vm)}.cpu`, cpu],
            [`${entryOf(vm)}.memory`, memory],
          ]),
        ),
      },
      update: {
        $unset: Object.fromEntries(share.map(({ vm }) => [entryOf(vm), ''])),
        $inc: { 'used.cpu': -sum.cpu, 'used.memory': -sum.memory, vm_count: -share.length },
      },
    },
  };
}

/**
 * Hosts own their reservations: one entry a VM, their number and the sums, changed together in one guarded update of one document, so
 * that no number of workers can overcommit a host.
 */
export function createHostStore(connection: Connection, { model: clusters }: Pick<ClusterStore, 'model'>) {
  const hosts = modelOf<Host>(connection, 'hosts', Number, [
    { fields: { name: 1 }, options: { unique: true } },
    ...pageIndexes(),
    ...sortIndexes(hostFields),
  ]);

  /** Past Mongoose, which looks through the whole of an update for each path in it: 400 VMs on one host took 250 ms. */
  const native = () => connection.collection<Host>('hosts');

  const reservationsOf = async (vms: readonly number[], transaction?: Transaction): Promise<Reservation[]> => {
    if (vms.length === 0) return [];
    // Only what is asked for leaves the server: hosts hold thousands of entries, and this is asked at every placement.
    const found = await hosts
      .aggregate<Pick<Host, '_id' | 'vms'>>([
        { $project: Object.fromEntries(vms.map((vm) => [entryOf(vm), 1])) },
        { $match: { vms: { $ne: {} } } },
        { $sort: { _id: 1 } },
      ])
      .session(sessionOf(transaction))
      .exec();
    return found.flatMap((host) =>
      Object.entries(host.vms).map(([vm, capacity]) => ({ vm: Number(vm), host: host._id, capacity })),
    );
  };

  return {
    model: hosts,
    find: (id: number) => hosts.findById(id).lean<Host>().exec(),
    /** Without their reservations, which are most of a host. */
    byIds: (ids: readonly number[]) =>
      hosts
        .find({ _id: { $in: ids } }, { vms: 0 })
        .lean<Omit<Host, 'vms'>[]>()
        .exec(),
    list: (caller: Caller, query: ListQuery & { state?: HostState }) =>
      pageOf(hosts, { ...visibleTo(caller, 'host'), ...(query.state && { state: query.state }) }, query, {
        ids: 'number',
        list: hostFields,
        parts,
      }),
    /** Those of these hosts that the caller may USE. */
    async seenBy(caller: Caller, ids: readonly number[]): Promise<ReadonlySet<number>> {
      const found = await hosts
        .find({ $and: [visibleTo(caller, 'host'), { _id: { $in: [...ids] } }] }, { _id: 1 })
        .lean<Pick<Host, '_id'>[]>()
        .exec();
      return new Set(found.map(({ _id }) => _id));
    },
    all: () =>
      hosts
        .find({ state: { $ne: 'OFFLINE' } }, { vms: 0 })
        .lean<Omit<Host, 'vms'>[]>()
        .exec(),
    insert: (host: Host) => hosts.create([host]),
    /** Removes a host that holds no VM; false when it does, or is gone. */
    async removeEmpty(id: number, transaction: Transaction): Promise<boolean> {
      return (await hosts.deleteOne({ _id: id, vms: {} }, within(transaction))).deletedCount > 0;
    },
    async update(id: number, change: HostChange, transaction?: Transaction) {
      return hosts
        .findOneAndUpdate({ _id: id }, { $set: change }, { returnDocument: 'after', ...within(transaction) })
        .lean<Host>()
        .exec();
    },
    /**
     * It did not answer a probe. One that is disabled keeps that state, for that is no failure, and has the reason all the same;
     * one that was taken offline meanwhile is not asked any more.
     */
    async silent(id: number, error: string): Promise<void> {
      const now = new Date();
      const found = {
        error: { $literal: brief(error, longest.vm) },
        last_monitored_at: now,
        silent_since: { $ifNull: ['$silent_since', now] },
      };
      const pipeline = { updatePipeline: true };
      await hosts.updateOne(
        { _id: id, state: { $in: [...heardStates] } },
        [{ $set: { ...found, state: 'ERROR' } }],
        pipeline,
      );
      await hosts.updateOne({ _id: id, state: 'DISABLED' }, [{ $set: found }], pipeline);
    },

    /**
     * It answered, and takes VMs from now on; `yet`: or why it does not yet. Only as it was seen before it was asked: whoever
     * was frozen since then knows nothing of what has been found, or left behind there, meanwhile. Returns true when it became
     * usable.
     */
    async answered(seen: Pick<Host, '_id' | 'state' | 'last_monitored_at'>, yet: string | null): Promise<boolean> {
      if (!heardStates.some((state) => state === seen.state)) return false;
      const { modifiedCount } = await hosts.updateOne(
        { _id: seen._id, state: seen.state, last_monitored_at: seen.last_monitored_at ?? null },
        {
          $set: {
            state: yet === null ? 'MONITORED' : 'INIT',
            error: yet && brief(yet, longest.vm),
            last_monitored_at: new Date(),
            silent_since: null,
          },
        },
      );
      return yet === null && modifiedCount > 0 && seen.state !== 'MONITORED';
    },

    /** Probed with success once more, in one write for all: what nearly every probe finds. Those in other states are left. */
    async stillMonitored(ids: readonly number[]): Promise<void> {
      if (ids.length === 0) return;
      await hosts.updateMany(
        { _id: { $in: ids }, state: { $in: ['MONITORED', 'DISABLED'] } },
        { $set: { error: null, last_monitored_at: new Date(), silent_since: null } },
      );
    },

    /** Ids of the VMs that have a reservation on each of these hosts. */
    async reservedOn(ids: readonly number[]): Promise<Map<number, ReadonlySet<number>>> {
      const names = { $map: { input: { $objectToArray: '$vms' }, in: '$$this.k' } };
      const found = await hosts
        .aggregate<{ _id: number; vms: string[] }>([
          { $match: { _id: { $in: [...ids] } } },
          { $project: { vms: names } },
        ])
        .exec();
      return new Map(found.map(({ _id, vms }) => [_id, new Set(vms.map(Number))]));
    },

    /**
     * What a look has found that should not be there; null: nothing. What somebody wanted removed and is not there any more is
     * not wanted any more. `before`: what was written when the host was asked; where wilds have been imported since then, the next
     * look is to say it.
     */
    async setStrays(
      id: number,
      before: Strays | null,
      { strays, outside }: { strays: Strays | null; outside: Capacity },
    ): Promise<void> {
      const left = strays?.zombies.map(({ deploy_id }) => deploy_id) ?? [];
      await native().updateOne(
        { _id: id, ...(before ? { 'strays.wild_count': before.wild_count } : { strays: { $exists: false } }) },
        {
          ...(strays === null ? { $unset: { strays: '', outside: '' } } : { $set: { strays, outside } }),
          $pull: { condemned: { deploy_id: { $nin: left } } },
        },
      );
    },

    /** Somebody wants these removed: the next looks do it. */
    condemn: (id: number, zombies: readonly Condemned[], transaction: Transaction) =>
      hosts
        .findOneAndUpdate(
          { _id: id },
          { $addToSet: { condemned: { $each: [...zombies] } } },
          { returnDocument: 'after', ...within(transaction) },
        )
        .lean<Host>()
        .exec(),

    /** Every host as placement sees it: `total` is what VMs may reserve, attributes those of its cluster under its own. */
    async snapshot(): Promise<(DescribedHost & Pick<Host, 'vm_mad'>)[]> {
      const [found, known] = await Promise.all([
        hosts
          .find({}, { vms: 0, permissions: 0, strays: 0 })
          .sort({ _id: 1 })
          .lean<Omit<Host, 'vms' | 'permissions' | 'strays'>[]>()
          .exec(),
        clusters.find({}, { name: 1, attributes: 1 }).lean<Pick<Cluster, '_id' | 'name' | 'attributes'>[]>().exec(),
      ]);
      const clusterOf = new Map(known.map((cluster) => [cluster._id, cluster]));
      return found.map((host) => {
        const { _id, name, state, vm_mad, vm_count, cluster_id = defaultCluster } = host;
        const [total, used] = [usable(host), taken(host)];
        const cluster = clusterOf.get(cluster_id);
        return {
          id: _id,
          name,
          state,
          vm_mad,
          cluster: { id: cluster_id, name: cluster?.name ?? 'default' },
          attributes: { ...cluster?.attributes, ...host.attributes },
          total,
          free: { cpu: total.cpu - used.cpu, memory: total.memory - used.memory },
          vms: vm_count,
        };
      });
    },

    /** Hosts of an earlier version do not say yet how many VMs they have. */
    countVms: () =>
      hosts.updateMany(
        { vm_count: { $exists: false } },
        [{ $set: { vm_count: { $size: { $objectToArray: '$vms' } } } }],
        { updatePipeline: true },
      ),

    /** Every reservation of these VMs. Attempts that race may leave a VM two: the VM document says which one counts. */
    reservationsOf,

    /**
     * Reserves what fits: one guarded update a host takes all of its share or nothing. Returns the reservations that these
     * VMs then have, whoever made them; what is missing did not fit any more and is to be planned again.
     */
    async reserve(reservations: readonly Reservation[], transaction?: Transaction): Promise<Reservation[]> {
      const updates = byHost(reservations).map(([host, share]): mongo.AnyBulkWriteOperation<Host> => {
        const sum = sumOf(share);
        return {
          updateOne: {
            filter: {
              _id: host,
              state: 'MONITORED',
              ...Object.fromEntries(share.map(({ vm }) => [entryOf(vm), { $exists: false }])),
              $expr: {
                $and: [
                  { $lte: [{ $add: ['$used.cpu', sum.cpu, keptBack('cpu')] }, '$total.cpu'] },
                  { $lte: [{ $add: ['$used.memory', sum.memory, keptBack('memory')] }, '$total.memory'] },
                ],
              },
            },
            update: {
              $set: Object.fromEntries(share.map(({ vm, capacity }) => [entryOf(vm), capacity])),
              $inc: { 'used.cpu': sum.cpu, 'used.memory': sum.memory, vm_count: share.length },
            },
          },
        };
      });
      if (updates.length === 0) return [];
      const { modifiedCount } = await native().bulkWrite(updates, { ordered: false, ...within(transaction) });
      if (modifiedCount === updates.length) return [...reservations];
      return reservationsOf(
        reservations.map(({ vm }) => vm),
        transaction,
      );
    },

    /** Gives reservations back; each once, however often it is asked. Returns true when any capacity came free. */
    async release(reservations: readonly Reservation[], transaction?: Transaction): Promise<boolean> {
      const options = { ordered: false, ...within(transaction) };
      const shares = byHost(reservations);
      if (shares.length === 0) return false;
      const { modifiedCount } = await native().bulkWrite(shares.map(releaseAtOnce), options);
      if (modifiedCount === shares.length) return true;
      // Of some host not all are there any more, or as large, and then nothing of its share was given back: one by one, as they are.
      const asked = new Set(reservations.map(({ vm, host }) => `${vm} ${host}`));
      const there = await reservationsOf([...new Set(reservations.map(({ vm }) => vm))], transaction);
      const left = there.filter(({ vm, host }) => asked.has(`${vm} ${host}`));
      if (left.length === 0) return modifiedCount > 0;
      const oneByOne = left.map((reservation) => releaseAtOnce([reservation.host, [reservation]]));
      return (await native().bulkWrite(oneByOne, options)).modifiedCount > 0 || modifiedCount > 0;
    },
  };
}
export type HostStore = ReturnType<typeof createHostStore>;

import type { AnyBulkWriteOperation, Connection } from 'mongoose';
import type { Caller } from '../domain/caller.js';
import type { HostSnapshot } from '../domain/placement.js';
import type { PageQuery } from '../schemas/common.js';
import type { Capacity, Host, HostState } from '../schemas/host.js';
import { modelOf } from './model.js';
import { pageIndexes, pageOf, visibleTo } from './paging.js';

export type Reservation = { vm: number; host: number; capacity: Capacity };

const sumOf = (reservations: readonly Reservation[]): Capacity =>
  reservations.reduce((sum, { capacity }) => ({ cpu: sum.cpu + capacity.cpu, memory: sum.memory + capacity.memory }), {
    cpu: 0,
    memory: 0,
  });

const byHost = (reservations: readonly Reservation[]): Map<number, Reservation[]> => {
  const groups = new Map<number, Reservation[]>();
  for (const reservation of reservations) {
    const group = groups.get(reservation.host);
    if (group) group.push(reservation);
    else groups.set(reservation.host, [reservation]);
  }
  return groups;
};

/**
 * Hosts own their reservations: one entry a VM and the sums, changed together in one guarded update of one document, so
 * that no number of workers can overcommit a host.
 */
export function createHostStore(connection: Connection) {
  const hosts = modelOf<Host>(connection, 'hosts', Number, [
    { fields: { name: 1 }, options: { unique: true } },
    ...pageIndexes(),
  ]);

  const reservationsOf = async (vms: readonly number[]): Promise<Reservation[]> => {
    const wanted = new Set(vms.map(String));
    const found = await hosts.find({}, { vms: 1 }).sort({ _id: 1 }).lean<Pick<Host, '_id' | 'vms'>[]>().exec();
    return found.flatMap((host) =>
      Object.entries(host.vms)
        .filter(([vm]) => wanted.has(vm))
        .map(([vm, capacity]) => ({ vm: Number(vm), host: host._id, capacity })),
    );
  };

  return {
    model: hosts,
    find: (id: number) => hosts.findById(id).lean<Host>().exec(),
    /** Without their reservations, which are most of a host. */
    byIds: (ids: readonly number[]) =>
      hosts
        .find({ _id: { $in: ids } }, { vms: 0 })
        .lean<Host[]>()
        .exec(),
    list: (caller: Caller, query: PageQuery & { state?: HostState }) =>
      pageOf(hosts, { ...visibleTo(caller), ...(query.state && { state: query.state }) }, query),
    all: () =>
      hosts
        .find({ state: { $ne: 'OFFLINE' } }, { vms: 0 })
        .lean<Host[]>()
        .exec(),
    insert: (host: Host) => hosts.create([host]),
    /** Removes a host that holds no VM; false when it does, or is gone. */
    async removeEmpty(id: number): Promise<boolean> {
      return (await hosts.deleteOne({ _id: id, vms: {} })).deletedCount > 0;
    },
    async update(id: number, change: Partial<Pick<Host, 'state' | 'error' | 'total' | 'last_monitored_at'>>) {
      return hosts.findOneAndUpdate({ _id: id }, { $set: change }, { returnDocument: 'after' }).lean<Host>().exec();
    },
    /** What a probe found. A host that was disabled or taken offline meanwhile keeps that state. Returns true when it became usable. */
    async monitored(id: number, error: string | null): Promise<boolean> {
      const before = await hosts
        .findOneAndUpdate(
          { _id: id, state: { $in: ['INIT', 'MONITORED', 'ERROR'] } },
          { $set: { state: error === null ? 'MONITORED' : 'ERROR', error, last_monitored_at: new Date() } },
          { returnDocument: 'before', projection: { state: 1 } },
        )
        .lean<Pick<Host, 'state'>>()
        .exec();
      return error === null && before !== null && before.state !== 'MONITORED';
    },

    /** Every host as placement sees it, and with which hypervisor it is driven. */
    async snapshot(): Promise<(HostSnapshot & Pick<Host, 'vm_mad'>)[]> {
      const found = await hosts
        .aggregate<Pick<Host, '_id' | 'name' | 'state' | 'total' | 'used' | 'vm_mad'> & { count: number }>([
          { $sort: { _id: 1 } },
          {
            $project: { name: 1, state: 1, total: 1, used: 1, vm_mad: 1, count: { $size: { $objectToArray: '$vms' } } },
          },
        ])
        .exec();
      return found.map(({ _id, name, state, total, used, vm_mad, count }) => ({
        id: _id,
        name,
        state,
        vm_mad,
        total,
        free: { cpu: total.cpu - used.cpu, memory: total.memory - used.memory },
        vms: count,
      }));
    },

    /** Every reservation of these VMs. Attempts that race may leave a VM two: the VM document says which one counts. */
    reservationsOf,

    /**
     * Reserves what fits: one guarded update a host takes all of its share or nothing. Returns the reservations that these
     * VMs then have, whoever made them; what is missing did not fit any more and is to be planned again.
     */
    async reserve(reservations: readonly Reservation[]): Promise<Reservation[]> {
      const updates = [...byHost(reservations)].map(([host, share]): AnyBulkWriteOperation<Host> => {
        const sum = sumOf(share);
        return {
          updateOne: {
            filter: {
              _id: host,
              state: 'MONITORED',
              ...Object.fromEntries(share.map(({ vm }) => [`vms.${vm}`, { $exists: false }])),
              $expr: {
                $and: [
                  { $lte: [{ $add: ['$used.cpu', sum.cpu] }, '$total.cpu'] },
                  { $lte: [{ $add: ['$used.memory', sum.memory] }, '$total.memory'] },
                ],
              },
            },
            update: {
              $set: Object.fromEntries(share.map(({ vm, capacity }) => [`vms.${vm}`, capacity])),
              $inc: { 'used.cpu': sum.cpu, 'used.memory': sum.memory },
            },
          },
        };
      });
      if (updates.length === 0) return [];
      const { modifiedCount } = await hosts.bulkWrite(updates, { ordered: false });
      return modifiedCount === updates.length ? [...reservations] : reservationsOf(reservations.map(({ vm }) => vm));
    },

    /** Gives reservations back; each once, however often it is asked. Returns true when any capacity came free. */
    async release(reservations: readonly Reservation[]): Promise<boolean> {
      const updates = reservations.map(
        ({ vm, host, capacity }): AnyBulkWriteOperation<Host> => ({
          updateOne: {
            filter: { _id: host, [`vms.${vm}`]: { $exists: true } },
            update: {
              $unset: { [`vms.${vm}`]: '' },
              $inc: { 'used.cpu': -capacity.cpu, 'used.memory': -capacity.memory },
            },
          },
        }),
      );
      if (updates.length === 0) return false;
      return (await hosts.bulkWrite(updates, { ordered: false })).modifiedCount > 0;
    },
  };
}
export type HostStore = ReturnType<typeof createHostStore>;

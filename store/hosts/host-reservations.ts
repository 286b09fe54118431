import type { Connection, Model, mongo } from 'mongoose';
import type { Capacity } from '../../schemas/common/capacity.js';
import type { Host } from '../../schemas/hosts/host.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';

export type Reservation = { vm: number; host: number; capacity: Capacity };

/**
 * Hosts own their reservations: one entry a VM, their number and the sums, changed together in one guarded update of one document, so
 * that no number of workers can overcommit a host.
 */
export interface HostReservations {
  /** Every reservation of these VMs. Attempts that race may leave a VM two: the VM document says which one counts. */
  reservationsOf(vms: readonly number[], transaction?: Transaction): Promise<Reservation[]>;
  /** Ids of the VMs that have a reservation on each of these hosts. */
  reservedOn(ids: readonly number[]): Promise<Map<number, ReadonlySet<number>>>;
  /**
   * Reserves what fits: one guarded update a host takes all of its share or nothing. Returns the reservations that these
   * VMs then have, whoever made them; what is missing did not fit any more and is to be planned again.
   */
  reserve(reservations: readonly Reservation[], transaction?: Transaction): Promise<Reservation[]>;
  /** Gives reservations back; each once, however often it is asked. Returns true when any capacity came free. */
  release(reservations: readonly Reservation[], transaction?: Transaction): Promise<boolean>;
  /** Hosts of an earlier version do not say yet how many VMs they have. */
  countVms(): Promise<unknown>;
}

type HostStores = { connection: Connection; hosts: Model<Host> };

export const hostReservations = (stores: HostStores): HostReservations => ({
  reservationsOf: async (vms, transaction) => (vms.length === 0 ? [] : reservationsOf(stores.hosts, vms, transaction)),
  reservedOn: (ids) => reservedOn(stores.hosts, ids),
  reserve: (wished, transaction) => reserve(stores, wished, transaction),
  release: (had, transaction) => release(stores, had, transaction),
  countVms: () =>
    stores.hosts
      .updateMany({ vm_count: { $exists: false } }, [{ $set: { vm_count: { $size: { $objectToArray: '$vms' } } } }], {
        updatePipeline: true,
      })
      .exec(),
});

/** Where a host keeps the reservation of a VM. */
export const entryOf = (vm: number): string => `vms.${vm}`;

/** What nobody may reserve of a host, in an expression of MongoDB: what is kept back, and what domains take that are not ours. */
export const keptBack = (size: keyof Capacity) => ({
  $add: [{ $ifNull: [`$reserved.${size}`, 0] }, { $ifNull: [`$outside.${size}`, 0] }],
});

async function reservationsOf(
  hosts: Model<Host>,
  vms: readonly number[],
  transaction?: Transaction,
): Promise<Reservation[]> {
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
}

async function reservedOn(hosts: Model<Host>, ids: readonly number[]): Promise<Map<number, ReadonlySet<number>>> {
  const names = { $map: { input: { $objectToArray: '$vms' }, in: '$$this.k' } };
  const found = await hosts
    .aggregate<{ _id: number; vms: string[] }>([{ $match: { _id: { $in: [...ids] } } }, { $project: { vms: names } }])
    .exec();
  return new Map(found.map(({ _id, vms }) => [_id, new Set(vms.map(Number))]));
}

/** Past Mongoose, which looks through the whole of an update for each path in it: 400 VMs on one host took 250 ms. */
const native = (connection: Connection) => connection.collection<Host>('hosts');

async function reserve(
  { connection, hosts }: HostStores,
  wished: readonly Reservation[],
  transaction?: Transaction,
): Promise<Reservation[]> {
  const updates = byHost(wished).map(reserveAtOnce);
  if (updates.length === 0) return [];
  const { modifiedCount } = await native(connection).bulkWrite(updates, { ordered: false, ...within(transaction) });
  if (modifiedCount === updates.length) return [...wished];
  return reservationsOf(
    hosts,
    wished.map(({ vm }) => vm),
    transaction,
  );
}

async function release(
  { connection, hosts }: HostStores,
  had: readonly Reservation[],
  transaction?: Transaction,
): Promise<boolean> {
  const options = { ordered: false, ...within(transaction) };
  const shares = byHost(had);
  if (shares.length === 0) return false;
  const { modifiedCount } = await native(connection).bulkWrite(shares.map(releaseAtOnce), options);
  if (modifiedCount === shares.length) return true;
  // Of some host not all are there any more, or as large, and then nothing of its share was given back: one by one, as they are.
  const asked = new Set(had.map(({ vm, host }) => `${vm} ${host}`));
  const there = await reservationsOf(hosts, [...new Set(had.map(({ vm }) => vm))], transaction);
  const left = there.filter(({ vm, host }) => asked.has(`${vm} ${host}`));
  if (left.length === 0) return modifiedCount > 0;
  const oneByOne = left.map((reservation) => releaseAtOnce([reservation.host, [reservation]]));
  return (await native(connection).bulkWrite(oneByOne, options)).modifiedCount > 0 || modifiedCount > 0;
}

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

/** All reservations of one host, or none when one of them does not fit. */
function reserveAtOnce([host, share]: [number, readonly Reservation[]]): mongo.AnyBulkWriteOperation<Host> {
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
}

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

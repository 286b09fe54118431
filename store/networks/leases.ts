import type { Connection } from 'mongoose';
import { gapsIn, inTurn, partsFrom, someOf } from '../../domain/networks/free-addresses.js';
import { leaseKey, leaseKeys } from '../../domain/networks/lease-key.js';
import type { PageQuery } from '../../schemas/common/common.js';
import type { AddressRange } from '../../schemas/networks/addresses.js';
import type { Lease, LeaseHolder, LeasePlace } from '../../schemas/networks/lease.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { createGathering } from '../mongo/gathering.js';
import { modelOf } from '../mongo/model.js';
import { pageOf } from '../mongo/paging.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { ChoiceLost } from './choice-lost.js';
import type { NetworkStore } from './networks.js';

/**
 * Gates of a network. Whoever takes an address writes the one of its number, whoever removes addresses writes them all: of two of whom
 * one removes what the other takes, one goes again. Two who take different addresses seldom meet, as they would in the network itself.
 */
const gates = 1_024;

const gateOf = (network: number, gate: number): string => `${network}/${gate}`;
const rangeKey = ({ network, ar_id }: Pick<LeasePlace, 'network' | 'ar_id'>): string => `${network}/${ar_id}`;

type ChosenFrom = { _id: number; ranges: readonly AddressRange[] };
type Ask = { network: ChosenFrom; count: number; chance: () => number };

/**
 * Who has which address. What is free is not there: an address is taken by being written under its own key, which is there once.
 * Chosen it is before the transaction that takes it, by tickets which are drawn in order, so that of many who choose at once each
 * chooses another one; what holds is the key alone.
 */
export function createLeases(connection: Connection, networks: Pick<NetworkStore, 'find'>) {
  const model = modelOf<Lease>(connection, 'leases', Number, [
    {
      fields: { 'holder.type': 1, 'holder.id': 1, 'holder.nic': 1 },
      options: { name: 'by_vm', unique: true, partialFilterExpression: { 'holder.nic': { $exists: true } } },
    },
  ]);
  modelOf<{ _id: string; next: number }>(connection, 'lease_tickets', String);
  modelOf<{ _id: string; network: number; passed: number }>(connection, 'lease_gates', String, [
    { fields: { network: 1 } },
  ]);
  const leases = connection.collection<Lease>('leases');
  const tickets = connection.collection<{ _id: string; next: number }>('lease_tickets');
  const gateways = connection.collection<{ _id: string; network: number; passed: number }>('lease_gates');

  /** Numbers of addresses of a range that somebody has, in order; read from the keys alone. */
  const taken = async (
    network: number,
    ar_id: number,
    part: { from?: number; to?: number },
    transaction?: Transaction,
  ): Promise<number[]> => {
    const first = leaseKey({ network, ar_id, index: 0 });
    const found = leases.find(
      { _id: leaseKeys(network, { ar_id, ...part }) },
      { ...within(transaction), projection: { _id: 1 }, sort: { _id: 1 } },
    );
    return (await found.toArray()).map(({ _id }) => _id - first);
  };

  /** So many numbers of a range that nobody has now, or as many as there are. */
  async function choose(
    network: number,
    { ar_id, size }: AddressRange,
    count: number,
    chance: () => number,
  ): Promise<number[]> {
    const drawn = await tickets.findOneAndUpdate(
      { _id: rangeKey({ network, ar_id }) },
      { $inc: { next: count } },
      { upsert: true, returnDocument: 'after' },
    );
    const turn = inTurn((drawn?.next ?? count) - count, count, size);
    const keys = turn.map((index) => leaseKey({ network, ar_id, index }));
    const met = await leases.find({ _id: { $in: keys } }, { projection: { _id: 1 } }).toArray();
    const metKeys = new Set(met.map(({ _id }) => _id));
    const chosen = turn.filter((_, at) => !metKeys.has(keys[at] ?? -1));
    if (chosen.length === count) return chosen;
    if ((await leases.countDocuments({ _id: leaseKeys(network, { ar_id }) })) >= size) return [];
    const start = ((turn.at(-1) ?? 0) + 1) % size;
    for (const { from, to } of partsFrom(start, size)) {
      const gaps = gapsIn(await taken(network, ar_id, { from, to }), from, to);
      const others = gaps.filter((index) => !chosen.includes(index));
      chosen.push(...someOf(others, count - chosen.length, chance));
      if (chosen.length === count) break;
    }
    return chosen;
  }

  /** Those who choose at once draw together: what is drawn for each is his alone. */
  const chosenTogether = createGathering<Ask, LeasePlace[]>(async (network, asks) => {
    const last = asks.at(-1);
    if (!last) return [];
    const count = asks.reduce((sum, ask) => sum + ask.count, 0);
    const places: LeasePlace[] = [];
    for (const range of last.network.ranges) {
      if (places.length === count) break;
      const found = await choose(network, range, count - places.length, last.chance);
      places.push(...found.map((index) => ({ network, ar_id: range.ar_id, index })));
    }
    let given = 0;
    return asks.map((ask) => {
      given += ask.count;
      return places.slice(given - ask.count, given);
    });
  });

  return {
    model,

    /** Addresses of a network that nobody has now, of the first ranges that have any; fewer, where there are not so many. */
    choose: (network: ChosenFrom, count: number, chance: () => number = Math.random): Promise<LeasePlace[]> =>
      chosenTogether(network._id, { network, count, chance }),

    /**
     * Takes addresses, all or none, in the transaction that makes who has them. Throws ChoiceLost where somebody else has one, or its
     * range is not there any more.
     */
    async take(wishes: readonly (LeasePlace & { holder: LeaseHolder })[], transaction: Transaction): Promise<void> {
      if (wishes.length === 0) return;
      const passed = new Map(wishes.map(({ network, index }) => [gateOf(network, index % gates), network] as const));
      await gateways.bulkWrite(
        [...passed].map(([_id, network]) => ({
          updateOne: { filter: { _id }, update: { $inc: { passed: 1 }, $set: { network } }, upsert: true },
        })),
        { ordered: false, ...within(transaction) },
      );
      for (const id of new Set(wishes.map(({ network }) => network))) {
        const ranges = (await networks.find(id, transaction))?.ranges ?? [];
        const isThere = ({ network, ar_id, index }: LeasePlace): boolean =>
          network !== id || ranges.some((range) => range.ar_id === ar_id && index < range.size);
        if (!wishes.every(isThere)) throw new ChoiceLost(`network ${id} has not these addresses any more`);
      }
      const taken_at = new Date();
      try {
        await leases.insertMany(
          wishes.map(({ network, ar_id, index, holder }): Lease => {
            const place = { network, ar_id, index };
            return { _id: leaseKey(place), ...place, holder, taken_at };
          }),
          { ...within(transaction) },
        );
      } catch (error) {
        if (isDuplicateKey(error)) throw new ChoiceLost('somebody else has one of these addresses', { cause: error });
        throw error;
      }
    },

    /** In the transaction that removes addresses of a network: nobody takes any meanwhile who would not see that. */
    shut: (network: number, transaction: Transaction) =>
      gateways.bulkWrite(
        Array.from({ length: gates }, (_, gate) => ({
          updateOne: {
            filter: { _id: gateOf(network, gate) },
            update: { $inc: { passed: 1 }, $set: { network } },
            upsert: true,
          },
        })),
        { ordered: false, ...within(transaction) },
      ),

    /** What NICs of a VM have that are none of these. */
    releaseOthers: (vm: number, kept: readonly number[], transaction: Transaction) =>
      leases.deleteMany(
        { 'holder.type': 'vm', 'holder.id': vm, 'holder.nic': { $gte: 0, $nin: [...kept] } },
        within(transaction),
      ),
    /** All that a VM has. */
    releaseVm: (vm: number, transaction: Transaction) =>
      leases.deleteMany({ 'holder.type': 'vm', 'holder.id': vm, 'holder.nic': { $gte: 0 } }, within(transaction)),
    releaseVms: (vms: readonly number[], transaction: Transaction) =>
      leases.deleteMany(
        { 'holder.type': 'vm', 'holder.id': { $in: [...vms] }, 'holder.nic': { $gte: 0 } },
        within(transaction),
      ),
    /** Whether any of these VMs has an address. */
    anyOf: async (vms: readonly number[]): Promise<boolean> =>
      (await leases.findOne(
        { 'holder.type': 'vm', 'holder.id': { $in: [...vms] }, 'holder.nic': { $gte: 0 } },
        { projection: { _id: 1 } },
      )) !== null,
    /** An address that nobody has but that it is held back. Returns whether it was. */
    releaseHeld: async (place: LeasePlace, transaction: Transaction): Promise<boolean> =>
      (await leases.deleteOne({ _id: leaseKey(place), 'holder.type': 'hold' }, within(transaction))).deletedCount > 0,
    /** What a reservation has of its parent, where a range of it has its addresses. */
    releaseReserved: (child: number, { size, from }: AddressRange, transaction: Transaction) =>
      from
        ? leases.deleteMany(
            {
              _id: leaseKeys(from.network, { ar_id: from.ar_id, from: from.first, to: from.first + size }),
              ...{ 'holder.type': 'network', 'holder.id': child },
            },
            within(transaction),
          )
        : Promise.resolve(),

    /** Of a network that goes: what was kept for choosing among its addresses. */
    async forget(network: number, ranges: readonly AddressRange[], transaction: Transaction): Promise<void> {
      await gateways.deleteMany({ network }, within(transaction));
      await tickets.deleteMany(
        { _id: { $in: ranges.map(({ ar_id }) => rangeKey({ network, ar_id })) } },
        within(transaction),
      );
    },

    /** Who has this address; null: nobody. */
    at: (place: LeasePlace, transaction?: Transaction): Promise<Lease | null> =>
      leases.findOne({ _id: leaseKey(place) }, within(transaction)),
    /** The one that a NIC of a VM has. */
    ofNic: (vm: number, nic: number, transaction?: Transaction): Promise<Lease | null> =>
      leases.findOne({ 'holder.type': 'vm', 'holder.id': vm, 'holder.nic': nic }, within(transaction)),
    /** How many of a network's addresses somebody has. */
    count: (network: number): Promise<number> => leases.countDocuments({ _id: leaseKeys(network) }),
    /** Numbers of a range that somebody has, in order. */
    takenOf: (network: number, ar_id: number): Promise<number[]> => taken(network, ar_id, {}),
    /** Who has addresses of a network, or of a range of it from a number on: the first of them in their order. */
    holding: (
      network: number,
      { most, ...part }: { ar_id?: number; from?: number; most: number },
      transaction?: Transaction,
    ): Promise<Lease[]> =>
      leases
        .find({ _id: leaseKeys(network, part) }, { limit: most, sort: { _id: 1 }, ...within(transaction) })
        .toArray(),
    /** Those of a network, in order. */
    list: (network: number, query: PageQuery) => pageOf(model, { _id: leaseKeys(network) }, query),

    /** How many addresses of each range somebody has, by network and range. */
    async used(networkIds: readonly number[]): Promise<(network: number, ar_id: number) => number> {
      if (networkIds.length === 0) return () => 0;
      const rows = await leases
        .aggregate<{ _id: { network: number; ar_id: number }; used: number }>([
          { $match: { $or: networkIds.map((network) => ({ _id: leaseKeys(network) })) } },
          { $group: { _id: { network: '$network', ar_id: '$ar_id' }, used: { $sum: 1 } } },
        ])
        .toArray();
      const counts = new Map(rows.map(({ _id, used }) => [rangeKey(_id), used]));
      return (network, ar_id) => counts.get(rangeKey({ network, ar_id })) ?? 0;
    },
  };
}
export type Leases = ReturnType<typeof createLeases>;

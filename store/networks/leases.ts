import type { Connection } from 'mongoose';
import { gapsIn, inTurn, partsFrom, someOf } from '../../domain/networks/free-addresses.js';
import { leaseKey, leaseKeys } from '../../domain/networks/lease-key.js';
import { Problem } from '../../domain/problems.js';
import type { PageQuery } from '../../schemas/common/common.js';
import type { AddressRange } from '../../schemas/networks/addresses.js';
import type { Lease, LeaseHolder, LeasePlace } from '../../schemas/networks/lease.js';
import { ChoiceLost } from '../mongo/choice-lost.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { createGathering } from '../mongo/gathering.js';
import { modelOf } from '../mongo/model.js';
import { pageOf } from '../mongo/paging.js';
import type { References } from '../mongo/references.js';
import { type Transaction, within } from '../mongo/transaction.js';
import type { NetworkStore } from './networks.js';

/**
 * Gates of a network. Whoever takes an address writes the one of its number, whoever removes addresses writes them all: of two of whom
 * one removes what the other takes, one goes again. Two who take different addresses seldom meet, as they would in the network itself.
 */
const gates = 1_024;

const gateOf = (network: number, gate: number): string => `${network}/${gate}`;
const rangeKey = ({ network, ar_id }: Pick<LeasePlace, 'network' | 'ar_id'>): string => `${network}/${ar_id}`;

/** An address that is taken, with the security groups of its NIC. */
export type LeaseTake = LeasePlace & { holder: LeaseHolder; groups?: readonly number[] };

type ChosenFrom = { _id: number; ranges: readonly AddressRange[] };
type Ask = { network: ChosenFrom; count: number; chance: () => number };

/**
 * Who has which address. What is free is not there: an address is taken by being written under its own key, which is there once.
 * Chosen it is before the transaction that takes it, by tickets which are drawn in order, so that of many who choose at once each
 * chooses another one; what holds is the key alone.
 */
export function createLeases(
  connection: Connection,
  networks: Pick<NetworkStore, 'rangesOf'>,
  references: Pick<References, 'touch'>,
) {
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

  /** Writes gates; by id, of which network each is. One alone, as most take, without what many at once need. */
  async function pass(these: ReadonlyMap<string, number>, transaction: Transaction): Promise<void> {
    const written = (network: number) => ({ $inc: { passed: 1 }, $set: { network } });
    const [one, ...others] = these;
    if (one && others.length === 0) {
      const [_id, network] = one;
      await gateways.updateOne({ _id }, written(network), { upsert: true, ...within(transaction) });
    } else
      await gateways.bulkWrite(
        [...these].map(([_id, network]) => ({
          updateOne: { filter: { _id }, update: written(network), upsert: true },
        })),
        { ordered: false, ...within(transaction) },
      );
  }

  return {
    model,

    /** Addresses of a network that nobody has now, of the first ranges that have any; fewer, where there are not so many. */
    choose: (network: ChosenFrom, count: number, chance: () => number = Math.random): Promise<LeasePlace[]> =>
      chosenTogether(network._id, { network, count, chance }),

    /**
     * Takes addresses, all or none, in the transaction that makes who has them. Throws ChoiceLost where somebody else has one, or its
     * range is not there any more, and `invalid_request` where a security group is not.
     */
    async take(wishes: readonly LeaseTake[], transaction: Transaction): Promise<void> {
      if (wishes.length === 0) return;
      const [gone] = await references.touch(
        'security_group',
        wishes.flatMap(({ groups = [] }) => groups),
        transaction,
      );
      if (gone !== undefined) throw new Problem('invalid_request', `There is no security group ${gone}.`);
      const passed = new Map(wishes.map(({ network, index }) => [gateOf(network, index % gates), network] as const));
      await pass(passed, transaction);
      for (const id of new Set(wishes.map(({ network }) => network))) {
        const ranges = await networks.rangesOf(id, transaction);
        const isThere = ({ network, ar_id, index }: LeasePlace): boolean =>
          network !== id || ranges.some((range) => range.ar_id === ar_id && index < range.size);
        if (!wishes.every(isThere)) throw new ChoiceLost(`network ${id} has not these addresses any more`);
      }
      const taken_at = new Date();
      try {
        const taken = wishes.map(({ network, ar_id, index, holder }): Lease => {
          const place = { network, ar_id, index };
          return { _id: leaseKey(place), ...place, holder, taken_at };
        });
        const [one, ...others] = taken;
        if (one && others.length === 0) await leases.insertOne(one, within(transaction));
        else await leases.insertMany(taken, within(transaction));
      } catch (error) {
        if (isDuplicateKey(error)) throw new ChoiceLost('somebody else has one of these addresses', { cause: error });
        throw error;
      }
    },

    /** In the transaction that removes addresses of a network: nobody takes any meanwhile who would not see that. */
    shut: (network: number, transaction: Transaction) =>
      pass(new Map(Array.from({ length: gates }, (_, gate) => [gateOf(network, gate), network] as const)), transaction),

    /** What NICs of a VM have that are none of these. Returns of which networks that was, one for each address. */
    async releaseOthers(vm: number, kept: readonly number[], transaction: Transaction): Promise<number[]> {
      const others = { 'holder.type': 'vm', 'holder.id': vm, 'holder.nic': { $gte: 0, $nin: [...kept] } } as const;
      const found = await leases.find(others, { ...within(transaction), projection: { network: 1 } }).toArray();
      if (found.length > 0) await leases.deleteMany(others, within(transaction));
      return found.map(({ network }) => network);
    },
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
    /** All of a network that are held back. */
    releaseAllHeld: (network: number, transaction: Transaction) =>
      leases.deleteMany({ _id: leaseKeys(network), 'holder.type': 'hold' }, within(transaction)),
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
    takenOf: (network: number, ar_id: number, transaction?: Transaction): Promise<number[]> =>
      taken(network, ar_id, {}, transaction),
    /** Who has addresses of a network, or of a range of it from a number on: the first of them in their order. */
    holding: (
      network: number,
      { most, ...part }: { ar_id?: number; from?: number; most: number },
      transaction?: Transaction,
    ): Promise<Lease[]> =>
      leases
        .find({ _id: leaseKeys(network, part) }, { limit: most, sort: { _id: 1 }, ...within(transaction) })
        .toArray(),
    /** How many addresses of a network VMs have, each reservation of it, and nobody, who is kept from them; `most`: VMs that are named. */
    async holders(network: number, most: number) {
      const rows = await leases
        .aggregate<{
          _id: { type: LeaseHolder['type']; id?: number };
          addresses: number;
          first: Pick<LeasePlace, 'ar_id' | 'index'>;
        }>([
          { $match: { _id: leaseKeys(network) } },
          { $sort: { _id: 1 } },
          {
            $group: {
              _id: { type: '$holder.type', id: '$holder.id' },
              addresses: { $sum: 1 },
              first: { $first: { ar_id: '$ar_id', index: '$index' } },
            },
          },
          { $sort: { '_id.id': 1 } },
        ])
        .toArray();
      const vms = rows.filter(({ _id }) => _id.type === 'vm');
      const held = rows.find(({ _id }) => _id.type === 'hold');
      return {
        vms: {
          addresses: vms.reduce((sum, { addresses }) => sum + addresses, 0),
          count: vms.length,
          first: vms.slice(0, most).flatMap(({ _id }) => _id.id ?? []),
        },
        reserved: rows.flatMap(({ _id, addresses }) =>
          _id.type === 'network' && _id.id !== undefined ? [{ network: _id.id, addresses }] : [],
        ),
        held: { addresses: held?.addresses ?? 0, first: held?.first ?? null },
      };
    },
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

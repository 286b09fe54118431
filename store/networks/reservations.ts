import { firstRun, type Run } from '../../domain/networks/free-addresses.js';
import { mostNamed } from '../../domain/networks/holders.js';
import { Problem } from '../../domain/problems.js';
import type { Lease } from '../../schemas/networks/lease.js';
import type { Network } from '../../schemas/networks/network.js';
import type { QuotaStore } from '../identity/quotas.js';
import type { Transaction } from '../mongo/transaction.js';
import type { Leases } from './leases.js';
import type { NetworkStore } from './networks.js';

/** How many addresses of a network, and of which range of it; absent: of the first that has so many. */
type Wish = { size: number; ar_id?: number | undefined };

/** Networks that are made of addresses of others, and how any network goes. */
export function createReservations({
  leases,
  networks,
  quotas,
}: {
  leases: Leases;
  networks: NetworkStore;
  quotas: QuotaStore;
}) {
  return {
    /** Addresses in a row that nobody has now. Throws `in_use` where there are not so many, `not_found` where there is no such range. */
    async freeRun(parent: Network, { size, ar_id }: Wish, transaction?: Transaction): Promise<Run> {
      const ranges = parent.ranges.filter((range) => ar_id === undefined || range.ar_id === ar_id);
      if (ar_id !== undefined && ranges.length === 0)
        throw new Problem('not_found', `Virtual network ${parent._id} has no address range ${ar_id}.`);
      for (const range of ranges) {
        if (range.size < size) continue;
        const first = firstRun(await leases.takenOf(parent._id, range.ar_id, transaction), range.size, size);
        if (first !== null) return { range, first };
      }
      const where =
        ar_id === undefined ? `Virtual network ${parent._id} (${parent.name})` : `Its address range ${ar_id}`;
      throw new Problem('in_use', `${where} has not ${size} free addresses in a row. Reserve fewer at a time.`);
    },

    /** Takes them, in the transaction that writes the network which has them. */
    takeRun: (
      { _id: network }: Pick<Network, '_id'>,
      { range: { ar_id }, first }: Run,
      { child, size }: { child: number; size: number },
      transaction: Transaction,
    ): Promise<void> =>
      leases.take(
        Array.from({ length: size }, (_, at) => ({
          ...{ network, ar_id, index: first + at },
          holder: { type: 'network', id: child } as const,
        })),
        transaction,
      ),

    /** Who has addresses of a network that is about to go: the first of them. Nobody takes any from then on. */
    async inUse({ _id }: Pick<Network, '_id'>, transaction: Transaction): Promise<Lease[]> {
      await leases.shut(_id, transaction);
      return leases.holding(_id, { most: mostNamed }, transaction);
    },

    /** Removes a network of which nobody has an address. What was reserved, and charged, goes back to where it came from. */
    async remove(network: Network, transaction: Transaction): Promise<void> {
      const { _id, ranges, charge } = network;
      for (const range of ranges) await leases.releaseReserved(_id, range, transaction);
      if (charge) await quotas.giveBack(network, charge, transaction);
      await networks.giveVlanBack(_id, transaction);
      await leases.forget(_id, ranges, transaction);
      await networks.remove(_id, transaction);
    },
  };
}
export type Reservations = ReturnType<typeof createReservations>;

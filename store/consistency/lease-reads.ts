import type { SeenLease } from '../../domain/consistency/judge-leases.js';
import type { AddressRange } from '../../schemas/networks/addresses.js';
import type { LeaseHolder } from '../../schemas/networks/lease.js';
import type { Network } from '../../schemas/networks/network.js';
import type { Leases } from '../networks/leases.js';
import type { NetworkStore } from '../networks/networks.js';
import type { VmStore } from '../vms/vms.js';

export type LeaseStores = { leases: Leases; networks: NetworkStore; vms: VmStore };

const fields = { network: 1, ar_id: 1, index: 1, holder: 1 } as const;

/** What a check of consistency reads of who has which address. */
export function createLeaseReads({ leases, networks, vms }: LeaseStores) {
  return {
    /** What each of these VMs has. */
    async leasesOf(ids: readonly number[]): Promise<Map<number, SeenLease[]>> {
      const found = await leases.model
        .find({ 'holder.type': 'vm', 'holder.id': { $in: [...ids] }, 'holder.nic': { $gte: 0 } }, fields)
        .sort({ _id: 1 })
        .lean<SeenLease[]>()
        .exec();
      const by = new Map<number, SeenLease[]>();
      for (const lease of found)
        if (lease.holder.type === 'vm') by.set(lease.holder.id, [...(by.get(lease.holder.id) ?? []), lease]);
      return by;
    },

    /** Who has these addresses, by their keys. */
    async holdersAt(keys: readonly number[]): Promise<Map<number, LeaseHolder>> {
      if (keys.length === 0) return new Map();
      const found = await leases.model
        .find({ _id: { $in: [...keys] } }, { holder: 1 })
        .lean<Pick<SeenLease, '_id' | 'holder'>[]>()
        .exec();
      return new Map(found.map(({ _id, holder }) => [_id, holder]));
    },

    /** So many leases of VMs and networks, after a key. */
    leasesAfter: (after: number, limit: number): Promise<SeenLease[]> =>
      leases.model
        .find({ _id: { $gt: after }, 'holder.type': { $in: ['vm', 'network'] } }, fields)
        .sort({ _id: 1 })
        .limit(limit)
        .lean<SeenLease[]>()
        .exec(),

    /** Which of these networks there are. */
    async networksThere(ids: readonly number[]): Promise<Set<number>> {
      if (ids.length === 0) return new Set();
      const there = await networks.model
        .find({ _id: { $in: [...ids] } }, { _id: 1 })
        .lean<{ _id: number }[]>()
        .exec();
      return new Set(there.map(({ _id }) => _id));
    },

    /** Those that say to be made for a service. */
    networksOfServices: (): Promise<{ _id: number; service: number }[]> =>
      networks.model
        .find({ service: { $gte: 0 } }, { service: 1 })
        .sort({ _id: 1 })
        .lean<{ _id: number; service: number }[]>()
        .exec(),

    /** Which of those that have them there are. */
    async holdersThere(
      seen: readonly SeenLease[],
    ): Promise<{ vms: Set<number>; networks: Map<number, readonly AddressRange[]> }> {
      const ids = (type: LeaseHolder['type']): number[] => [
        ...new Set(seen.flatMap(({ holder }) => (holder.type === type && holder.type !== 'hold' ? [holder.id] : []))),
      ];
      const [there, made] = await Promise.all([
        vms.model
          .find({ _id: { $in: ids('vm') } }, { _id: 1 })
          .lean<{ _id: number }[]>()
          .exec(),
        networks.model
          .find({ _id: { $in: ids('network') } }, { ranges: 1 })
          .lean<Pick<Network, '_id' | 'ranges'>[]>()
          .exec(),
      ]);
      return {
        vms: new Set(there.map(({ _id }) => _id)),
        networks: new Map(made.map(({ _id, ranges }) => [_id, ranges])),
      };
    },
  };
}

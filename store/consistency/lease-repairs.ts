import type { Connection } from 'mongoose';
import type { Evidence } from '../../domain/consistency/evidence.js';
import { Problem } from '../../domain/problems.js';
import type { LeaseHolder } from '../../schemas/networks/lease.js';
import { ChoiceLost } from '../mongo/choice-lost.js';
import { within, withTransaction } from '../mongo/transaction.js';
import { nobodyHasAll, noRoleAtWork } from '../services/hands.js';
import type { ServiceStore } from '../services/services.js';
import type { LeaseStores } from './lease-reads.js';

/** The repairs of who has which address, each guarded by what was seen as the others are. */
export function createLeaseRepairs(
  connection: Connection,
  { leases, networks, services, vms }: LeaseStores & { services: ServiceStore },
) {
  return {
    /** Ids of VMs, networks and NICs are given once: whoever is not there, or has it not, will never have it. */
    async giveBack({ lease, holder }: { lease: number; holder: LeaseHolder }): Promise<boolean> {
      const its = Object.fromEntries(Object.entries(holder).map(([name, value]) => [`holder.${name}`, value]));
      return (await leases.model.deleteOne({ _id: lease, ...its })).deletedCount > 0;
    },

    /** It is its owner's like any other. */
    async letGoOfNetwork({ network, service }: Evidence['network_without_service']): Promise<boolean> {
      const seen = { _id: network, service };
      return (await networks.model.updateOne(seen, { $unset: { service: '' } })).modifiedCount > 0;
    },

    /** A deployment makes it anew. */
    async forgetNetwork({ service, network }: Evidence['service_network_missing']): Promise<boolean> {
      if (await networks.find(network)) return false;
      const { modifiedCount } = await services.model.updateOne(
        { _id: service, ...nobodyHasAll, ...noRoleAtWork },
        {
          $set: { 'networks.$[reserved].reserved.made': false, 'networks.$[made].template.made': false },
          $inc: { network_changes: 1 },
        },
        {
          arrayFilters: [
            { 'reserved.id': network, 'reserved.reserved.made': true },
            { 'made.id': network, 'made.template.made': true },
          ],
        },
      );
      return modifiedCount > 0;
    },

    /** The VM is fenced in the same transaction: whoever takes it meanwhile wins. */
    async takeBack({ vm, state, lcm_state, epoch, nic, place }: Evidence['nic_lease_missing']): Promise<boolean> {
      try {
        return await withTransaction(connection, async (transaction) => {
          const seen = { _id: vm, state, lcm_state, epoch };
          const fenced = await vms.model.updateOne(seen, { $inc: { epoch: 1 } }, within(transaction));
          if (fenced.modifiedCount === 0) return false;
          await leases.take([{ ...place, holder: { type: 'vm', id: vm, nic } }], transaction);
          return true;
        });
      } catch (error) {
        if (!(error instanceof ChoiceLost)) throw error;
        if (await leases.at(place)) return false;
        throw new Problem('not_found', `Network ${place.network} has no such address any more: detach the NIC.`);
      }
    },
  };
}

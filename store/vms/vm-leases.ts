import type { LeaseHolder, LeasePlace } from '../../schemas/networks/lease.js';
import type { Vm } from '../../schemas/vms/vm.js';

/** What new VMs have of networks, to be taken in the transaction that writes them. */
export const takesOf = (vms: readonly Pick<Vm, '_id' | 'nics'>[]): (LeasePlace & { holder: LeaseHolder })[] =>
  vms.flatMap(({ _id: id, nics = [] }) =>
    nics.flatMap(({ nic_id: nic, lease }) => {
      if (!lease) return [];
      const { network, ar_id, index } = lease;
      return [{ network, ar_id, index, holder: { type: 'vm' as const, id, nic } }];
    }),
  );

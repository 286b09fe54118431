import type { Nic } from '../../schemas/operations/vm-devices.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { LeaseTake } from '../networks/leases.js';

/** The NICs that a VM has, and the one of which it is not settled whether it is there: what they have of networks is theirs. */
export const nicsWithLeases = ({ nics = [], device_change }: Pick<Vm, 'nics' | 'device_change'>): number[] =>
  [...nics, ...attaching(device_change)].map(({ nic_id }) => nic_id);

/** The NIC that is about to be attached, or of which it is not settled whether it is. */
export const attaching = (last: Vm['device_change']): Nic[] =>
  last?.open && last.change.action === 'nic-attach' ? [last.change.nic] : [];

/** What new VMs have of networks, to be taken in the transaction that writes them. */
export const takesOf = (vms: readonly Pick<Vm, '_id' | 'nics'>[]): LeaseTake[] =>
  vms.flatMap(({ _id: id, nics = [] }) =>
    nics.flatMap(({ nic_id: nic, lease, security_groups: groups }) => {
      if (!lease) return [];
      const { network, ar_id, index } = lease;
      return [{ network, ar_id, index, holder: { type: 'vm' as const, id, nic }, ...(groups && { groups }) }];
    }),
  );

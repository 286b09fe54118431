import { wishOfNic } from '../../domain/vms/nic-wishes.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { DeviceChange, PlannedChange } from '../../schemas/operations/vm-devices.js';
import { seenUser } from '../../store/identity/seen-user.js';
import { addressesFor } from '../../store/networks/nic-addresses.js';
import { networksWished } from '../../store/vms/nic-networks.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import type { StepPorts } from '../ports.js';

type Asked = Pick<Operation, 'requester'> & { input: { change: DeviceChange } };

/**
 * A change with the address of its network that its NIC is to have, which nobody has now; of anything else, as it is. Throws as
 * `networksWished` and `addressesFor`: whoever has asked for it may have lost the network meanwhile.
 */
export async function withAddress(
  { store, directory }: Pick<StepPorts, 'store' | 'directory'>,
  { _id: vm, uid: owner }: WorkVm,
  { requester, input }: Asked,
  planned: PlannedChange,
): Promise<PlannedChange> {
  if (planned.action !== 'nic-attach' || input.change.action !== 'nic-attach') return planned;
  const { nic } = planned;
  const maker = async () => (await seenUser(directory, requester.id))?.caller ?? null;
  const where = { networks: store.networks, securityGroups: store.securityGroups, users: directory.users };
  const wishes = [wishOfNic(nic.nic_id, input.change.nic)];
  const asks = (await networksWished(where, wishes, { owner, maker })).map(({ at: network, ip, mac }) => ({
    ...{ vm, nic, network, ip, mac },
  }));
  const [addressed] = await addressesFor(store.leases, asks);
  return addressed ? { action: 'nic-attach', nic: addressed.nic } : planned;
}

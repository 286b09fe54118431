import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import { contextScript, guestContext } from '../../domain/vms/guest-context.js';
import { macOf } from '../../domain/vms/vm-devices.js';
import { atMost } from '../../schemas/common/limits.js';
import type { NetworkAttributes } from '../../schemas/networks/network.js';
import type { Nic } from '../../schemas/operations/vm-devices.js';
import type { VmContextResource } from '../../schemas/vms/vm-context.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';

/** What the guest of a VM is told when it starts. Needs MANAGE: it is where passwords of guests are. */
export async function showVmContext(
  context: OperationsContext,
  caller: Caller,
  id: number,
): Promise<VmContextResource> {
  const { store, directory } = context;
  const { uid, name, template, user_template, nics } = authorised(caller, 'vm', await store.vms.find(id), 'manage', id);
  const [owner, networks] = await Promise.all([
    directory.users.find(uid),
    store.networks.byIds((nics ?? []).flatMap(({ lease }) => lease?.network ?? [])),
  ]);
  const told = new Map(networks.map(({ _id, attributes }) => [_id, attributes]));
  const variables = guestContext(template.CONTEXT, {
    vm: { id, name, attributes: { ...user_template, ...template } },
    owner: { uid, name: owner?.name ?? String(uid), attributes: owner?.attributes ?? {} },
    nics: (nics ?? []).map((nic) => ofNic(id, nic, told.get(nic.lease?.network ?? -1) ?? {})),
  });
  if (variables === null)
    throw new Problem(
      'wrong_state',
      `What the guest of VM ${id} is told, with all that it refers to, ${atMost('context')}. Say less in the CONTEXT of its template.`,
    );
  return { vm: id, variables, script: contextScript(variables) };
}

/** What its network tells guests is what it says now. */
const ofNic = (vm: number, nic: Nic, network: NetworkAttributes) => ({
  ...network,
  ...leaseOf(nic),
  NIC_ID: String(nic.nic_id),
  MAC: macOf(vm, nic),
  ...(nic.network !== null && { NETWORK: nic.network }),
});

const leaseOf = ({ lease }: Nic): Record<string, string> =>
  lease === undefined
    ? {}
    : {
        NETWORK_ID: String(lease.network),
        ...(lease.ip !== null && { IP: lease.ip }),
        ...(lease.ip6_global !== null && { IP6_GLOBAL: lease.ip6_global }),
        ...(lease.ip6_ula !== null && { IP6_ULA: lease.ip6_ula }),
        ...(lease.vlan_id !== null && { VLAN_ID: String(lease.vlan_id) }),
      };

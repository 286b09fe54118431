import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import { contextScript, guestContext } from '../../domain/vms/guest-context.js';
import { macOf } from '../../domain/vms/vm-devices.js';
import { atMost } from '../../schemas/common/limits.js';
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
  const owner = await directory.users.find(uid);
  const variables = guestContext(template.CONTEXT, {
    vm: { id, name, attributes: { ...user_template, ...template } },
    owner: { uid, name: owner?.name ?? String(uid), attributes: owner?.attributes ?? {} },
    nics: (nics ?? []).map((nic) => ofNic(id, nic)),
  });
  if (variables === null)
    throw new Problem(
      'wrong_state',
      `What the guest of VM ${id} is told, with all that it refers to, ${atMost('context')}. Say less in the CONTEXT of its template.`,
    );
  return { vm: id, variables, script: contextScript(variables) };
}

const ofNic = (vm: number, nic: Nic) => ({
  NIC_ID: String(nic.nic_id),
  MAC: macOf(vm, nic),
  ...(nic.network !== null && { NETWORK: nic.network }),
});

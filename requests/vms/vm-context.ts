import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import { contextScript, guestContext, tooMuchTold } from '../../domain/vms/guest-context.js';
import type { VmContextResource } from '../../schemas/vms/vm-context.js';
import { guestFacts } from '../../store/vms/guest-facts.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';

/** What the guest of a VM is told when it starts. Needs MANAGE: it is where passwords of guests are. */
export async function showVmContext(
  { store, directory: { users } }: OperationsContext,
  caller: Caller,
  id: number,
): Promise<VmContextResource> {
  const vm = authorised(caller, 'vm', await store.vms.find(id), 'manage', id);
  const variables = guestContext(vm.template.CONTEXT, await guestFacts({ store, users }, vm));
  if (variables === null) throw new Problem('wrong_state', tooMuchTold(id));
  const files = (vm.files ?? []).filter(({ use }) => use === 'CONTEXT');
  return {
    ...{ vm: id, variables, script: contextScript(variables) },
    files: files.map(({ name, image }) => ({ name, image_id: image.id })),
  };
}

import type { Caller } from '../../domain/identity/caller.js';
import type { Problem } from '../../domain/problems.js';
import { byRole, lacksVms } from '../../domain/services/service-health.js';
import { mayMakeVmsOf, noneIsMadeOf } from '../../domain/services/template-use.js';
import type { Role, Service } from '../../schemas/services/service.js';
import type { Store } from '../../store/store.js';

/** Why no VMs of these roles are made for the caller; null: they are. A VM template that is gone is what the run finds. */
export async function whyNoneIsMade(
  { vmTemplates }: Pick<Store, 'vmTemplates'>,
  caller: Caller,
  roles: readonly Pick<Role, 'vm_template'>[],
): Promise<Problem | null> {
  const templates = await vmTemplates.byIds([...new Set(roles.map(({ vm_template }) => vm_template))]);
  const foreign = templates.find((template) => !mayMakeVmsOf(caller, template));
  return foreign ? noneIsMadeOf(foreign._id, caller.name) : null;
}

/** The same of all roles of a service that lack VMs, but for those on hold, which are to have none. */
export async function whyNotWhole(
  store: Pick<Store, 'vmTemplates' | 'vms'>,
  caller: Caller,
  { _id: id, roles }: Service,
): Promise<Problem | null> {
  const vmsOf = byRole(await store.vms.ofService(id));
  const lacking = roles.filter((role) => role.state !== 'HOLD' && lacksVms(role, vmsOf(role.name)));
  return lacking.length === 0 ? null : whyNoneIsMade(store, caller, lacking);
}

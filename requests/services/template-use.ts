import type { Caller } from '../../domain/identity/caller.js';
import { allowed } from '../../domain/identity/permissions.js';
import { nameOf } from '../../domain/operations/names.js';
import { Problem } from '../../domain/problems.js';
import { byRole, lacksVms } from '../../domain/services/service-health.js';
import type { Role, Service } from '../../schemas/services/service.js';
import type { Store } from '../../store/store.js';
import { subjectOf } from '../authorise.js';

/**
 * New VMs are made of VM templates as these are now: whoever has them made may USE them; null: so it is. It is asked again of
 * whoever has asked when they are made, which may be later. One that is gone is what the run finds.
 */
export async function whyNoneIsMade(
  { vmTemplates }: Pick<Store, 'vmTemplates'>,
  caller: Caller,
  roles: readonly Pick<Role, 'vm_template'>[],
): Promise<Problem | null> {
  const templates = await vmTemplates.byIds([...new Set(roles.map(({ vm_template }) => vm_template))]);
  const foreign = templates.find((template) => !allowed(caller, subjectOf('vm_template', template), 'use'));
  return foreign
    ? new Problem('not_authorized', `You need the USE right on ${nameOf({ type: 'vm_template', id: foreign._id })}.`)
    : null;
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

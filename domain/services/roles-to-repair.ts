import type { Role, ServiceState } from '../../schemas/services/service.js';
import { tiesIn } from './role-placement.js';

/** States of a service in which a repair may begin: also while roles of it are scaled, or could not be. */
export const repairable: readonly ServiceState[] = ['WARNING', 'SCALING', 'FAILED_SCALING'];

/** Of roles that were deployed, those that are not as they should be; of one that a repair has, what it says meanwhile. */
const amiss: readonly ServiceState[] = ['WARNING', 'DEPLOYING', 'FAILED_DEPLOYING'];

/**
 * The roles that a repair takes: those that are amiss, and those whose VMs have to be on one host with theirs, for they may all
 * have to leave it. `only`: the one that is asked for; absent: all.
 */
export function rolesToRepair(roles: readonly Pick<Role, 'name' | 'state' | 'placement'>[], only?: string): string[] {
  const ties = tiesIn(roles);
  const its = new Set<string>();
  for (const { name, state } of roles) {
    if (its.has(name) || !amiss.includes(state) || (only !== undefined && name !== only)) continue;
    for (const one of [name, ...(ties(name)?.together ?? [])]) its.add(one);
  }
  return roles.flatMap(({ name, state }) => (its.has(name) && state !== 'HOLD' ? [name] : []));
}

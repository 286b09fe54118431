import type { Caller } from '../../domain/identity/caller.js';
import { isAdministrator } from '../../domain/identity/permissions.js';
import { Problem } from '../../domain/problems.js';

/** Whoever says how VMs are connected on hosts reaches what is connected there. */
export function refuseConnection(caller: Caller): void {
  if (!isAdministrator(caller))
    throw new Problem(
      'not_authorized',
      'Only administrators may say how VMs are connected on hosts: leave out vn_mad, bridge, phydev and vlan_id.',
    );
}

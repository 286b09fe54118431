import type { Amounts } from '../../schemas/identity/amounts.js';
import type { Role, Service, ServiceState } from '../../schemas/services/service.js';
import { brief, longest } from '../brief.js';
import { chargeOfVm, timesOver } from '../identity/quotas.js';
import { stateByRoles } from '../services/holding.js';
import { heldBack } from '../services/role-cap.js';
import { belongs, type HealthVm, isDeparting, missingOf } from '../services/service-health.js';
import { isUp, nextRoleState } from '../services/service-states.js';
import { isProtected, isReady } from '../vms/ready.js';
import { isVmHealthy, isVmRunning } from '../vms/vm-states.js';
import { clauses } from '../words.js';

/**
 * Why a role cannot be called scaled, or null when it can. `vms`: those of it that are not DONE. `gate`: whether they count
 * only once they have reported.
 */
export function whyNotScaled(
  role: Role,
  vms: readonly HealthVm[],
  { failure, gate }: { failure: string | null; gate: boolean },
): string | null {
  const its = vms.filter(belongs);
  // Its VMs name it to their end.
  if (role.removing && vms.length > its.length)
    return `${vms.length - its.length} of its VMs are being terminated by others`;
  // One whose state is not known fills its place: whether it is amiss, health says.
  const others = its.filter((vm) => !isVmHealthy(vm) && vm.lcm_state !== 'UNKNOWN' && !isBroughtUp(vm));
  const surplus = its.length - role.cardinality;
  const silent = gate ? its.filter((vm) => isVmRunning(vm) && !isReady(vm.user_template)).length : 0;
  if (others.length === 0 && missingOf(role, vms) === 0 && surplus <= 0 && silent === 0) return null;
  const amiss = its.filter((vm) => !isVmHealthy(vm) && vm.reason !== null);
  const few = amiss.slice(0, 3);
  const more = amiss.length > 3 ? [`and ${amiss.length - 3} more`] : [];
  const counts =
    surplus > 0
      ? `${its.length} VMs are there, and ${role.cardinality} are to be${stayText(its)}`
      : silent > 0 && others.length === 0
        ? `${silent} of ${role.cardinality} VMs have not reported READY=YES`
        : `${its.filter(isVmRunning).length} of ${role.cardinality} VMs run`;
  // What failed as a whole is why there is nothing in the place of VMs that have reasons of their own.
  const whole = failure === null || few.some(({ reason }) => reason === failure) ? [] : [failure];
  const held = heldBack(role.cardinality, vms.length) ?? [];
  const told = few.map((vm) => `VM ${vm._id} (${vm.name}): ${vm.reason}`);
  const why = clauses([held, whole, told, more].flat());
  return why === '' ? counts : `${counts}: ${why}`;
}

/** Somebody has resumed it, or had it made anew: an operation of its own brings it up, and it fills its place meanwhile. */
const isBroughtUp = ({ operation = null, state, lcm_state }: HealthVm): boolean =>
  operation !== null && (state === 'PENDING' || lcm_state === 'PROLOG' || lcm_state === 'BOOT');

function stayText(its: readonly HealthVm[]): string {
  const staying = its.filter((vm) => isProtected(vm.user_template)).length;
  return staying === 0 ? '' : `; ${staying} of them ${staying === 1 ? 'is' : 'are'} protected`;
}

/** What the role comes to; `reason`: why it is not as wished. `cooldown`: seconds, unless the role says how many. */
export function scaledRole(
  role: Role,
  { reason, cooldown, now }: { reason: string | null; cooldown: number; now: Date },
): Pick<Role, 'state' | 'reason' | 'cooldown_until' | 'scaled_at'> {
  if (reason !== null)
    return { state: nextRoleState(role.state, 'fail_scale') ?? role.state, reason: brief(reason, longest.role) };
  const seconds = role.cooldown ?? cooldown;
  const state = nextRoleState(role.state, seconds > 0 ? 'cool' : 'scaled') ?? role.state;
  return { state, reason, cooldown_until: new Date(now.getTime() + seconds * 1_000), scaled_at: now };
}

/** Whether a role that was to be removed has come to that: nothing is left of it. `vms`: those of it that are not DONE. */
export const isRemoved = ({ state, removing }: Pick<Role, 'state' | 'removing'>, vms: readonly HealthVm[]): boolean =>
  removing !== undefined && isUp(state) && vms.length === 0;

/** VMs beyond the cardinality that are gone are not charged any more. `vms`: those of the role that are not DONE. */
export function settledSurplus(
  { roles, charge, capacities }: Pick<Service, 'roles' | 'charge' | 'capacities'>,
  name: string,
  vms: readonly HealthVm[],
): { surplus: number; returned: Amounts | null } {
  const { surplus = 0, cardinality = 0 } = roles.find((role) => role.name === name) ?? {};
  const there = vms.filter((vm) => belongs(vm) || isDeparting(vm)).length;
  const left = Math.min(surplus, Math.max(0, there - cardinality));
  const capacity = capacities?.[name];
  const gone = surplus - left;
  return { surplus: left, returned: charge && capacity && gone > 0 ? timesOver(chargeOfVm(capacity), gone) : null };
}

/** A service once one of its roles has changed: it is called what its roles make of it, unless an operation has all of it. */
export function withRole(
  {
    state,
    roles,
    operation,
    body: { deployment },
  }: Pick<Service, 'state' | 'roles' | 'operation'> & { body: Pick<Service['body'], 'deployment'> },
  name: string,
  change: Partial<Role>,
): { state: ServiceState; roles: Role[] } {
  const after = roles.map((role) => (role.name === name ? { ...role, ...change } : role));
  return { state: operation === null ? stateByRoles(state, after, deployment) : state, roles: after };
}

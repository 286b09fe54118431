import type { Role, Service } from '../../schemas/services/service.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { brief, longest } from '../brief.js';
import { isReady } from '../vms/ready.js';
import { isVmFailure, isVmHealthy, isVmRunning } from '../vms/vm-states.js';
import { clauses } from '../words.js';
import { stateByRoles } from './holding.js';
import { heldBack } from './role-cap.js';

/** A VM of a service as its health depends on it. */
export type HealthVm = Pick<
  Vm,
  '_id' | 'name' | 'state' | 'lcm_state' | 'reason' | 'wanted' | 'left_behind' | 'service' | 'user_template'
> &
  Partial<Pick<Vm, 'operation'>>;

/** A VM as it counts for its role, or not. */
type StandingVm = Pick<Vm, 'state' | 'lcm_state' | 'wanted' | 'left_behind'>;

/** A service as its health depends on it. */
export type HealthService = Pick<Service, 'state' | 'roles'> & {
  body: Pick<Service['body'], 'ready_status_gate'> & Partial<Pick<Service['body'], 'deployment'>>;
};

/** A role as it is to be called. */
export type RoleHealth = Pick<Role, 'name' | 'state' | 'reason'>;
export type ServiceHealth = { state: Service['state']; roles: RoleHealth[] };

/** Whether a VM is one of its role's: not when it is gone, or is to go for good by whatever way. */
export const belongs = (vm: Pick<Vm, 'state' | 'wanted'>): boolean => vm.state !== 'DONE' && vm.wanted === null;

/**
 * Whether somebody is ending a VM for good. It fills its place until it is gone, and then there is one place fewer: nobody
 * makes another for it meanwhile. One that was left behind on a silent host has been replaced, and fills none.
 */
export const isDeparting = (vm: Pick<Vm, 'state' | 'wanted' | 'left_behind'>): boolean =>
  vm.state !== 'DONE' && vm.wanted !== null && vm.wanted !== vm.left_behind;

/** VMs of which nothing is kept when their role is deployed again. */
export const isLeaving = ({ lcm_state }: Pick<Vm, 'lcm_state'>): boolean =>
  isVmFailure(lcm_state) || ['UNKNOWN', 'SHUTDOWN', 'EPILOG'].includes(lcm_state);

/** How many VMs a role lacks. */
export const missingOf = ({ cardinality }: Pick<Role, 'cardinality'>, vms: readonly StandingVm[]): number =>
  Math.max(0, cardinality - vms.filter((vm) => belongs(vm) || isDeparting(vm)).length);

/** Whether VMs of a role have to be made, whatever has become of those whose state is not known. */
export const lacksVms = (role: Pick<Role, 'cardinality'>, vms: readonly StandingVm[]): boolean =>
  missingOf(role, vms) > 0 || vms.some((vm) => belongs(vm) && isVmFailure(vm.lcm_state));

const isAmiss = ({ lcm_state }: HealthVm): boolean => isVmFailure(lcm_state) || lcm_state === 'UNKNOWN';

/** Told of a role's trouble, at most. */
const mostTold = 3;

/**
 * What a service is now that was deployed, or whose deployment failed. Its VMs that failed, are UNKNOWN, or are missing
 * make their role WARNING (OneFlow's), and with it a service of which every role was deployed; those that are powered off
 * do not, for their user will start them again. A role that failed to deploy runs once its VMs do. A role whose VMs are
 * on their way, that an operation has, or whose scaling has failed, is left as it is called. null: the service is not one that is judged.
 */
export function serviceHealth(
  { state, roles, body }: HealthService,
  vms: readonly HealthVm[],
  now: Date,
): ServiceHealth | null {
  if (!judgedStates.includes(state)) return null;
  // Of one that is being deployed, and that nobody has, a check of consistency tells.
  if (state === 'DEPLOYING' && !roles.some(({ operation }) => operation)) return null;
  const seen = rolesHealth({ roles, body }, vms, now);
  // One that an operation has is as that says.
  const judged = roles.map(({ name, state: is, reason, operation }, at): RoleHealth => {
    const health = seen[at];
    return operation || !health ? { name, state: is, reason } : health;
  });
  const after = roles.map((role, at) => ({ ...role, ...judged[at] }));
  return { state: stateByRoles(state, after, body.deployment ?? 'none'), roles: judged };
}

/** States of services that are judged by their VMs while no operation has the whole of them. */
export const judgedStates: readonly Service['state'][] = [
  'RUNNING',
  'WARNING',
  'DEPLOYING',
  'FAILED_DEPLOYING',
  'SCALING',
  'FAILED_SCALING',
  'COOLDOWN',
  'HOLD',
];

/** The same of its roles, whatever the service is called. */
export function rolesHealth(
  { roles, body }: Omit<HealthService, 'state'>,
  vms: readonly HealthVm[],
  now: Date,
): RoleHealth[] {
  const vmsOf = byRole(vms);
  return roles.map((role) => roleHealth(role, vmsOf(role.name), { gate: body.ready_status_gate, now }));
}

/** VMs of a service by role, gone through once: of a thousand roles each would else look at all of them. */
export function byRole<V extends Pick<Vm, 'service'>>(vms: readonly V[]): (role: string) => readonly V[] {
  const roles = new Map<string, V[]>();
  for (const vm of vms) {
    const role = vm.service?.role ?? '';
    const its = roles.get(role);
    if (its) its.push(vm);
    else roles.set(role, [vm]);
  }
  return (role) => roles.get(role) ?? [];
}

function roleHealth(role: Role, all: readonly HealthVm[], { gate, now }: { gate: boolean; now: Date }): RoleHealth {
  const { name, state, reason, cardinality } = role;
  const its = all.filter(belongs);
  const isWhole = missingOf(role, all) === 0 && !its.some(isAmiss);
  const runs = isWhole && its.every(isVmHealthy);
  const well: RoleHealth = { name, state: isResting(role, now) ? 'COOLDOWN' : 'RUNNING', reason: null };
  if (state === 'FAILED_DEPLOYING') {
    const isOpen = !gate || its.filter(isVmRunning).every((vm) => isReady(vm.user_template));
    return runs && isOpen && its.length <= cardinality ? well : { name, state, reason };
  }
  if (state !== 'RUNNING' && state !== 'WARNING' && state !== 'COOLDOWN') return { name, state, reason };
  if (isWhole) return runs ? well : { name, state, reason };
  return { name, state: 'WARNING', reason: shortfall(role, all) };
}

/** Whether the rest after its last scaling goes on, whatever the role is called. */
export const isResting = ({ cooldown_until }: Pick<Role, 'cooldown_until'>, now: Date): boolean =>
  cooldown_until !== undefined && cooldown_until > now;

/** How many of a role's VMs run, and what is the matter with the others. `all`: its VMs that are not DONE. */
export function shortfall(role: Role, all: readonly HealthVm[]): string {
  const its = all.filter(belongs);
  const missing = missingOf(role, all);
  const told = [
    ...its.filter(isAmiss).map((vm) => `${nameOf(vm)} is ${vm.lcm_state}${vm.reason === null ? '' : `: ${vm.reason}`}`),
    ...(missing > 0 ? [`${missing} ${missing === 1 ? 'is' : 'are'} missing`] : []),
    ...its.filter((vm) => vm.state === 'POWEROFF').map((vm) => `${nameOf(vm)} is powered off`),
    ...all.filter(isDeparting).map((vm) => `${nameOf(vm)} is being terminated`),
  ];
  const held = told.length > 0 ? (heldBack(role.cardinality, all.length) ?? []) : [];
  const few = clauses([held, told.slice(0, mostTold)].flat());
  const more = told.length > mostTold ? `; and ${told.length - mostTold} more` : '';
  const text = `${its.filter(isVmRunning).length} of ${role.cardinality} VMs run${few ? `: ${few}${more}` : ''}`;
  return brief(text, longest.role);
}

const nameOf = ({ _id, name }: Pick<Vm, '_id' | 'name'>): string => `VM ${_id} (${name})`;

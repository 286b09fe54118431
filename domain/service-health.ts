import type { Role, Service } from '../schemas/service.js';
import type { Vm } from '../schemas/vm.js';
import { isVmFailure, isVmHealthy, isVmRunning } from './vm-states.js';

/** A VM of a service as its health depends on it. */
export type HealthVm = Pick<Vm, '_id' | 'name' | 'state' | 'lcm_state' | 'reason' | 'wanted' | 'service'>;

/** A role as it is to be called. `missing`: VMs that it should have, and has not. */
export type RoleHealth = { name: string; state: Role['state']; reason: string | null; missing: number };
export type ServiceHealth = { state: Service['state']; roles: RoleHealth[] };

/** Whether a VM is one of its role's: not when it is gone, or is to go for good by whatever way. */
export const belongs = (vm: Pick<Vm, 'state' | 'wanted'>): boolean => vm.state !== 'DONE' && vm.wanted === null;

const isAmiss = ({ lcm_state }: HealthVm): boolean => isVmFailure(lcm_state) || lcm_state === 'UNKNOWN';

/** Told of a role's trouble, at most. */
const mostTold = 3;

/**
 * What a service that was deployed is now (OneFlow's WARNING): its VMs that failed, are UNKNOWN, or are missing make it and
 * their role WARNING; those that are powered off do not, for their user will start them again. `gone`: for each role, names
 * of VMs that ended last, the latest first. A role whose VMs are on their way is left as it is called. null: the service
 * is not one that is judged.
 */
export function serviceHealth(
  { state, roles }: Pick<Service, 'state' | 'roles'>,
  vms: readonly HealthVm[],
  gone: ReadonlyMap<string, readonly Pick<Vm, '_id' | 'name'>[]> = new Map(),
): ServiceHealth | null {
  if (state !== 'RUNNING' && state !== 'WARNING') return null;
  const judged = roles.map((role) =>
    roleHealth(
      role,
      vms.filter((vm) => vm.service?.role === role.name),
      gone.get(role.name) ?? [],
    ),
  );
  return { state: judged.every((role) => role.state === 'RUNNING') ? 'RUNNING' : 'WARNING', roles: judged };
}

function roleHealth(
  { name, state, reason, cardinality }: Role,
  all: readonly HealthVm[],
  gone: readonly Pick<Vm, '_id' | 'name'>[],
): RoleHealth {
  const its = all.filter(belongs);
  const missing = Math.max(0, cardinality - its.length);
  if (state !== 'RUNNING' && state !== 'WARNING') return { name, state, reason, missing };
  const amiss = its.filter(isAmiss);
  if (amiss.length === 0 && missing === 0)
    return its.every(isVmHealthy)
      ? { name, state: 'RUNNING', reason: null, missing }
      : { name, state, reason, missing };
  const leaving = all.filter((vm) => !belongs(vm) && vm.state !== 'DONE');
  const told = [
    ...amiss.map((vm) => `${nameOf(vm)} is ${vm.lcm_state}${vm.reason === null ? '' : `: ${vm.reason}`}`),
    ...(missing > 0 ? leaving.map((vm) => `${nameOf(vm)} is being terminated`) : []),
    ...gone.slice(0, Math.max(0, missing - leaving.length)).map((vm) => `${nameOf(vm)} was terminated`),
    ...its.filter((vm) => vm.state === 'POWEROFF').map((vm) => `${nameOf(vm)} is powered off`),
  ];
  const few = told.slice(0, mostTold).join('; ');
  const more = told.length > mostTold ? `; and ${told.length - mostTold} more` : '';
  const running = its.filter(isVmRunning).length;
  return {
    name,
    state: 'WARNING',
    reason: `${running} of ${cardinality} VMs run${few ? `: ${few}${more}` : ''}`,
    missing,
  };
}

const nameOf = ({ _id, name }: Pick<Vm, '_id' | 'name'>): string => `VM ${_id} (${name})`;

import type { Operation } from '../../schemas/operations/operation.js';
import { operations } from '../../schemas/operations.js';
import type { Role, Service } from '../../schemas/services/service.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { isReady } from '../vms/ready.js';
import { hasAnswered } from '../vms/vm-debugging.js';
import { hasChanged } from '../vms/vm-devices.js';
import { hasMoved } from '../vms/vm-moves.js';
import { hasDone, isSnapshotVerb, snapshotOf } from '../vms/vm-snapshots.js';
import { isVmGone, isVmHealthy, isVmRunning } from '../vms/vm-states.js';
import { switchOf, vmSwitches } from '../vms/vm-switches.js';
import { isAfter } from '../vms/vm-verbs.js';
import { belongs, byRole, type HealthVm, missingOf } from './service-health.js';

/**
 * The roles of a service, with those that are where the operation leads said to be there. A cancel may come when all is
 * done but the last words: what is there then counts, not what has been said.
 */
export function arrivedRoles(
  { roles, body }: Pick<Service, 'roles' | 'body'>,
  vms: readonly HealthVm[],
  kind: Operation['kind'],
): Role[] {
  const there = (vm: (typeof vms)[number]) =>
    isVmHealthy(vm) && (!body.ready_status_gate || !isVmRunning(vm) || isReady(vm.user_template));
  const { aim } = operations[kind];
  const vmsOf = byRole(vms);
  return roles.map((role) => {
    const its = vmsOf(role.name).filter((vm) => !isVmGone(vm));
    const own = its.filter(belongs);
    const isFull = own.length <= role.cardinality && missingOf(role, its) === 0;
    if (aim === 'running' && role.state === 'DEPLOYING' && isFull && own.every(there))
      return { ...role, state: 'RUNNING', reason: null };
    if (aim === 'gone' && role.state === 'UNDEPLOYING' && its.length === 0)
      return { ...role, state: 'DONE', reason: null };
    return role;
  });
}

/** A VM as far as it says whether the operation on it has come to its end. */
export type ArrivingVm = Pick<
  Vm,
  'state' | 'lcm_state' | 'history' | 'moving' | 'device_change' | 'snapshots' | 'adopts' | 'debugging'
>;

/** Whether a VM is where the operation on it leads. */
export function vmArrived(vm: ArrivingVm, { _id, kind, input }: Pick<Operation, '_id' | 'kind' | 'input'>): boolean {
  const { aim } = operations[kind];
  const action = switchOf({ kind, input });
  if (action !== null) {
    const { verb } = vmSwitches[action];
    return isSnapshotVerb(verb) ? hasDone(verb, vm, snapshotOf(vm, { _id, input }), _id) : isAfter(verb, vm);
  }
  if (kind === 'changeDevices') return hasChanged(vm, { _id });
  if (kind === 'importVm') return !vm.adopts && !isVmGone(vm);
  if (kind === 'debugVm') return hasAnswered(vm, _id);
  if (kind === 'migrateVm') return hasMoved(vm, { kind, input });
  return aim === 'gone' ? isVmGone(vm) : aim === 'running' && isVmRunning(vm);
}

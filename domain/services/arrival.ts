import type { Operation } from '../../schemas/operations/operation.js';
import { operations } from '../../schemas/operations.js';
import type { Role, Service } from '../../schemas/services/service.js';
import { isReady } from '../vms/ready.js';
import { isVmGone, isVmHealthy, isVmRunning } from '../vms/vm-states.js';
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

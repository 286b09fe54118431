import { brief, longest } from '../../domain/brief.js';
import { isAllDeployed } from '../../domain/services/holding.js';
import { type HealthVm, serviceHealth } from '../../domain/services/service-health.js';
import { stateOfRoles } from '../../domain/services/service-states.js';
import type { OperationOnWhole } from '../../schemas/operations.js';
import type { Role, Service, ServiceState } from '../../schemas/services/service.js';
import type { Outcome } from '../operations/operations.js';

export const reasonOf = (outcome: Outcome): string =>
  outcome.state === 'succeeded'
    ? 'its operation ended'
    : outcome.state === 'cancelled'
      ? 'cancelled'
      : brief(outcome.error.detail, longest.role);

/** Why an operation that did all it could has not got there: it gave way, or roles failed, as its run says or else their VMs. */
export function whyShort({ wanted, roles: run }: Service, op: string, roles: readonly Role[]): Outcome {
  if (wanted !== null && wanted !== op)
    return { state: 'cancelled', error: { code: 'taken', detail: `Operation ${wanted} took over.` } };
  const said = roles.flatMap(({ name, reason }, at) =>
    reason === null ? [] : [`role ${name}: ${run[at]?.reason ?? reason}`],
  );
  return {
    state: 'failed',
    error: { code: 'roles_failed', detail: said.join('; ') || 'not every role has got there' },
  };
}

/** With what its VMs make of it, where it is one that is judged by them. */
export function judged({ body }: Service, after: Settled, vms: readonly HealthVm[]): Settled {
  const health = serviceHealth({ ...after, body }, vms, new Date());
  if (!health) return after;
  return { ...after, state: health.state, roles: after.roles.map((role, at) => ({ ...role, ...health.roles[at] })) };
}

/** What becomes of a service, from its roles. */
export const afterwardsOf: Record<OperationOnWhole<'service'>, (service: Service, outcome: Outcome) => Settled> = {
  deployService: afterDeployment,
  undeployService: afterUndeployment,
  repairService: afterRepair,
};

type Settled = { state: ServiceState; roles: Role[]; ended: boolean };

/** RUNNING when every role runs, COOLDOWN where one rests, HOLD where one waits for its release; else FAILED_DEPLOYING, and roles that were at work say why. */
function afterDeployment(service: Service, outcome: Outcome): Settled {
  const done = isAllDeployed(service.roles, service.body.deployment);
  if (done && outcome.state === 'succeeded')
    return { state: stateOfRoles(service.roles), roles: service.roles, ended: false };
  return {
    state: 'FAILED_DEPLOYING',
    roles: failRoles(service.roles, 'DEPLOYING', 'FAILED_DEPLOYING', outcome),
    ended: false,
  };
}

/** The same of what was deployed before; else WARNING, and roles that were at work or have failed say why. */
function afterRepair(service: Service, outcome: Outcome): Settled {
  const done = isAllDeployed(service.roles, service.body.deployment);
  if (done && outcome.state === 'succeeded')
    return { state: stateOfRoles(service.roles), roles: service.roles, ended: false };
  const roles = failRoles(service.roles, 'DEPLOYING', 'WARNING', outcome);
  return { state: 'WARNING', roles: failRoles(roles, 'FAILED_DEPLOYING', 'WARNING', outcome), ended: false };
}

/** DONE when every role is; else FAILED_UNDEPLOYING, likewise. */
function afterUndeployment(service: Service, outcome: Outcome): Settled {
  const done = service.roles.every(({ state }) => state === 'DONE');
  if (done && outcome.state === 'succeeded') return { state: 'DONE', roles: service.roles, ended: true };
  return {
    state: 'FAILED_UNDEPLOYING',
    roles: failRoles(service.roles, 'UNDEPLOYING', 'FAILED_UNDEPLOYING', outcome),
    ended: false,
  };
}

const failRoles = (roles: readonly Role[], from: ServiceState, to: ServiceState, outcome: Outcome): Role[] =>
  roles.map((role) => (role.state === from ? { ...role, state: to, reason: role.reason ?? reasonOf(outcome) } : role));

import { areDeployed, stateByRoles } from '../../domain/services/holding.js';
import { madeOf } from '../../domain/services/made-networks.js';
import { type HealthVm, judgedStates, serviceHealth } from '../../domain/services/service-health.js';
import { isUp, stateOfRoles } from '../../domain/services/service-states.js';
import type { OperationOn } from '../../schemas/operations.js';
import type { Role, Service, ServiceState } from '../../schemas/services/service.js';
import { reasonOf } from '../operations/ending.js';
import type { Outcome } from '../operations/operations.js';

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

/** How an operation ends that has a service, or some of its roles. */
type ServiceEnd = {
  /** What becomes of the service, from its roles. */
  afterwards: (service: Service, outcome: Outcome, op: string) => Settled;
  /** Whether the roles that it has, by their places, are where it leads. */
  arrived: (
    service: Pick<Service, 'body' | 'networks'>,
    roles: readonly Role[],
    has: (at: number) => boolean,
  ) => boolean;
  /** Whether networks that were made for its VMs are of no use where it ends otherwise and there are no VMs. */
  makesNetworks: boolean;
};

/** What has a service, or some of its roles. What is about one role, or about VMs alone, ends otherwise. */
export type ServiceEndKind = Exclude<OperationOn<'service'>, 'scaleRole' | 'performOnRole'>;
export const serviceEnds: Readonly<Record<ServiceEndKind, ServiceEnd>> = {
  deployService: {
    makesNetworks: true,
    afterwards: afterDeployment,
    arrived: ({ body }, roles, has) => areDeployed(roles, body.deployment, has),
  },
  undeployService: {
    makesNetworks: false,
    afterwards: afterUndeployment,
    arrived: (service, roles, has) =>
      madeOf(service).length === 0 && roles.every(({ state }, at) => !has(at) || state === 'DONE'),
  },
  repairService: {
    makesNetworks: false,
    afterwards: afterRepair,
    arrived: (_, roles, has) => roles.every(({ state }, at) => !has(at) || isUp(state)),
  },
};

type Settled = { state: ServiceState; roles: Role[]; ended: boolean };

/** RUNNING when every role runs, COOLDOWN where one rests, HOLD where one waits for its release; else FAILED_DEPLOYING, and roles that were at work say why. */
function afterDeployment(service: Service, outcome: Outcome, op: string): Settled {
  if (service.operation !== op) return afterDeploymentOfRoles(service, outcome, op);
  const done = areDeployed(service.roles, service.body.deployment);
  if (done && outcome.state === 'succeeded')
    return { state: stateOfRoles(service.roles), roles: service.roles, ended: false };
  return {
    state: 'FAILED_DEPLOYING',
    roles: service.roles.map((role) => failed(role, outcome)),
    ended: false,
  };
}

/** The same of some roles: they, and no others, are nobody's any more, and the service is what all of its roles make of it. */
function afterDeploymentOfRoles(
  { operation, state, roles: before, body }: Service,
  outcome: Outcome,
  op: string,
): Settled {
  const roles = before.map((role) => (role.operation === op ? { ...failed(role, outcome), operation: null } : role));
  const isJudged = operation === null && judgedStates.includes(state);
  return { state: isJudged ? stateByRoles('DEPLOYING', roles, body.deployment) : state, roles, ended: false };
}

/**
 * Its roles, and no others, are nobody's any more; those of them that were at work or have failed are in WARNING and say why. The
 * service is what all of its roles make of it.
 */
function afterRepair(service: Service, outcome: Outcome, op: string): Settled {
  const roles = service.roles.map((role) => {
    if (role.operation !== op) return role;
    const has = role.state === 'DEPLOYING' || role.state === 'FAILED_DEPLOYING';
    const warned = has ? { state: 'WARNING' as const, reason: role.reason ?? reasonOf(outcome) } : {};
    return { ...role, ...warned, operation: null };
  });
  const isJudged = service.operation === null && judgedStates.includes(service.state);
  const { state, body } = service;
  return { state: isJudged ? stateByRoles(state, roles, body.deployment) : state, roles, ended: false };
}

/** DONE when every role is, and the networks that were made for it are gone; else FAILED_UNDEPLOYING, likewise. */
function afterUndeployment(service: Service, outcome: Outcome): Settled {
  const done = service.roles.every(({ state }) => state === 'DONE') && madeOf(service).length === 0;
  if (done && outcome.state === 'succeeded') return { state: 'DONE', roles: service.roles, ended: true };
  return {
    state: 'FAILED_UNDEPLOYING',
    roles: service.roles.map((role) => failed(role, outcome)),
    ended: false,
  };
}

const failedStates: Partial<Record<ServiceState, ServiceState>> = {
  DEPLOYING: 'FAILED_DEPLOYING',
  UNDEPLOYING: 'FAILED_UNDEPLOYING',
};

/** A role whose operation ends: one that was at work has failed, and says why. */
function failed(role: Role, outcome: Outcome): Role {
  const state = failedStates[role.state];
  return state ? { ...role, state, reason: role.reason ?? reasonOf(outcome) } : role;
}

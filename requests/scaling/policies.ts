import type { Caller } from '../../domain/identity/caller.js';
import { nameOf } from '../../domain/operations/names.js';
import { Problem } from '../../domain/problems.js';
import {
  type PolicyChange,
  pausedPolicies,
  replacedPolicies,
  wrongUntil,
} from '../../domain/scaling/change-policies.js';
import { waitOf } from '../../domain/scaling/elasticity.js';
import { pauseOf } from '../../domain/scaling/evaluate-policy.js';
import { type RoleRecord, recordOf } from '../../domain/scaling/role-record.js';
import type { PausePolicy, RolePolicies, RolePoliciesResource } from '../../schemas/scaling/policies.js';
import type { Role, Service } from '../../schemas/services/service.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { numbersOf, saidResource as said } from '../policy-resources.js';
import type { Precondition } from '../precondition.js';
import { roleOf } from '../services/role-of.js';

/** The policies of a role, with what each has counted, and what it has come to and why. */
export async function showPolicies(
  context: OperationsContext,
  caller: Caller,
  id: number,
  name: string,
): Promise<RolePoliciesResource> {
  const { store } = context;
  const service = authorised(caller, 'service', await store.services.find(id), 'use', id);
  return shown(context, service, name);
}

/** Gives a role other policies, while it runs. Those that count the same go on counting. */
export const replacePolicies = (
  context: OperationsContext,
  caller: Caller,
  id: number,
  name: string,
  wish: RolePolicies,
  precondition: Precondition,
): Promise<RolePoliciesResource> =>
  change(context, caller, { id, name, precondition }, (role, service) => {
    const replaced = replacedPolicies(service, role, wish);
    if (replaced instanceof Problem) throw replaced;
    const count = wish.elasticity_policies.length;
    return { change: replaced, log: `has ${count === 1 ? 'one policy' : `${count} policies`} from now on` };
  });

/** Has a policy do nothing, until it is resumed, or until a time. */
export const pausePolicy = (
  context: OperationsContext,
  caller: Caller,
  id: number,
  name: string,
  policy: number,
  { until }: PausePolicy,
  precondition: Precondition,
): Promise<RolePoliciesResource> =>
  change(context, caller, { id, name, precondition }, (role) => {
    const wrong = wrongUntil(until, new Date());
    if (wrong) throw wrong;
    return {
      change: { elasticity_policies: withPause(role, id, policy, { until: until ?? null }) },
      log: `policy ${policy} is paused${until === undefined ? '' : ` until ${until}`}`,
    };
  });

export const resumePolicy = (
  context: OperationsContext,
  caller: Caller,
  id: number,
  name: string,
  policy: number,
  precondition: Precondition,
): Promise<RolePoliciesResource> =>
  change(context, caller, { id, name, precondition }, (role) => ({
    change: { elasticity_policies: withPause(role, id, policy, null) },
    log: `policy ${policy} is resumed`,
  }));

function withPause(role: Role, id: number, policy: number, pause: { until: string | null } | null) {
  const policies = pausedPolicies(role.elasticity_policies ?? [], policy, pause);
  if (policies) return policies;
  throw new Problem(
    'not_found',
    `Role ${role.name} of service ${id} has no policy ${policy}: ${numbersOf(role.elasticity_policies)}.`,
  );
}

async function change(
  context: OperationsContext,
  caller: Caller,
  { id, name, precondition }: { id: number; name: string; precondition: Precondition },
  revise: (role: Role, service: Service) => { change: PolicyChange; log: string },
): Promise<RolePoliciesResource> {
  const { store } = context;
  // Asked before the transaction, too: who may not do it holds nobody up.
  authorised(caller, 'service', await store.services.find(id), 'manage', id);
  const done = await store.edit('service', id, async (stored, transaction) => {
    const service = authorised(caller, 'service', stored, 'manage', id);
    const role = roleOf(service, name);
    await precondition.demand(async () => shown(context, service, name));
    const { change: made, log } = revise(role, service);
    const message = `Role ${name} : ${log}, by ${caller.name}`;
    const entry = { timestamp: new Date(), severity: 'I', message } as const;
    await store.elasticity.change({ service: id, role: name, change: made, log: entry }, transaction);
    return { ...service, roles: service.roles.map((one) => (one === role ? { ...one, ...made } : one)) };
  });
  if (!done) throw new Problem('not_found', `There is no ${nameOf({ type: 'service', id })}.`);
  return shown(context, done, name);
}

async function shown({ store }: OperationsContext, service: Service, name: string): Promise<RolePoliciesResource> {
  const role = roleOf(service, name);
  const record = await store.elasticity.ofRole(service._id, name);
  const now = new Date();
  const { elasticity_policies: policies = [], min_vms = null, max_vms = null, cardinality } = role;
  return {
    ...{ role: name, cardinality, min_vms, max_vms, waits: whyWaiting(service, role, now) },
    policies: policies.map((definition, policy) => {
      const { count, last = null, log = [] } = recordOf(record, policies, policy) ?? {};
      return {
        ...{ policy, definition, paused: pauseOf(definition, now) },
        ...{ true_evals: count?.true_evals ?? 0, periods: Math.max(1, definition.period_number ?? 1) },
        ...{ last_eval: count?.last_eval?.toISOString() ?? null, last: last && said(last), log: log.map(said) },
      };
    }),
    least: leastOf(record),
  };
}

const leastOf = (record: RoleRecord | null): RolePoliciesResource['least'] => ({
  last: record?.least.last ? said(record.least.last) : null,
  log: (record?.least.log ?? []).map(said),
});

function whyWaiting({ operation, wanted, state }: Service, role: Role, now: Date): string | null {
  if (operation !== null || wanted !== null) return 'an operation is at work on the service';
  if (state === 'FAILED_DEPLOYING' || state === 'DONE') return `the service is ${state}`;
  return waitOf(role, now)?.why ?? null;
}

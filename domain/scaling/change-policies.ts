import type { RolePolicies } from '../../schemas/scaling/policies.js';
import type { Role, Service } from '../../schemas/services/service.js';
import type { ElasticityPolicy } from '../../schemas/services/service-template.js';
import { beyond, measureServiceTemplate } from '../bounds.js';
import { type Finding, Problem } from '../problems.js';
import { wrongPolicies } from '../services/elasticity-policies.js';

/** What of a role is its policies. */
export type PolicyChange = Pick<Role, 'elasticity_policies' | 'min_vms' | 'max_vms'>;

type Changed = Pick<Service, 'body' | 'roles'>;

/** The policies that a role is to have instead of its own, or everything that is wrong with them, as in a template. */
export function replacedPolicies(service: Changed, role: Role, wish: RolePolicies): PolicyChange | Problem {
  const { elasticity_policies, min_vms = role.min_vms, max_vms = role.max_vms } = wish;
  const change: PolicyChange = {
    elasticity_policies,
    ...(min_vms !== undefined && { min_vms }),
    ...(max_vms !== undefined && { max_vms }),
  };
  const measured = (roles: readonly Role[]) => measureServiceTemplate({ ...service.body, roles: [...roles] });
  const after = service.roles.map((one) => (one.name === role.name ? { ...one, ...change } : one));
  const findings: Finding[] = [
    ...wrongPolicies(elasticity_policies, '/elasticity_policies'),
    ...wrongBounds(change),
    ...beyond(measured(after), measured(service.roles)).map(({ detail }) => ({
      pointer: '',
      detail: `the service ${detail}`,
    })),
  ];
  return findings.length === 0
    ? change
    : new Problem('invalid_request', 'The policies of the role cannot be these.', { findings });
}

function wrongBounds({ elasticity_policies = [], min_vms, max_vms }: PolicyChange): Finding[] {
  if (min_vms !== undefined && max_vms !== undefined)
    return min_vms > max_vms ? [{ pointer: '/min_vms', detail: `is ${min_vms}, above max_vms ${max_vms}` }] : [];
  if (elasticity_policies.length === 0) return [];
  const missing = (['min_vms', 'max_vms'] as const).filter((one) => ({ min_vms, max_vms })[one] === undefined);
  return missing.map((one) => ({ pointer: `/${one}`, detail: 'is required for a role with policies' }));
}

/** The policies of a role of which one is paused, for good or until a time, or resumed. null: there is no such policy. */
export function pausedPolicies(
  policies: readonly ElasticityPolicy[],
  at: number,
  pause: { until: string | null } | null,
): ElasticityPolicy[] | null {
  if (!policies[at]) return null;
  return policies.map((policy, nth) => {
    if (nth !== at) return policy;
    const { enabled: _enabled, paused_until: _until, ...rest } = policy;
    if (!pause) return rest;
    return pause.until === null ? { ...rest, enabled: false } : { ...rest, paused_until: pause.until };
  });
}

import type { RolePolicies } from '../../schemas/scaling/policies.js';
import type { RoleSchedules } from '../../schemas/scaling/schedules.js';
import type { Role, Service } from '../../schemas/services/service.js';
import type { ElasticityPolicy, ScheduledPolicy } from '../../schemas/services/service-template.js';
import { beyond, measureServiceTemplate } from '../bounds.js';
import { type Finding, Problem } from '../problems.js';
import { wrongPolicies } from '../services/elasticity-policies.js';
import { printOf as saysOf } from '../services/schedule.js';
import { wrongScheduledPolicies } from '../services/scheduled-policies.js';
import { printOf as countsOf } from './evaluate-policy.js';

/** What of a role is its policies. */
export type PolicyChange = Pick<Role, 'elasticity_policies' | 'min_vms' | 'max_vms'>;

export type ScheduleChange = Pick<Role, 'scheduled_policies' | 'min_vms' | 'max_vms'>;

type Changed = Pick<Service, 'body' | 'roles'>;

/** The policies that a role is to have instead of its own, or everything that is wrong with them, as in a template. */
export const replacedPolicies = (service: Changed, role: Role, wish: RolePolicies): PolicyChange | Problem =>
  replaced(
    service,
    role,
    {
      ...boundsOf(role, wish),
      elasticity_policies: withPauses(wish.elasticity_policies, role.elasticity_policies, countsOf),
    },
    [
      ...wrongPolicies(wish.elasticity_policies, '/elasticity_policies'),
      ...wrongBounds(boundsOf(role, wish), wish.elasticity_policies),
    ],
  );

/** The same of those that are scheduled. */
export const replacedSchedules = (service: Changed, role: Role, wish: RoleSchedules): ScheduleChange | Problem =>
  replaced(
    service,
    role,
    {
      ...boundsOf(role, wish),
      scheduled_policies: withPauses(wish.scheduled_policies, role.scheduled_policies, saysOf),
    },
    [
      ...wrongScheduledPolicies(wish.scheduled_policies, '/scheduled_policies'),
      // An action scales nothing.
      ...wrongBounds(
        boundsOf(role, wish),
        wish.scheduled_policies.filter(({ action }) => action === undefined),
      ),
    ],
  );

type Pausable = Pick<ElasticityPolicy, 'enabled' | 'paused_until'>;

/**
 * Policies that say nothing of a pause and are what one of before was, wherever it stood, are paused as that was: whoever changes
 * others does not resume it. `enabled: true` does.
 */
function withPauses<P extends Pausable>(
  policies: readonly P[],
  before: readonly P[] = [],
  print: (policy: P) => string,
): P[] {
  const left = [...before];
  return policies.map((policy) => {
    const at = left.findIndex((one) => print(one) === print(policy));
    const [same] = at < 0 ? [] : left.splice(at, 1);
    if (!same || policy.enabled !== undefined || policy.paused_until !== undefined) return policy;
    const { enabled, paused_until } = same;
    return { ...policy, ...(enabled === false && { enabled }), ...(paused_until !== undefined && { paused_until }) };
  });
}

function replaced<T extends Partial<Role>>(service: Changed, role: Role, change: T, wrong: Finding[]): T | Problem {
  const measured = (roles: readonly Role[]) => measureServiceTemplate({ ...service.body, roles: [...roles] });
  const after = service.roles.map((one) => (one.name === role.name ? { ...one, ...change } : one));
  const findings: Finding[] = [
    ...wrong,
    ...beyond(measured(after), measured(service.roles)).map(({ detail }) => ({
      pointer: '',
      detail: `the service ${detail}`,
    })),
  ];
  return findings.length === 0
    ? change
    : new Problem('invalid_request', 'The policies of the role cannot be these.', { findings });
}

type Bounds = Pick<Role, 'min_vms' | 'max_vms'>;

const boundsOf = (role: Role, { min_vms = role.min_vms, max_vms = role.max_vms }: Bounds): Bounds => ({
  ...(min_vms !== undefined && { min_vms }),
  ...(max_vms !== undefined && { max_vms }),
});

function wrongBounds({ min_vms, max_vms }: Bounds, policies: readonly unknown[]): Finding[] {
  if (min_vms !== undefined && max_vms !== undefined)
    return min_vms > max_vms ? [{ pointer: '/min_vms', detail: `is ${min_vms}, above max_vms ${max_vms}` }] : [];
  if (policies.length === 0) return [];
  const missing = (['min_vms', 'max_vms'] as const).filter((one) => ({ min_vms, max_vms })[one] === undefined);
  return missing.map((one) => ({ pointer: `/${one}`, detail: 'is required for a role with policies' }));
}

/** `until`: null is for good; null in its place: it is resumed. */
type Pause = { until: string | null } | null;

/** Why there is no pause until then; null: there is. */
export const wrongUntil = (until: string | undefined, now: Date): Problem | null =>
  until === undefined || new Date(until) > now
    ? null
    : new Problem('invalid_request', 'It cannot be paused until then.', {
        findings: [
          {
            pointer: '/until',
            detail: `is past: it is ${now.toISOString()}. Say a time to come, or none: then it is paused until it is resumed.`,
          },
        ],
      });

/** The policies of a role of which one is paused, for good or until a time, or resumed. null: there is no such policy. */
export const pausedPolicies = (
  policies: readonly ElasticityPolicy[],
  at: number,
  pause: Pause,
): ElasticityPolicy[] | null =>
  changedAt(policies, at, ({ enabled: _enabled, paused_until: _until, ...rest }) => ({ ...rest, ...paused(pause) }));

/** The same of those that are scheduled. */
export const pausedSchedules = (
  policies: readonly ScheduledPolicy[],
  at: number,
  pause: Pause,
): ScheduledPolicy[] | null =>
  changedAt(policies, at, ({ enabled: _enabled, paused_until: _until, ...rest }) => ({ ...rest, ...paused(pause) }));

const paused = (pause: Pause): Pick<ElasticityPolicy, 'enabled' | 'paused_until'> =>
  !pause ? {} : pause.until === null ? { enabled: false } : { paused_until: pause.until };

const changedAt = <T>(list: readonly T[], at: number, change: (one: T) => T): T[] | null =>
  at < list.length ? list.map((one, nth) => (nth === at ? change(one) : one)) : null;

import type { DecidedBy } from '../../schemas/operations/inputs.js';
import type { Role, Service, ServiceState } from '../../schemas/services/service.js';
import { beyond, measureServiceTemplate } from '../bounds.js';
import { Problem } from '../problems.js';
import { isResting, judgedStates } from '../services/service-health.js';

/**
 * `vms`: those that go before others. `over`: the scaling of the role that only waits, whose place this one takes. `rest`: seconds for which the role rests afterwards, absent: as role and configuration say; with 0, to what it has already,
 * a cooldown ends. `give_up`: an earlier scaling is given up, and VMs that run are as wished, READY or not.
 * `removes`: the role goes once it has no VMs; these of them are protected, and go all the same.
 */
export type ScalingWish = {
  cardinality: number;
  force: boolean;
  vms?: number[];
  over?: string;
  rest?: number;
  give_up?: true;
  removes?: number[];
  policy?: PolicyWish;
};

/** What a policy has decided: from which cardinality, which must be so still, why, and which it is. */
export type PolicyWish = { from: number; because: string; by?: DecidedBy };

/** A service as it is asked whether a role of it may be scaled. */
export type ScaledService = Pick<Service, '_id' | 'state' | 'roles' | 'body'>;

export type ScalingPlan = {
  from: number;
  to: number;
  /** Beyond which limit it goes by force; null: within both. */
  forced: string | null;
  /** VMs that are charged in addition, from the moment on at which the scaling is admitted. */
  charged: number;
  /** VMs beyond the cardinality that stay charged until they are gone. */
  surplus: number;
};

/** States of a role in which it may be scaled; in COOLDOWN by force, unless that is over. */
const scalable: readonly ServiceState[] = ['RUNNING', 'WARNING', 'FAILED_SCALING', 'COOLDOWN'];

/**
 * What it means to give a role another cardinality, or why that is refused. The cardinality is the wish, from the moment on
 * at which it is admitted: whatever comes in between, VMs are made or removed until there are so many.
 */
export function scalingPlan(service: ScaledService, role: Role, wish: ScalingWish, now: Date): ScalingPlan | Problem {
  const { cardinality: from, surplus = 0 } = role;
  const { cardinality: to, force } = wish;
  const refused = refusal(service, role, wish, now);
  if (refused) return refused;
  return {
    from,
    to,
    forced: force ? (outside(role, to)?.limit ?? null) : null,
    charged: Math.max(0, to - (from + surplus)),
    surplus: Math.max(0, from + surplus - to),
  };
}

function refusal(
  service: ScaledService,
  role: Role,
  { cardinality: to, force, rest, over, removes }: ScalingWish,
  now: Date,
): Problem | null {
  const of = `role ${role.name} of service ${service._id}`;
  if (!judgedStates.includes(service.state))
    return new Problem(
      'wrong_state',
      `Service ${service._id} is ${service.state}: roles are scaled of one that was deployed${service.state === 'FAILED_UNDEPLOYING' ? ', and not of one that is to go.' : (hints[service.state] ?? '.')}`,
    );
  const held: ServiceState[] = ['HOLD', 'PENDING'];
  const mayGo = removes !== undefined && held.includes(role.state);
  if (!scalable.includes(role.state) && !mayGo && over === undefined)
    return new Problem(
      'wrong_state',
      `Role ${role.name} of service ${service._id} is ${role.state}: it cannot be scaled${hints[role.state] ?? '.'}`,
    );
  if (role.state === 'COOLDOWN' && isResting(role, now) && !force)
    return new Problem(
      'wrong_state',
      `Role ${role.name} of service ${service._id} is in COOLDOWN until ${role.cooldown_until?.toISOString()}: wait, or use force.`,
    );
  const limit = force ? null : outside(role, to);
  if (limit) return wrong(`${limit.detail} of ${of}. Ask for a number within, or use force to go beyond.`);
  // What has failed to get there is tried again.
  const endsRest = rest === 0 && role.state === 'COOLDOWN';
  if (to === role.cardinality && role.state !== 'FAILED_SCALING' && !endsRest && !removes)
    return wrong(
      `is the cardinality that ${of} has already. Ask for another one; \`repair\` makes VMs that are missing.`,
    );
  const [found] = beyond(measured(service, role.name, to), measured(service, role.name, role.cardinality));
  return found ? wrong(`is too many: the service ${found.detail}. Ask for fewer.`) : null;
}

const hints: Partial<Record<ServiceState, string>> = {
  FAILED_DEPLOYING: '. Recover it first.',
  PENDING: '. Wait for its deployment.',
  DEPLOYING: '. Wait for its deployment.',
  HOLD: '. Release it first.',
};

const wrong = (detail: string): Problem =>
  new Problem('invalid_request', 'The role cannot be scaled so.', { findings: [{ pointer: '/cardinality', detail }] });

function outside({ min_vms, max_vms }: Role, to: number): { limit: string; detail: string } | null {
  if (min_vms !== undefined && to < min_vms)
    return { limit: `min_vms ${min_vms}`, detail: `is ${to}, below min_vms ${min_vms}` };
  if (max_vms !== undefined && to > max_vms)
    return { limit: `max_vms ${max_vms}`, detail: `is ${to}, above max_vms ${max_vms}` };
  return null;
}

/** What a service may have at most, as at its creation. */
const measured = ({ body, roles }: ScaledService, name: string, cardinality: number) =>
  measureServiceTemplate({
    ...body,
    roles: roles.map((role) => (role.name === name ? { ...role, cardinality } : role)),
  }).filter(({ limit }) => limit === 'vmsOfService' || limit === 'tiesOfVms');

/** The line that OneFlow's log has for it, with the limit that it goes beyond, and who wants it so: a policy, or whoever has asked. */
export function scalingText(
  role: string,
  { from, to, forced }: Pick<ScalingPlan, 'from' | 'to' | 'forced'>,
  { rest, give_up, policy, removes }: Pick<ScalingWish, 'rest' | 'give_up' | 'policy' | 'removes'> = {},
  by?: string,
): string {
  const because = policy ? `, ${policy.because}` : by === undefined ? '' : `, by ${by}`;
  if (give_up) return `Role ${role} keeps what runs: its scaling is given up, cardinality ${from} → ${to}${because}`;
  if (removes) return `Role ${role} is to be removed, with its ${from} nodes${because}`;
  if (rest === 0 && from === to) return `Role ${role} : its cooldown is ended${because}`;
  const beyondLimit = forced === null ? '' : `, by force beyond ${forced}`;
  return `Role ${role} scaling ${to < from ? 'down' : 'up'} from ${from} to ${to} nodes${beyondLimit}${because}`;
}

import { counted } from '../../schemas/common/counted.js';
import { kinds } from '../../schemas/kinds.js';
import type { Role } from '../../schemas/services/service.js';
import { isResting } from '../services/service-health.js';
import { withinLimits } from './adjustment.js';
import {
  type Evaluated,
  evaluatePolicy,
  type Moment,
  newCount,
  type PolicyCount,
  printOf,
  type Said,
} from './evaluate-policy.js';
import type { MeasuredVm } from './measures.js';

/** A role as its policies look at it. */
export type ElasticRole = Pick<
  Role,
  | 'name'
  | 'state'
  | 'operation'
  | 'cardinality'
  | 'min_vms'
  | 'max_vms'
  | 'cooldown'
  | 'cooldown_up'
  | 'cooldown_down'
  | 'cooldown_until'
  | 'scaled_at'
  | 'elasticity_policies'
>;

/** What is kept of a role between evaluations. */
export type RoleCount = {
  policies: PolicyCount[];
  /** When its last scaling ended, as it was looked at last. */
  scaled_at: Date | null;
  /** What min_vms asked for was refused: it asks for nothing before then. Each policy has such a time of its own. */
  retry_at: Date | null;
};

/** `policy`: which of the role’s, from 0; null: min_vms of the role itself. `cooldown`: seconds of rest after it. */
export type ScalingDecision = { policy: number | null; from: number; to: number; cooldown: number; why: string };

export type Evaluation = {
  count: RoleCount;
  /** What each policy has come to; null: what it has said before stays. */
  said: (Said | null)[];
  decision: ScalingDecision | null;
};

type Settings = Moment & {
  /** Seconds of rest for roles that say none. */
  cooldown: number;
  /** Which scheduled policy of the role is due, and goes before these; null: none. */
  due: number | null;
};

/** What is to be done with a role: by its policies, and by min_vms, which is kept up whatever they say. */
export function evaluateRole(
  role: ElasticRole,
  before: RoleCount | null,
  vms: readonly MeasuredVm[],
  settings: Settings,
): Evaluation {
  const { elasticity_policies: policies = [], cardinality, min_vms = 0 } = role;
  const { now, due } = settings;
  const counts = countsFor(role, before);
  const scaled_at = role.scaled_at ?? null;
  const keep = { scaled_at, retry_at: before?.retry_at ?? null };
  const wait = waitOf(role, now);
  if (wait !== null) {
    const reset = wait.verdict === 'waits' ? counts.map((count) => ({ ...count, true_evals: 0 })) : counts;
    return { count: { ...keep, policies: reset }, said: policies.map(() => wait), decision: null };
  }
  const evaluated = policies.map((policy, at): Evaluated => {
    const its = counts[at] ?? newCount(policy);
    // What was counted stays: if nothing comes of what is due, nothing has changed.
    if (due !== null) return { count: its, said: passedOver(due), to: null };
    return evaluatePolicy(policy, its, { cardinality, vms }, settings);
  });
  const count: RoleCount = { ...keep, policies: evaluated.map((one) => one.count) };
  const said = evaluated.map((one) => one.said);
  const wishes = evaluated.flatMap(({ to, said: its }, policy): Wish[] => {
    if (to === null || its === null) return [];
    const kept = whyKept(role, to, counts[policy]?.retry_at ?? null, now);
    if (kept === null) return [{ policy, to: withinLimits(role, to) }];
    said[policy] = { ...kept, found: its.found };
    return [];
  });
  const restored: Wish[] =
    cardinality < min_vms && !isRefused(keep.retry_at, now) ? [{ policy: null, to: min_vms }] : [];
  const best = bestOf([...restored, ...wishes], cardinality);
  for (const { policy } of wishes) {
    const its = policy === null ? null : said[policy];
    if (policy !== null && its && best && policy !== best.policy)
      said[policy] = {
        ...its,
        verdict: 'outbid',
        why: `${its.why}; ${nameOf(best.policy)} goes before it, to ${best.to}`,
      };
  }
  const decision = best && decisionOf(role, best, said, settings);
  const its = best?.policy === undefined || best.policy === null ? null : said[best.policy];
  if (best && best.policy !== null && its)
    said[best.policy] = { ...its, why: `scales from ${cardinality} to ${best.to}` };
  return { count, said, decision };
}

/** min_vms is kept up all the same: what is due may have to wait for an hour. */
const passedOver = (due: number): Said => ({
  ...{ verdict: 'waits', why: `scheduled policy ${due} is due, and goes before it`, found: null },
});

type Wish = { policy: number | null; to: number };

/** The counts of its policies, wherever in the list they stand now; those that count anew after a scaling do so. */
function countsFor(
  { elasticity_policies: policies = [], scaled_at }: ElasticRole,
  before: RoleCount | null,
): PolicyCount[] {
  const left = [...(before?.policies ?? [])];
  const hasScaled = (before?.scaled_at?.getTime() ?? null) !== (scaled_at?.getTime() ?? null);
  return policies.map((policy) => {
    const at = left.findIndex(({ print }) => print === printOf(policy));
    const [found] = at < 0 ? [] : left.splice(at, 1);
    if (!found) return newCount(policy);
    return hasScaled ? { ...found, true_evals: 0 } : found;
  });
}

/** Why no policy is asked; null: they are. */
export function waitOf(role: Pick<ElasticRole, 'state' | 'operation' | 'cooldown_until'>, now: Date): Said | null {
  if (role.operation) return { verdict: 'waits', why: 'an operation is at work on the role', found: null };
  if (isResting(role, now))
    return { verdict: 'cooldown', why: `cooldown for ${secondsTo(role.cooldown_until, now)} s`, found: null };
  const isScaled = role.state === 'RUNNING' || role.state === 'WARNING' || role.state === 'COOLDOWN';
  return isScaled ? null : { verdict: 'waits', why: `the role is ${role.state}`, found: null };
}

/** What keeps a role from what a policy wants; null: nothing. */
function whyKept(role: ElasticRole, to: number, retry: Date | null, now: Date): Omit<Said, 'found'> | null {
  const { cardinality, min_vms = 0, max_vms = Number.POSITIVE_INFINITY, scaled_at } = role;
  const direction = to > cardinality ? 'cooldown_up' : 'cooldown_down';
  const rest = role[direction];
  const until = scaled_at && rest !== undefined ? new Date(scaled_at.getTime() + rest * 1_000) : null;
  if (withinLimits(role, to) === cardinality) {
    const limit = to > cardinality ? `max_vms ${max_vms}` : `min_vms ${min_vms}`;
    const at = cardinality === (to > cardinality ? max_vms : min_vms) ? 'at' : to > cardinality ? 'above' : 'below';
    return { verdict: 'at_limit', why: `it wants ${to}: ${at} ${limit}` };
  }
  if (until && until > now)
    return { verdict: 'cooldown', why: `it wants ${to}: ${direction} for ${secondsTo(until, now)} s` };
  if (isRefused(retry, now))
    return { verdict: 'refused', why: `it wants ${to}, was refused, and asks again in ${secondsTo(retry, now)} s` };
  return null;
}

const isRefused = (retry: Date | null, now: Date): boolean => retry !== null && retry > now;

const secondsTo = (until: Date | null | undefined, now: Date): number =>
  until ? Math.ceil((until.getTime() - now.getTime()) / 1_000) : 0;

/** An increase before any decrease; of increases the largest, of decreases the smallest; of the same, the first. */
function bestOf(wishes: readonly Wish[], cardinality: number): Wish | null {
  const increases = wishes.filter(({ to }) => to > cardinality);
  let best: Wish | null = null;
  for (const wish of increases.length > 0 ? increases : wishes) if (!best || wish.to > best.to) best = wish;
  return best;
}

export const nameOf = (policy: number | null): string => (policy === null ? 'min_vms' : `policy ${policy}`);

function decisionOf(
  role: ElasticRole,
  { policy, to }: Wish,
  said: readonly (Said | null)[],
  { cooldown }: Settings,
): ScalingDecision {
  const from = role.cardinality;
  // As OneFlow: what restores the least is no reason to rest.
  if (policy === null)
    return { policy, from, to, cooldown: 0, why: `it has ${counted(from, kinds.vm)}, below min_vms ${to}` };
  const base = role.elasticity_policies?.[policy]?.cooldown ?? role.cooldown ?? cooldown;
  const rest = Math.min(role.cooldown_up ?? base, role.cooldown_down ?? base);
  return { policy, from, to, cooldown: rest, why: said[policy]?.found ?? '' };
}

import { counted } from '../../schemas/common/counted.js';
import { kinds } from '../../schemas/kinds.js';
import type { ElasticityPolicy } from '../../schemas/services/service-template.js';
import { parseCondition, parseTarget } from '../expressions/policy-parse.js';
import { adjusted } from './adjustment.js';
import { judgeCondition } from './judge-condition.js';
import { type MeasuredVm, measured, shownMeasure } from './measures.js';
import { remembered, stabilised, type Wishes } from './stabilisation.js';

/** How far a policy has counted. */
export type PolicyCount = {
  /** What it counts: another expression, or other periods, count from the beginning. */
  print: string;
  last_eval: Date | null;
  /** Periods in a row in which it held. */
  true_evals: number;
  /** When the hypervisor told the newest of the values that were counted last. */
  sampled: Date | null;
  /** Of a policy with a stabilization window: what it has wished for within that. */
  wishes: Wishes[];
  /** What it wished for was refused: it asks for nothing before then. Others do. */
  retry_at?: Date | null;
};

export type Verdict =
  /** It scales the role. */
  | 'scales'
  /** It would, and: another policy goes before it; a limit of the role, a cooldown, its window, or a refusal keeps it. */
  | 'outbid'
  | 'at_limit'
  | 'cooldown'
  | 'stabilizing'
  | 'refused'
  /** It does not: it does not hold, has not held for long enough, is not known, changes nothing, or is paused. */
  | 'false'
  | 'counting'
  | 'unknown'
  | 'no_change'
  | 'paused'
  /** Nothing is asked of it: something is at work on the role, or it is not one that is scaled. */
  | 'waits';

/** What a policy has come to, and why. `found`: its expression with what the VMs have. */
export type Said = { verdict: Verdict; why: string; found: string | null };

/** `said` is null when it was not its time, or nothing has been measured since: what was said before stays. `to`: what it wishes for. */
export type Evaluated = { count: PolicyCount; said: Said | null; to: number | null };

export type Moment = {
  now: Date;
  /** A measurement that is older, in milliseconds, is none. */
  stale: number;
  /** By how much, in milliseconds, an evaluation may come early: ticks do not come on the dot. */
  early: number;
};

/** Between so much below and above its target, as a share of that, a policy that tracks one leaves things as they are. */
const tolerance = 0.1;
/** So many times its target a measure is at most, whatever VMs say: beyond what any role may have. */
const largestRatio = 1e6;

export const printOf = ({ expression, target, period = 0, period_number = 0 }: ElasticityPolicy): string =>
  JSON.stringify([target === undefined ? expression : `target ${target}`, period, period_number]);

export const newCount = (policy: ElasticityPolicy): PolicyCount => ({
  ...{ print: printOf(policy), last_eval: null, true_evals: 0, sampled: null, wishes: [] },
});

/** Whether it is paused at a moment, in words; null: it is not. */
export function pauseOf(
  { enabled, paused_until: until }: Pick<ElasticityPolicy, 'enabled' | 'paused_until'>,
  now: Date,
): string | null {
  if (enabled === false) return 'paused until somebody resumes it';
  return until !== undefined && new Date(until) > now ? `paused until ${new Date(until).toISOString()}` : null;
}

/** One policy of a role that has so many VMs, of which these run. */
export function evaluatePolicy(
  policy: ElasticityPolicy,
  before: PolicyCount,
  { cardinality, vms }: { cardinality: number; vms: readonly MeasuredVm[] },
  moment: Moment,
): Evaluated {
  const { now, early } = moment;
  const pause = pauseOf(policy, now);
  if (pause !== null)
    return { count: { ...before, true_evals: 0 }, said: { verdict: 'paused', why: pause, found: null }, to: null };
  const { last_eval } = before;
  const period = (policy.period ?? 0) * 1_000;
  // One that began a moment before the last look was written comes late, and counts nothing; clocks that were set back by more do.
  if (last_eval && Math.abs(now.getTime() - last_eval.getTime()) < period - early)
    return { count: before, said: null, to: null };
  const judged = judgePolicy(policy, cardinality, vms, moment);
  if (judged.sampled && before.sampled && judged.sampled <= before.sampled)
    return { count: before, said: null, to: null };
  const count = { ...before, last_eval: now, sampled: judged.sampled ?? before.sampled };
  const { found } = judged;
  if ('unknown' in judged)
    return { count: { ...count, true_evals: 0 }, said: { verdict: 'unknown', why: judged.unknown, found }, to: null };
  return afterPeriods(policy, count, judged, cardinality, now);
}

type Judgement = { sampled: Date | null; found: string | null } & (
  | { unknown: string }
  | { wish: number | null; why: string }
);

/** `wish`: what it wants while that holds; null: it does not hold. */
function judgePolicy(
  policy: ElasticityPolicy,
  cardinality: number,
  all: readonly MeasuredVm[],
  moment: Moment,
): Judgement {
  const since = moment.now.getTime() - (policy.warm_up ?? 0) * 1_000;
  const vms = all.filter(({ since: begun }) => begun.getTime() <= since);
  const warming = all.length > 0 && vms.length === 0;
  if (warming)
    return { sampled: null, found: null, unknown: `each VM that runs is younger than warm_up, ${policy.warm_up} s` };
  const warmingUp = all.length - vms.length;
  if (policy.target !== undefined) return judgeTarget(policy.target, { cardinality, vms, warmingUp }, moment);
  const parsed = parseCondition(policy.expression ?? '');
  if (!parsed.ok)
    return { sampled: null, found: null, unknown: `its expression cannot be read: ${parsed.fault.detail}` };
  const { verdict, text: found, unknown, sampled } = judgeCondition(parsed.value, vms, moment);
  if (verdict === null) return { sampled, found, unknown: unknown ?? 'a value is not known' };
  return { sampled, found, wish: verdict ? wishOf(policy, cardinality) : null, why: 'it does not hold' };
}

type Tracked = { cardinality: number; vms: readonly MeasuredVm[]; warmingUp: number };

/**
 * How many VMs bring a measure to its target. Of VMs that run and have no value, or are warming up, nobody knows what they will take over:
 * none are added that they would make needless if they took nothing yet, and none are removed before they can be asked.
 */
function judgeTarget(text: string, { cardinality, vms, warmingUp }: Tracked, moment: Moment): Judgement {
  const parsed = parseTarget(text);
  if (!parsed.ok) return { sampled: null, found: null, unknown: `its target cannot be read: ${parsed.fault.detail}` };
  const { measure, value: target } = parsed.value;
  const value = measured(vms, measure, moment, warmingUp);
  const found = `${shownMeasure(measure, value)} = ${target}`;
  if ('unknown' in value) return { sampled: null, found, unknown: value.unknown };
  const { sampled, without, least } = value;
  const ratioOf = (what: number): number => Math.min(what / target, largestRatio);
  const ratio = ratioOf(value.value);
  if (Math.abs(ratio - 1) <= tolerance)
    return { sampled, found, wish: null, why: `within ${tolerance * 100} % of its target` };
  const why = `${percent(ratio)} of its target`;
  const others = `${counted(without, kinds.vm)} ${without === 1 ? 'has' : 'have'} no value yet`;
  if (without > 0 && ratio < 1) return { sampled, found, wish: null, why: `${why}; ${others}, so none is removed` };
  const sure = ratioOf(least);
  if (without > 0 && sure <= 1 + tolerance)
    return { sampled, found, wish: null, why: `${why}; ${others}, and with 0 for these it is ${percent(sure)}` };
  // What has rounded up by the last bit of a float is no VM more.
  return { sampled, found, wish: Math.max(0, Math.ceil(cardinality * sure - 1e-9)), why };
}

const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;

function wishOf({ type, adjust, min_adjust_step }: ElasticityPolicy, cardinality: number): number {
  if (type === undefined || adjust === undefined) return cardinality;
  return adjusted(cardinality, { type, adjust, min_adjust_step });
}

function afterPeriods(
  policy: ElasticityPolicy,
  count: PolicyCount,
  { wish, why, found }: { wish: number | null; why: string; found: string | null },
  cardinality: number,
  now: Date,
): Evaluated {
  const periods = Math.max(1, policy.period_number ?? 1);
  const true_evals = wish === null ? 0 : Math.min(count.true_evals + 1, periods);
  const isDue = wish !== null && true_evals >= periods;
  const step = policy.max_adjust_step ?? Number.POSITIVE_INFINITY;
  const bounded = Math.min(Math.max(wish ?? cardinality, cardinality - step), cardinality + step);
  const window = policy.stabilization ?? 0;
  const wishes = remembered(count.wishes, isDue ? bounded : cardinality, { window, cardinality, now });
  const after = { ...count, true_evals, wishes };
  const said = (verdict: Verdict, reason: string): Evaluated => ({
    count: after,
    said: { verdict, why: reason, found },
    to: null,
  });
  if (wish === null) return said('false', why);
  if (!isDue) return said('counting', `${true_evals} of ${periods} periods`);
  if (bounded === cardinality) return said('no_change', `it wants the ${cardinality} that there are`);
  const to = stabilised(wishes, bounded, cardinality);
  if (to === cardinality)
    return said('stabilizing', `it wants ${bounded}, and within the last ${window} s has not always wanted that`);
  return { count: after, said: { verdict: 'scales', why: `it wants ${to}`, found }, to };
}

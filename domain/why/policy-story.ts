import { capital } from '../../schemas/common/capital.js';
import type { Role, Schedule } from '../../schemas/services/service.js';
import { isOpen } from '../operation-states.js';
import { nameOf } from '../scaling/elasticity.js';
import { pauseOf } from '../scaling/evaluate-policy.js';
import type { SaidAt } from '../scaling/policy-log.js';
import { type RoleRecord, recordOf } from '../scaling/role-record.js';
import { sentence, when } from '../words.js';
import { type PolicyFacts, type ServiceSubject, type Story, story, type WhyFacts } from './facts.js';

type Kept = { record: RoleRecord | undefined; schedule: Schedule | undefined };

/** The policies of a role that do not do what they are for, each with why. */
export function idlePolicies(role: Role, { record, schedule }: Kept, now: Date): PolicyFacts[] {
  const { name, elasticity_policies: policies = [], scheduled_policies: scheduled = [] } = role;
  const elastic = policies.flatMap((policy, at): PolicyFacts[] => {
    const of = { role: name, policy: nameOf(at) };
    const pause = pauseOf(policy, now);
    if (pause !== null) return [{ ...of, is: 'paused', why: pause, at: null }];
    const { last = null, log = [] } = recordOf(record, policies, at) ?? {};
    if (last?.verdict === 'unknown') return [{ ...of, is: 'unknown', why: last.why, at: last.at }];
    return refusedOf(of, last, log);
  });
  const due = scheduled.flatMap((policy, at): PolicyFacts[] => {
    const of = { role: name, policy: `scheduled ${nameOf(at)}` };
    const pause = pauseOf(policy, now);
    if (pause !== null) return [{ ...of, is: 'paused', why: pause, at: null }];
    const last = schedule?.of.find((entry) => entry.role === name && entry.policy === at)?.last;
    return last?.verdict === 'refused' ? [{ ...of, is: 'refused', why: last.why, at: last.at }] : [];
  });
  const least = record?.least;
  return [
    ...elastic,
    ...refusedOf({ role: name, policy: nameOf(null) }, least?.last ?? null, least?.log ?? []),
    ...due,
  ];
}

/** What is said while it waits to ask again has what was found; the refusal itself, which says why, has not. */
function refusedOf(
  of: Pick<PolicyFacts, 'role' | 'policy'>,
  last: SaidAt | null,
  log: readonly SaidAt[],
): PolicyFacts[] {
  if (last?.verdict !== 'refused') return [];
  const { why, at } = log.findLast(({ verdict, found }) => verdict === 'refused' && found === null) ?? last;
  return [{ ...of, is: 'refused', why, at }];
}

const mostTold = 3;
const order = ['refused', 'unknown', 'paused'] as const;

/** Policies that do not scale their roles. While something is at work, that is what they wait for. */
export function policyStory({
  subject: { state, policies = [] },
  operation,
  isLast,
  now,
}: WhyFacts & { subject: ServiceSubject }): Story {
  if (policies.length === 0 || !scaled.has(state) || (operation && (isOpen(operation) || !isLast))) return story([]);
  const told = policies.toSorted((one, other) => order.indexOf(one.is) - order.indexOf(other.is));
  const more = told.length - mostTold;
  return story([
    ...told.slice(0, mostTold).map((policy) => toldOf(policy, now)),
    more > 0
      ? `${more} more of its policies ${more === 1 ? 'does' : 'do'} nothing, as \`arcus service show\` says.`
      : null,
  ]);
}

/** States of a service in which policies are asked. */
const scaled: ReadonlySet<string> = new Set(['RUNNING', 'WARNING', 'COOLDOWN', 'SCALING', 'FAILED_SCALING']);

function toldOf({ role, policy, is, why, at }: PolicyFacts, now: Date): string {
  const it = `${policy} of role ${role}`;
  switch (is) {
    case 'paused':
      return sentence(`${capital(it)} is ${why}`);
    case 'unknown':
      return sentence(`${capital(it)} holds the role as it is, for it does not know what it asks for: ${why}`);
    case 'refused':
      return sentence(`What ${it} wanted was refused${at ? ` ${when(at, now)}` : ''}: ${why}`);
  }
}

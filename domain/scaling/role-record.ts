import { type ElasticRole, type Evaluation, evaluateRole, nameOf, type RoleCount } from './elasticity.js';
import { type PolicyCount, printOf } from './evaluate-policy.js';
import type { MeasuredVm } from './measures.js';
import { logged, type SaidAt } from './policy-log.js';

/** What a policy has counted, what it has said last, and before. */
export type PolicyRecord = { count: PolicyCount; last: SaidAt | null; log: SaidAt[] };

/** What is kept of a role between evaluations. `look`: the last of these; what an older one has found is past. */
export type RoleRecord = Omit<RoleCount, 'policies'> & {
  _id: string;
  service: number;
  role: string;
  evaluation: number;
  look: string;
  at: Date;
  policies: PolicyRecord[];
  /** What min_vms has said. */
  least: { last: SaidAt | null; log: SaidAt[] };
  /** The look whose decision was admitted last. */
  decided: string | null;
};

export const recordId = (service: number, role: string): string => `${service}/${role}`;

/** The record of a policy, wherever it stands in the list now; undefined: it was not looked at yet. */
export const recordOf = (
  record: RoleRecord | null | undefined,
  policies: Readonly<NonNullable<ElasticRole['elasticity_policies']>>,
  at: number,
): PolicyRecord | undefined => {
  const print = policies[at] && printOf(policies[at]);
  const nth = policies.slice(0, at).filter((policy) => printOf(policy) === print).length;
  return record?.policies.filter(({ count }) => count.print === print)[nth];
};

/** One more look at a role: what is kept from then on, and what is to be done. */
export function lookAt(
  { service, role, vms }: { service: number; role: ElasticRole; vms: readonly MeasuredVm[] },
  before: RoleRecord | null,
  { look, ...settings }: Parameters<typeof evaluateRole>[3] & { look: string },
): { record: RoleRecord; decision: Evaluation['decision'] } {
  const { now: at } = settings;
  const { elasticity_policies: policies = [] } = role;
  const count = before && { ...before, policies: before.policies.map((one) => one.count) };
  const { count: after, said, decision } = evaluateRole(role, count, vms, settings);
  const records = after.policies.map((its, nth): PolicyRecord => {
    const earlier = recordOf(before, policies, nth);
    const now = said[nth] ?? null;
    if (!now) return { count: its, last: earlier?.last ?? null, log: earlier?.log ?? [] };
    return { count: its, ...logged(earlier?.log ?? [], now, at) };
  });
  const restores = decision?.policy === null ? decision : null;
  const least = restores
    ? logged(before?.least.log ?? [], { verdict: 'scales', why: restores.why, found: null }, at)
    : (before?.least ?? { last: null, log: [] });
  const record: RoleRecord = {
    ...{ _id: recordId(service, role.name), service, role: role.name, look, at },
    ...{ evaluation: (before?.evaluation ?? 0) + 1, decided: before?.decided ?? null },
    ...{ scaled_at: after.scaled_at, retry_at: after.retry_at, policies: records, least },
  };
  return { record, decision };
}

/** How the log of the service says it: `by policy 0: CPU[95.3] > 90`. */
export const becauseOf = ({ policy, why }: NonNullable<Evaluation['decision']>): string =>
  `by ${nameOf(policy)}: ${why}`;

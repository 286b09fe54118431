import { whyWithEnding } from '../domain/operations/why-with-ending.js';
import type { SaidAt } from '../domain/scaling/policy-log.js';
import { type RoleRecord, recordOf } from '../domain/scaling/role-record.js';
import type { Firing, FiringResource } from '../schemas/common/firing.js';
import type { PolicySaid } from '../schemas/services/policy-said.js';
import type { ElasticityPolicyResource, ScheduledPolicyResource, Service } from '../schemas/services/service.js';
import type { ElasticityPolicy, ScheduledPolicy } from '../schemas/services/service-template.js';
import type { Ending } from '../store/operations/operation-reads.js';
import type { Store } from '../store/store.js';

/** Which policies there are, for whoever has named another. */
export const numbersOf = ({ length }: readonly unknown[] = []): string =>
  length === 0 ? 'it has none' : length === 1 ? 'it has 0 alone' : `it has 0 to ${length - 1}`;

export const saidResource = ({ at, verdict, why, found, operation }: SaidAt): PolicySaid => ({
  ...{ at: at.toISOString(), verdict, why, found, operation: operation ?? null },
});

/** With how far each has counted, and what it has come to last. */
export const shownElasticity = (
  record: RoleRecord | undefined,
  policies: readonly ElasticityPolicy[],
): ElasticityPolicyResource[] =>
  policies.map((policy, at) => {
    const { count, last = null } = recordOf(record, policies, at) ?? {};
    // Whoever has sent what an API has shown has sent these with it.
    const { true_evals: _evals, last_eval: _eval, last: _last, ...rules } = policy;
    return {
      ...rules,
      ...{ true_evals: count?.true_evals ?? 0, last_eval: count?.last_eval?.toISOString() ?? null },
      last: last && saidResource(last),
    };
  });

/** What is kept of the policies of services apart from these. `endings`: what has come of scheduled ones, by operation. */
export type KeptOfPolicies = { records: readonly RoleRecord[]; endings: ReadonlyMap<string, Ending> };

export async function keptOfPolicies(
  { elasticity, operations }: Pick<Store, 'elasticity' | 'operations'>,
  services: readonly Pick<Service, '_id' | 'roles' | 'schedule'>[],
): Promise<KeptOfPolicies> {
  const [records, endings] = await Promise.all([
    elasticity.ofServices(services),
    operations.endings(
      services.flatMap(({ schedule }) => schedule?.of.flatMap(({ last }) => last?.operation ?? []) ?? []),
    ),
  ]);
  return { records, endings: new Map(endings.map((ending) => [ending._id, ending])) };
}

export const firingResource = (
  { due_at, at, verdict, why, operation }: Firing,
  endings: KeptOfPolicies['endings'],
): FiringResource => {
  const ending = operation === null ? undefined : endings.get(operation);
  return {
    ...{ due_at: due_at.toISOString(), time: at.toISOString(), operation },
    // What has been done to no VM was not performed.
    verdict: verdict === 'performed' && ending?.state === 'failed' && ending.done_to_none ? 'refused' : verdict,
    why: whyWithEnding(why, ending),
  };
};

/** With when they are due, and what became of them last. */
export function shownSchedules(
  schedule: Service['schedule'],
  role: string,
  policies: readonly ScheduledPolicy[],
  endings: KeptOfPolicies['endings'],
): ScheduledPolicyResource[] {
  const entries = new Map(
    schedule?.of.flatMap((entry) => (entry.role === role ? [[entry.policy, entry] as const] : [])),
  );
  return policies.map((policy, at) => {
    const { next_at = null, last = null } = entries.get(at) ?? {};
    return { ...policy, next_at: next_at?.toISOString() ?? null, last: last && firingResource(last, endings) };
  });
}

import type { RolePolicies, RolePoliciesResource } from '../../../schemas/scaling/policies.js';

/** OneFlow's, and one that tracks a target. */
const peak = { expression: 'max(CPU) > 90', type: 'CHANGE', adjust: 1, period_number: 3, period: 10 } as const;
const target = { target: 'REQUESTS = 200', stabilization: 300 };

/** As somebody sends it. */
export const webPolicies = { elasticity_policies: [peak, target], min_vms: 1, max_vms: 5 } satisfies RolePolicies;

const unseen = { true_evals: 0, last_eval: null, last: null, log: [] };
const shown = (second: { definition: object; paused: string | null }) =>
  ({
    ...{ role: 'web', cardinality: 3, min_vms: 1, max_vms: 5, waits: null },
    policies: [
      { policy: 0, definition: peak, paused: null, periods: 3, ...unseen },
      { policy: 1, periods: 1, ...unseen, ...second, definition: { ...second.definition } },
    ],
    least: { last: null, log: [] },
  }) satisfies RolePoliciesResource;

export const policiesOfWeb = shown({ definition: target, paused: null });
export const pausedPolicyOfWeb = shown({
  definition: { ...target, enabled: false },
  paused: 'paused until somebody resumes it',
});

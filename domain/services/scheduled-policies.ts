import type { ScheduledPolicy } from '../../schemas/services/service-template.js';
import type { Finding } from '../problems.js';
import { wrongTimes } from '../recurring.js';

/** What is wrong with the scheduled policies of a role, each by itself. */
export const wrongScheduledPolicies = (policies: readonly ScheduledPolicy[] = [], pointer: string): Finding[] =>
  policies.flatMap((policy, at) =>
    wrongPolicy(policy).map(({ pointer: member, detail }) => ({ pointer: `${pointer}/${at}${member}`, detail })),
  );

const wrongPolicy = (policy: ScheduledPolicy): Finding[] => [...wrongDeed(policy), ...wrongTimes(policy)];

/** It scales, or does something to VMs, and not both. */
function wrongDeed(policy: ScheduledPolicy): Finding[] {
  const adjustment = ['type', 'adjust'] as const;
  if (policy.action === undefined)
    return adjustment
      .filter((member) => policy[member] === undefined)
      .map((member) => ({ pointer: `/${member}`, detail: 'is required, unless there is an action' }));
  return [...adjustment, 'min_adjust_step' as const]
    .filter((member) => policy[member] !== undefined)
    .map((member) => ({
      pointer: `/${member}`,
      detail: 'does not go with an action, which leaves the cardinality as it is',
    }));
}

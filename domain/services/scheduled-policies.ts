import type { ScheduledPolicy } from '../../schemas/services/service-template.js';
import { cronFault } from '../cron.js';
import type { Finding } from '../problems.js';
import { startTimeOf } from '../start-time.js';
import { isTimeZone } from '../time-zones.js';

/** What is wrong with the scheduled policies of a role, each by itself. */
export const wrongScheduledPolicies = (policies: readonly ScheduledPolicy[] = [], pointer: string): Finding[] =>
  policies.flatMap((policy, at) =>
    wrongPolicy(policy).map(({ pointer: member, detail }) => ({ pointer: `${pointer}/${at}${member}`, detail })),
  );

function wrongPolicy(policy: ScheduledPolicy): Finding[] {
  const { recurrence, start_time, time_zone } = policy;
  const findings = wrongDeed(policy);
  if (recurrence === undefined && start_time === undefined)
    findings.push({ pointer: '', detail: 'needs start_time or recurrence' });
  if (recurrence !== undefined && start_time !== undefined)
    findings.push({ pointer: '', detail: 'has both start_time and recurrence; give one of them' });
  const fault = recurrence === undefined ? undefined : cronFault(recurrence);
  if (fault !== undefined) findings.push({ pointer: '/recurrence', detail: `is not a cron expression: ${fault}` });
  if (start_time?.trim() === '') findings.push({ pointer: '/start_time', detail: 'must not be empty' });
  else if (start_time !== undefined && !isRead(start_time))
    findings.push({ pointer: '/start_time', detail: 'is no time, such as 2027-10-02T15:45:00Z or 2nd oct 2027 15:45' });
  if (time_zone !== undefined && !isTimeZone(time_zone))
    findings.push({ pointer: '/time_zone', detail: 'is no time zone, such as Europe/Madrid' });
  return findings;
}

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

/** Whether it can be read does not depend on when, nor where. */
const isRead = (text: string): boolean => startTimeOf(text, 'UTC', new Date(0)) !== null;

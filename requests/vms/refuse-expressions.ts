import { expressionFindings } from '../../domain/expressions/findings.js';
import { Problem } from '../../domain/problems.js';
import { scheduledIn } from '../../domain/vms/vm-schedules.js';

type Attributes = Readonly<Record<string, unknown>>;

/**
 * Refuses attributes whose SCHED_REQUIREMENTS, SCHED_RANK or SCHED_ACTION cannot be read; `under`: where they are in the request.
 * `before`: what is there, and is not judged again.
 */
export function refuseUnreadable(attributes: Attributes, under: string, before: Attributes = {}): void {
  const changed = Object.fromEntries(Object.entries(attributes).filter(([name, value]) => value !== before[name]));
  const findings = expressionFindings(changed, under);
  const [first] = findings;
  if (first) throw new Problem('invalid_request', `An expression cannot be read: ${first.detail}.`, { findings });
  const wrong = scheduledIn(changed.SCHED_ACTION).findings;
  const [firstWrong] = wrong;
  if (firstWrong)
    throw new Problem('invalid_request', `What is to be done at its time cannot be read: ${firstWrong.detail}.`, {
      findings: wrong.map(({ pointer, detail }) => ({ pointer: `${under}${pointer}`, detail })),
    });
}

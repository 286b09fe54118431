import { expressionFindings } from '../../domain/expressions/findings.js';
import { Problem } from '../../domain/problems.js';

type Attributes = Readonly<Record<string, unknown>>;

/**
 * Refuses attributes whose SCHED_REQUIREMENTS or SCHED_RANK cannot be read; `under`: where they are in the request.
 * `before`: what is there, and is not judged again.
 */
export function refuseUnreadable(attributes: Attributes, under: string, before: Attributes = {}): void {
  const changed = Object.entries(attributes).filter(([name, value]) => value !== before[name]);
  const findings = expressionFindings(Object.fromEntries(changed), under);
  const [first] = findings;
  if (first) throw new Problem('invalid_request', `An expression cannot be read: ${first.detail}.`, { findings });
}

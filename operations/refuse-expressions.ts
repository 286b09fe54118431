import { expressionFindings } from '../domain/expressions/findings.js';
import { Problem } from '../domain/problems.js';

/** Refuses attributes whose SCHED_REQUIREMENTS or SCHED_RANK cannot be read; `under`: where they are in the request. */
export function refuseUnreadable(attributes: Readonly<Record<string, unknown>>, under: string): void {
  const findings = expressionFindings(attributes, under);
  const [first] = findings;
  if (first) throw new Problem('invalid_request', `An expression cannot be read: ${first.detail}.`, { findings });
}

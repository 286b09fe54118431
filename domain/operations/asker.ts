import type { DecidedBy } from '../../schemas/operations/inputs.js';
import { isPerformance, isScaling, type Operation } from '../../schemas/operations/operation.js';

/** Who has asked for an operation, in sentences: of one that a policy has decided that policy, and not the owner in whose name it did. */
export function askerOf(operation: Operation): string {
  const decided = decidedBy(operation);
  return decided === null ? operation.requester.name : `${decided}, as ${operation.requester.name}`;
}

/** The policy that has decided it; null: somebody has asked for it. */
export function decidedBy(operation: Operation): string | null {
  const by = isScaling(operation) || isPerformance(operation) ? operation.input.policy?.by : undefined;
  return by ? policyName(by) : null;
}

/** What a policy is called in sentences. */
export function policyName(by: DecidedBy): string {
  if (by.kind === 'min_vms') return 'min_vms';
  return by.kind === 'schedule' ? `scheduled policy ${by.policy}` : `policy ${by.policy}`;
}

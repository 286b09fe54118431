import { isScaling, type Operation } from '../../schemas/operations/operation.js';

/** Who has asked for an operation, in sentences: of one that a policy has decided that policy, and not the owner in whose name it did. */
export function askerOf(operation: Operation): string {
  const because = isScaling(operation) ? operation.input.policy?.because : undefined;
  if (because === undefined) return operation.requester.name;
  // `by policy 0: CPU[95] > 90`, `by scheduled policy 1, due at …`
  const [decided = ''] = because.replace('by ', '').split(/[:,]/, 1);
  return `${decided}, as ${operation.requester.name}`;
}

import { limits } from '../../schemas/common/limits.js';
import type { Moved } from '../../schemas/operations/operation.js';

/** How long something that does not answer is tried without getting any further, in milliseconds (decisions: "when a step has failed"). */
export const stuckAfter = 180_000;

type Reached = Pick<Moved, 'phase' | 'done'>;

const order: readonly Moved['phase'][] = ['fetch', 'check', 'unpack', 'copy'];

/**
 * Whether work on an image has got further than it was. A little is not: a server that gives a few bytes at each try, or breaks off
 * at the same place each time, would be tried for ever.
 */
export function isFurther(now: Reached & Pick<Moved, 'total'>, before: Reached | null): boolean {
  if (before === null) return now.done > 0;
  if (now.phase !== before.phase) return order.indexOf(now.phase) > order.indexOf(before.phase);
  const least = now.done === now.total ? 1 : limits.slowest.most;
  return now.done >= before.done + least;
}

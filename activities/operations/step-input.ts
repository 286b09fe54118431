import { Problem } from '../../domain/problems.js';

/**
 * Refuses what a step is told when MongoDB would read it as a question instead of a value, such as `{"$ne": null}` in the
 * place of an operation's id. Workflows never say such a thing; but whoever reaches a Temporal that asks nobody for
 * credentials can ask for steps, too, and would reach what no operation holds.
 */
export function refuseOperators(told: unknown): void {
  if (typeof told !== 'object' || told === null) return;
  for (const [key, value] of Object.entries(told)) {
    if (key.startsWith('$')) throw new Problem('invalid_request', 'A step is told values, not questions of MongoDB.');
    refuseOperators(value);
  }
}

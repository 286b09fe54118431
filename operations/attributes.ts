import { toldNames } from '../domain/host-attributes.js';
import { type Finding, Problem } from '../domain/problems.js';
import type { AttributeChanges, Attributes } from '../schemas/cluster.js';

const told = new Set(toldNames);
const most = 200;

/** Attributes with changes to them. Refuses names that Arcus tells itself, with all of them, and too many. */
export function changedAttributes(present: Attributes, changes: AttributeChanges = {}): Attributes {
  const after = new Map(Object.entries(present));
  const findings: Finding[] = [];
  for (const [name, value] of Object.entries(changes)) {
    const upper = name.toUpperCase();
    if (told.has(upper))
      findings.push({ pointer: `/attributes/${name.replaceAll('/', '~1')}`, detail: 'is told by Arcus itself' });
    if (value === null) after.delete(upper);
    else after.set(upper, value);
  }
  if (after.size > most) findings.push({ pointer: '/attributes', detail: `must be at most ${most}` });
  if (findings.length > 0) throw new Problem('invalid_request', 'These attributes cannot be set.', { findings });
  return Object.fromEntries(after);
}

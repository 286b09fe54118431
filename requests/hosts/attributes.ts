import { keptAttributes } from '../../domain/attribute-names.js';
import { beyond, measureHostAttributes } from '../../domain/bounds.js';
import { toldNames } from '../../domain/hosts/host-attributes.js';
import { type Finding, Problem } from '../../domain/problems.js';
import { pointerStep } from '../../schemas/common/attribute-name.js';
import type { AttributeChanges, Attributes, Reserve } from '../../schemas/hosts/cluster.js';

const told = new Set(toldNames);

/**
 * Attributes as they are kept, in upper case, without those that are null. Refuses names that Arcus tells itself, with all
 * of them, and what goes beyond the limits; those that are there already stay.
 */
export function checkedAttributes(wished: AttributeChanges = {}, present: Attributes = {}): Attributes {
  const findings: Finding[] = [];
  for (const name of Object.keys(wished)) {
    const upper = name.toUpperCase();
    if (told.has(upper) && !Object.hasOwn(present, upper))
      findings.push({ pointer: `/attributes/${pointerStep(name)}`, detail: 'is told by Arcus itself' });
  }
  const attributes = keptAttributes(wished);
  const under = '/attributes';
  findings.push(...beyond(measureHostAttributes(attributes, under), measureHostAttributes(present, under)));
  if (findings.length > 0) throw new Problem('invalid_request', 'These attributes cannot be set.', { findings });
  return attributes;
}

/** What is kept back, as people would have to write it: what is null is not said. */
export const withoutNulls = ({ cpu, memory }: Reserve): Reserve => ({
  ...(cpu != null && { cpu }),
  ...(memory != null && { memory }),
});

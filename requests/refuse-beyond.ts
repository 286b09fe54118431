import { beyond, type Measured } from '../domain/bounds.js';
import { Problem } from '../domain/problems.js';

/** Refuses what goes beyond the limits, and beyond what was there before an edit (schemas/common/limits). */
export function refuseBeyond(after: readonly Measured[], before: readonly Measured[] = []): void {
  const findings = beyond(after, before);
  const [first] = findings;
  if (first) throw new Problem('invalid_request', `It is too large: ${first.pointer} ${first.detail}.`, { findings });
}

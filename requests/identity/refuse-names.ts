import { wrongNames } from '../../domain/attribute-names.js';
import { Problem } from '../../domain/problems.js';

/** Refuses names that a change gives to attributes and that are none; `under`: where they are in the request. */
export function refuseNames(
  after: Readonly<Record<string, unknown>>,
  under: string,
  before: Readonly<Record<string, unknown>> = {},
): void {
  const findings = wrongNames(after, before, under);
  const [first] = findings;
  if (first)
    throw new Problem('invalid_request', `An attribute cannot be called so: ${first.pointer} ${first.detail}.`, {
      findings,
    });
}

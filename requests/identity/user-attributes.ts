import { keptAttributes } from '../../domain/attribute-names.js';
import { measureUserAttributes } from '../../domain/bounds.js';
import type { UserAttributeChanges } from '../../schemas/identity/user.js';
import { refuseBeyond } from '../refuse-beyond.js';

/** Attributes of a user as they are kept; refuses what goes beyond the limits, and beyond what is there. */
export function userAttributes(
  wished: UserAttributeChanges = {},
  present: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const attributes = keptAttributes(wished);
  refuseBeyond(measureUserAttributes(attributes, '/attributes'), measureUserAttributes(present, '/attributes'));
  return attributes;
}

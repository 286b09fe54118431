import type { Caller } from '../domain/caller.js';
import { allowed, type Right } from '../domain/permissions.js';
import { Problem } from '../domain/problems.js';
import type { Ownership } from '../schemas/common.js';

/**
 * The object, if it exists and the caller has the right; else `not_found` or `not_authorized`. Who may not even USE an
 * object learns nothing of it but that it is not theirs.
 */
export function authorised<T extends Ownership>(caller: Caller, found: T | null, right: Right, what: string): T {
  if (!found) throw new Problem('not_found', `There is no ${what}.`);
  if (!allowed(caller, found, right))
    throw new Problem('not_authorized', `You need the ${right.toUpperCase()} right on ${what}.`);
  return found;
}

/** User oneadmin and members of group 0. */
export const isAdministrator = (caller: Caller): boolean => caller.id === 0 || caller.groups.includes(0);

/** Hosts belong to administrators. */
export function administrator(caller: Caller, deed: string): void {
  if (!isAdministrator(caller)) throw new Problem('not_authorized', `Only administrators may ${deed}.`);
}

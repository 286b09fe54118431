import type { Ownership } from '../../schemas/common/common.js';
import { isSameOwnership } from '../identity/ownership.js';
import type { StrayOperations } from './evidence.js';

/** Operations on one resource that are alike in owner, group and permissions: how many, and the first of them. */
export type SeenOperations = Ownership & { count: number; first: string };

/** By the id of what they are about; absent: there is none. */
export type OperationsOf = ReadonlyMap<number, readonly SeenOperations[]>;

/**
 * Those of a resource's operations that are not as it is, or null. Admission gives each the resource's owner, group and
 * permissions, and whatever changes these gives them to all of its operations, to those that have ended, too.
 */
export function straysOf(resource: Ownership, seen: readonly SeenOperations[] = []): StrayOperations | null {
  const strays = seen.filter((some) => !isSameOwnership(some, resource));
  const [first] = strays.map((some) => some.first).sort();
  if (first === undefined) return null;
  const { uid, gid, permissions } = resource;
  const operations = strays.reduce((sum, { count }) => sum + count, 0);
  return { operations, first, should: { uid, gid, permissions } };
}

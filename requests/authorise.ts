import type { Caller } from '../domain/identity/caller.js';
import { allowed, isAdministrator, type Right, type Subject } from '../domain/identity/permissions.js';
import { nameOf } from '../domain/operations/names.js';
import { Problem } from '../domain/problems.js';
import type { Ownership } from '../schemas/common/common.js';
import { kinds, type OwnedKind } from '../schemas/kinds.js';
import type { Operation } from '../schemas/operations/operation.js';

/** A host is in one cluster; others may be in several. Who says neither is in cluster 0. */
type Owned = Ownership & { _id: number; cluster_id?: number; cluster_ids?: readonly number[] };

/** An object of a kind, as rights are asked on it. */
export const subjectOf = (
  kind: OwnedKind,
  { _id: id, uid, gid, permissions, cluster_id, cluster_ids }: Owned,
): Subject => ({
  type: kinds[kind].acl,
  id,
  uid,
  gid,
  permissions,
  cluster_ids: cluster_ids ?? inOne(cluster_id),
});

const inOne = (cluster: number | undefined) => (cluster === undefined ? undefined : [cluster]);

/** An operation: its own owner and bits, and whatever is granted on what it is about. */
export const operationSubject = ({
  resource,
  uid,
  gid,
  permissions,
  cluster_id,
}: Pick<Operation, 'resource' | 'cluster_id' | keyof Ownership>): Subject => ({
  type: kinds[resource.type].acl,
  id: resource.id,
  uid,
  gid,
  permissions,
  cluster_ids: inOne(cluster_id),
});

/**
 * The object, if it exists and the caller has the right; else `not_found` or `not_authorized`. Who may not even USE an
 * object learns nothing of it but that it is not theirs.
 */
export function authorised<T extends Owned>(
  caller: Caller,
  kind: OwnedKind,
  found: T | null,
  right: Right,
  id: number,
): T {
  const what = nameOf({ type: kind, id });
  if (!found) throw new Problem('not_found', `There is no ${what}.`);
  demand(caller, subjectOf(kind, found), right, what);
  return found;
}

/** The same for an operation. */
export function authorisedOperation(caller: Caller, id: string, found: Operation | null, right: Right): Operation {
  if (!found) throw new Problem('not_found', `There is no operation ${id}.`);
  demand(caller, operationSubject(found), right, `operation ${id}`);
  return found;
}

/** Refuses, unless the caller has the right on the subject. */
export function demand(caller: Caller, subject: Subject, right: Right, what: string): void {
  if (!allowed(caller, subject, right))
    throw new Problem('not_authorized', `You need the ${right.toUpperCase()} right on ${what}.`);
}

/** Refuses, unless the caller may create objects of this kind, which come into the caller's primary group. */
export function mayCreate(caller: Caller, kind: OwnedKind): void {
  const { acl, several } = kinds[kind];
  if (!allowed(caller, { type: acl, gid: caller.gid }, 'create'))
    throw new Problem(
      'not_authorized',
      `Your groups do not let you create ${several}: you need the CREATE right on ${acl}.`,
    );
}

/** What belongs to administrators alone, whatever rules say. */
export function administrator(caller: Caller, deed: string): void {
  if (!isAdministrator(caller)) throw new Problem('not_authorized', `Only administrators may ${deed}.`);
}

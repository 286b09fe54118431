import type { Caller } from '../domain/caller.js';
import { allowed, isAdministrator, type Right, type Subject } from '../domain/permissions.js';
import { Problem } from '../domain/problems.js';
import type { ResourceType } from '../schemas/acl.js';
import type { Ownership } from '../schemas/common.js';
import type { Operation, ResourceRef } from '../schemas/operation.js';

type Owned = Ownership & { _id: number; cluster_id?: number };

/** An object of a kind, as rights are asked on it. */
export const subjectOf = (type: ResourceType, { _id: id, uid, gid, permissions, cluster_id }: Owned): Subject => ({
  type,
  id,
  uid,
  gid,
  permissions,
  cluster_id,
});

/** What an operation is about, in words. */
export const nameOf = ({ type, id }: ResourceRef): string => `${type === 'vm' ? 'VM' : type} ${id}`;

const kinds = { service: 'DOCUMENT', vm: 'VM', zone: 'ZONE' } as const;

/** An operation: its own owner and bits, and whatever is granted on what it is about. */
export const operationSubject = ({
  resource,
  uid,
  gid,
  permissions,
}: Pick<Operation, 'resource' | keyof Ownership>): Subject => ({
  type: kinds[resource.type],
  id: resource.id,
  uid,
  gid,
  permissions,
});

/**
 * The object, if it exists and the caller has the right; else `not_found` or `not_authorized`. Who may not even USE an
 * object learns nothing of it but that it is not theirs.
 */
export function authorised<T extends Owned>(
  caller: Caller,
  type: ResourceType,
  found: T | null,
  right: Right,
  what: string,
): T {
  if (!found) throw new Problem('not_found', `There is no ${what}.`);
  demand(caller, subjectOf(type, found), right, what);
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
export function mayCreate(caller: Caller, type: ResourceType, what: string): void {
  if (!allowed(caller, { type, gid: caller.gid }, 'create'))
    throw new Problem(
      'not_authorized',
      `Your groups do not let you create ${what}: you need the CREATE right on ${type}.`,
    );
}

/** What belongs to administrators alone, whatever rules say. */
export function administrator(caller: Caller, deed: string): void {
  if (!isAdministrator(caller)) throw new Problem('not_authorized', `Only administrators may ${deed}.`);
}

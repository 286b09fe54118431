import type { Ownership } from '../schemas/common.js';
import type { Caller } from './caller.js';

export type Right = 'use' | 'manage' | 'admin';

const administrators = 0;

/** Whether the object's permission bits let the caller do this; user 0 and members of group 0 pass everything. */
export function allowed(caller: Pick<Caller, 'id' | 'groups'>, object: Ownership, right: Right): boolean {
  if (caller.id === administrators || caller.groups.includes(administrators)) return true;
  const { owner, group, other } = object.permissions;
  return (
    (caller.id === object.uid && owner[right]) || (caller.groups.includes(object.gid) && group[right]) || other[right]
  );
}

import type { Ownership, Permissions } from '../../schemas/common/common.js';
import type { Chmod, Chown } from '../../schemas/identity/ownership.js';
import type { Caller } from './caller.js';
import { octetOf, permissionsOf } from './permission-bits.js';
import type { Right } from './permissions.js';

/** An object after a chmod. */
export function afterChmod({ uid, gid, permissions }: Ownership, { octet, permissions: changes }: Chmod): Ownership {
  if (octet !== undefined) return { uid, gid, permissions: permissionsOf(octet) };
  const changed = (of: keyof Permissions): Permissions['owner'] => ({ ...permissions[of], ...changes?.[of] });
  return { uid, gid, permissions: { owner: changed('owner'), group: changed('group'), other: changed('other') } };
}

/** An object after a chown. */
export const afterChown = ({ uid, gid, permissions }: Ownership, wish: Chown): Ownership => ({
  uid: wish.uid ?? uid,
  gid: wish.gid ?? gid,
  permissions,
});

/**
 * The right on an object that such a change of it demands: MANAGE; and ADMIN, where it changes who has that by the bits,
 * because one of them changes or because it comes into other hands. Else who may MANAGE it could make it his own and have
 * more.
 */
export function demandedRight(before: Ownership, after: Ownership): Right {
  const { owner, group, other } = before.permissions;
  const { permissions: then } = after;
  const changes =
    owner.admin !== then.owner.admin || group.admin !== then.group.admin || other.admin !== then.other.admin;
  const passes = (owner.admin && before.uid !== after.uid) || (group.admin && before.gid !== after.gid);
  return changes || passes ? 'admin' : 'manage';
}

/**
 * On whom a change demands a right: MANAGE on a new owner other than the caller, USE on a new group of which the caller is
 * no member. null: on nobody.
 */
export function receivers(
  { id, groups }: Pick<Caller, 'id' | 'groups'>,
  before: Ownership,
  after: Ownership,
): { user: number | null; group: number | null } {
  return {
    user: after.uid === before.uid || after.uid === id ? null : after.uid,
    group: after.gid === before.gid || groups.includes(after.gid) ? null : after.gid,
  };
}

export const isSameOwnership = (one: Ownership, other: Ownership): boolean =>
  one.uid === other.uid && one.gid === other.gid && octetOf(one.permissions) === octetOf(other.permissions);

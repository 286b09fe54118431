import type { Permissions } from '../../schemas/common/common.js';
import type { AclRule } from '../../schemas/identity/acl.js';
import { administrators, type Group } from '../../schemas/identity/group.js';
import type { User } from '../../schemas/identity/user.js';
import { kinds, ownedKinds } from '../../schemas/kinds.js';
import { type Asker, allowed, isAdministrator, isCovered, type Right, type Subject } from './permissions.js';

type Person = Pick<User, '_id' | 'gid' | 'groups'>;

const none = { use: false, manage: false, admin: false };
const ofSelf: Permissions = { owner: { use: true, manage: true, admin: false }, group: none, other: none };
const ofMembers: Permissions = { owner: none, group: { use: true, manage: false, admin: false }, other: none };

/** A user, as rights are asked on it: everybody may USE and MANAGE himself. */
export const userSubject = ({ _id: id, gid }: Pick<Person, '_id' | 'gid'>): Subject => ({
  ...{ type: 'USER', id, uid: id, gid, permissions: ofSelf },
});

/** A group, as rights are asked on it: members may USE it. */
export const groupSubject = ({ _id: id }: Pick<Group, '_id'>): Subject => ({
  ...{ type: 'GROUP', id, gid: id, permissions: ofMembers },
});

/** Whether the caller has a right on a user. Administrators are left to administrators, whatever rules say. */
export function mayOnUser(caller: Asker, user: Person, right: Right): boolean {
  const isSelf = caller.id === user._id;
  if (right !== 'use' && !isSelf && isAdministrator({ id: user._id, groups: user.groups }) && !isAdministrator(caller))
    return false;
  return allowed(caller, userSubject(user), right);
}

/** Whether the caller may put users into a group, or take them out. Administrators alone make administrators. */
export const mayFill = (caller: Asker, gid: number): boolean =>
  isAdministrator(caller) || (gid !== administrators && allowed(caller, groupSubject({ _id: gid }), 'manage'));

/** Whether the caller may make a user of this primary group, who is in these groups. */
export const mayCreateUser = (caller: Asker, gid: number, groups: readonly number[]): boolean =>
  allowed(caller, { type: 'USER', gid }, 'create') && groups.every((one) => mayFill(caller, one));

/** Why a caller may not act in the stead of a user. */
export type Obstacle = { why: 'administrator' | 'right' | 'rules' } | { why: 'group'; group: number };

/**
 * What keeps a caller from acting in the stead of a user, which is what whoever sets his password can do; null: nothing.
 * The ADMIN right on the user is not enough: it must reach each of his groups, and nobody comes to more than he has
 * himself. So the caller has, too, all that the user's groups give by membership and all that rules give him: `his`, those
 * that are stored and those that follow from his groups. What the user owns goes with the right on him.
 */
export function obstacleToCommand(caller: Asker, user: Person, his: readonly AclRule[]): Obstacle | null {
  if (isAdministrator(caller)) return null;
  if (isAdministrator({ id: user._id, groups: user.groups })) return { why: 'administrator' };
  if (!mayOnUser(caller, user, 'admin')) return { why: 'right' };
  const beyond = user.groups.find(
    (gid) => !allowed(caller, userSubject({ _id: user._id, gid }), 'admin') || !hasMembership(caller, gid),
  );
  if (beyond !== undefined) return { why: 'group', group: beyond };
  return his.every((rule) => isCovered(rule, caller)) ? null : { why: 'rules' };
}

/** Whether the caller has what members of a group have by bits: as one of them, or by rules that give as much. */
const hasMembership = (caller: Asker, gid: number): boolean =>
  caller.groups.includes(gid) || membership(gid).every((rule) => isCovered(rule, caller));

/** As which rules name what can be a group's. */
const ofGroups = [...new Set(ownedKinds.map((kind) => kinds[kind].acl))];

/** What bits can give to members of a group, as rules: everything on its objects, and the group itself. */
const membership = (gid: number): AclRule[] => {
  const user = { kind: 'group', id: gid } as const;
  return [
    {
      ...{ user, types: ofGroups },
      ...{ rights: ['use', 'manage', 'admin'], selector: { kind: 'group', id: gid }, zone: null },
    },
    { user, types: ['GROUP'], rights: ['use'], selector: { kind: 'id', id: gid }, zone: null },
  ];
};

import type { Permissions } from '../schemas/common.js';
import type { Group } from '../schemas/group.js';
import type { User } from '../schemas/user.js';
import { type Asker, allowed, isAdministrator, type Right, type Subject } from './permissions.js';

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

/** Why a caller may not act in the stead of a user. */
export type Obstacle = { why: 'administrator' | 'right' | 'rules' } | { why: 'group'; group: number };

/**
 * What keeps a caller from acting in the stead of a user, which is what whoever sets his password can do; null: nothing.
 * The ADMIN right on the user is not enough: it must reach each of his groups, lest it brings the rights of one that is
 * not the caller's to manage, and the user must have no rights by rules of his own.
 */
export function obstacleToCommand(caller: Asker, user: Person, hasOwnRules: boolean): Obstacle | null {
  if (isAdministrator(caller)) return null;
  if (isAdministrator({ id: user._id, groups: user.groups })) return { why: 'administrator' };
  if (!mayOnUser(caller, user, 'admin')) return { why: 'right' };
  const beyond = user.groups.find((gid) => !allowed(caller, userSubject({ _id: user._id, gid }), 'admin'));
  if (beyond !== undefined) return { why: 'group', group: beyond };
  return hasOwnRules ? { why: 'rules' } : null;
}

import type { ClientSession } from 'mongoose';
import type { Caller } from '../domain/caller.js';
import { allowed, isAdministrator, type Right } from '../domain/permissions.js';
import { Problem } from '../domain/problems.js';
import { groupSubject, mayOnUser, obstacleToCommand } from '../domain/user-rights.js';
import { administrators } from '../schemas/group.js';
import type { User } from '../schemas/user.js';
import type { Directory } from '../store/directory.js';

/** The user, if there is one and the caller has the right; else `not_found` or `not_authorized`. */
export function authorisedUser(caller: Caller, id: number, found: User | null, right: Right): User {
  if (!found) throw new Problem('not_found', `There is no user ${id}.`);
  if (!mayOnUser(caller, found, right)) throw refused(`You need the ${right.toUpperCase()} right on user ${id}.`);
  return found;
}

/**
 * The user, if the caller may act in that user's stead: set the password, disable, rename, put into groups, see and revoke
 * tokens, delete. Whoever may do one of these could have all that the user has.
 */
export async function commandedUser(
  { acls }: Pick<Directory, 'acls'>,
  caller: Caller,
  id: number,
  found: User | null,
  session: ClientSession | null = null,
): Promise<User> {
  if (!found) throw new Problem('not_found', `There is no user ${id}.`);
  const rule = isAdministrator(caller) ? null : await acls.personal(id, session);
  const obstacle = obstacleToCommand(caller, found, rule !== null);
  switch (obstacle?.why) {
    case undefined:
      return found;
    case 'administrator':
      throw refused(`User ${id} is an administrator: only administrators may do this.`);
    case 'right':
      throw refused(`You need the ADMIN right on user ${id}.`);
    case 'group':
      throw refused(
        `User ${id} also belongs to group ${obstacle.group}, which you do not manage: you would have its rights. Ask an administrator.`,
      );
    case 'rules':
      throw refused(`Rules give user ${id} rights of his own: you would have them. Ask an administrator.`);
  }
}

/** Refuses, unless the caller may put users into this group, or take them out. */
export function mayFill(caller: Caller, gid: number): void {
  if (gid === administrators && !isAdministrator(caller))
    throw refused('Only administrators may make administrators, who are the members of group 0.');
  if (!allowed(caller, groupSubject({ _id: gid }), 'manage'))
    throw refused(`You need the MANAGE right on group ${gid}.`);
}

const refused = (sentence: string): Problem => new Problem('not_authorized', sentence);

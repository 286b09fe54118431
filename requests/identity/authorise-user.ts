import type { Caller } from '../../domain/identity/caller.js';
import { isAdministrator, type Right } from '../../domain/identity/permissions.js';
import { mayFill, mayOnUser, obstacleToCommand } from '../../domain/identity/user-rights.js';
import { Problem } from '../../domain/problems.js';
import { administrators } from '../../schemas/identity/group.js';
import type { User } from '../../schemas/identity/user.js';
import type { Directory } from '../../store/identity/directory.js';
import type { Transaction } from '../../store/mongo/transaction.js';

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
  { rulesOf }: Pick<Directory, 'rulesOf'>,
  caller: Caller,
  id: number,
  found: User | null,
  transaction: Transaction | null = null,
): Promise<User> {
  if (!found) throw new Problem('not_found', `There is no user ${id}.`);
  const his = isAdministrator(caller) ? [] : await rulesOf(found, transaction);
  const obstacle = obstacleToCommand(caller, found, his);
  switch (obstacle?.why) {
    case undefined:
      return found;
    case 'administrator':
      throw refused(`User ${id} is an administrator: only administrators may do this.`);
    case 'right':
      throw refused(`You need the ADMIN right on user ${id}.`);
    case 'group':
      throw refused(
        mayOnUser(caller, found, 'use')
          ? `User ${id} belongs to group ${obstacle.group}: you would have rights of that group which you do not have. Ask an administrator.`
          : `User ${id} belongs to a group with rights that you do not have: you would have them. Ask an administrator.`,
      );
    case 'rules':
      throw refused(`Rules give user ${id} rights that you do not have: you would have them. Ask an administrator.`);
  }
}

/** Refuses, unless the caller may put users into this group, or take them out. */
export function demandFill(caller: Caller, gid: number): void {
  if (mayFill(caller, gid)) return;
  if (gid === administrators)
    throw refused('Only administrators may make administrators, who are the members of group 0.');
  throw refused(`You need the MANAGE right on group ${gid}.`);
}

const refused = (sentence: string): Problem => new Problem('not_authorized', sentence);

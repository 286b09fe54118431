import type { ClientSession, Connection } from 'mongoose';
import type { Caller } from '../../domain/identity/caller.js';
import { callerOf } from '../../domain/identity/caller-of.js';
import type { AclRule } from '../../schemas/identity/acl.js';
import type { User } from '../../schemas/identity/user.js';
import { createAclStore } from './acls.js';
import { createGroupStore } from './groups.js';
import { createIdentityVersion } from './identity-version.js';
import { createLoginAttempts } from './login-attempts.js';
import { createTokenStore } from './tokens.js';
import { createUserStore } from './users.js';

/** A user as one who asks, and the version of the directory that this is of. */
export type Seen = { version: number; user: User; caller: Caller };

/** Who there is, and who may do what: what zones of a federation share, each kind behind its own interface. */
export function createDirectory(connection: Connection) {
  const version = createIdentityVersion(connection);
  const [users, groups, acls] = [createUserStore(connection), createGroupStore(connection), createAclStore(connection)];

  async function asCaller(user: User, session: ClientSession | null): Promise<Caller> {
    const its = await groups.byIds(user.groups, session);
    const stored = await acls.about({ id: user._id, groups: user.groups }, session);
    return callerOf(
      user,
      its,
      stored.map(({ rule }) => rule),
    );
  }

  return {
    version,
    users,
    groups,
    acls,
    tokens: createTokenStore(connection),
    attempts: createLoginAttempts(connection),

    /** All rules that give this user rights: those of his groups, and those that administrators have made. */
    rulesOf: async (user: User, session: ClientSession | null): Promise<readonly AclRule[]> =>
      (await asCaller(user, session)).rules,

    /**
     * The user that is found, and what that user may do, all as it is at one moment: what was read one after the other
     * could add up to rights that nobody ever had.
     */
    look: <Found extends { user: User }>(
      find: (session: ClientSession) => Promise<Found | null>,
    ): Promise<(Found & Seen) | null> =>
      connection.transaction(async (session) => {
        const seen = await version.within(session);
        const found = await find(session);
        return found && { ...found, version: seen, caller: await asCaller(found.user, session) };
      }),

    /**
     * A change, for this user. `work` is given what the user may do as it is in the transaction that changes: no right
     * that was taken away meanwhile is used once more. null: there is no such user any more, and nothing is changed.
     */
    change: <T>(uid: number, work: (asking: Caller, session: ClientSession) => Promise<T>): Promise<T | null> =>
      version.change(async (session) => {
        const user = await users.find(uid, session);
        return user?.enabled ? work(await asCaller(user, session), session) : null;
      }),
  };
}
export type Directory = ReturnType<typeof createDirectory>;

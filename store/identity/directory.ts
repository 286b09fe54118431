import type { Connection } from 'mongoose';
import type { Caller } from '../../domain/identity/caller.js';
import { callerOf } from '../../domain/identity/caller-of.js';
import type { AclRule } from '../../schemas/identity/acl.js';
import type { User } from '../../schemas/identity/user.js';
import { type Transaction, withTransaction } from '../mongo/transaction.js';
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

  async function asCaller(user: User, transaction: Transaction | null): Promise<Caller> {
    const its = await groups.byIds(user.groups, transaction);
    const stored = await acls.about({ id: user._id, groups: user.groups }, transaction);
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
    rulesOf: async (user: User, transaction: Transaction | null): Promise<readonly AclRule[]> =>
      (await asCaller(user, transaction)).rules,

    /**
     * The user that is found, and what that user may do, all as it is at one moment: what was read one after the other
     * could add up to rights that nobody ever had.
     */
    look: <Found extends { user: User }>(
      find: (transaction: Transaction) => Promise<Found | null>,
    ): Promise<(Found & Seen) | null> =>
      withTransaction(connection, async (transaction) => {
        const seen = await version.within(transaction);
        const found = await find(transaction);
        return found && { ...found, version: seen, caller: await asCaller(found.user, transaction) };
      }),

    /**
     * A change, for this user. `work` is given what the user may do as it is in the transaction that changes: no right
     * that was taken away meanwhile is used once more. null: there is no such user any more, and nothing is changed.
     */
    change: <T>(uid: number, work: (asking: Caller, transaction: Transaction) => Promise<T>): Promise<T | null> =>
      version.change(async (transaction) => {
        const user = await users.find(uid, transaction);
        return user?.enabled ? work(await asCaller(user, transaction), transaction) : null;
      }),
  };
}
export type Directory = ReturnType<typeof createDirectory>;

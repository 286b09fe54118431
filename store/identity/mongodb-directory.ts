import type { Connection } from 'mongoose';
import type { Caller } from '../../domain/identity/caller.js';
import { callerOf } from '../../domain/identity/caller-of.js';
import type { AclRule } from '../../schemas/identity/acl.js';
import type { User } from '../../schemas/identity/user.js';
import { type Transaction, withTransaction } from '../mongo/transaction.js';
import { createAclStore } from './acls.js';
import type { Directory, Seen } from './directory.js';
import { createGroupStore } from './groups.js';
import { createIdentityVersion } from './identity-version.js';
import { createLoginAttempts } from './login-attempts.js';
import { createTokenStore } from './tokens.js';
import { createUserStore } from './users.js';

/** The directory in this zone's own database. */
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

    rulesOf: async (user: User, transaction: Transaction | null): Promise<readonly AclRule[]> =>
      (await asCaller(user, transaction)).rules,

    look: <Found extends { user: User }>(
      find: (transaction: Transaction) => Promise<Found | null>,
    ): Promise<(Found & Seen) | null> =>
      withTransaction(connection, async (transaction) => {
        const seen = await version.within(transaction);
        const found = await find(transaction);
        return found && { ...found, version: seen, caller: await asCaller(found.user, transaction) };
      }),

    change: <T>(uid: number, work: (asking: Caller, transaction: Transaction) => Promise<T>): Promise<T | null> =>
      version.change(async (transaction) => {
        const user = await users.find(uid, transaction);
        return user?.enabled ? work(await asCaller(user, transaction), transaction) : null;
      }),
  } satisfies Directory;
}

export type MongodbDirectory = ReturnType<typeof createDirectory>;

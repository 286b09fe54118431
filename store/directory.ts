import type { ClientSession, Connection } from 'mongoose';
import type { Caller } from '../domain/caller.js';
import { callerOf } from '../domain/caller-of.js';
import type { User } from '../schemas/user.js';
import { createGroupStore } from './groups.js';
import { createIdentityVersion } from './identity-version.js';
import { createUserStore } from './users.js';

/** Who there is, and who may do what: what zones of a federation share, each kind behind its own interface. */
export function createDirectory(connection: Connection) {
  const version = createIdentityVersion(connection);
  const users = createUserStore(connection);
  const groups = createGroupStore(connection);

  return {
    version,
    users,
    groups,
    /** The user as one who asks. `session`: of the transaction in which all this is seen at one moment. */
    asCaller: async (user: User, session: ClientSession | null = null): Promise<Caller> =>
      callerOf(user, await groups.byIds(user.groups, session), []),
  };
}
export type Directory = ReturnType<typeof createDirectory>;

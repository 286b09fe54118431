import type { ClientSession, Connection } from 'mongoose';
import { type FederatedPool, federatedFirst } from '../../schemas/kinds.js';
import { sharedRead } from '../mongo/shared-read.js';
import { createTurns } from '../mongo/turns.js';

type IdentityDocument = { _id: 'identity'; version: number; next: Record<FederatedPool, number> };
const only = { _id: 'identity' } as const;

/**
 * One number that rises with every change to who may do what: users, groups, rules, tokens. Each request compares it, so
 * that nothing it is decided by is older than the request, in whatever process the change was made. All changes write
 * the one document, and so exclude each other: what one has read stays true until it commits.
 */
export function createIdentityVersion(connection: Connection) {
  const documents = connection.collection<IdentityDocument>('identity_version');
  const takeTurns = createTurns();

  async function read(session?: ClientSession): Promise<number> {
    const found = await documents.findOne(only, { projection: { version: 1 }, ...(session && { session }) });
    return found?.version ?? 0;
  }

  return {
    /** Asked with each request: one small document, past Mongoose. */
    current: sharedRead(read),

    /** The same within a transaction. */
    within: (session: ClientSession): Promise<number> => read(session),

    /** Makes a change and raises the version, in one transaction. */
    change: <T>(work: (session: ClientSession) => Promise<T>): Promise<T> =>
      takeTurns(['identity'], () =>
        connection.transaction(async (session) => {
          await documents.updateOne(only, { $inc: { version: 1 } }, { session, upsert: true });
          return work(session);
        }),
      ),

    /** An id never given before, within a change. */
    async take(pool: FederatedPool, session: ClientSession): Promise<number> {
      const taken = await documents.findOneAndUpdate(
        only,
        [{ $set: { [`next.${pool}`]: { $add: [{ $ifNull: [`$next.${pool}`, federatedFirst[pool]] }, 1] } } }],
        { session, returnDocument: 'after' },
      );
      if (!taken) throw new Error('an id was taken outside a change');
      return taken.next[pool] - 1;
    },
  };
}
export type IdentityVersion = ReturnType<typeof createIdentityVersion>;

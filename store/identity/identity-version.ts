import type { Connection } from 'mongoose';
import { type FederatedPool, federatedFirst } from '../../schemas/kinds.js';
import { sharedRead } from '../mongo/shared-read.js';
import { type Transaction, within, withTransaction } from '../mongo/transaction.js';
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

  async function read(transaction?: Transaction): Promise<number> {
    const found = await documents.findOne(only, { projection: { version: 1 }, ...within(transaction) });
    return found?.version ?? 0;
  }

  return {
    /** Asked with each request: one small document, past Mongoose. */
    current: sharedRead(read),

    /** The same within a transaction. */
    within: (transaction: Transaction): Promise<number> => read(transaction),

    /** Makes a change and raises the version, in one transaction. */
    change: <T>(work: (transaction: Transaction) => Promise<T>): Promise<T> =>
      takeTurns(['identity'], () =>
        withTransaction(connection, async (transaction) => {
          await documents.updateOne(only, { $inc: { version: 1 } }, { ...within(transaction), upsert: true });
          return work(transaction);
        }),
      ),

    /** An id never given before, within a change. */
    async take(pool: FederatedPool, transaction: Transaction): Promise<number> {
      const taken = await documents.findOneAndUpdate(
        only,
        [{ $set: { [`next.${pool}`]: { $add: [{ $ifNull: [`$next.${pool}`, federatedFirst[pool]] }, 1] } } }],
        { ...within(transaction), returnDocument: 'after' },
      );
      if (!taken) throw new Error('an id was taken outside a change');
      return taken.next[pool] - 1;
    },
  };
}
export type IdentityVersion = ReturnType<typeof createIdentityVersion>;

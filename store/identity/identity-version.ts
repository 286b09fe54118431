import type { Connection } from 'mongoose';
import { type FederatedPool, federatedFirst } from '../../schemas/kinds.js';
import { sharedRead } from '../mongo/shared-read.js';
import { type Transaction, within, withTransaction } from '../mongo/transaction.js';
import { createTurns } from '../mongo/turns.js';

type IdentityDocument = { _id: 'identity'; version: number; next: Record<FederatedPool, number> };
const only = { _id: 'identity' } as const;

/** The version of the directory: all changes write the one document, and so exclude each other. */
export function createIdentityVersion(connection: Connection) {
  const documents = connection.collection<IdentityDocument>('identity_version');
  const takeTurns = createTurns();

  async function read(transaction?: Transaction): Promise<number> {
    const found = await documents.findOne(only, { projection: { version: 1 }, ...within(transaction) });
    return found?.version ?? 0;
  }

  return {
    /** One small document, past Mongoose. */
    current: sharedRead(read),

    within: (transaction: Transaction): Promise<number> => read(transaction),

    change: <T>(work: (transaction: Transaction) => Promise<T>): Promise<T> =>
      takeTurns(['identity'], () =>
        withTransaction(connection, async (transaction) => {
          await documents.updateOne(only, { $inc: { version: 1 } }, { ...within(transaction), upsert: true });
          return work(transaction);
        }),
      ),

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

import type { ClientSession, Connection } from 'mongoose';

/**
 * Writes that come about together or not at all, and reads that see them. Other rooms hand it on from one method of the store
 * to the next; what it is to MongoDB only the store knows.
 */
export class Transaction {
  readonly #session: ClientSession;

  constructor(session: ClientSession) {
    this.#session = session;
  }

  static sessionOf(transaction: Transaction): ClientSession {
    return transaction.#session;
  }
}

/** Runs work as one transaction: again from its beginning when another one has written what it writes. */
export const withTransaction = <T>(
  connection: Connection,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> => connection.transaction((session) => work(new Transaction(session)));

/**
 * Reads that all see the same moment, of however much there is: not as a transaction, which MongoDB would end after a few
 * seconds, and which would go on from its beginning.
 */
export async function atOneMoment<T>(connection: Connection, read: (moment: Transaction) => Promise<T>): Promise<T> {
  const session = await connection.startSession({ snapshot: true });
  try {
    return await read(new Transaction(session));
  } finally {
    await session.endSession();
  }
}

/** What a query of Mongoose is told by `session()`; null: it is in no transaction. */
export const sessionOf = (transaction: Transaction | null | undefined): ClientSession | null =>
  transaction ? Transaction.sessionOf(transaction) : null;

/** The same among the options of a call; without a transaction, none. */
export const within = (transaction: Transaction | null | undefined): { session?: ClientSession } =>
  transaction ? { session: Transaction.sessionOf(transaction) } : {};

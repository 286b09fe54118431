import type { Connection } from 'mongoose';
import { kinds, type OwnedKind } from '../schemas/kinds.js';
import { type Transaction, within, withTransaction } from './mongo/transaction.js';
import { createTurns } from './mongo/turns.js';
import type { OwnedObject } from './owned-objects.js';

/**
 * Edits of one document by people. Each is a transaction that begins by a write to the document which always changes it:
 * of two edits that meet, whatever they change, one goes again and sees what the other has done. So what `work` has read
 * of the document, compared and decided stays true until it is written. It may be run more than once.
 */
export function createEdits(connection: Connection) {
  const takeTurns = createTurns();

  /** null: there is no such object. */
  return <K extends OwnedKind, R>(
    kind: K,
    id: number,
    work: (present: OwnedObject<K>, transaction: Transaction) => Promise<R>,
  ): Promise<R | null> =>
    takeTurns([`${kind}/${id}`], () =>
      withTransaction(connection, async (transaction) => {
        const documents = connection.collection<{ _id: number; edits?: number }>(kinds[kind].collection);
        await documents.updateOne({ _id: id }, { $inc: { edits: 1 } }, within(transaction));
        const present = await documents.findOne<OwnedObject<K>>({ _id: id }, within(transaction));
        return present && work(present, transaction);
      }),
    );
}

import type { ClientSession, Connection, Model } from 'mongoose';
import { createTurns } from './turns.js';

/**
 * Edits of one document by people. Each is a transaction that begins by a write to the document which always changes it:
 * of two edits that meet, whatever they change, one goes again and sees what the other has done. So what `work` has read
 * of the document, compared and decided stays true until it is written. It may be run more than once.
 */
export function createEdits(connection: Connection) {
  const takeTurns = createTurns();

  /** null: there is no such document. */
  return <T extends { _id: number }, R>(
    model: Model<T>,
    id: number,
    work: (present: T, session: ClientSession) => Promise<R>,
  ): Promise<R | null> =>
    takeTurns([`${model.collection.name}/${id}`], () =>
      connection.transaction(async (session) => {
        const documents = connection.collection<{ _id: number; edits?: number }>(model.collection.name);
        await documents.updateOne({ _id: id }, { $inc: { edits: 1 } }, { session });
        const present = await model.findById(id).session(session).lean<T>().exec();
        return present && work(present, session);
      }),
    );
}
export type Edits = ReturnType<typeof createEdits>;

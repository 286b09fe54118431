import type { Model } from 'mongoose';
import { looksOf } from '../../domain/identity/looks.js';
import type { Index } from '../mongo/model.js';
import { type Transaction, within } from '../mongo/transaction.js';

/** What names may be read as is written beside them, so that those that look alike are found by it. */
export const lookIndex: Index = { fields: { looks: 1 } };

type Named = { _id: number; name: string; looks?: string[] };
type Collection = Pick<Model<unknown>, 'db' | 'collection'>;

const namesIn = (model: Collection) => model.db.collection<Named>(model.collection.name);

/** A document, or a change of one, with what its name may be read as. */
export const withLooks = <T extends { name?: string }>(written: T): T & { looks?: string[] } =>
  written.name === undefined ? written : { ...written, looks: looksOf(written.name) };

/** One other than `itself` whose name looks like this one; null: there is none. */
export const lookAlike = (
  model: Collection,
  name: string,
  itself: number | null,
  transaction: Transaction,
): Promise<Named | null> =>
  namesIn(model).findOne(
    { looks: { $in: looksOf(name) }, ...(itself !== null && { _id: { $ne: itself } }) },
    { ...within(transaction), projection: { name: 1 } },
  );

/** Writes it beside names from before, or from before the table of what looks alike was this one. */
export async function noteLooks(model: Collection): Promise<void> {
  for await (const { _id, name, looks } of namesIn(model).find({}, { projection: { name: 1, looks: 1 } })) {
    const now = looksOf(name);
    // Of one that is renamed meanwhile, whoever renames it writes this, too.
    if (looks?.join('\n') !== now.join('\n')) await namesIn(model).updateOne({ _id, name }, { $set: { looks: now } });
  }
}

import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import type { Directory } from '../../store/identity/directory.js';
import type { Transaction } from '../../store/mongo/transaction.js';

/** A change for this caller, with the rights that the caller has when it is written. */
export async function changeDirectory<T>(
  directory: Directory,
  { id }: Caller,
  work: (asking: Caller, transaction: Transaction) => Promise<T>,
): Promise<T> {
  const done = await directory.change(id, async (asking, transaction) => ({ result: await work(asking, transaction) }));
  if (!done) throw new Problem('not_authenticated', 'You have been disabled or removed.');
  return done.result;
}

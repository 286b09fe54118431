import type { ClientSession } from 'mongoose';
import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import type { Directory } from '../../store/identity/directory.js';

/** A change for this caller, with the rights that the caller has when it is written. */
export async function changeDirectory<T>(
  directory: Directory,
  { id }: Caller,
  work: (asking: Caller, session: ClientSession) => Promise<T>,
): Promise<T> {
  const done = await directory.change(id, async (asking, session) => ({ result: await work(asking, session) }));
  if (!done) throw new Problem('not_authenticated', 'You have been disabled or removed.');
  return done.result;
}

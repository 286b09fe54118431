import { Problem } from '../domain/problems.js';
import { withArticle } from '../schemas/common/with-article.js';
import { kinds, type UniqueKind } from '../schemas/kinds.js';
import { Taken } from '../store/mongo/taken.js';

/** Runs a write of an object under its name, which its owner has given to no other of the kind, or nobody has. */
export function nameFree<T>(kind: UniqueKind, name: string, write: () => Promise<T>): Promise<T> {
  const { one, unique } = kinds[kind];
  return underFreeName(`${unique === 'owner' ? 'You have' : 'There is'} ${withArticle(one)} "${name}" already.`, write);
}

/** Runs a write under a unique name; `taken` says that another has the name. */
export async function underFreeName<T>(taken: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw error instanceof Taken ? new Problem('name_taken', taken) : error;
  }
}

import { Problem } from '../domain/problems.js';
import { isDuplicateKey } from '../store/mongo/duplicate-key.js';

/** Runs a write under a unique name; `taken` says that another has the name. */
export async function underFreeName<T>(taken: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw isDuplicateKey(error) ? new Problem('name_taken', taken) : error;
  }
}

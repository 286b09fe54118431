import { Problem, problemOf } from '../../domain/problems.js';

/** What Node says of an error of the system: `ENOENT`. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** What was thrown, as an error: whoever aborts may give anything as the reason. */
export const thrown = (value: unknown): Error => (value instanceof Error ? value : new Error(String(value)));

/**
 * An error of a file system as a problem: no room is for whoever decides what to delete, all else may work when it is tried again. Problems and
 * what an abort throws pass as they are. Paths of this machine are not for users: the code says what there is to say.
 */
export function diskFault(error: unknown, signal: AbortSignal, what: string): Error {
  if (problemOf(error) !== undefined || signal.aborted) return thrown(signal.aborted ? signal.reason : error);
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return new Problem('datastore_full', `${what}: there is no room for it (${code}).`, { cause: error });
  if (code?.startsWith('E') === true && !code.startsWith('ERR_'))
    return new Problem('backend_unavailable', `${what}: the file system answers ${code}.`, { cause: error });
  return thrown(error);
}

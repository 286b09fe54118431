import { Problem, problemOf } from '../../../domain/problems.js';
import { thrown } from '../disk-fault.js';

/** What S3 says of an error by its name, such as `NoSuchKey`. */
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

const missing = new Set(['NoSuchKey', 'NotFound', 'NoSuchUpload']);
export const isMissing = (error: unknown): boolean => missing.has(nameOf(error));
/** There is no such bucket. */
export const isNoBucket = (error: unknown): boolean => nameOf(error) === 'NoSuchBucket';
/** What is asked for begins behind the end. */
export const isBehind = (error: unknown): boolean => nameOf(error) === 'InvalidRange';
/** A conditional write found that there is something already. */
export const isThere = (error: unknown): boolean =>
  nameOf(error) === 'PreconditionFailed' || nameOf(error) === 'ConditionalRequestConflict';

/** In words for users; the SDK's own may have the address, and never a secret. All of it may be mended by somebody, and is tried again. */
export function s3Fault(error: unknown, signal: AbortSignal, what: string): Error {
  if (signal.aborted) return thrown(signal.reason);
  if (problemOf(error) !== undefined) return thrown(error);
  if (error instanceof Error && ('$metadata' in error || 'code' in error || error.name === 'TimeoutError'))
    return new Problem('backend_unavailable', `${what}: S3 answers ${nameOf(error) || 'nothing'}.`, { cause: error });
  return thrown(error);
}

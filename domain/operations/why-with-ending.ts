import type { Operation } from '../../schemas/operations/operation.js';
import { isOpen } from '../operation-states.js';

/** What is said of one that was carried out, with what has come of that. */
export function whyWithEnding(why: string, ending: Pick<Operation, 'state' | 'error'> | undefined): string {
  if (!ending || ending.state === 'succeeded') return why;
  if (isOpen(ending)) return `${why}, which goes on`;
  const { state, error } = ending;
  return state === 'cancelled'
    ? `${why}, which was cancelled`
    : `${why}, which has failed: ${error?.detail ?? 'nobody knows why'}`;
}

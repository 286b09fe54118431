import { Refusal, Unreachable } from './errors.js';
import type { Again, Lost } from './manner.js';

/** Asks until there is an answer, or the tries are over. A signal that ends a pause throws its reason. */
export async function repeated<T>(
  ask: () => Promise<T>,
  { pauses, lost }: Again,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (const pause of pauses) {
    try {
      return await ask();
    } catch (error) {
      if (!isLost(error)) throw error;
      lost?.(error, pause);
      await rest(pause, signal);
    }
  }
  try {
    return await ask();
  } catch (error) {
    if (isLost(error)) lost?.(error, null);
    throw error;
  }
}

/** What a server says by its certificate or its protocol it says the next time, too. */
const isLost = (error: unknown): error is Lost =>
  error instanceof Unreachable
    ? error.reason === 'silent' || error.reason === 'late' || error.reason === 'broken_off'
    : error instanceof Refusal && error.status === 503;

/** Waits so long; throws the reason of the signal that ends it. */
export async function rest(pause: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal?.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, pause);
    signal?.addEventListener('abort', end);
  });
  signal?.throwIfAborted();
}

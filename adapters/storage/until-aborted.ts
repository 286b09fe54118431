import { thrown } from './disk-fault.js';

/**
 * What an iterable gives, until the signal aborts: then it throws the signal's reason, however long the next piece would take. The iterable is told to end,
 * and not waited for.
 */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  signal.throwIfAborted();
  const iterator = source[Symbol.asyncIterator]();
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(thrown(signal.reason));
    signal.addEventListener('abort', stop, { once: true });
  });
  // It is raced with what comes; when nothing is awaited, nobody else hears it.
  aborted.catch(() => {});
  let ended = false;
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted]);
      ended = next.done === true;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
    if (!ended) {
      const over = iterator.return?.();
      if (signal.aborted) over?.catch(() => {});
      else await over?.catch(() => {});
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between two tellings of one. */
const pause = 500;

export type Pace = (key: string, tell: () => Promise<unknown>) => Promise<void>;

/**
 * Tells at once, and whatever is to be told soon after that one time for all, half a second later: however often somebody is
 * told the same, a run of the engine has few signals of it. What a process that ends has not told any more is found by whoever
 * waits for it, who looks again by himself after a while.
 */
export function createPace(onFailed: (error: unknown) => void): Pace {
  const again = new Map<string, (() => Promise<unknown>) | null>();
  return async (key: string, tell: () => Promise<unknown>): Promise<void> => {
    if (again.has(key)) {
      again.set(key, tell);
      return;
    }
    again.set(key, null);
    void (async () => {
      for (;;) {
        await sleep(pause, undefined, { ref: false });
        const next = again.get(key);
        if (!next) break;
        again.set(key, null);
        await next().catch(onFailed);
      }
      again.delete(key);
    })();
    await tell().catch(onFailed);
  };
}

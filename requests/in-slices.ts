import { setImmediate as nextTurn } from 'node:timers/promises';

/** Milliseconds that a slice takes at least: others are to wait for a few times that at most. */
const slice = 10;

/**
 * Does some work on each of many things, one after the other, and lets whatever else waits for this process go on in between
 * when it takes long. What becomes of one thing must be short.
 */
export async function inSlices<T, R>(things: readonly T[], work: (thing: T, at: number) => R): Promise<R[]> {
  const results: R[] = [];
  let begin = performance.now();
  for (const [at, thing] of things.entries()) {
    results.push(work(thing, at));
    if (performance.now() - begin < slice) continue;
    await nextTurn();
    begin = performance.now();
  }
  return results;
}

/** Does a work bit by bit, and lets others come in between in the same way. */
export async function bitByBit<T>(work: Generator<void, T>): Promise<T> {
  for (let begin = performance.now(); ; ) {
    const { done, value } = work.next();
    if (done) return value;
    if (performance.now() - begin < slice) continue;
    await nextTurn();
    begin = performance.now();
  }
}

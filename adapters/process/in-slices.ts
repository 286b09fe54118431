/** How long a piece of computing may keep others of this process waiting, in milliseconds. */
const slice = 10;

const waiting: (() => void)[] = [];

/**
 * Lets whatever else there is to do come in between: heartbeats, other steps and requests, health checks. Of all that wait
 * for that in this process one goes on at a time, or the slices of fifty of them would be one.
 */
export function giveWay(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(goOn);
  });
}

function goOn(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(goOn);
}

/** Does a work bit by bit, and gives way in between. */
export async function inSlices<T>(work: Generator<void, T>): Promise<T> {
  for (let until = performance.now() + slice; ; ) {
    const { done, value } = work.next();
    if (done) return value;
    if (performance.now() < until) continue;
    await giveWay();
    until = performance.now() + slice;
  }
}

/** Does some work on each of many things, one after the other. What becomes of one thing must be short. */
export const eachInSlices = <T, R>(things: readonly T[], work: (thing: T, at: number) => R): Promise<R[]> =>
  inSlices(oneByOne(things, work));

function* oneByOne<T, R>(things: readonly T[], work: (thing: T, at: number) => R): Generator<void, R[]> {
  const results: R[] = [];
  for (const [at, thing] of things.entries()) {
    results.push(work(thing, at));
    yield;
  }
  return results;
}

/** Begins a work on each of many things, all of which are then under way together; beginning them may take long by itself. */
export async function begunInSlices<T>(things: readonly T[], begin: (thing: T) => Promise<void>): Promise<void> {
  const begun: Promise<void>[] = [];
  let until = performance.now() + slice / 2;
  for (const thing of things) {
    if (performance.now() >= until) {
      await giveWay();
      until = performance.now() + slice / 2;
    }
    begun.push(begin(thing));
  }
  await Promise.all(begun);
}

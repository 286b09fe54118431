import { setImmediate } from 'node:timers/promises';

/** How long a piece of computing may keep others of this process waiting, in milliseconds. */
const slice = 10;

/** Does a work bit by bit, and lets others come in between: heartbeats, other steps, health checks. */
export async function inSlices<T>(work: Generator<void, T>): Promise<T> {
  for (let until = performance.now() + slice; ; ) {
    const { done, value } = work.next();
    if (done) return value;
    if (performance.now() < until) continue;
    await setImmediate();
    until = performance.now() + slice;
  }
}

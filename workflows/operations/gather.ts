import { isCancellation } from '@temporalio/workflow';
import { HistoryFull } from '../signals.js';
import type { StepsInTurn } from './in-turn.js';
import { moment } from './moment.js';

/** How much goes together into one call, at most: it is over soon, and holds the worker's loop for a moment at a time. */
const most = { roles: 100, vms: 500 };

type Asked<Item, Result> = {
  item: Item;
  vms: number;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
};

/**
 * A step on roles, asked for one by one and done for as many at once as have asked when its turn comes. `call` answers in
 * the order in which it is told. When a call fails that was for several, each is tried by itself: what fails for one is no
 * matter of the others.
 */
export function gather<Item, Result>(
  turn: StepsInTurn,
  call: (items: Item[]) => Promise<Result[]>,
): (item: Item, vms: number) => Promise<Result> {
  let waiting: Asked<Item, Result>[] = [];

  return (item, vms) =>
    new Promise<Result>((resolve, reject) => {
      waiting.push({ item, vms, resolve, reject });
      if (waiting.length === 1) void turn(step);
    });

  async function step(): Promise<void> {
    await moment();
    const some = take(waiting);
    waiting = waiting.slice(some.length);
    // Behind whatever else waits for its turn.
    if (waiting.length > 0) void turn(step);
    const failure = await done(some);
    if (failure === null) return;
    const isOfAll = some.length === 1 || isCancellation(failure.error) || failure.error instanceof HistoryFull;
    for (const one of some) {
      const own = isOfAll ? failure : await done([one]);
      if (own) one.reject(own.error);
    }
  }

  async function done(some: readonly Asked<Item, Result>[]): Promise<{ error: unknown } | null> {
    try {
      const results = await call(some.map(({ item }) => item));
      for (const [at, { resolve, reject }] of some.entries()) {
        const result = results[at];
        if (result === undefined) reject(new Error('a step has left out a role'));
        else resolve(result);
      }
      return null;
    } catch (error) {
      return { error };
    }
  }
}

/** The first of those that wait, as many as go together; one at least. */
function take<A extends { vms: number }>(waiting: readonly A[]): A[] {
  let vms = 0;
  const end = waiting.findIndex((asked, at) => {
    vms += asked.vms;
    return at > 0 && (at >= most.roles || vms > most.vms);
  });
  return waiting.slice(0, end < 0 ? waiting.length : end);
}

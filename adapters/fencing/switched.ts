import { setTimeout as sleep } from 'node:timers/promises';
import { Problem, problemOf } from '../../domain/problems.js';
import { abortedAfter } from '../../schemas/common/aborted-after.js';
import type { Power } from './port.js';

/** What turns one host off and on. Both throw `not_fenced` with a reason that does not name it; what else they throw is nobody's fault but ours. */
export type Switch = {
  /** As it is named in what is said of it. */
  name: string;
  /** null: it is neither yet, and on its way. */
  read(signal: AbortSignal): Promise<Power | null>;
  /** Asks for it; what comes of that is read. */
  ask(power: Power, signal: AbortSignal): Promise<void>;
};

/** Milliseconds between one look at whether it has come to it and the next. */
const pause = 500;

/**
 * Has it come to that within so many seconds: what is so already is left alone, and what refuses is looked at once more, for others may have been
 * quicker. A look that fails once it was asked says nothing, and is repeated as long as there is time.
 */
export const switched = (it: Switch, power: Power, timeout: number, signal: AbortSignal): Promise<void> =>
  inTime(it, timeout, signal, async (within) => {
    if ((await it.read(within)) === power) return;
    const refusal = await reasonOf(it.ask(power, within));
    for (;;) {
      const seen: { power: Power | null; why: string } = await it.read(within).then(
        (now) => ({ power: now, why: `it is not ${power} yet` }),
        (error: unknown) => ({ power: null, why: reasonIn(error) }),
      );
      if (seen.power === power) return;
      if (refusal !== null && seen.power !== null) throw new Problem('not_fenced', refusal);
      await sleep(pause, undefined, { signal: within }).catch(() => {
        throw new Problem('not_fenced', refusal ?? seen.why);
      });
    }
  });

/** Whether it has power, as soon as that is known. */
export const readPower = (it: Switch, timeout: number, signal: AbortSignal): Promise<Power> =>
  inTime(it, timeout, signal, async (within) => {
    for (;;) {
      const now = await it.read(within);
      if (now !== null) return now;
      await sleep(pause, undefined, { signal: within });
    }
  });

/** What failed, if it said so itself. */
function reasonIn(error: unknown): string {
  const problem = problemOf(error);
  if (problem?.code !== 'not_fenced') throw error;
  return problem.message;
}

const reasonOf = (asked: Promise<void>): Promise<string | null> => asked.then(() => null, reasonIn);

/** What ended it is said in its name: its own reason, that it took too long, or that it was stopped. */
async function inTime<T>(
  it: Switch,
  timeout: number,
  signal: AbortSignal,
  work: (within: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const within = abortedAfter(signal, timeout * 1_000);
  try {
    return await work(within);
  } catch (error) {
    const problem = problemOf(error);
    if (!within.aborted && problem?.code !== 'not_fenced') throw error;
    const reason = problem?.code === 'not_fenced' ? [problem.message] : [];
    const ended = signal.aborted ? ['it was stopped'] : within.aborted ? [`it did not end within ${timeout} s`] : [];
    throw new Problem('not_fenced', `${it.name}: ${[...ended, ...reason].join(': ')}`);
  }
}

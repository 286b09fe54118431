import { setTimeout as sleep } from 'node:timers/promises';
import type { Trust } from '../../client/node/trusting-fetch.js';
import { probeHttp } from '../servers/await-ready.js';
import type { Supervised, Supervisor } from './supervisor.js';

export type AnswerTimes = {
  /** Milliseconds between an answer and the next question. */
  pause?: number;
  /** Milliseconds that one question waits for its answer. */
  wait?: number;
  /** Questions in a row without an answer after which the process counts as hung. */
  misses?: number;
};

/**
 * Watches over a process that answers HTTP: kills one that has answered before and then does not for half a minute, whatever
 * it does meanwhile (it turns in a circle, it was stopped, it waits for ever). Being kept, it is started again. Questions are
 * counted, not the clock: a machine that sleeps, or has no time for this process either, makes one that is late, not many.
 */
export async function watchAnswers(
  supervisor: Supervisor,
  process: Supervised,
  url: string,
  { trust, pause = 2_000, wait = 5_000, misses = 6 }: AnswerTimes & { trust?: Trust | undefined } = {},
): Promise<void> {
  let [heard, missed] = [0, 0];
  while (!supervisor.isStopping) {
    const { pid } = process.current();
    const answered = await probeHttp(url, { trust, patience: wait }).then(
      () => true,
      // Refused is answered late: nothing listens, which is the business of whoever starts it.
      (error: unknown) => !isSilence(error),
    );
    if (answered) [heard, missed] = [pid, 0];
    else if (heard === pid && process.current().pid === pid && ++missed >= misses) {
      missed = 0;
      await supervisor.restart(process, `has not answered for ${(misses * wait) / 1_000} s`);
    }
    await sleep(answered ? pause : 0, undefined, { ref: false });
  }
}

/** Nothing came in time. An error status, and a connection that is refused or cut off, are answers of a kind. */
const isSilence = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'TimeoutError' || isSilence(error.cause));

import { setTimeout as sleep } from 'node:timers/promises';
import { fetchTrusting, type Trust } from '../../client/node/trusting-fetch.js';
import type { Child } from '../processes/children.js';
import { Obstacle, reasonOf } from '../processes/obstacle.js';

/** The child ended before it was ready. */
export class EndedEarly extends Obstacle {}

/**
 * Repeats `probe` until it does not throw, and returns what it answers. Throws an Obstacle when the child ends first, or
 * after `patience` milliseconds.
 */
export async function awaitReady<T>(child: Child, log: string, patience: number, probe: () => Promise<T>): Promise<T> {
  const until = Date.now() + patience;
  for (;;) {
    try {
      const answer = await probe();
      // Else something else has answered in its place.
      if (!child.hasEnded()) return answer;
      throw new Error('it has ended');
    } catch (error) {
      if (child.hasEnded())
        throw new EndedEarly(`${child.name} ended while starting (${await child.ended}): its log is ${log}`);
      if (Date.now() > until)
        throw new Obstacle(
          `${child.name} does not answer after ${patience / 1000} s (${reasonOf(error)}): its log is ${log}`,
        );
      await sleep(50);
    }
  }
}

/**
 * Throws unless the address answers with success within `patience` milliseconds, to whoever brings the token where it asks
 * for one; over TLS it believes whom `trust` names.
 */
export async function probeHttp(
  url: string,
  { token, trust, patience = 2_000 }: { token?: string | undefined; trust?: Trust | undefined; patience?: number } = {},
): Promise<void> {
  const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  const response = await fetchTrusting(trust)(url, { headers, signal: AbortSignal.timeout(patience) });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`answered ${response.status}`);
}

import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What independent clients saw: milliseconds from when each request was due until its whole answer was there. */
export type Seen = {
  latencies: number[];
  /** Answers other than 200, by status; `0`: no answer. */
  failures: Map<number, number>;
  /** Milliseconds by which each request left later than it was due: the generator's own delay, part of its latency. */
  lateness: number[];
};

export type Load = {
  /** Requests a second, on average: gaps are exponential, as between clients who know nothing of each other. */
  rate: number;
  seconds: number;
  headers: Record<string, string>;
  /** The address of the n-th request. */
  url: (index: number) => string;
  /** Where in the sequence of gaps to begin: the same seed gives the same arrivals. */
  seed: number;
};

/**
 * An open loop: a request leaves when it is due, whether those before it were answered or not, and its latency counts
 * from then. Generators such as autocannon or wrk are closed loops: a connection waits for its answer before it asks
 * again, so that a server that stalls is asked less and its stall is seen once, not by all who came meanwhile.
 */
export async function openLoop({ rate, seconds, headers, url, seed }: Load): Promise<Seen> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const seen: Seen = { latencies: [], failures: new Map(), lateness: [] };
  const random = randomFrom(seed);
  const asked: Promise<void>[] = [];
  const begin = performance.now();
  let due = begin;
  for (let index = 0; due < begin + seconds * 1_000; index++) {
    due += (-Math.log(1 - random()) / rate) * 1_000;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    seen.lateness.push(Math.max(0, performance.now() - due));
    asked.push(ask(agent, url(index), headers, due, seen));
  }
  await Promise.all(asked);
  agent.destroy();
  return seen;
}

function ask(agent: Agent, url: string, headers: Record<string, string>, due: number, seen: Seen): Promise<void> {
  return new Promise((resolve) => {
    const end = (status: number) => {
      seen.latencies.push(performance.now() - due);
      if (status !== 200) seen.failures.set(status, (seen.failures.get(status) ?? 0) + 1);
      resolve();
    };
    const call = request(url, { agent, headers }, (response) => {
      response.resume();
      response.once('end', () => end(response.statusCode ?? 0));
      response.once('error', () => end(0));
    });
    call.once('error', () => end(0));
    call.end();
  });
}

/** mulberry32: small, and good enough for gaps between requests. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

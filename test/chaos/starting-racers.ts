import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import { built } from '../../adapters/process/checkout.js';
import { TurnDone } from './racer.js';

/** A process that takes turns in a race. */
export class Racer {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #turns = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    // As many turns as a test likes wait for its end.
    child.setMaxListeners(0);
    child.on('message', (message) => {
      const { turn, result } = TurnDone.parse(message);
      this.#waiting.get(turn)?.(result);
      this.#waiting.delete(turn);
    });
  }

  /** Starts a compiled module of this folder, such as `take-roles.js`, on a database; resolves when it is connected. */
  static async start(module: string, databaseUri: string): Promise<Racer> {
    const child = fork(built(`test/chaos/${module}`), [], {
      execArgv: ['--enable-source-maps'],
      env: { ...process.env, ARCUS_MONGODB_URI: databaseUri },
    });
    onTestFinished(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    const early = once(child, 'exit').then(([code]) => {
      throw new Error(`${module} ended with ${code}`);
    });
    early.catch(() => {});
    await Promise.race([once(child, 'message'), early]);
    return new Racer(child);
  }

  /** Ends it in the middle of whatever it does. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** One turn, begun `after` milliseconds; rejects when the process ends before it answers. */
  play<T extends z.ZodType>(answer: T, after: number, task: unknown): Promise<z.infer<T>> {
    const turn = this.#turns++;
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error('the process has ended in the middle of its turn'));
      this.#child.once('exit', ended);
      this.#waiting.set(turn, (result) => {
        this.#child.off('exit', ended);
        resolve(answer.parse(result));
      });
      this.#child.send({ turn, after, task });
    });
  }
}

/** Does work for every number below `count`, so many at a time. */
export async function inLanes(count: number, lanes: number, work: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < count; at = next++) await work(at);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

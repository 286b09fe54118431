import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { built } from '../../adapters/process/checkout.js';

export type Output = { process: ChildProcess; pid: number; text: () => string; exit: Promise<number | null> };

/** Runs a command and collects what it prints, on both streams. It is killed when the test has finished. */
export function launch(command: string, args: readonly string[], environment: Record<string, string> = {}): Output {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  // Not `close`: a grandchild that lives on would keep the pipes open.
  const ended = new Promise((resolve) => child.on('exit', resolve));
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  return { process: child, pid: child.pid ?? 0, text: () => text, exit };
}

/** Runs a compiled module of this checkout, such as `test/runtime/hold-home.js`. */
export const launchBuilt = (module: string, args: readonly string[] = [], environment: Record<string, string> = {}) =>
  launch(process.execPath, ['--enable-source-maps', built(module), ...args], environment);

/** Milliseconds between two looks: few while it may come at any moment, then a tenth of what it has taken so far. */
const pause = { least: 25, most: 500 };

/**
 * Looks again and again until `probe` answers something other than undefined or false; gives up after `patience`
 * milliseconds. A look costs whoever is looked at: one every 25 ms took more of the machine than the work that was waited for.
 */
export async function eventually<T>(probe: () => T | Promise<T>, patience = 300_000): Promise<NonNullable<T>> {
  for (const since = Date.now(); ; ) {
    const seen = await probe();
    if (seen !== undefined && seen !== null && seen !== false) return seen;
    const waited = Date.now() - since;
    if (waited > patience) throw new Error(`not seen within ${patience / 1000} s`);
    await sleep(Math.min(Math.max(pause.least, waited / 10), pause.most));
  }
}

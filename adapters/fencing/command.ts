import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Automatic } from '../../domain/hosts/fencing-methods.js';
import { Problem } from '../../domain/problems.js';
import { abortedAfter } from '../../schemas/common/aborted-after.js';
import type { FencedHost, Power } from './port.js';
import { saidBy } from './said.js';

type Command = Extract<Automatic, { kind: 'command' }>;

/** Bytes of what a program writes that are kept, for whoever reads why it has failed. */
const most = 4_000;

/**
 * A program of a directory that operators fill: `program [argument …] off|on|status <host>`, with the id of the host in ARCUS_HOST_ID. It has no
 * shell, and of this process's environment PATH alone. It has done what it was asked when it ends with 0; the last line of what it writes then
 * says of its status `on` or `off`.
 */
export function commandOf(directory: string | undefined, host: FencedHost, method: Command) {
  const { program } = method;
  const failed = (why: string): Problem => new Problem('not_fenced', `${program} ${why}`);
  return {
    async status(signal: AbortSignal): Promise<Power> {
      const said = await run(directory, host, method, 'status', signal);
      const last = said.trim().split('\n').at(-1)?.trim();
      if (last === 'on' || last === 'off') return last;
      throw failed(`said neither on nor off when it was asked for the status${last ? `: ${saidBy(said, [])}` : ''}`);
    },
    async turn(power: Power, signal: AbortSignal): Promise<void> {
      await run(directory, host, method, power, signal);
    },
  };
}

/** What it has written; it ends with 0 when this resolves. */
function run(
  directory: string | undefined,
  { name, id }: FencedHost,
  { program, arguments: given, timeout }: Command,
  verb: Power | 'status',
  signal: AbortSignal,
): Promise<string> {
  if (directory === undefined)
    throw new Problem('not_fenced', `${program}: this worker has no ARCUS_FENCING_DIRECTORY, so it runs no program.`);
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(join(directory, program), [...given, verb, name], {
      env: { PATH: process.env.PATH ?? '', ARCUS_HOST_ID: String(id) },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Killed with all that it has started.
      detached: true,
    });
    const within = abortedAfter(signal, timeout * 1_000);
    let [written, said] = ['', ''];
    const hear = (chunk: Buffer): void => {
      said = (said + chunk.toString('utf8')).slice(-most);
    };
    child.stdout.on('data', (chunk: Buffer) => {
      written = (written + chunk.toString('utf8')).slice(-most);
      hear(chunk);
    });
    child.stderr.on('data', hear);
    const stop = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    };
    within.addEventListener('abort', stop, { once: true });
    const failed = (why: string): void => {
      within.removeEventListener('abort', stop);
      const words = saidBy(said, []);
      reject(new Problem('not_fenced', `${program} ${why}${words === '' ? '' : `: ${words}`}`));
    };
    child.once('error', (error) => failed(`could not be started (${error.message})`));
    child.once('close', (code, killed) => {
      if (signal.aborted) failed('was stopped');
      else if (within.aborted) failed(`did not end within ${timeout} s`);
      else if (code !== 0) failed(killed === null ? `ended with ${code}` : `was ended by ${killed}`);
      else {
        within.removeEventListener('abort', stop);
        resolve(written);
      }
    });
  });
}

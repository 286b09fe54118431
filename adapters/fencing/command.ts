import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Problem } from '../../domain/problems.js';
import { abortedAfter } from '../../schemas/common/aborted-after.js';
import type { Automatic, FencedHost } from './port.js';

type Command = Extract<Automatic, { kind: 'command' }>;

/** Bytes of what a program writes that are kept, for whoever reads why it has failed. */
const most = 4_000;

/**
 * Runs a program of a directory that operators fill: `program [argument …] off <host>`, with the id of the host in ARCUS_HOST_ID. It has no
 * shell, and of this process's environment PATH alone. It is off when it ends with 0.
 */
export function fencedByCommand(
  directory: string | undefined,
  { name, id }: FencedHost,
  { program, arguments: given, timeout }: Command,
  signal: AbortSignal,
): Promise<void> {
  if (directory === undefined)
    throw new Problem('not_fenced', `${program}: this worker has no ARCUS_FENCING_DIRECTORY, so it runs no program.`);
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(join(directory, program), [...given, 'off', name], {
      env: { PATH: process.env.PATH ?? '', ARCUS_HOST_ID: String(id) },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Killed with all that it has started.
      detached: true,
    });
    const within = abortedAfter(signal, timeout * 1_000);
    let said = '';
    const hear = (chunk: Buffer): void => {
      said = (said + chunk.toString('utf8')).slice(-most);
    };
    child.stdout.on('data', hear);
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
      const words = said.trim().replaceAll(/\s+/g, ' ');
      reject(new Problem('not_fenced', `${program} ${why}${words === '' ? '' : `: ${words}`}`));
    };
    child.once('error', (error) => failed(`could not be started (${error.message})`));
    child.once('close', (code, killed) => {
      if (signal.aborted) failed('was stopped');
      else if (within.aborted) failed(`did not end within ${timeout} s`);
      else if (code !== 0) failed(killed === null ? `ended with ${code}` : `was ended by ${killed}`);
      else {
        within.removeEventListener('abort', stop);
        resolve();
      }
    });
  });
}

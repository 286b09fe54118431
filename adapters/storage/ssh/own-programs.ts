import { relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Problem } from '../../../domain/problems.js';
import type { Files, Machine } from '../machine/machine.js';
import { systemError } from './sftp-status.js';

/** How often it is looked how far a copy is, in milliseconds. */
const looked = 1_000;

/** What SFTP has no words for, by programs of the other machine. */
export function ownPrograms(
  attempt: Machine['attempt'],
  files: Pick<Files, 'stat' | 'remove'>,
  machine: string,
): Pick<Files, 'allocated' | 'copyWithin'> {
  const lacks = (program: string, debian: string): Problem =>
    new Problem(
      'backend_unavailable',
      `${program} is not installed on ${machine}. On Debian: apt-get install ${debian}.`,
    );
  return {
    async allocated(path) {
      const { signal } = new AbortController();
      const given = [path, '-type', 'f', '-exec', 'stat', '-c', '%b %B %n', '{}', '+'];
      const ran = await attempt('find', given, signal, { moves: false });
      if (ran === undefined) throw lacks('find', 'findutils');
      const found = new Map<string, number>();
      for (const line of ran.stdout.split('\n')) {
        const [, blocks, size, name] = /^(\d+) (\d+) (\/.*)$/.exec(line) ?? [];
        if (name !== undefined) found.set(relative(path, name), Number(blocks) * Number(size));
      }
      return found;
    },
    async copyWithin(from, to, onProgress, signal) {
      const { size: total } = await files.stat(from);
      const over = new AbortController();
      const watch = (async () => {
        for (;;) {
          await wait(looked, undefined, { signal: over.signal });
          const found = await files.stat(to).catch(() => ({ size: 0 }));
          onProgress({ phase: 'copy', done: Math.min(found.size, total), total });
        }
      })();
      watch.catch(() => {});
      try {
        const ran = await attempt('cp', ['--reflink=auto', '--sparse=always', '--', from, to], signal, { moves: true });
        if (ran === undefined) throw lacks('cp', 'coreutils');
        if (/no space left|quota exceeded/i.test(ran.stderr)) throw systemError('ENOSPC', 'cp');
        if (ran.exitCode === 0) {
          onProgress({ phase: 'copy', done: total, total });
          return true;
        }
        // One that knows less than GNU's, or may not read it: what reads and writes says what is wrong.
        await files.remove(to);
        return false;
      } finally {
        over.abort();
      }
    },
  };
}

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './processes.js';

/** Programs, in a directory for `PATH`, that stand still before a word that they are told, until they are let on: as whoever told them would, had he been frozen there. */
export class FrozenPrograms {
  readonly path: string;

  constructor(
    readonly directory: string,
    ...programs: readonly string[]
  ) {
    this.path = `${join(directory, 'bin')}:${process.env.PATH}`;
    mkdirSync(join(directory, 'bin'));
    for (const program of programs) {
      const real = execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
      const text = `#!/bin/sh
for word in "$@"; do
  if mv ${directory}/freeze-$word ${directory}/frozen-$word 2>/dev/null; then
    echo $$ > ${directory}/frozen-$word
    while [ -e ${directory}/frozen-$word ]; do sleep 0.05; done
  fi
done
exec ${real} "$@"
`;
      writeFileSync(join(directory, 'bin', program), text, { mode: 0o755 });
    }
  }

  /** The next who is told this word stands still. `reached`: resolves when somebody does; `thaw`: lets him on, and resolves when he has ended. */
  freeze(word: string): { reached: () => Promise<unknown>; thaw: () => Promise<unknown> } {
    writeFileSync(join(this.directory, `freeze-${word}`), '');
    const frozen = join(this.directory, `frozen-${word}`);
    const pid = (): string => (existsSync(frozen) ? readFileSync(frozen, 'utf8').trim() : '');
    return {
      reached: () => eventually(() => pid() !== ''),
      thaw: () => {
        const its = pid();
        rmSync(frozen);
        return eventually(() => hasEnded(its));
      },
    };
  }
}

/** Nobody may be there who would hear of its end. */
function hasEnded(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return true;
  }
}

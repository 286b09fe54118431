import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { checkout } from '../../../adapters/process/checkout.js';
import { eventually } from '../../support/processes.js';
import { ensurePrograms } from '../../support/programs.js';
import { launchShell, type Program } from '../launch-program.js';
import { type StubApi, startStubApi } from '../stub-api.js';
import { host, page } from '../stub-objects.js';

// Completion as people use it: a shell on a terminal, its start-up as our help says, and the Tab key.

/** Milliseconds that a machine with much else to do may take for one Tab. */

const shells = [
  { shell: 'bash', command: 'bash --norc --noprofile -i', setUp: 'source <(arcus completion bash)' },
  {
    shell: 'zsh',
    command: 'zsh -f -i',
    setUp: 'autoload -Uz compinit && compinit -D && source <(arcus completion zsh)',
  },
  { shell: 'fish', command: 'fish --no-config -i', setUp: 'arcus completion fish | source' },
];

let api: StubApi;
let home: string;
beforeAll(async () => {
  ensurePrograms('shells');
  home = mkdtempSync(join(tmpdir(), 'arcus-shell-'));
  api = await startStubApi();
  api.on('GET /hosts', page(host(0, 'host-1'), host(1, 'host-2'), host(7, 'rack (left)')));
  api.on('GET /hosts/7', { body: host(7, 'rack (left)') });
});
afterAll(async () => {
  rmSync(home, { recursive: true, force: true });
  await api.stop();
});

/** Presses keys; resolves when the terminal has been sent all of these texts since. */
async function type(terminal: Program, keys: string, ...expected: readonly string[]): Promise<void> {
  const before = terminal.out().length;
  const seen = () => stripVTControlCharacters(terminal.out().slice(before));
  terminal.process.stdin?.write(keys);
  await eventually(() => expected.every((text) => seen().includes(text))).catch(() => {
    throw new Error(`after ${JSON.stringify(keys)} there is no ${expected.join(', ')} in ${JSON.stringify(seen())}`);
  });
}

/** Types into a shell of its own that has been set up; ends it. */
async function inNew({ command, setUp }: (typeof shells)[number], keys: string, ...expected: string[]): Promise<void> {
  const path = `${join(checkout, 'bin')}:${process.env.PATH}`;
  const environment = { ...api.environment, HOME: home, PATH: path };
  const terminal = launchShell(command, { columns: 100, environment });
  try {
    await type(terminal, `${setUp}; echo is set'' up\r`, 'is set up');
    await type(terminal, keys, ...expected);
  } finally {
    terminal.process.kill('SIGKILL');
  }
}

describe.each(shells)('Tab in $shell', (shell) => {
  it('completes commands and live names, quotes what is no plain word, and lists where there are several', async () => {
    await Promise.all([
      inNew(shell, 'arcus ho\tsh\tra\t\r', 'HOST 7 INFORMATION'),
      // Readline lists at the second Tab that changes nothing.
      inNew(shell, 'arcus host show ho\t\t\t', 'host-1', 'host-2'),
    ]);
  });
});

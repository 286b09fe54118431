import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { ownDirectory } from '../support/directories.js';
import { filtered, noise } from '../support/disks.js';
import { launchBuilt } from '../support/processes.js';
import { ensurePrograms } from '../support/programs.js';

beforeAll(() => ensurePrograms('disks'));

it.each([
  ['qemu-img', 'qemu-utils', (bytes: Buffer) => bytes],
  ['xz', 'xz-utils', (bytes: Buffer) => filtered('xz', ['-c'], bytes)],
  ['zstd', 'zstd', (bytes: Buffer) => filtered('zstd', ['-q', '-c'], bytes)],
  ['bzip2', 'bzip2', (bytes: Buffer) => filtered('bzip2', ['-c'], bytes)],
])('says plainly that %s is missing, and what to do', async (program, debian, pack) => {
  const base = ownDirectory();
  const file = join(base, 'disk');
  writeFileSync(file, pack(noise(1_000_000)));
  const run = launchBuilt('test/contracts/import-image.js', [join(base, 'store'), 'fs', file, '1', base], {
    PATH: base,
  });
  expect(await run.exit).not.toBe(0);
  expect(run.text()).toContain(`${program} is not installed on this machine`);
  expect(run.text()).toContain(`On Debian: apt-get install ${debian}.`);
});

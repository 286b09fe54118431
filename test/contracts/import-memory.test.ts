import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, it } from 'vitest';
import { ownDirectory } from '../support/directories.js';
import { filtered, noise, onDisk, writeNoise } from '../support/disks.js';
import { launchBuilt } from '../support/processes.js';
import { ensurePrograms } from '../support/programs.js';

const MiB = 1024 ** 2;
beforeAll(() => ensurePrograms('disks'));

/** The most memory that a process had which brought this in. */
async function rssOf(base: string, kind: string, file: string): Promise<number> {
  const run = launchBuilt('test/contracts/import-image.js', [`${file}.${kind}`, kind, file, '1', base]);
  expect(await run.exit, run.text()).toBe(0);
  return Number(/"rss":(\d+)/.exec(run.text())?.[1]);
}

it.each(onDisk)('what is brought in (%s) needs no more memory for more bytes', async (kind) => {
  const base = ownDirectory();
  const [few, many] = [join(base, 'few'), join(base, 'many')];
  writeNoise(few, 16 * MiB);
  writeNoise(many, 256 * MiB);
  expect((await rssOf(base, kind, many)) - (await rssOf(base, kind, few))).toBeLessThan(96 * MiB);
});

it.each([
  ['a program', (bytes: Buffer) => filtered('zstd', ['-1', '-q', '-c'], bytes)],
  ['gunzip', (bytes: Buffer) => gzipSync(bytes, { level: 0 })],
])('nor does what %s unpacks', async (_name, pack) => {
  const base = ownDirectory();
  const [few, many] = [join(base, 'few'), join(base, 'many')];
  writeFileSync(few, pack(noise(16 * MiB)));
  writeFileSync(many, pack(noise(128 * MiB)));
  expect((await rssOf(base, 'fs', many)) - (await rssOf(base, 'fs', few))).toBeLessThan(96 * MiB);
});

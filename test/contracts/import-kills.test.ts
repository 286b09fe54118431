import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { ownDirectory } from '../support/directories.js';
import { onDisk, writeNoise } from '../support/disks.js';
import { ImageServer } from '../support/image-server.js';
import { launchBuilt, type Output } from '../support/processes.js';
import { ensurePrograms } from '../support/programs.js';

const MiB = 1024 ** 2;
/** `npm run test:long` takes more of everything. */
const long = inject('inEveryWay');
const size = (long ? 1_024 : 64) * MiB;
const kills = long ? 20 : 3;

async function sumOf(path: string): Promise<string> {
  const sum = createHash('sha256');
  for await (const chunk of createReadStream(path)) if (chunk instanceof Buffer) sum.update(chunk);
  return sum.digest('hex');
}

/** How far a process says that it is: `fetch 12` is twelve MiB. */
const fetched = ({ text }: Output): number => Number(/(?:.*\n)*fetch (\d+)\n/.exec(text().slice(-200))?.[1] ?? 0);

beforeAll(() => ensurePrograms('disks'));

describe.each(onDisk)('a process that brings an image in (%s), killed again and again,', (kind) => {
  it.each(['path', 'url'] as const)('goes on at the byte (%s)', async (from) => {
    const base = ownDirectory();
    const source = join(base, 'sources');
    mkdirSync(source);
    const file = join(source, 'disk.img');
    writeNoise(file, size);
    const server = await ImageServer.start(readFileSync(file));
    try {
      // So slowly that it can be killed in the middle.
      server.manner = { ranges: true, pace: { bytes: 512 * 1024, rest: 10 } };
      const address = from === 'url' ? server.url() : file;
      const start = (epoch: number) =>
        launchBuilt('test/contracts/import-image.js', [base, kind, address, String(epoch), source]);
      let furthest = 0;
      for (let epoch = 1; epoch <= kills; epoch++) {
        const run = start(epoch);
        const until = furthest + 1 + Math.floor((Math.random() * size) / MiB / kills);
        // Where all has come, while it is checked.
        const isTime = () => fetched(run) >= until || /check \d+\n/.test(run.text().slice(-200));
        run.process.stdout?.on('data', () => isTime() && run.process.kill('SIGKILL'));
        await run.exit;
        expect(run.text()).not.toContain('kept');
        furthest = Math.max(furthest, fetched(run));
      }
      server.manner = { ranges: true };
      const last = start(kills + 1);
      expect(await last.exit, last.text()).toBe(0);
      expect(last.text()).toContain(`"bytes":${size}`);
      expect(last.text()).toContain(await sumOf(file));
      // What was on its way when a process died is sent again, and no more.
      if (from === 'url') expect(server.sent).toBeLessThan(size + kills * 8 * MiB);
      expect(readdirSync(join(base, '1', 'staging'))).toEqual([]);
      if (kind === 'fs') expect(await sumOf(join(base, '1', 'images', '1', 'disk'))).toBe(await sumOf(file));
    } finally {
      await server.close();
    }
  });
});

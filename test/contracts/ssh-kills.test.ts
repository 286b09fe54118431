import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { sshStorage } from '../../adapters/storage/ssh/ssh.js';
import { problemOf } from '../../domain/problems.js';
import { ownDirectory } from '../support/directories.js';
import { noise, writeNoise } from '../support/disks.js';
import { connectionGiven } from '../support/given-connection.js';
import { ImageServer } from '../support/image-server.js';
import { launchBuilt } from '../support/processes.js';
import { ensurePrograms } from '../support/programs.js';
import { sessionsOf } from '../support/ssh-sessions.js';
import { Sshd } from '../support/sshd.js';

const MiB = 1024 ** 2;
const long = inject('inEveryWay');
const { signal } = new AbortController();
const quiet = (): void => {};
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const image = { id: 1, datastore: { id: 1, ds_mad: 'ssh' as const }, epoch: 1 };

let server: Sshd;
beforeAll(async () => {
  ensurePrograms('disks');
  server = await Sshd.start();
});
afterAll(() => server?.stop());

describe('a datastore on another machine', () => {
  it('has the image once, and right, whoever is killed while it is brought there', async () => {
    const size = (long ? 512 : 48) * MiB;
    const kills = long ? 10 : 3;
    const [home, there, source] = [ownDirectory(), ownDirectory(), join(ownDirectory(), 'disk.img')];
    writeNoise(source, size);
    const bytes = readFileSync(source);
    const images = await ImageServer.start(bytes);
    try {
      images.manner = { ranges: true, pace: { bytes: 512 * 1024, rest: 10 } };
      const environment = connectionGiven(server.connection({ directory: there }));
      const start = (epoch: number) =>
        launchBuilt('test/contracts/import-image.js', [home, 'ssh', images.url(), String(epoch)], environment);
      for (let epoch = 1; epoch <= kills; epoch++) {
        const run = start(epoch);
        const until = Math.floor((size / MiB / (kills + 1)) * epoch);
        let at = 0;
        // Now the one who asks, now what it goes through.
        const kill = (): unknown =>
          epoch % 2 === 1
            ? run.process.kill('SIGKILL')
            : sessionsOf(server.port).map((pid) => process.kill(pid, 'SIGKILL'));
        run.process.stdout?.on('data', (text: Buffer) => {
          at = Math.max(at, Number(/fetch (\d+)\n/.exec(text.toString())?.[1] ?? 0));
          if (at >= until) kill();
        });
        expect(await run.exit).not.toBe(0);
        expect(run.text()).not.toContain('kept');
      }
      images.manner = { ranges: true };
      const last = start(kills + 1);
      expect(await last.exit, last.text()).toBe(0);
      expect(last.text()).toContain(sha256(bytes));
      // What had come is not asked for again.
      expect(images.sent).toBeLessThan(size + kills * 8 * MiB);
      expect(sha256(readFileSync(join(there, '1', 'images', '1', 'disk')))).toBe(sha256(bytes));
      expect(readdirSync(join(there, '1', 'staging'))).toEqual([]);
      expect(readdirSync(home)).toEqual([]);
    } finally {
      await images.close();
    }
  });

  it('is full where it is, and not where Arcus is', async ({ skip }) => {
    skip(process.getuid?.() !== 0, 'only root mounts a file system of its own, and no other may be filled');
    const there = join(ownDirectory(), 'small');
    mkdirSync(there);
    execaSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', there]);
    try {
      const storage = sshStorage(ownDirectory(), async () => server.connection({ directory: there }));
      const bytes = noise(16 * MiB);
      async function* all(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes.length; at += MiB) yield bytes.subarray(at, at + MiB);
      }
      const arrival = { offset: 0, bytes: all(), version: null, most: bytes.length, total: bytes.length };
      const code = async (call: Promise<unknown>) =>
        problemOf(
          await call.then(
            () => undefined,
            (error: unknown) => error,
          ),
        )?.code;
      expect(await code(storage.append(image, arrival, quiet, signal))).toBe('datastore_full');
      await storage.remove(image, signal);
      await storage.createEmpty({ ...image, id: 2 }, { format: 'qcow2', size: MiB }, signal);
      expect(await storage.capacity(image.datastore, signal)).toMatchObject({ total: 8 * MiB });
    } finally {
      execaSync('umount', ['--lazy', there]);
    }
  });
});

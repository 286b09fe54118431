import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withContextDisk } from '../../adapters/hypervisor/libvirt/context-disk.js';
import { sshStorage } from '../../adapters/storage/ssh/ssh.js';
import { isLibvirtMissing } from '../support/libvirt-hosts.js';
import { Sshd } from '../support/sshd.js';

const { signal } = new AbortController();

describe.skipIf(process.getuid?.() !== 0 || isLibvirtMissing())(
  'what a guest is told, in a datastore that this machine has not mounted',
  () => {
    const own = mkdtempSync(join(tmpdir(), 'arcus-ssh-context-'));
    const [at, is] = [mkdtempSync(join(own, 'there-')), mkdtempSync(join(own, 'its-'))];
    let server: Sshd;
    beforeAll(async () => {
      server = await Sshd.start([], { at, is });
    });
    afterAll(async () => {
      await server?.stop();
      rmSync(own, { recursive: true, force: true });
    });

    it('is on the CD-ROM that is made of it, and nowhere else when that is done', async () => {
      const connection = server.connection({ directory: at });
      const storage = sshStorage(own, async () => connection);
      const claim = { vm: 1, epoch: 1, datastore: { id: 7, ds_mad: 'ssh' } } as const;
      const script = "WHO='it'\\''s me'\n";
      const big = Buffer.alloc(3_000_000, 'bytes of a file. ');
      const bytes = async function* () {
        yield big;
      };
      const { path, ...more } = await storage.keepContext(
        claim,
        [
          { name: 'context.sh', text: script },
          { name: 'Some File.bin', size: big.length, bytes },
        ],
        signal,
      );
      if (path === null) throw new Error('there is no directory');
      expect([path.startsWith(at), existsSync(path), readdirSync(at)]).toEqual([true, false, []]);
      const before = new Set(readdirSync(tmpdir()));
      const out = join(own, 'out');
      await withContextDisk({ path, ...more }, signal, async (disk) => {
        await execa('xorriso', ['-osirrox', 'on', '-indev', disk?.file ?? '', '-extract', '/', out]);
      });
      expect(readdirSync(out).sort()).toEqual(['Some File.bin', 'context.sh']);
      expect(readFileSync(join(out, 'context.sh'), 'utf8')).toBe(script);
      expect(readFileSync(join(out, 'Some File.bin')).equals(big)).toBe(true);
      const left = readdirSync(tmpdir()).filter((name) => name.startsWith(`arcus-libvirt-${process.pid}-`));
      expect(left.filter((name) => !before.has(name))).toEqual([]);
    });

    it('that somebody has taken away meanwhile makes no CD-ROM', async () => {
      const connection = server.connection({ directory: at });
      const storage = sshStorage(own, async () => connection);
      const claim = { vm: 2, epoch: 1, datastore: { id: 7, ds_mad: 'ssh' } } as const;
      const { path, ...more } = await storage.keepContext(claim, [{ name: 'context.sh', text: 'A=1' }], signal);
      await storage.removeDisks(claim, signal);
      const made = withContextDisk({ path: path ?? '', ...more }, signal, async () => 'made');
      await expect(made).rejects.toMatchObject({ code: 'backend_unavailable' });
    });
  },
);

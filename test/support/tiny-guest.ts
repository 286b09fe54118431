import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildGuest } from '../../runtime/sample/guest-image.js';
import { ensurePrograms } from './programs.js';

/** The kernel and the RAM disk of that guest, and what it is told there: without its boot loader. */
export function tinyKernel(into: string): { kernel: string; ramdisk: string; line: string } {
  const image = tinyGuest();
  const disk = join(into, 'tiny.raw');
  execFileSync('qemu-img', ['convert', '-O', 'raw', image, disk]);
  const [kernel, ramdisk] = ['kernel', 'initrd'].map((name) => {
    execFileSync('mcopy', ['-n', '-i', disk, `::/${name}`, join(into, name)]);
    return join(into, name);
  });
  rmSync(disk);
  return { kernel: kernel ?? '', ramdisk: ramdisk ?? '', line: 'console=ttyS0 quiet panic=5 rdinit=/init' };
}

/** The guest of the sample, of a kernel of Debian’s for clouds: a machine may have none of its own. Made once, and kept. */
export function tinyGuest(): string {
  ensurePrograms('guest');
  const kept = join(tmpdir(), 'arcus-tiny-guest');
  const image = join(kept, 'tiny.qcow2');
  if (existsSync(image)) return image;
  const work = `${kept}.${process.pid}`;
  mkdirSync(work, { recursive: true });
  const run = (program: string, ...words: string[]) =>
    execFileSync(program, words, { cwd: work, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const [, name] =
    /Depends: (linux-image-[0-9]\S*cloud-amd64)$/m.exec(run('apt-cache', 'depends', 'linux-image-cloud-amd64')) ?? [];
  if (name === undefined) throw new Error('there is no kernel for clouds');
  run('apt-get', 'download', name);
  run('sh', '-c', 'dpkg -x linux-image-*.deb root');
  buildGuest(join(work, 'root'), join(work, 'tiny.qcow2'));
  rmSync(join(work, 'root'), { recursive: true });
  mkdirSync(kept, { recursive: true });
  renameSync(join(work, 'tiny.qcow2'), image);
  rmSync(work, { recursive: true });
  return image;
}

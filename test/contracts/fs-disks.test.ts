import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { fsStorage } from '../../adapters/storage/fs/fs.js';
import type { DiskClaim, ImageClaim, Storage } from '../../adapters/storage/port.js';
import { problemOf } from '../../domain/problems.js';
import { fillDisk } from '../chaos/fill-disk.js';
import { ownDirectory } from '../support/directories.js';
import { noise, qcow2Of } from '../support/disks.js';
import { ensurePrograms } from '../support/programs.js';

const MiB = 1024 ** 2;
const { signal } = new AbortController();
const quiet = (): void => {};
const image: ImageClaim = { id: 1, datastore: { id: 1, ds_mad: 'fs' }, epoch: 1 };
const disk: DiskClaim = { vm: 7, disk: 0, datastore: { id: 0, ds_mad: 'fs' }, epoch: 1 };

let base: string;
let storage: Storage;
beforeAll(() => ensurePrograms('disks'));
beforeEach(() => {
  base = ownDirectory();
  storage = fsStorage(base);
});

async function keepImage(bytes: Buffer): Promise<void> {
  async function* all(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  const arrival = { offset: 0, bytes: all(), version: null, most: 256 * MiB, total: bytes.length };
  await storage.append(image, arrival, quiet, signal);
  await storage.keep(image, { content: 'disk', mostBytes: 64 * MiB, mostVirtual: 64 * MiB }, quiet, signal);
}
const bytesOfImage = (id = 1): Buffer => readFileSync(join(base, '1', 'images', String(id), 'disk'));
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const pathOf = (at: DiskClaim): string => storage.pathOf(at) ?? '';

/** What a guest sees of a disk. */
function seenOf(path: string, format: string): Buffer {
  const raw = join(ownDirectory(), 'raw');
  execaSync('qemu-img', ['convert', '-f', format, '-O', 'raw', path, raw]);
  return readFileSync(raw);
}
/** A guest writes this byte to the first 64 KiB. */
const write = (path: string, format: string, byte: number): void =>
  void execaSync('qemu-io', ['-f', format, '-c', `write -P ${byte} 0 64k`, path]);
const writtenTo = (bytes: Buffer, byte: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy.fill(byte, 0, 65_536);
  return copy;
};

describe.each([
  ['raw', (bytes: Buffer) => bytes],
  ['qcow2', (bytes: Buffer) => qcow2Of(bytes)],
] as const)('a disk on a %s image', (format, published) => {
  const content = noise(2 * MiB);
  beforeEach(() => keepImage(published(content)));

  it('has what the image has, and what is written to it is its own', async () => {
    const before = sha256(bytesOfImage());
    await storage.makeDisk(disk, { from: image, way: 'clone', size: null }, signal);
    const other = { ...disk, vm: 8 };
    await storage.makeDisk(other, { from: image, way: 'clone', size: 3 * MiB }, signal);
    expect(statSync(pathOf(disk)).blocks * 512).toBeLessThan(512 * 1024);
    expect(sha256(seenOf(pathOf(disk), 'qcow2'))).toBe(sha256(content));
    write(pathOf(disk), 'qcow2', 0xab);
    expect(sha256(seenOf(pathOf(disk), 'qcow2'))).toBe(sha256(writtenTo(content, 0xab)));
    expect(sha256(bytesOfImage())).toBe(before);
    const larger = Buffer.concat([content, Buffer.alloc(MiB)]);
    expect(sha256(seenOf(pathOf(other), 'qcow2'))).toBe(sha256(larger));
    await storage.growDisk(disk, 4 * MiB, signal);
    expect(seenOf(pathOf(disk), 'qcow2')).toHaveLength(4 * MiB);
    expect(sha256(bytesOfImage())).toBe(before);
  });

  it('says of what format the image is, which no program is to guess', async () => {
    await storage.makeDisk(disk, { from: image, way: 'clone', size: null }, signal);
    const { stdout } = execaSync('qemu-img', ['info', '--output=json', pathOf(disk)]);
    expect(JSON.parse(stdout)).toMatchObject({
      'backing-filename': '../../../../1/images/1/disk',
      'backing-filename-format': format,
    });
  });

  it('is the same where all datastores have been moved to', async () => {
    await storage.makeDisk(disk, { from: image, way: 'clone', size: null }, signal);
    await storage.makeDisk({ ...disk, disk: 1 }, { from: image, way: 'use', size: null }, signal);
    const moved = join(ownDirectory(), 'moved');
    renameSync(base, moved);
    const there = fsStorage(moved);
    expect(sha256(seenOf(there.pathOf(disk) ?? '', 'qcow2'))).toBe(sha256(content));
    expect(sha256(seenOf(there.pathOf({ ...disk, disk: 1 }) ?? '', format))).toBe(sha256(content));
    renameSync(moved, base);
  });

  it('is the image itself where it is used', async () => {
    await storage.makeDisk(disk, { from: image, way: 'use', size: null }, signal);
    write(pathOf(disk), format, 0xcd);
    await storage.removeDisks(disk, signal);
    expect(existsSync(pathOf(disk))).toBe(false);
    expect(sha256(seenOf(join(base, '1', 'images', '1', 'disk'), format))).toBe(sha256(writtenTo(content, 0xcd)));
  });

  it('is saved as it is, on its own, at once and in parts', async () => {
    await storage.makeDisk(disk, { from: image, way: 'clone', size: null }, signal);
    write(pathOf(disk), 'qcow2', 0xef);
    const saved = { ...image, id: 2 };
    const seen: number[] = [];
    await storage.saveDisk(saved, disk, ({ done, total }) => seen.push(done / (total ?? 0)), signal);
    expect(seen.at(-1)).toBe(1);
    const { stdout } = execaSync('qemu-img', ['info', '--output=json', join(base, '1', 'images', '2', 'disk')]);
    expect(JSON.parse(stdout)).not.toHaveProperty('backing-filename');
    await storage.removeDisks(disk, signal);
    await storage.remove(image, signal);
    expect(sha256(seenOf(join(base, '1', 'images', '2', 'disk'), 'qcow2'))).toBe(sha256(writtenTo(content, 0xef)));
  });
});

it('a disk to swap to is one that Linux knows', async () => {
  await storage.makeDisk(disk, { empty: { format: 'raw', size: 8 * MiB }, content: 'swap' }, signal);
  const { stdout } = execaSync('blkid', ['-p', '-o', 'export', pathOf(disk)], { extendEnv: true, preferLocal: false });
  expect(stdout).toMatch(/TYPE=swap/);
  expect(stdout).toMatch(/VERSION=1/);
});

it('a name that is none of ours is told of, and what only fences is not', async () => {
  await storage.removeDisks(disk, signal);
  mkdirSync(join(base, '0', 'vms', '7', '3'));
  writeFileSync(join(base, '0', 'vms', '7', 'notes'), '');
  mkdirSync(join(base, '0', 'vms', 'seven'));
  const { disks, strange } = await storage.inventory(disk.datastore, signal);
  expect(disks).toEqual([]);
  expect(strange).toEqual(['vms/7/notes', 'vms/seven']);
});

it('a disk for which there is no room is not there, and is when there is', async ({ skip }) => {
  skip(process.getuid?.() !== 0, 'only root mounts a file system of its own, and no other may be filled');
  const small = ownDirectory();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small]);
  onTestFinished(() => void execFileSync('umount', ['--lazy', small]));
  storage = fsStorage(small);
  await storage.createEmpty(image, { format: 'qcow2', size: MiB }, signal);
  await storage.makeDisk({ ...disk, disk: 9 }, { from: image, way: 'clone', size: null }, signal);
  const empty = fillDisk(small);
  const wish = { from: image, way: 'clone', size: null } as const;
  const failed = await storage.makeDisk(disk, wish, signal).catch((error: unknown) => problemOf(error)?.code);
  expect(failed).toBe('datastore_full');
  expect(await storage.findDisk(disk, signal)).toBeUndefined();
  empty();
  expect(await storage.makeDisk(disk, wish, signal)).toMatchObject({ virtualSize: MiB });
});

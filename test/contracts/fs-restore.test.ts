import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fsStorage } from '../../adapters/storage/fs/fs.js';
import type { DiskClaim, DiskWish, ImageClaim, OnProgress, Storage } from '../../adapters/storage/port.js';
import { simulatedStorage } from '../../adapters/storage/simulated/simulated.js';
import { problemOf } from '../../domain/problems.js';
import { ownDirectory } from '../support/directories.js';
import { noise, qcow2Of } from '../support/disks.js';
import { ensurePrograms } from '../support/programs.js';

const MiB = 1024 ** 2;
const { signal } = new AbortController();
const quiet = (): void => {};
const datastore = { id: 1, ds_mad: 'fs' } as const;
const image: ImageClaim = { id: 1, datastore, epoch: 1 };
const backup: ImageClaim = { id: 2, datastore, epoch: 1 };
const disk: DiskClaim = { vm: 7, disk: 0, datastore: { id: 0, ds_mad: 'fs' }, epoch: 1 };
const later = { ...disk, epoch: 2 };

const content = noise(2 * MiB);
const saved = noise(MiB);
/** What the guest sees of the disk then: what was saved, and nothing behind it. */
const restored = Buffer.concat([saved, Buffer.alloc(MiB)]);
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

let base: string;
let storage: Storage;
beforeAll(() => ensurePrograms('disks'));
beforeEach(() => {
  base = ownDirectory();
  storage = fsStorage(base);
});

async function keep(claim: ImageClaim, bytes: Buffer, into = storage): Promise<void> {
  async function* all(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  const arrival = { offset: 0, bytes: all(), version: null, most: 256 * MiB, total: bytes.length };
  await into.append(claim, arrival, quiet, signal);
  await into.keep(claim, { content: 'disk', mostBytes: 64 * MiB, mostVirtual: 64 * MiB }, quiet, signal);
}
const restore = (claim = disk, onProgress: OnProgress = quiet, by = signal) =>
  storage.restoreDisk(claim, backup, onProgress, by);
const refusal = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => problemOf(error)?.code ?? String(error),
  );
/** What a guest sees of a disk. */
function seenOf(format: string): string {
  const raw = join(ownDirectory(), 'raw');
  execaSync('qemu-img', ['convert', '-f', format, '-O', 'raw', storage.pathOf(disk) ?? '', raw]);
  return sha256(readFileSync(raw));
}
/** What is in the making, of whichever try. */
const making = (): string[] =>
  readdirSync(base, { recursive: true, encoding: 'utf8' }).filter((path) => /\/(work|restore)\./.test(path));

const ways: [string, 'raw' | 'qcow2', DiskWish][] = [
  ['a clone of an image', 'qcow2', { from: image, way: 'clone', size: null }],
  ['an image itself, raw', 'raw', { from: image, way: 'use', size: null }],
  ['an image itself, qcow2', 'qcow2', { from: image, way: 'use', size: null }],
  ['an empty raw one', 'raw', { empty: { format: 'raw', size: 2 * MiB }, content: 'none' }],
  ['an empty qcow2', 'qcow2', { empty: { format: 'qcow2', size: 2 * MiB }, content: 'none' }],
];
describe.each(ways)('a disk that is %s', (_what, format, wish) => {
  beforeEach(async () => {
    await keep(image, format === 'qcow2' ? qcow2Of(content) : content);
    await keep(backup, format === 'qcow2' ? saved : qcow2Of(saved));
    await storage.makeDisk(disk, wish, signal);
  });

  it('becomes as an image, in its format and as large as it was, however often it is asked, and stands on nothing', async () => {
    const seen: number[] = [];
    const is = { format, virtualSize: 2 * MiB };
    expect(await restore(disk, ({ done, total }) => seen.push(done / (total ?? 0)))).toEqual(is);
    expect(seen.at(-1)).toBe(1);
    for (const claim of [disk, later]) expect(await restore(claim)).toEqual(is);
    expect(seenOf(format)).toBe(sha256(restored));
    expect(making()).toEqual([]);
    if ('empty' in wish || wish.way === 'clone') await storage.remove({ ...image, epoch: 2 }, signal);
    await storage.remove({ ...backup, epoch: 2 }, signal);
    expect(seenOf(format)).toBe(sha256(restored));
    expect(await storage.makeDisk({ ...disk, epoch: 3 }, wish, signal)).toEqual(is);
    expect(seenOf(format)).toBe(sha256(restored));
  });

  it('is what it was until then: when somebody comes later, it is stopped, or its image is too large or gone', async () => {
    const before = seenOf(format);
    let overtaking: Promise<unknown> | undefined;
    const overtaken = refusal(
      restore(disk, () => {
        overtaking ??= storage.growDisk(later, 2 * MiB, signal);
      }),
    );
    expect(await overtaken).toBe('taken');
    await overtaking;
    expect(await refusal(restore(disk))).toBe('taken');
    const control = new AbortController();
    const stopped = refusal(restore(later, () => control.abort(new Error('enough')), control.signal));
    expect(await stopped).toBe('Error: enough');
    await storage.resize({ ...backup, epoch: 2 }, 3 * MiB, signal);
    expect(await refusal(restore(later))).toBe('image_refused');
    await storage.remove({ ...backup, epoch: 3 }, signal);
    expect(await refusal(restore(later))).toBe('not_found');
    expect(seenOf(format)).toBe(before);
    expect(making()).toEqual([]);
  });

  it('is not changed any more by who froze before his last step, once somebody has come later', async () => {
    const isImage = !('empty' in wish) && wish.way === 'use';
    const place = isImage ? join(base, '1', 'images', '1') : join(base, '0', 'vms', '7');
    const frozen = join(place, isImage ? 'restore.7.1.frozen' : 'work.0.1.frozen');
    const other = join(place, isImage ? 'restore.7.2.mine' : 'work.0.2.mine');
    for (const one of [frozen, other]) {
      mkdirSync(one);
      writeFileSync(join(one, 'disk'), 'half');
    }
    const steps = [
      () => storage.growDisk(later, 2 * MiB, signal),
      () => storage.makeDisk(later, wish, signal),
      () => restore(later),
    ];
    for (const step of steps) {
      mkdirSync(frozen, { recursive: true });
      await step();
      expect(existsSync(frozen)).toBe(false);
    }
    rmSync(other, { recursive: true, force: true });
    mkdirSync(frozen);
    await storage.removeDisks(later, signal);
    expect(making()).toEqual([]);
  });
});

it('two who restore a disk at once leave it whole', async () => {
  await keep(image, content);
  await keep(backup, saved);
  await storage.makeDisk(disk, { from: image, way: 'clone', size: null }, signal);
  for (let round = 0; round < 3; round++) {
    const claims = [disk, disk, later].map((claim) => ({ ...claim, epoch: claim.epoch + 2 * round }));
    const answers = await Promise.all(claims.map((claim) => refusal(restore(claim))));
    expect(answers[2]).toBeUndefined();
    for (const answer of answers) expect([undefined, 'taken']).toContain(answer);
    expect(seenOf('qcow2')).toBe(sha256(restored));
    expect(making()).toEqual([]);
  }
});

it('a disk that is not there is not restored, nor a simulated one whose datastore is told to fail', async () => {
  await keep(backup, saved);
  expect(await refusal(restore())).toBe('not_found');
  const counted = simulatedStorage(base);
  const at = { ...disk, datastore: { id: 5, ds_mad: 'simulated' } } as const;
  const from = { id: 3, datastore: { id: 6, ds_mad: 'simulated' }, epoch: 1 } as const;
  await keep(from, saved, counted);
  await counted.makeDisk(at, { empty: { format: 'qcow2', size: 2 * MiB }, content: 'none' }, signal);
  const restored = { format: 'qcow2', virtualSize: 2 * MiB };
  expect(await counted.restoreDisk(at, from, quiet, signal)).toEqual(restored);
  expect(await counted.findDisk(at, signal)).toEqual(restored);
  writeFileSync(join(base, '5', 'simulation.json'), JSON.stringify({ faults: { restoreDisk: 'datastore_full' } }));
  expect(await refusal(counted.restoreDisk(at, from, quiet, signal))).toBe('datastore_full');
});

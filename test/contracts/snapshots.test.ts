import { createHash } from 'node:crypto';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fsStorage } from '../../adapters/storage/fs/fs.js';
import type { DiskClaim, DiskWish, ImageClaim, SnapshotChange, Storage } from '../../adapters/storage/port.js';
import { simulatedStorage } from '../../adapters/storage/simulated/simulated.js';
import { sshStorage } from '../../adapters/storage/ssh/ssh.js';
import { problemOf } from '../../domain/problems.js';
import { ownDirectory } from '../support/directories.js';
import { noise, qcow2Of } from '../support/disks.js';
import { ensurePrograms } from '../support/programs.js';
import { Sshd } from '../support/sshd.js';

const MiB = 1024 ** 2;
const { signal } = new AbortController();
const quiet = (): void => {};
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const content = noise(2 * MiB);
const writtenTo = (byte: number): string => {
  const copy = Buffer.from(content);
  copy.fill(byte, 0, 65_536);
  return sha256(copy);
};
const refusal = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => problemOf(error)?.code,
  );

let base: string;
let server: Sshd;
beforeAll(async () => {
  ensurePrograms('disks');
  server = await Sshd.start();
});
afterAll(() => server?.stop());
beforeEach(() => {
  // qemu-img has a meaning for commas of its own.
  base = join(ownDirectory(), 'data,stores=1');
});

const stores = {
  fs: (at: string) => fsStorage(at),
  ssh: (at: string) => sshStorage(at, async () => server.connection({ directory: at })),
} as const;
type Kind = keyof typeof stores;

const targets = (ds_mad: Kind | 'simulated') => {
  const image: ImageClaim = { id: 1, datastore: { id: 1, ds_mad }, epoch: 1 };
  const disk: DiskClaim = { vm: 7, disk: 0, datastore: { id: 0, ds_mad }, epoch: 1 };
  const use: DiskWish = { from: image, way: 'use', size: null };
  const clone: DiskWish = { from: image, way: 'clone', size: null };
  return { image, disk, use, clone };
};
async function keep(storage: Storage, claim: ImageClaim, bytes: Buffer): Promise<void> {
  async function* all(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  const arrival = { offset: 0, bytes: all(), version: null, most: 256 * MiB, total: bytes.length };
  await storage.append(claim, arrival, quiet, signal);
  await storage.keep(claim, { content: 'disk', mostBytes: 64 * MiB, mostVirtual: 64 * MiB }, quiet, signal);
}

const cases: [string, 'clone' | 'use', Kind][] = [
  ['a clone', 'clone', 'fs'],
  ['an image itself', 'use', 'fs'],
  ['a clone', 'clone', 'ssh'],
  ['an image itself', 'use', 'ssh'],
];
describe.each(cases)('a disk that is %s (%s) in a datastore of %s', (_what, way, kind) => {
  const { image, disk, [way]: wish } = targets(kind);
  let storage: Storage;
  beforeEach(async () => {
    storage = stores[kind](base);
    await keep(storage, image, qcow2Of(content));
    await storage.makeDisk(disk, wish, signal);
  });
  const change = (what: SnapshotChange['do'], snapshot: number, claim = disk) =>
    storage.snapshotDisk(claim, { do: what, snapshot }, signal);
  const write = (byte: number): void =>
    void execaSync('qemu-io', ['-f', 'qcow2', '-c', `write -P ${byte} 0 64k`, storage.pathOf(disk) ?? '']);
  function seen(path = storage.pathOf(disk) ?? ''): string {
    const raw = join(ownDirectory(), 'raw');
    execaSync('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', path, raw]);
    return sha256(readFileSync(raw));
  }
  const names = (path = storage.pathOf(disk) ?? ''): string[] =>
    (JSON.parse(execaSync('qemu-img', ['info', '--output=json', path]).stdout).snapshots ?? []).map(
      ({ name }: { name: string }) => name,
    );

  it('is again what it was when a snapshot was taken, each change once and twice', async () => {
    write(1);
    for (const _ of [1, 2]) await change('take', 0);
    write(2);
    await change('take', 1);
    write(3);
    expect(names().sort()).toEqual(['arcus.0', 'arcus.1']);
    for (const _ of [1, 2]) await change('revert', 0);
    expect(seen()).toBe(writtenTo(1));
    await change('revert', 1);
    expect(seen()).toBe(writtenTo(2));
    for (const _ of [1, 2]) await change('drop', 0);
    expect(names()).toEqual(['arcus.1']);
    expect(await refusal(change('revert', 0))).toBe('not_found');
    // One that was taken for a try that came to nothing is taken anew.
    write(4);
    await change('take', 1);
    write(5);
    await change('revert', 1);
    expect(seen()).toBe(writtenTo(4));
  });

  it('is saved as it was then, without what else is in it, and by who is late is not changed', async () => {
    write(1);
    await change('take', 0);
    write(2);
    const [was, is] = [
      { ...image, id: 2 },
      { ...image, id: 3 },
    ];
    expect(await storage.saveDisk(was, { ...disk, snapshot: 0 }, quiet, signal)).toMatchObject({ format: 'qcow2' });
    await storage.saveDisk(is, disk, quiet, signal);
    const lost = storage.saveDisk({ ...image, id: 4 }, { ...disk, snapshot: 9 }, quiet, signal);
    expect(await refusal(lost)).toBe('not_found');
    const pathOf = (id: number): string => join(base, '1', 'images', String(id), 'disk');
    expect([seen(pathOf(2)), seen(pathOf(3))]).toEqual([writtenTo(1), writtenTo(2)]);
    expect([...names(pathOf(2)), ...names(pathOf(3))]).toEqual([]);
    await storage.growDisk({ ...disk, epoch: 2 }, 2 * MiB, signal);
    for (const what of ['take', 'revert', 'drop'] as const) expect(await refusal(change(what, 0))).toBe('taken');
    expect(seen()).toBe(writtenTo(2));
    // What is in a file goes where that goes.
    renameSync(base, `${base}.moved`);
    storage = stores[kind](`${base}.moved`);
    await change('revert', 0, { ...disk, epoch: 2 });
    expect(seen()).toBe(writtenTo(1));
  });
});

it.each(['fs', 'ssh'] as const)(
  'stay in an image when its disk goes, and are reverted to and dropped there (%s)',
  async (kind) => {
    const { image, disk, use } = targets(kind);
    const storage = stores[kind](base);
    await keep(storage, image, qcow2Of(content));
    await storage.makeDisk(disk, use, signal);
    const at = join(base, '1', 'images', '1', 'disk');
    const write = (byte: number) => void execaSync('qemu-io', ['-f', 'qcow2', '-c', `write -P ${byte} 0 64k`, at]);
    for (const snapshot of [0, 1]) {
      write(snapshot + 1);
      await storage.snapshotDisk(disk, { do: 'take', snapshot }, signal);
    }
    write(9);
    await storage.removeDisks({ ...disk, epoch: 2 }, signal);
    const change = (what: SnapshotChange['do'], snapshot: number) =>
      storage.snapshotImage({ ...image, epoch: 2 }, { do: what, snapshot }, signal);
    expect(await storage.snapshotImage(image, null, signal)).toEqual([0, 1]);
    for (const _ of [1, 2]) expect(await change('revert', 0)).toEqual([0, 1]);
    const raw = join(ownDirectory(), 'raw');
    execaSync('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', at, raw]);
    expect(sha256(readFileSync(raw))).toBe(writtenTo(1));
    for (const _ of [1, 2]) expect(await change('drop', 1)).toEqual([0]);
    expect(await refusal(change('revert', 1))).toBe('not_found');
    expect(await refusal(storage.snapshotImage({ ...image, id: 5 }, null, signal))).toBe('not_found');
  },
);

it('a raw disk has none, nor one that is not there; those of a simulated one are counted', async () => {
  const { disk } = targets('fs');
  const storage = fsStorage(base);
  await storage.makeDisk(disk, { empty: { format: 'raw', size: MiB }, content: 'none' }, signal);
  const take = { do: 'take', snapshot: 0 } as const;
  expect(await refusal(storage.snapshotDisk(disk, take, signal))).toBe('image_refused');
  expect(await refusal(storage.snapshotDisk({ ...disk, disk: 1 }, take, signal))).toBe('not_found');
  const counted = simulatedStorage(base);
  const its = targets('simulated');
  const at = { ...its.disk, vm: 8 };
  await counted.makeDisk(at, { empty: { format: 'qcow2', size: MiB }, content: 'none' }, signal);
  for (const _ of [1, 2]) await counted.snapshotDisk(at, take, signal);
  await counted.snapshotDisk(at, { do: 'revert', snapshot: 0 }, signal);
  expect(await counted.saveDisk(its.image, { ...at, snapshot: 0 }, quiet, signal)).toMatchObject({ virtualSize: MiB });
  await counted.snapshotDisk(at, { do: 'drop', snapshot: 0 }, signal);
  expect(await refusal(counted.snapshotDisk(at, { do: 'revert', snapshot: 0 }, signal))).toBe('not_found');
  expect(await refusal(counted.saveDisk({ ...its.image, id: 2 }, { ...at, snapshot: 0 }, quiet, signal))).toBe(
    'not_found',
  );
});

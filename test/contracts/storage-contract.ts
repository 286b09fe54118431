import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  Arrival,
  DatastoreTarget,
  ImageClaim,
  KeepWish,
  KeptImage,
  Storage,
} from '../../adapters/storage/port.js';
import { problemOf } from '../../domain/problems.js';
import { zipOf } from '../support/archives.js';
import { createdDisk, filtered, noise, patched, qcow2Of, tarOf } from '../support/disks.js';
import { ensurePrograms } from '../support/programs.js';
import { someOf } from '../support/some-of.js';
import { Gate } from './gate.js';

export type StorageWorld = {
  storage: Storage;
  /** The directory below which all of it lies. */
  base: string;
  /** A datastore that nothing is in. */
  newDatastore(): DatastoreTarget;
  close(): void;
};

const MiB = 1024 ** 2;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');
const quiet = (): void => {};

async function* piecewise(bytes: Buffer, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collected(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all = [];
  for await (const chunk of bytes) all.push(chunk);
  return Buffer.concat(all);
}

/** What every storage adapter must do, whatever becomes of the bytes. `every`: the so-manieth of what is as good as alike, outside `npm run test:long`. */
export function storageContract(name: string, make: () => StorageWorld, every = 1): void {
  describe(`${name} storage`, () => {
    let world: StorageWorld;
    let storage: Storage;
    let datastore: DatastoreTarget;
    let lastImage = 0;
    const signal = (): AbortSignal => new AbortController().signal;

    beforeAll(() => {
      ensurePrograms('disks');
      world = make();
      ({ storage } = world);
      datastore = world.newDatastore();
    });
    afterAll(() => world.close());

    const newImage = (epoch = 1): ImageClaim => ({ id: ++lastImage, datastore, epoch });
    const later = (claim: ImageClaim): ImageClaim => ({ ...claim, epoch: claim.epoch + 1 });
    const wish: KeepWish = { content: 'disk', mostBytes: 64 * MiB, mostVirtual: 64 * MiB };
    const arrivalOf = (bytes: Buffer, change: Partial<Arrival> = {}): Arrival => ({
      ...{ offset: 0, bytes: piecewise(bytes), version: 'one', most: 256 * MiB, total: bytes.length },
      ...change,
    });
    const append = (claim: ImageClaim, bytes: Buffer, change: Partial<Arrival> = {}) =>
      storage.append(claim, arrivalOf(bytes, change), quiet, signal());
    const keep = (claim: ImageClaim, change: Partial<KeepWish> = {}): Promise<KeptImage> =>
      storage.keep(claim, { ...wish, ...change }, quiet, signal());
    const staged = (claim: ImageClaim) => storage.staged(claim, signal());
    const inventory = async (claim: ImageClaim) => {
      const { images, staging, strange } = await storage.inventory(datastore, signal());
      expect(strange).toEqual([]);
      return {
        kept: images.some(({ id }) => id === claim.id),
        arriving: staging.some(({ image }) => image === claim.id),
      };
    };
    const refusal = async (call: Promise<unknown>) => {
      const problem = problemOf(
        await call.then(
          () => undefined,
          (error: unknown) => error,
        ),
      );
      return problem && { code: problem.code, detail: problem.message };
    };
    /** Files of a whole datastore: what is left of an image that is not there may not be one of them. */
    const filesOf = (claim: ImageClaim): string[] =>
      readdirSync(world.base, { recursive: true, encoding: 'utf8', withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => `${entry.parentPath}/${entry.name}`)
        .filter((path) => path.split('/').includes(String(claim.id)));
    const contentOf = async (claim: ImageClaim): Promise<Buffer | undefined> =>
      storage.can.read ? collected(storage.read(claim, 0, signal())) : undefined;
    /** What is kept is this, where bytes are kept. */
    const expectContent = async (claim: ImageClaim, bytes: Buffer): Promise<void> => {
      const content = await contentOf(claim);
      if (content !== undefined) expect(sha256(content)).toBe(sha256(bytes));
    };

    it('has room, and says how much', async () => {
      const { total, used, free } = await storage.capacity(world.newDatastore(), signal());
      expect(total).toBeGreaterThan(0);
      expect(used + free).toBeLessThanOrEqual(total);
    });

    it('makes an image of what has arrived, and says again what it is', async () => {
      const image = newImage();
      const disk = noise(3 * MiB);
      expect(await append(image, disk)).toEqual({ bytes: disk.length, version: 'one', total: disk.length });
      const rest = await collected(storage.readStaged(image, 1_000_000, signal()));
      expect(sha256(rest)).toBe(sha256(disk.subarray(1_000_000)));
      expect(await inventory(image)).toEqual({ kept: false, arriving: true });
      const kept = await keep(image, { sha256: sha256(disk).toUpperCase(), md5: md5(disk) });
      expect(kept).toMatchObject({ format: 'raw', virtualSize: disk.length, bytes: disk.length });
      expect(kept.published).toEqual({ bytes: disk.length, sha256: sha256(disk), md5: md5(disk), packing: [] });
      expect(await keep(later(image))).toEqual(kept);
      expect(await storage.find(image, signal())).toEqual(kept);
      expect(await staged(image)).toEqual({ bytes: 0, version: null, total: null });
      expect(await inventory(image)).toEqual({ kept: true, arriving: false });
      await expectContent(image, disk);
    });

    it('removes what is kept and what arrives, and what is not there', async () => {
      const image = newImage();
      await storage.remove(image, signal());
      await append(image, noise(MiB));
      await storage.remove(image, signal());
      expect(filesOf(image)).toEqual([]);
      await append(image, noise(MiB));
      await keep(image);
      await append({ ...image, id: ++lastImage }, noise(MiB));
      await storage.remove(image, signal());
      await storage.remove(image, signal());
      expect(filesOf(image)).toEqual([]);
      expect(await inventory(image)).toEqual({ kept: false, arriving: false });
      expect(await storage.find(image, signal())).toBeUndefined();
    });

    describe('unpacks', () => {
      const disk = Buffer.concat([noise(300_000), Buffer.alloc(700_000), noise(200_000)]);
      const packed: [string, string[], () => Buffer][] = [
        ['gzip', ['gzip'], () => gzipSync(disk)],
        [
          'two gzips, one behind the other',
          ['gzip'],
          () => Buffer.concat([gzipSync(disk.subarray(0, 9)), gzipSync(disk.subarray(9))]),
        ],
        ['bzip2', ['bzip2'], () => filtered('bzip2', ['-c'], disk)],
        ['xz', ['xz'], () => filtered('xz', ['-c'], disk)],
        ['zstd', ['zstd'], () => filtered('zstd', ['-c', '-q'], disk)],
        ['tar', ['tar'], () => tarOf({ 'disk.img': disk })],
        [
          'tar of GNU with a name that is long',
          ['tar'],
          () => tarOf({ [`${'a'.repeat(120)}.img`]: disk }, '--format=gnu'),
        ],
        ['tar of POSIX', ['tar'], () => tarOf({ [`${'a'.repeat(120)}.img`]: disk }, '--format=posix')],
        ['tar in gzip', ['gzip', 'tar'], () => gzipSync(tarOf({ 'disk.img': disk }))],
        ['xz in a tar', ['tar', 'xz'], () => tarOf({ 'disk.img.xz': filtered('xz', ['-c'], disk) })],
        ['zip', ['zip'], () => zipOf('disk.img', disk)],
      ];
      it.each(someOf(packed, every))('%s', async (_name, packing, pack) => {
        const image = newImage();
        const bytes = pack();
        await append(image, bytes);
        const kept = await keep(image, { sha256: sha256(bytes) });
        expect(kept).toMatchObject({ format: 'raw', bytes: disk.length });
        expect(kept.published).toMatchObject({ bytes: bytes.length, packing });
        await expectContent(image, disk);
      });

      it('nothing of a file that is no disk, however it is packed', async () => {
        const image = newImage();
        const bytes = gzipSync(disk);
        await append(image, bytes);
        expect(await keep(image, { content: 'file' })).toMatchObject({ format: 'raw', bytes: bytes.length });
        await expectContent(image, bytes);
      });
    });

    it('looks into a qcow2 for its size', async () => {
      const image = newImage();
      const bytes = qcow2Of(noise(2 * MiB));
      await append(image, bytes);
      expect(await keep(image)).toMatchObject({ format: 'qcow2', virtualSize: 2 * MiB, bytes: bytes.length });
      await expectContent(image, bytes);
    });

    describe('refuses, and leaves nothing,', () => {
      const cases: [string, RegExp, () => Buffer, Partial<KeepWish>?][] = [
        ['another checksum', /SHA-256 .* not 0{64}/, () => noise(MiB), { sha256: '0'.repeat(64) }],
        ['another MD5', /MD5 .* not 0{32}/, () => noise(MiB), { md5: '0'.repeat(32) }],
        ['what is larger than it may be', /larger than the 1,000 bytes/, () => noise(MiB), { mostBytes: 1_000 }],
        ['nothing', /empty/, () => Buffer.alloc(0)],
        ['nothing, packed', /empty/, () => gzipSync(Buffer.alloc(0))],
        ['a bomb', /larger than the 1,048,576 bytes/, () => gzipSync(Buffer.alloc(64 * MiB)), { mostBytes: MiB }],
        ['a bomb in a bomb', /larger than/, () => gzipSync(gzipSync(Buffer.alloc(64 * MiB))), { mostBytes: MiB }],
        [
          'what is packed again and again',
          /more than 3 times/,
          () => [1, 2, 3, 4].reduce((bytes) => gzipSync(bytes), noise(9)),
        ],
        ['a gzip that is cut off', /gzip.*cut off/, () => gzipSync(noise(MiB)).subarray(0, -1_000)],
        ['an xz that is cut off', /xz.*cut off/, () => filtered('xz', ['-c'], noise(MiB)).subarray(0, -1_000)],
        [
          'a zstd that is damaged',
          /zstd.*damaged/,
          () =>
            patched(filtered('zstd', ['-c', '-q', '--check'], noise(MiB)), 5_000, (copy, at) =>
              copy.fill(7, at, at + 64),
            ),
        ],
        ['a bzip2 that is cut off', /bzip2.*cut off/, () => filtered('bzip2', ['-c'], noise(MiB)).subarray(0, -1_000)],
        ['a tar that is cut off', /tar.*cut off/, () => tarOf({ disk: noise(MiB) }).subarray(0, 500_000)],
        [
          'a tar with more behind it than any has',
          /more beside its file than any tar has/,
          () => gzipSync(Buffer.concat([tarOf({ disk: noise(9) }), Buffer.alloc(9 * MiB)])),
        ],
        ['a tar of two files', /more than one file/, () => tarOf({ disk: noise(MiB), other: noise(9) })],
        [
          'a zip that is damaged',
          /zip.*damaged/,
          () => patched(zipOf('disk', noise(MiB)), 5_000, (copy, at) => copy.fill(7, at, at + 64)),
        ],
        ['a zip in a gzip', /by itself alone/, () => gzipSync(zipOf('disk', noise(999)))],
        [
          'a qcow2 that stands on another file',
          /backing file/,
          () => createdDisk(['-f', 'qcow2', '-b', '{}', '-F', 'raw'], '1M'),
        ],
        [
          'a qcow2 with its data elsewhere',
          /external data file/,
          () => createdDisk(['-f', 'qcow2', '-o', 'data_file={}'], '1M'),
        ],
        [
          'a qcow2 that is encrypted',
          /encrypted/,
          () => patched(qcow2Of(noise(MiB)), 32, (copy, at) => copy.writeUInt32BE(1, at)),
        ],
        ['a qcow2 that is larger for a guest', /virtual size/, () => createdDisk(['-f', 'qcow2'], '1T')],
        ['a qcow2 that is cut off', /damaged or cut off/, () => qcow2Of(noise(2 * MiB)).subarray(0, 1_500_000)],
        ['a qcow2 that is cut off before its tables', /cut off/, () => qcow2Of(noise(2 * MiB)).subarray(0, 70_000)],
        [
          'a qcow2 of which a table is damaged',
          /damaged|corrupt/,
          () => patched(qcow2Of(noise(2 * MiB)), 65_536, (copy, at) => copy.fill(0xff, at, at + 8)),
        ],
        ['a vmdk', /is a vmdk/, () => createdDisk(['-f', 'vmdk'], '1M')],
        ['a vmdk in a gzip', /is a vmdk/, () => gzipSync(createdDisk(['-f', 'vmdk'], '1M'))],
      ];
      it.each(someOf(cases, every))('%s', async (_name, reason, bytes, change = {}) => {
        const image = newImage();
        const published = bytes();
        await append(image, published);
        const first = await refusal(keep(image, change));
        expect(first).toMatchObject({ code: 'image_refused', detail: expect.stringMatching(reason) });
        expect(await refusal(keep(later(image), change))).toEqual(first);
        expect(await storage.find(image, signal())).toBeUndefined();
        expect((await staged(image)).bytes).toBe(published.length);
        await storage.remove(later(image), signal());
        expect(filesOf(image)).toEqual([]);
      });

      it('more than may arrive', async () => {
        const image = newImage();
        expect(await refusal(append(image, noise(MiB), { most: 1_000_000 }))).toMatchObject({ code: 'image_refused' });
        await storage.remove(image, signal());
        expect(filesOf(image)).toEqual([]);
      });
    });

    describe('in several tries', () => {
      it('goes on behind what has arrived, and is one image', async () => {
        const image = newImage();
        const disk = noise(3 * MiB);
        for (const at of [0, 1, 2]) {
          const part = disk.subarray(at * MiB, (at + 1) * MiB);
          const arrived = await append(later(image), part, { offset: at * MiB, total: disk.length });
          expect(arrived.bytes).toBe((at + 1) * MiB);
        }
        await keep(later(image), { sha256: sha256(disk) });
        await expectContent(image, disk);
      });

      it('begins anew where it is told to', async () => {
        const image = newImage();
        await append(image, noise(2 * MiB));
        const disk = noise(MiB);
        expect(await append(later(image), disk, { version: 'two' })).toMatchObject({ bytes: MiB, version: 'two' });
        await keep(later(image), { sha256: sha256(disk) });
      });

      it('does not leave a gap', async () => {
        const image = newImage();
        await append(image, noise(1_000));
        expect(await refusal(append(later(image), noise(1_000), { offset: 1_001 }))).toMatchObject({ code: 'taken' });
      });

      it('an older one that still writes spoils nothing, and hears it', async () => {
        const image = newImage();
        const [old, disk] = [noise(MiB), noise(3 * MiB)];
        old.copy(disk);
        const gate = new Gate();
        // It has written a piece that counts, and goes on with bytes that are wrong.
        async function* slow(): AsyncGenerator<Uint8Array> {
          yield disk.subarray(0, MiB);
          await gate.opened;
          yield old;
        }
        const overtaken = refusal(storage.append(image, arrivalOf(disk, { bytes: slow() }), gate.see(MiB), signal()));
        await gate.seen;
        expect(await staged(image)).toMatchObject({ bytes: MiB, version: 'one' });
        const newer = new Gate();
        const behind = arrivalOf(disk.subarray(MiB), { offset: MiB, total: disk.length });
        const rest = storage.append(later(image), behind, newer.see(2 * MiB), signal());
        await newer.seen;
        gate.open();
        expect(await rest).toMatchObject({ bytes: disk.length });
        expect(await overtaken).toMatchObject({ code: 'taken' });
        expect((await staged(image)).bytes).toBe(disk.length);
        await keep(later(image), { sha256: sha256(disk) });
        await expectContent(image, disk);
      });

      it('an older one cannot begin, keep or remove', async () => {
        const image = newImage(7);
        await append(image, noise(MiB));
        const stale = { ...image, epoch: 6 };
        expect(await refusal(append(stale, noise(1_000)))).toMatchObject({ code: 'taken' });
        expect(await refusal(keep(stale))).toMatchObject({ code: 'taken' });
        expect(await refusal(storage.remove(stale, signal()))).toMatchObject({ code: 'taken' });
        expect((await staged(image)).bytes).toBe(MiB);
      });

      it('an older one does not remove what a later one has kept', async () => {
        const image = newImage();
        const disk = noise(MiB);
        await append(later(image), disk);
        await keep(later(image));
        expect(await refusal(storage.remove(image, signal()))).toMatchObject({ code: 'taken' });
        await expectContent(image, disk);
        await storage.remove(later(image), signal());
        expect(filesOf(image)).toEqual([]);
      });

      it('two that keep the same leave one image', async () => {
        const image = newImage();
        const disk = noise(8 * MiB);
        await append(image, gzipSync(disk));
        const both = await Promise.allSettled([keep(later(image)), keep(later(later(image)))]);
        expect(both.some(({ status }) => status === 'fulfilled')).toBe(true);
        for (const one of both)
          if (one.status === 'rejected')
            expect(['taken', 'backend_unavailable']).toContain(problemOf(one.reason)?.code);
        await expectContent(image, disk);
        expect(await inventory(image)).toEqual({ kept: true, arriving: false });
      });

      it('what is kept stays as it is, whatever an older one goes on to write', async () => {
        const image = newImage();
        const disk = noise(MiB);
        const gate = new Gate();
        async function* slow(): AsyncGenerator<Uint8Array> {
          yield disk;
          await gate.opened;
          yield noise(MiB);
        }
        const late = refusal(storage.append(image, arrivalOf(disk, { bytes: slow() }), gate.see(MiB), signal()));
        await gate.seen;
        expect(await keep(later(image), { sha256: sha256(disk) })).toMatchObject({ bytes: MiB });
        gate.open();
        expect(await late).toMatchObject({ code: 'taken' });
        expect(await storage.find(image, signal())).toMatchObject({ bytes: MiB });
        await expectContent(image, disk);
      });

      it('one that comes after a removal finds nothing to write to', async () => {
        const image = newImage();
        const gate = new Gate();
        async function* slow(): AsyncGenerator<Uint8Array> {
          yield noise(MiB);
          await gate.opened;
          yield noise(MiB);
        }
        const late = refusal(storage.append(image, arrivalOf(noise(0), { bytes: slow() }), gate.see(MiB), signal()));
        await gate.seen;
        await storage.remove(later(image), signal());
        gate.open();
        expect(await late).toMatchObject({ code: 'taken' });
        expect(filesOf(image)).toEqual([]);
      });

      it('stops when it is told to, however long the next bytes take, and goes on', async () => {
        const image = newImage();
        const disk = noise(2 * MiB);
        const gate = new Gate();
        async function* stuck(): AsyncGenerator<Uint8Array> {
          yield disk.subarray(0, MiB);
          await gate.opened;
        }
        const control = new AbortController();
        const stopped = storage.append(image, arrivalOf(disk, { bytes: stuck() }), gate.see(MiB), control.signal);
        await gate.seen;
        control.abort(new Error('enough'));
        await expect(stopped).rejects.toThrow('enough');
        expect((await staged(image)).bytes).toBe(MiB);
        await append(later(image), disk.subarray(MiB), { offset: MiB });
        await keep(later(image), { sha256: sha256(disk) });
      });

      it('stops in the middle of unpacking, and leaves no half', async () => {
        const image = newImage();
        const control = new AbortController();
        const disk = noise(8 * MiB);
        await append(image, gzipSync(disk));
        const stopped = storage.keep(
          image,
          wish,
          ({ phase }) => phase === 'unpack' && control.abort(new Error('enough')),
          control.signal,
        );
        await expect(stopped).rejects.toThrow('enough');
        expect(await storage.find(image, signal())).toBeUndefined();
        await keep(later(image));
        await expectContent(image, disk);
      });
    });

    describe('makes', () => {
      it.each(['raw', 'qcow2'] as const)('an empty %s once, and larger', async (format) => {
        const image = newImage();
        const made = await storage.createEmpty(image, { format, size: 10 * MiB }, signal());
        expect(made).toMatchObject({ format, virtualSize: 10 * MiB, published: null });
        expect(await storage.createEmpty(later(image), { format, size: 20 * MiB }, signal())).toEqual(made);
        for (const _ of [1, 2])
          expect(await storage.resize(later(image), 20 * MiB, signal())).toMatchObject({ virtualSize: 20 * MiB });
        expect(await refusal(storage.resize(image, 10 * MiB, signal()))).toMatchObject({ code: 'image_refused' });
        expect(await storage.find(image, signal())).toMatchObject({ format, virtualSize: 20 * MiB });
      });

      it('a copy, once, in another datastore', async () => {
        const [image, copy] = [newImage(), { ...newImage(), datastore: world.newDatastore() }];
        const disk = Buffer.concat([noise(MiB), Buffer.alloc(MiB), noise(1_000)]);
        await append(image, disk);
        const kept = await keep(image);
        const made = await storage.copy(copy, image, quiet, signal());
        expect(made).toMatchObject({
          format: 'raw',
          bytes: kept.bytes,
          virtualSize: kept.virtualSize,
          published: null,
        });
        expect(await storage.copy(later(copy), image, quiet, signal())).toEqual(made);
        await storage.remove(later(image), signal());
        await expectContent(copy, disk);
      });

      it('nothing of what is not there', async () => {
        const [image, other] = [newImage(), newImage()];
        expect(await refusal(storage.copy(image, other, quiet, signal()))).toMatchObject({ code: 'not_found' });
        expect(await refusal(storage.resize(image, MiB, signal()))).toMatchObject({ code: 'not_found' });
        expect(await refusal(collected(storage.read(image, 0, signal())))).toMatchObject({ code: 'not_found' });
        await storage.remove(image, signal());
        expect(filesOf(image)).toEqual([]);
      });
    });
  });
}

import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  DatastoreTarget,
  DiskClaim,
  DiskWish,
  ImageClaim,
  Storage,
  StoredImage,
} from '../../adapters/storage/port.js';
import { problemOf } from '../../domain/problems.js';
import { noise, qcow2Of } from '../support/disks.js';
import { ensurePrograms } from '../support/programs.js';
import { someOf } from '../support/some-of.js';
import type { StorageWorld } from './storage-contract.js';

const MiB = 1024 ** 2;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const quiet = (): void => {};
/** Milliseconds after which something comes between. */
const moments = (end: number, step: number): number[] => Array.from({ length: end / step }, (_, at) => at * step);

/** What every storage adapter must do with disks of VMs, whatever becomes of the bytes. `every`: as of `storageContract`. */
export function diskContract(name: string, make: () => StorageWorld, every = 1): void {
  describe(`${name} storage, of disks of VMs,`, () => {
    let world: StorageWorld;
    let storage: Storage;
    let images: DatastoreTarget;
    let datastore: DatastoreTarget;
    let last = 0;
    const signal = (): AbortSignal => new AbortController().signal;

    beforeAll(() => {
      ensurePrograms('disks');
      world = make();
      ({ storage } = world);
      images = world.newDatastore();
      datastore = world.newDatastore();
    });
    afterAll(() => world.close());

    const newDisk = (epoch = 1): DiskClaim => ({ vm: ++last, disk: 0, datastore, epoch });
    const later = <C extends { epoch: number }>(claim: C): C => ({ ...claim, epoch: claim.epoch + 1 });
    const newImage = (): ImageClaim => ({ id: ++last, datastore: images, epoch: 1 });
    async function imageOf(bytes: Buffer): Promise<ImageClaim> {
      const image = newImage();
      async function* all(): AsyncGenerator<Uint8Array> {
        yield bytes;
      }
      const arrival = { offset: 0, bytes: all(), version: null, most: 256 * MiB, total: bytes.length };
      await storage.append(image, arrival, quiet, signal());
      await storage.keep(image, { content: 'disk', mostBytes: 64 * MiB, mostVirtual: 64 * MiB }, quiet, signal());
      return image;
    }
    const clone = (from: StoredImage, size: number | null = null): DiskWish => ({ from, way: 'clone', size });
    const makeDisk = (claim: DiskClaim, wish: DiskWish) => storage.makeDisk(claim, wish, signal());
    const find = (claim: DiskClaim) => storage.findDisk(claim, signal());
    const refusal = async (call: Promise<unknown>) =>
      problemOf(
        await call.then(
          () => undefined,
          (error: unknown) => error,
        ),
      )?.code;
    const isListed = async ({ vm, disk }: DiskClaim): Promise<boolean> => {
      const { disks, strange } = await storage.inventory(datastore, signal());
      expect(strange).toEqual([]);
      return disks.some((one) => one.vm === vm && one.disk === disk);
    };
    /** Names below the directory of a VM, and in the way of what is being removed. */
    const namesOf = ({ vm }: DiskClaim): string[] =>
      readdirSync(`${world.base}/${datastore.id}`, { recursive: true, encoding: 'utf8' })
        .filter((path) => path.startsWith(`vms/${vm}/`) || path.startsWith(`gone/vm.${vm}.`))
        .filter((path) => !/\/at\.\d+$/.test(path));

    describe.each([
      ['raw', () => noise(MiB)],
      ['qcow2', () => qcow2Of(noise(MiB))],
    ] as const)('on a %s image', (format, bytes) => {
      it('clones it once, however often it is asked, and removes that', async () => {
        const image = await imageOf(bytes());
        const kept = await storage.find(image, signal());
        const disk = newDisk();
        expect(await find(disk)).toBeUndefined();
        const made = await makeDisk(disk, clone(image));
        expect(made).toEqual({ format: 'qcow2', virtualSize: MiB });
        for (const claim of [disk, later(disk)]) expect(await makeDisk(claim, clone(image))).toEqual(made);
        expect(await find(disk)).toEqual(made);
        expect(await isListed(disk)).toBe(true);
        for (const _ of [1, 2]) await storage.removeDisk(later(disk), signal());
        expect(await find(disk)).toBeUndefined();
        expect(await isListed(disk)).toBe(false);
        expect(namesOf(disk)).toEqual([]);
        expect(await storage.find(image, signal())).toEqual(kept);
      });

      it('uses it itself, and leaves it as it is when it goes', async () => {
        const image = await imageOf(bytes());
        const disk = newDisk();
        const use: DiskWish = { from: image, way: 'use', size: null };
        for (const claim of [disk, later(disk)])
          expect(await makeDisk(claim, use)).toEqual({ format, virtualSize: MiB });
        expect(await storage.growDisk(later(disk), 2 * MiB, signal())).toEqual({ format, virtualSize: 2 * MiB });
        const kept = await storage.find(image, signal());
        expect(kept).toMatchObject({ format, virtualSize: 2 * MiB });
        await storage.removeDisk(later(disk), signal());
        expect(namesOf(disk)).toEqual([]);
        expect(await storage.find(image, signal())).toEqual(kept);
      });
    });

    it.each([
      ['an empty raw disk', 'raw', 'none'],
      ['an empty qcow2', 'qcow2', 'none'],
      ['a disk to swap to', 'raw', 'swap'],
    ] as const)('makes %s', async (_what, format, content) => {
      const disk = newDisk();
      const wish: DiskWish =
        content === 'swap'
          ? { empty: { format: 'raw', size: 4 * MiB }, content }
          : { empty: { format, size: 4 * MiB }, content };
      for (const claim of [disk, later(disk)])
        expect(await makeDisk(claim, wish)).toEqual({ format, virtualSize: 4 * MiB });
    });

    it('makes a disk larger than its image, and larger again, and never smaller', async () => {
      const image = await imageOf(noise(MiB));
      const disk = newDisk();
      expect(await refusal(makeDisk(disk, clone(image, MiB - 512)))).toBe('image_refused');
      expect(namesOf(disk)).toEqual([]);
      expect(await makeDisk(disk, clone(image, 2 * MiB))).toMatchObject({ virtualSize: 2 * MiB });
      // One that was begun before it was to be larger.
      expect(await makeDisk(later(disk), clone(image, 3 * MiB))).toMatchObject({ virtualSize: 3 * MiB });
      expect(await makeDisk(later(disk), clone(image))).toMatchObject({ virtualSize: 3 * MiB });
      for (const _ of [1, 2])
        expect(await storage.growDisk(later(disk), 4 * MiB, signal())).toMatchObject({ virtualSize: 4 * MiB });
      expect(await refusal(storage.growDisk(later(disk), MiB, signal()))).toBe('image_refused');
      expect(await find(disk)).toMatchObject({ virtualSize: 4 * MiB });
      expect(await storage.find(image, signal())).toMatchObject({ virtualSize: MiB });
    });

    it('makes nothing of what is not there', async () => {
      const disk = newDisk();
      for (const way of ['clone', 'use'] as const)
        expect(await refusal(makeDisk(disk, { from: newImage(), way, size: null }))).toBe('not_found');
      expect(await refusal(storage.growDisk(disk, MiB, signal()))).toBe('not_found');
      expect(await refusal(storage.saveDisk(newImage(), disk, quiet, signal()))).toBe('not_found');
      expect(namesOf(disk)).toEqual([]);
      await storage.removeDisks(disk, signal());
      expect(namesOf(disk)).toEqual([]);
    });

    it('removes all disks of a VM, and nothing of another', async () => {
      const image = await imageOf(noise(MiB));
      const [mine, other] = [newDisk(), newDisk()];
      for (const disk of [0, 1, 10]) await makeDisk({ ...mine, disk }, clone(image));
      await makeDisk(other, clone(image));
      await storage.removeDisk({ ...mine, disk: 1 }, signal());
      expect(await isListed({ ...mine, disk: 10 })).toBe(true);
      await storage.removeDisks(mine, signal());
      for (const disk of [0, 1, 10]) expect(await isListed({ ...mine, disk })).toBe(false);
      expect(namesOf(mine)).toEqual([]);
      expect(await find(other)).toBeDefined();
    });

    it('makes the same disk for two who ask at once', async () => {
      const image = await imageOf(noise(MiB));
      for (const _round of someOf([1, 2, 3, 4, 5], every)) {
        const disk = newDisk();
        const asked = [disk, disk, later(disk)].map((claim) => makeDisk(claim, clone(image)));
        const answers = await Promise.allSettled(asked);
        expect(answers[2]).toMatchObject({ status: 'fulfilled' });
        for (const answer of answers)
          if (answer.status === 'rejected')
            expect(['taken', 'backend_unavailable']).toContain(problemOf(answer.reason)?.code);
        expect(await find(disk)).toEqual({ format: 'qcow2', virtualSize: MiB });
        expect(namesOf(disk).filter((path) => path.includes('work.'))).toEqual([]);
      }
    });

    it('an older claim neither makes, grows nor removes what a later one has', async () => {
      const image = await imageOf(noise(MiB));
      const disk = newDisk(7);
      await makeDisk(disk, clone(image));
      const stale = { ...disk, epoch: 6 };
      expect(await refusal(makeDisk(stale, clone(image)))).toBe('taken');
      expect(await refusal(makeDisk({ ...stale, disk: 1 }, clone(image)))).toBe('taken');
      expect(await refusal(storage.growDisk(stale, 2 * MiB, signal()))).toBe('taken');
      expect(await refusal(storage.removeDisk(stale, signal()))).toBe('taken');
      expect(await refusal(storage.removeDisks(stale, signal()))).toBe('taken');
      expect(await find(disk)).toEqual({ format: 'qcow2', virtualSize: MiB });
    });

    it('one that comes after a removal makes nothing, whether there was anything or not', async () => {
      const image = await imageOf(noise(MiB));
      for (const before of [true, false]) {
        const disk = newDisk();
        if (before) await makeDisk(disk, clone(image));
        await storage.removeDisks(later(disk), signal());
        expect(await refusal(makeDisk(disk, clone(image)))).toBe('taken');
        expect(namesOf(disk)).toEqual([]);
        await makeDisk(later(later(disk)), clone(image));
        expect(await find(disk)).toBeDefined();
      }
    });

    it('one that is at it when a later claim removes it leaves nothing', async () => {
      const image = await imageOf(noise(MiB));
      for (const wait of someOf(moments(40, 2), every)) {
        const disk = newDisk();
        const late = refusal(makeDisk(disk, clone(image)));
        await sleep(wait);
        await storage.removeDisks(later(disk), signal());
        expect([undefined, 'taken']).toContain(await late);
        expect(await find(disk)).toBeUndefined();
        expect(namesOf(disk)).toEqual([]);
      }
    });

    it('stops when it is told to, and leaves no half', async () => {
      const image = await imageOf(noise(MiB));
      for (const wait of someOf(moments(30, 3), every)) {
        const disk = newDisk();
        const control = new AbortController();
        const stopped = storage.makeDisk(disk, clone(image), control.signal).then(
          () => 'made',
          (error: unknown) => (error instanceof Error ? error.message : 'nothing'),
        );
        await sleep(wait);
        control.abort(new Error('enough'));
        expect(['made', 'enough']).toContain(await stopped);
        expect(namesOf(disk).filter((path) => path.includes('work.'))).toEqual([]);
        expect(await makeDisk(later(disk), clone(image))).toEqual({ format: 'qcow2', virtualSize: MiB });
      }
    });

    describe('saves as an image', () => {
      const wishes: [string, (image: StoredImage) => DiskWish][] = [
        ['a clone', (image) => clone(image, 2 * MiB)],
        ['an image that is used', (from) => ({ from, way: 'use', size: null })],
        ['what was empty', () => ({ empty: { format: 'qcow2', size: MiB }, content: 'none' })],
      ];
      it.each(wishes)('%s, once', async (_what, wish) => {
        const [image, disk, saved] = [await imageOf(noise(MiB)), newDisk(), newImage()];
        const { format, virtualSize } = await makeDisk(disk, wish(image));
        const made = await storage.saveDisk(saved, disk, quiet, signal());
        expect(made).toMatchObject({ format, virtualSize, published: null });
        expect(await storage.saveDisk(later(saved), disk, quiet, signal())).toEqual(made);
        // It stands on nothing of what it was made of.
        await storage.removeDisks(disk, signal());
        await storage.remove(image, signal());
        expect(await storage.find(saved, signal())).toEqual(made);
        expect(await makeDisk(newDisk(), clone(saved))).toMatchObject({ virtualSize });
      });

      it('with the bytes that are in it', async () => {
        if (!storage.can.read) return expect(storage.pathOf(newDisk())).toBeNull();
        const bytes = noise(MiB);
        const [image, disk, saved] = [await imageOf(bytes), newDisk(), newImage()];
        await makeDisk(disk, { from: image, way: 'use', size: null });
        await storage.saveDisk(saved, disk, quiet, signal());
        const all = [];
        for await (const chunk of storage.read(saved, 0, signal())) all.push(chunk);
        expect(sha256(Buffer.concat(all))).toBe(sha256(bytes));
      });
    });

    it('a name that is no number leads nowhere', async () => {
      const image = await imageOf(noise(MiB));
      for (const hostile of ['"../../etc"', '"0/../1"', '-1', '1.5', 'null', '1e300']) {
        const disk = newDisk();
        for (const claim of [
          { ...disk, vm: JSON.parse(hostile) },
          { ...disk, disk: JSON.parse(hostile) },
          { ...disk, datastore: { ...datastore, id: JSON.parse(hostile) } },
        ]) {
          await expect(makeDisk(claim, clone(image))).rejects.toThrow();
          expect(() => storage.pathOf(claim)).toThrow();
        }
        await expect(makeDisk(disk, clone({ ...image, id: JSON.parse(hostile) }))).rejects.toThrow();
        expect(namesOf(disk)).toEqual([]);
      }
      for (const path of readdirSync(world.base, { recursive: true, encoding: 'utf8' }))
        expect(path).toMatch(/^\d+(\/(images|staging|vms|gone)(\/\d+(\/|$)|$)|$)/);
    });
  });
}

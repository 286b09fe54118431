import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Problem } from '../../../domain/problems.js';
import { grouped } from '../../../schemas/common/limits.js';
import { mkdir, rm } from '../machine/files.js';
import type {
  DiskClaim,
  DisksClaim,
  DiskWish,
  KeptDisk,
  KeptImage,
  OnProgress,
  SnapshotChange,
  StoredDisk,
  StoredImage,
} from '../port.js';
import { type Body, DiskRecord, type KeptRecord, type MadeRecord } from './body.js';
import { findKept, measured, readRecord, recordOf, writeRecord } from './kept.js';
import { diskPlace, keptNames, layoutOf, modes, vmLayoutOf } from './layout.js';
import { namesIn } from './pieces.js';
import { takeAway } from './take-away.js';
import {
  appear,
  dropWork,
  namesOfContexts,
  namesOfDisks,
  namesOfMemory,
  newRestore,
  newWork,
  overtakenAt,
  refuseLate,
  restoreName,
  takeDirectory,
  vmName,
} from './vm-directory.js';

type Found = { record: DiskRecord; disk: KeptDisk };

/** Disks of VMs below `base`, each a directory that appears whole, by being renamed, and goes whole. */
export function disksIn(base: string, body: Body) {
  async function look(at: StoredDisk): Promise<Found | undefined> {
    const place = diskPlace(base, at);
    const record = await readRecord(place, DiskRecord);
    if (record === undefined) return undefined;
    const { format, from, counted } = record;
    if (from?.way === 'use') {
      const { virtualSize } = await keptOf(at, from);
      return { record, disk: { format, virtualSize } };
    }
    const size = counted ?? (await measured(join(place, keptNames.disk), format));
    return size && { record, disk: { format, virtualSize: size.virtualSize } };
  }

  const imageAt = ({ datastore: { ds_mad } }: StoredDisk, from: { image: number; datastore: number }) => ({
    ...{ id: from.image, datastore: { id: from.datastore, ds_mad } },
  });

  /** The image that a disk stands on, or is. */
  async function keptOf(
    at: StoredDisk,
    from: { image: number; datastore: number },
  ): Promise<KeptImage & { record: KeptRecord; place: string }> {
    const image = imageAt(at, from);
    const { kept: place } = layoutOf(base, image);
    const [kept, record] = [await findKept(base, image), await recordOf(place)];
    if (kept === undefined || record === undefined)
      throw new Problem('not_found', `Image ${from.image} is not in datastore ${from.datastore}.`);
    return { ...kept, record, place };
  }

  /**
   * From now on nothing that was begun under an older epoch is put in any disk's place: its last step renames what lies in a directory of its own, and that is gone
   * when this resolves.
   */
  async function take(claim: DisksClaim): Promise<void> {
    const { vm, gone } = vmLayoutOf(base, claim);
    await takeDirectory(vm, claim);
    await dropWork(vm, claim, vmName, (name) => join(gone, `vm.${claim.vm}.${name}.${randomUUID()}`));
    for (const name of await namesIn(vm)) {
      const from = vmName(name)?.is === 'disk' ? (await readRecord(join(vm, name), DiskRecord))?.from : undefined;
      if (from?.way !== 'use') continue;
      const image = layoutOf(base, imageAt({ ...claim, disk: 0 }, from));
      const away = () => join(image.gone, `${from.image}.${randomUUID()}`);
      await dropWork(image.kept, claim, (one) => restoreName(one, claim.vm), away);
    }
  }

  async function need(at: StoredDisk): Promise<Found> {
    const found = await look(at);
    if (found === undefined)
      throw new Problem('not_found', `Disk ${at.disk} of VM ${at.vm} is not in datastore ${at.datastore.id}.`);
    return found;
  }

  /** In a directory of its own. */
  async function fill(at: StoredDisk, wish: DiskWish, work: string, signal: AbortSignal): Promise<DiskRecord> {
    if ('empty' in wish) {
      const { format, size } = wish.empty;
      const counted = await body.createEmpty(work, format, size, signal);
      if (wish.content === 'swap') await body.makeSwap(work, size);
      return { format, from: null, counted };
    }
    const { way, size } = wish;
    const from = { image: wish.from.id, datastore: wish.from.datastore.id, way };
    const { place, record, virtualSize } = await keptOf(at, from);
    if (size !== null && size < virtualSize)
      throw new Problem(
        'image_refused',
        `Image ${from.image} has ${grouped(virtualSize)} bytes, and a disk of ${grouped(size)} would lack what is behind them.`,
      );
    if (way === 'clone') {
      const counted = await body.clone(place, work, record, size ?? virtualSize, signal);
      return { format: 'qcow2', from, counted };
    }
    await body.use(place, work);
    return { format: record.format, from, counted: null };
  }

  /** What is too small for what is wished, larger. */
  async function grown(at: StoredDisk, { record, disk }: Found, size: number, signal: AbortSignal): Promise<KeptDisk> {
    if (size <= disk.virtualSize) return disk;
    if (record.from?.way === 'use') {
      const kept = await keptOf(at, record.from);
      const counted = await body.resize(kept.place, kept.record, size, signal);
      if (counted !== null) await writeRecord(kept.place, { ...kept.record, counted });
    } else {
      const place = diskPlace(base, at);
      const counted = await body.resize(place, record, size, signal);
      if (counted !== null) await writeRecord(place, { ...record, counted });
    }
    return (await need(at)).disk;
  }

  const sizeIn = (wish: DiskWish): number => ('empty' in wish ? wish.empty.size : (wish.size ?? 0));

  async function make(claim: DiskClaim, wish: DiskWish, signal: AbortSignal): Promise<KeptDisk> {
    const { vm } = vmLayoutOf(base, claim);
    const place = diskPlace(base, claim);
    await mkdir(vm, { recursive: true, mode: modes.directory });
    await take(claim);
    const found = await look(claim);
    if (found !== undefined) return grown(claim, found, sizeIn(wish), signal);
    await body.before(claim.datastore, 'makeDisk', 0, signal);
    const name = newWork(claim);
    const isThere = async (): Promise<boolean> => (await look(claim)) !== undefined;
    const clear = async (): Promise<void> => {
      for (const earlier of await namesOfDisks(vm, claim.epoch, claim.disk))
        if (earlier.startsWith('work.')) await rm(join(vm, earlier), { recursive: true, force: true });
    };
    const filled = async (work: string) => writeRecord(work, await fill(claim, wish, work, signal));
    await appear(vm, claim, { name, place, isThere, clear, fill: filled }, signal);
    // It was there a moment ago.
    const made = await look(claim);
    if (made === undefined) throw overtakenAt(claim.vm);
    return grown(claim, made, sizeIn(wish), signal);
  }

  /** Out of the way first: whoever still makes one has it taken away, or sees before it appears that he is late. */
  async function remove(claim: DisksClaim, disk: number | null, signal: AbortSignal): Promise<void> {
    await body.before(claim.datastore, 'removeDisk', 0, signal);
    const { vm, gone } = vmLayoutOf(base, claim);
    await mkdir(vm, { recursive: true, mode: modes.directory });
    await take(claim);
    const told =
      disk === null ? [...(await namesOfContexts(vm, claim.epoch)), ...(await namesOfMemory(vm, claim.epoch))] : [];
    await takeAway({ vm, gone }, claim.vm, [...(await namesOfDisks(vm, claim.epoch, disk)), ...told]);
  }

  /** In a directory of its own, of which the disk alone is put in the place of what there was. */
  async function restore(
    claim: DiskClaim,
    from: StoredImage,
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<KeptDisk> {
    const { vm } = vmLayoutOf(base, claim);
    await need(claim);
    await take(claim);
    const { record, disk } = await need(claim);
    const image = await keptOf(claim, { image: from.id, datastore: from.datastore.id });
    if (image.virtualSize > disk.virtualSize)
      throw new Problem(
        'image_refused',
        `Image ${from.id} has ${grouped(image.virtualSize)} bytes, and disk ${claim.disk} of VM ${claim.vm} ${grouped(disk.virtualSize)}.`,
      );
    await body.before(claim.datastore, 'restoreDisk', image.virtualSize, signal);
    const own = record.from?.way === 'use' ? await keptOf(claim, record.from) : null;
    const place = own?.place ?? diskPlace(base, claim);
    const { format } = own?.record ?? record;
    const work = own ? join(place, newRestore(claim)) : join(vm, newWork(claim));
    try {
      await mkdir(work, { mode: modes.directory });
      let counted = await body.flatten(image.place, work, { ...image.record, as: format }, onProgress, signal);
      if (image.virtualSize < disk.virtualSize)
        counted = await body.resize(work, { format, counted }, disk.virtualSize, signal);
      signal.throwIfAborted();
      await refuseLate(vm, claim);
      await body.replace(work, place);
      if (counted !== null) await writeRecord(place, { ...(own?.record ?? record), counted });
    } catch (error) {
      signal.throwIfAborted();
      await refuseLate(vm, claim);
      throw error;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    return (await need(claim)).disk;
  }

  return {
    restore,
    find: async (at: StoredDisk): Promise<KeptDisk | undefined> => (await look(at))?.disk,
    make,
    async grow(claim: DiskClaim, size: number, signal: AbortSignal): Promise<KeptDisk> {
      await need(claim);
      await take(claim);
      const found = await need(claim);
      if (size < found.disk.virtualSize)
        throw new Problem(
          'image_refused',
          `Disk ${claim.disk} of VM ${claim.vm} has ${grouped(found.disk.virtualSize)} bytes, and is not made smaller: what is behind them would be lost.`,
        );
      await body.before(claim.datastore, 'growDisk', size, signal);
      return grown(claim, found, size, signal);
    },
    remove,
    pathOf: (at: StoredDisk): string | null => body.pathIn(diskPlace(base, at)),
    async snapshot(claim: DiskClaim, change: SnapshotChange, signal: AbortSignal): Promise<void> {
      await need(claim);
      await take(claim);
      const { record } = await need(claim);
      const own = record.from?.way === 'use' ? await keptOf(claim, record.from) : null;
      const place = own?.place ?? diskPlace(base, claim);
      const its = own?.record ?? record;
      if (its.format !== 'qcow2')
        throw new Problem(
          'image_refused',
          `Disk ${claim.disk} of VM ${claim.vm} is ${its.format}: it has no snapshots.`,
        );
      await body.before(claim.datastore, 'snapshotDisk', 0, signal);
      const snapshots = await body.snapshot(place, its, change, signal);
      if (its.counted !== null) await writeRecord(place, { ...its, snapshots });
    },
    /** What a disk is now, in a directory that is to become an image. */
    async save(
      at: StoredDisk & { snapshot?: number },
      work: string,
      onProgress: OnProgress,
      signal: AbortSignal,
    ): Promise<MadeRecord> {
      const { record, disk } = await need(at);
      await body.before(at.datastore, 'saveDisk', disk.virtualSize, signal);
      const { format, from } = record;
      const { snapshot } = at;
      const kept = from?.way === 'use' ? await keptOf(at, from) : { place: diskPlace(base, at), record };
      const of = { ...kept.record, as: format, ...(snapshot !== undefined && { snapshot }) };
      // A qcow2 may stand on another, and have snapshots in it, which are not to go with it.
      const counted = await (format === 'qcow2'
        ? body.flatten(kept.place, work, of, onProgress, signal)
        : body.copy(kept.place, work, kept.record, onProgress, signal));
      return { format, published: null, counted };
    },
  };
}

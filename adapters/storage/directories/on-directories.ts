import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Problem } from '../../../domain/problems.js';
import { grouped } from '../../../schemas/common/limits.js';
import { diskFault } from '../disk-fault.js';
import { mkdir, open, rm } from '../machine/files.js';
import type { DatastoreTarget, DisksClaim, ImageClaim, KeptImage, Storage, StoredDisk, StoredImage } from '../port.js';
import type { Body, KeptRecord, MadeRecord } from './body.js';
import { contextsIn } from './contexts.js';
import { disksIn } from './disks.js';
import { inventoryOf } from './inventory.js';
import { inWork, keepStaged } from './keep.js';
import { epochOf, findKept, recordOf, writeRecord } from './kept.js';
import { datastoreRoot, keptNames, layoutOf, modes } from './layout.js';
import { memoriesIn } from './memory.js';
import { namesIn, takeFile } from './pieces.js';
import { appendTo, overtaken, readChain, refuseStale, stagedIn } from './staging.js';
import { readFrom } from './write-file.js';

/**
 * Storage in directories below `base`, one a datastore. What arrives, what is looked at and what is kept are the same for all kinds; `body` is
 * what becomes of the bytes.
 */
export function onDirectories(base: string, body: Body): Storage {
  const makeRoot = (datastore: DatastoreTarget) =>
    mkdir(datastoreRoot(base, datastore.id), { recursive: true, mode: modes.directory });
  /** An image is made in a directory, but for one that is kept already. */
  const made = async (claim: ImageClaim, make: (work: string) => Promise<MadeRecord>): Promise<KeptImage> => {
    const found = await findKept(base, claim);
    if (found !== undefined) return found;
    const { staging } = layoutOf(base, claim);
    await mkdir(staging, { recursive: true, mode: modes.directory });
    await refuseStale(staging, claim);
    return inWork(base, claim, make);
  };
  /** Whatever is wrong with what has arrived, somebody may have made the image of it meanwhile, and taken it away. */
  const keepNow = async (...[claim, wish, onProgress, signal]: Parameters<Storage['keep']>): Promise<KeptImage> => {
    try {
      return await keepStaged(base, body, claim, wish, onProgress, signal);
    } catch (error) {
      const made = signal.aborted ? undefined : await findKept(base, claim);
      if (made === undefined) throw error;
      return made;
    }
  };
  const recordIn = async (image: StoredImage): Promise<KeptRecord> => {
    const record = await recordOf(layoutOf(base, image).kept);
    if (record === undefined)
      throw new Problem('not_found', `Image ${image.id} is not in datastore ${image.datastore.id}.`);
    return record;
  };

  const disks = disksIn(base, body);
  const keepContext = contextsIn(base, body);
  const memories = memoriesIn(base);

  return {
    can: body.can,
    capacity: (datastore, signal) =>
      guarded(`Datastore ${datastore.id}`, signal, async () => {
        await makeRoot(datastore);
        return body.capacity(datastore, signal);
      }),
    inventory: (datastore, signal) => guarded(`Datastore ${datastore.id}`, signal, () => inventoryOf(base, datastore)),
    staged: (image, signal) =>
      guarded(nameOf(image), signal, async () => {
        if ((await findKept(base, image)) !== undefined) return { bytes: 0, version: null, total: null };
        const { bytes, version, total } = await stagedIn(layoutOf(base, image).staging);
        return { bytes, version, total };
      }),
    append: (claim, arrival, onProgress, signal) =>
      guarded(nameOf(claim), signal, async () => {
        await body.before(claim.datastore, 'append', 0, signal);
        return appendTo(layoutOf(base, claim).staging, claim, arrival, onProgress, signal);
      }),
    readStaged: (image, offset, signal) =>
      guardedBytes(nameOf(image), signal, async () => {
        const { staging } = layoutOf(base, image);
        return readChain(staging, image.id, await stagedIn(staging), offset, signal);
      }),
    keep: (claim, wish, onProgress, signal) =>
      guarded(nameOf(claim), signal, async () => {
        const found = await findKept(base, claim);
        if (found === undefined) return keepNow(claim, wish, onProgress, signal);
        // Whoever made it may have been killed before this was gone.
        await rm(layoutOf(base, claim).staging, { recursive: true, force: true });
        return found;
      }),
    createEmpty: (claim, { format, size }, signal) =>
      guarded(nameOf(claim), signal, () =>
        made(claim, async (work) => {
          await body.before(claim.datastore, 'createEmpty', size, signal);
          return { format, published: null, counted: await body.createEmpty(work, format, size, signal) };
        }),
      ),
    copy: (claim, from, onProgress, signal) =>
      guarded(nameOf(claim), signal, () =>
        made(claim, async (work) => {
          const record = await recordIn(from);
          await body.before(claim.datastore, 'copy', record.counted?.bytes ?? 0, signal);
          const counted = await body.copy(layoutOf(base, from).kept, work, record, onProgress, signal);
          return { format: record.format, published: null, counted };
        }),
      ),
    find: (image, signal) => guarded(nameOf(image), signal, () => findKept(base, image)),
    read: (image, offset, signal) =>
      guardedBytes(nameOf(image), signal, async () => {
        await recordIn(image);
        if (!body.can.read)
          throw new Problem('not_implemented', `Image ${image.id} is in a datastore that keeps no bytes.`);
        return readDisk(join(layoutOf(base, image).kept, keptNames.disk), offset);
      }),
    resize: (claim, size, signal) =>
      guarded(nameOf(claim), signal, async () => {
        const record = await recordIn(claim);
        const found = await findKept(base, claim);
        if (found === undefined) throw overtaken(claim.id);
        if (size < found.virtualSize)
          throw new Problem(
            'image_refused',
            `Image ${claim.id} has ${grouped(found.virtualSize)} bytes, and is not made smaller: what is behind them would be lost.`,
          );
        if (size === found.virtualSize) return found;
        await body.before(claim.datastore, 'resize', size, signal);
        const { kept } = layoutOf(base, claim);
        const counted = await body.resize(kept, record, size, signal);
        if (counted !== null) await writeRecord(kept, { ...record, counted });
        return (await findKept(base, claim)) ?? found;
      }),
    remove: (claim, signal) =>
      guarded(nameOf(claim), signal, async () => {
        await body.before(claim.datastore, 'remove', 0, signal);
        const { kept, staging, gone } = layoutOf(base, claim);
        await refuseStale(staging, claim);
        if ((await epochOf(kept)) > claim.epoch) throw overtaken(claim.id);
        await mkdir(gone, { recursive: true, mode: modes.directory });
        // Out of the way first, each in one go: nobody sees an image half, and who still writes finds nothing to write to.
        await takeFile(staging, join(gone, `${claim.id}.${randomUUID()}`));
        const away = join(gone, `${claim.id}.${randomUUID()}`);
        await takeFile(kept, away);
        // Whoever was stopped behind his look has taken away what somebody with a later claim has kept meanwhile.
        if ((await epochOf(away)) > claim.epoch) {
          await takeFile(away, kept);
          throw overtaken(claim.id);
        }
        for (const name of await namesIn(gone))
          if (name.startsWith(`${claim.id}.`)) await rm(join(gone, name), { recursive: true, force: true });
      }),
    makeDisk: (claim, wish, signal) => guarded(nameOfDisk(claim), signal, () => disks.make(claim, wish, signal)),
    findDisk: (disk, signal) => guarded(nameOfDisk(disk), signal, () => disks.find(disk)),
    growDisk: (claim, size, signal) => guarded(nameOfDisk(claim), signal, () => disks.grow(claim, size, signal)),
    removeDisk: (claim, signal) => guarded(nameOfDisk(claim), signal, () => disks.remove(claim, claim.disk, signal)),
    removeDisks: (claim, signal) =>
      guarded(`The disks of VM ${claim.vm}`, signal, () => disks.remove(claim, null, signal)),
    keepContext: (claim, files, signal) =>
      guarded(`What VM ${claim.vm} is told`, signal, () => keepContext(claim, files, signal)),
    takeMemory: (claim, signal) =>
      guarded(nameOfMemory(claim), signal, async () => (body.can.read ? memories.take(claim) : null)),
    dropMemory: (claim, signal) =>
      guarded(nameOfMemory(claim), signal, async () => (body.can.read ? memories.drop(claim) : undefined)),
    pathOf: disks.pathOf,
    restoreDisk: (claim, from, onProgress, signal) =>
      guarded(nameOfDisk(claim), signal, () => disks.restore(claim, from, onProgress, signal)),
    snapshotDisk: (claim, change, signal) =>
      guarded(nameOfDisk(claim), signal, () => disks.snapshot(claim, change, signal)),
    snapshotImage: (claim, change, signal) =>
      guarded(nameOf(claim), signal, async () => {
        const record = await recordIn(claim);
        const { kept, staging } = layoutOf(base, claim);
        if (record.format !== 'qcow2') {
          if (change === null) return [];
          throw new Problem('image_refused', `Image ${claim.id} is ${record.format}: it has no snapshots.`);
        }
        await body.before(claim.datastore, 'snapshotDisk', 0, signal);
        await refuseStale(staging, claim);
        const snapshots = await body.snapshot(kept, record, change, signal);
        if (record.counted !== null) await writeRecord(kept, { ...record, snapshots });
        return snapshots;
      }),
    saveDisk: (claim, from, onProgress, signal) =>
      guarded(nameOf(claim), signal, () => made(claim, (work) => disks.save(from, work, onProgress, signal))),
  };
}

const nameOf = ({ id }: StoredImage): string => `Image ${id}`;
const nameOfMemory = ({ vm }: DisksClaim): string => `What VM ${vm} has in memory`;
const nameOfDisk = ({ vm, disk }: StoredDisk): string => `Disk ${disk} of VM ${vm}`;

async function* readDisk(path: string, offset: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    yield* readFrom(file, offset, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

export async function guarded<T>(what: string, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  try {
    signal.throwIfAborted();
    return await call();
  } catch (error) {
    throw diskFault(error, signal, what);
  }
}

async function* guardedBytes(
  what: string,
  signal: AbortSignal,
  call: () => Promise<AsyncIterable<Uint8Array>>,
): AsyncGenerator<Uint8Array> {
  try {
    signal.throwIfAborted();
    for await (const chunk of await call()) {
      signal.throwIfAborted();
      // For whoever reads to keep.
      yield Buffer.from(chunk);
    }
  } catch (error) {
    throw diskFault(error, signal, what);
  }
}

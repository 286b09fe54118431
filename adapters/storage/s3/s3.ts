import { randomUUID } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Problem } from '../../../domain/problems.js';
import { grouped } from '../../../schemas/common/limits.js';
import { ImageFormat, Packing } from '../../../schemas/storage/stored.js';
import { epochOf } from '../directories/kept.js';
import { keptNames, layoutOf, modes } from '../directories/layout.js';
import { overtaken } from '../directories/staging.js';
import { writeSparse } from '../directories/write-sparse.js';
import { diskFault } from '../disk-fault.js';
import { fsStorage } from '../fs/fs.js';
import type { DatastoreTarget, ImageClaim, KeptImage, OnProgress, Storage, StoredImage } from '../port.js';
import { growDisk } from '../qemu-img.js';
import type { Bucket } from './bucket.js';
import { bucketsOf } from './buckets.js';
import type { S3Connections } from './connection.js';
import { s3Fault } from './fault.js';
import { inventoryOf, usedIn } from './inventory.js';
import { type Names, namesIn } from './names.js';
import { noDisks } from './no-disks.js';

/** What is said of an image in the bucket: it is there when this is. */
const KeptObject = z.object({
  format: ImageFormat,
  virtualSize: z.int(),
  bytes: z.int(),
  published: z
    .object({ bytes: z.int(), sha256: z.string(), md5: z.string().nullable(), packing: z.array(Packing) })
    .nullable(),
  /** The name of the object that has its bytes, and the epoch under which they were brought there. */
  key: z.string(),
  epoch: z.int(),
});
type KeptObject = z.infer<typeof KeptObject>;

/** S3 says of no bucket how much it takes: as of OpenNebula's drivers, a number that nobody reaches. */
const total = 2 ** 50;

/** What a call has of its datastore. */
type Place = { bucket: Bucket; in: string; names: Names };

/**
 * Images and files in a bucket. What arrives lies below `base`, is checked and unpacked there by the same code as everywhere, and is then brought to the
 * bucket under a name of its own; what says of it that it is kept is written last, once, on condition that nothing does yet. So an image is there whole or not
 * at all, and who goes on with what arrives needs the same directory. Disks of VMs are not made in it.
 */
export function s3Storage(base: string, connections: S3Connections): Storage {
  const local = fsStorage(base);
  const bucketOf = bucketsOf(connections);

  const placeOf = async ({ id }: DatastoreTarget): Promise<Place> => {
    const { bucket, connection } = await bucketOf(id);
    return { bucket, in: connection.bucket, names: namesIn(connection.prefix, id) };
  };
  const kept = async ({ bucket, names }: Place, { id }: StoredImage, signal: AbortSignal) => {
    const text = await bucket.get(names.record(id), signal);
    if (text === undefined) return undefined;
    const read = KeptObject.safeParse(jsonIn(text));
    if (read.success) return read.data;
    throw new Problem('backend_unavailable', `What is written beside image ${id} in its bucket cannot be read.`);
  };
  const found = async (place: Place, image: StoredImage, signal: AbortSignal): Promise<KeptImage | undefined> => {
    const object = await kept(place, image, signal);
    return object && shown(object);
  };
  const demanded = async (place: Place, image: StoredImage, signal: AbortSignal): Promise<KeptObject> => {
    const object = await kept(place, image, signal);
    if (object) return object;
    throw new Problem('not_found', `Image ${image.id} is not in datastore ${image.datastore.id}.`);
  };
  /** What lies here of an image goes, unless somebody with a later claim is at it. */
  const clean = (claim: ImageClaim, signal: AbortSignal): Promise<void> =>
    local.remove(claim, signal).catch((error: unknown) => {
      if (!(error instanceof Problem && error.code === 'taken')) throw error;
    });

  /**
   * Brings the bytes of an image to the bucket, and says that it is kept. What lies here of it is the right to do so: who removes the image takes that
   * away first. Of several who come here, one is it.
   */
  async function publish(
    place: Place,
    claim: ImageClaim,
    what: Pick<KeptObject, 'format' | 'virtualSize' | 'bytes' | 'published'>,
    bring: (key: string) => Promise<void>,
    signal: AbortSignal,
  ): Promise<KeptImage> {
    const { bucket, names } = place;
    const key = names.bytes(claim.id, claim.epoch, randomUUID());
    try {
      await bring(key);
      const { kept: here } = layoutOf(base, claim);
      const epoch = await epochOf(here);
      if (epoch < 0 || epoch > claim.epoch) {
        // Another try has made it meanwhile, or it was removed.
        const made = await found(place, claim, signal);
        if (made) return made;
        throw overtaken(claim.id);
      }
      const record: KeptObject = { ...what, key, epoch: claim.epoch };
      await bucket.put(names.record(claim.id), JSON.stringify(record), true, signal);
      const made = await demanded(place, claim, signal);
      await clean(claim, signal);
      return shown(made);
    } finally {
      const object = await kept(place, claim, never()).catch(() => ({ key }));
      if (object?.key !== key) await bucket.remove(key, never()).catch(() => undefined);
    }
  }

  /** An image that lies here whole. */
  async function bringUp(
    place: Place,
    claim: ImageClaim,
    made: KeptImage,
    onProgress: OnProgress,
    signal: AbortSignal,
  ) {
    const file = await open(join(layoutOf(base, claim).kept, keptNames.disk), 'r').catch(async () => {
      const other = await found(place, claim, signal);
      throw other ? new Problem('backend_unavailable', `Another try has made image ${claim.id}.`) : overtaken(claim.id);
    });
    const { bytes } = made;
    const told = (done: number): void => onProgress({ phase: 'copy', done, total: bytes });
    try {
      return await publish(place, claim, made, (key) => place.bucket.upload(key, file, bytes, told, signal), signal);
    } finally {
      await file.close();
    }
  }

  const guarded = async <T>(
    what: string,
    target: DatastoreTarget,
    signal: AbortSignal,
    call: (place: Place) => Promise<T>,
  ) => {
    try {
      signal.throwIfAborted();
      return await call(await placeOf(target));
    } catch (error) {
      throw diskFault(s3Fault(error, signal, what), signal, what);
    }
  };
  const onImage = <T>(image: StoredImage, signal: AbortSignal, call: (place: Place) => Promise<T>): Promise<T> =>
    guarded(`Image ${image.id}`, image.datastore, signal, call);
  const onDatastore = <T>(
    target: DatastoreTarget,
    signal: AbortSignal,
    call: (place: Place) => Promise<T>,
  ): Promise<T> => guarded(`Datastore ${target.id}`, target, signal, call);

  return {
    can: { read: true },
    capacity: (datastore, signal) =>
      onDatastore(datastore, signal, async ({ bucket, names }) => {
        const used = await usedIn(bucket, names, signal);
        return { total, used, free: total - used };
      }),
    inventory: (datastore, signal) =>
      onDatastore(datastore, signal, async ({ bucket, names }) =>
        inventoryOf(bucket, names, await local.inventory(datastore, signal), signal),
      ),
    staged: (image, signal) =>
      onImage(image, signal, async (place) => {
        if (await found(place, image, signal)) return { bytes: 0, version: null, total: null };
        // All of it has come, and is not in the bucket yet.
        const whole = (await local.find(image, signal))?.published?.bytes;
        if (whole !== undefined) return { bytes: whole, version: null, total: whole };
        return local.staged(image, signal);
      }),
    append: (...asked) => local.append(...asked),
    readStaged: (...asked) => local.readStaged(...asked),
    keep: (claim, wish, onProgress, signal) =>
      onImage(claim, signal, async (place) => {
        const there = await found(place, claim, signal);
        if (there) {
          await clean(claim, signal);
          return there;
        }
        const made = await local.keep(claim, wish, onProgress, signal);
        return bringUp(place, claim, made, onProgress, signal);
      }),
    createEmpty: (claim, empty, signal) =>
      onImage(claim, signal, async (place) => {
        const there = await found(place, claim, signal);
        if (there) return there;
        return bringUp(place, claim, await local.createEmpty(claim, empty, signal), () => {}, signal);
      }),
    copy: (claim, from, onProgress, signal) =>
      onImage(claim, signal, async (place) => {
        const there = await found(place, claim, signal);
        if (there) return there;
        const source = await placeOf(from.datastore);
        const { key, bytes, format, virtualSize } = await demanded(source, from, signal);
        // Nothing of it comes here but the right to make it.
        await local.createEmpty(claim, { format: 'raw', size: 512 }, signal);
        const told = (done: number): void => onProgress({ phase: 'copy', done, total: bytes });
        const bring = (to: string) => place.bucket.copy(to, { bucket: source.in, key }, bytes, told, signal);
        return publish(place, claim, { format, virtualSize, bytes, published: null }, bring, signal);
      }),
    find: (image, signal) => onImage(image, signal, (place) => found(place, image, signal)),
    async *read(image, offset, signal) {
      const { bucket, object } = await onImage(image, signal, async (place) => ({
        bucket: place.bucket,
        object: await demanded(place, image, signal),
      }));
      if (offset >= object.bytes) return;
      try {
        yield* bucket.read(object.key, offset, signal);
      } catch (error) {
        throw s3Fault(error, signal, `Image ${image.id}`);
      }
    },
    resize: (claim, size, signal) =>
      onImage(claim, signal, async (place) => {
        const object = await demanded(place, claim, signal);
        if (size < object.virtualSize)
          throw new Problem(
            'image_refused',
            `Image ${claim.id} has ${grouped(object.virtualSize)} bytes, and is not made smaller: what is behind them would be lost.`,
          );
        return size === object.virtualSize ? shown(object) : grow(place, claim, object, size, signal);
      }),
    remove: (claim, signal) =>
      onImage(claim, signal, async (place) => {
        const { bucket, names } = place;
        if (((await kept(place, claim, signal).catch(() => undefined))?.epoch ?? -1) > claim.epoch)
          throw overtaken(claim.id);
        await local.remove(claim, signal);
        await bucket.remove(names.record(claim.id), signal);
        for (const upload of await bucket.begun(names.of(claim.id), signal)) await bucket.abort(upload, signal);
        for await (const { key } of bucket.list(names.of(claim.id), signal)) await bucket.remove(key, signal);
      }),
    ...noDisks,
  };

  /** What is in a bucket cannot be written into: it is brought here, and back under another name. */
  async function grow(place: Place, claim: ImageClaim, object: KeptObject, size: number, signal: AbortSignal) {
    const { bucket, names } = place;
    const work = join(layoutOf(base, claim).staging, `work.${claim.epoch}.${randomUUID()}`);
    const key = names.bytes(claim.id, claim.epoch, randomUUID());
    try {
      await mkdir(work, { recursive: true, mode: modes.directory });
      const path = join(work, keptNames.disk);
      await writeSparse(path, bucket.read(object.key, 0, signal), signal, () => {});
      await growDisk(path, object.format, size, signal);
      const file = await open(path, 'r');
      try {
        const { size: bytes } = await file.stat();
        await bucket.upload(key, file, bytes, () => {}, signal);
        // Whoever has come later has made it larger, or removed it.
        if ((await kept(place, claim, signal))?.key !== object.key) throw overtaken(claim.id);
        const record: KeptObject = { ...object, key, bytes, virtualSize: size, epoch: claim.epoch };
        await bucket.put(names.record(claim.id), JSON.stringify(record), false, signal);
        await bucket.remove(object.key, signal);
        return shown(record);
      } finally {
        await file.close();
      }
    } catch (error) {
      const now = await kept(place, claim, never()).catch(() => ({ key }));
      if (now?.key !== key) await bucket.remove(key, never()).catch(() => undefined);
      throw error;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
}

const shown = ({ format, virtualSize, bytes, published }: KeptObject): KeptImage => ({
  ...{ format, virtualSize, bytes, published },
});

/** What is tidied up is so though the call was ended; half a minute is enough for that. */
const never = (): AbortSignal => AbortSignal.timeout(30_000);

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

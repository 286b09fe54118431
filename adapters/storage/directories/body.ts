import { z } from 'zod';
import { ImageFormat, Packing } from '../../../schemas/storage/stored.js';
import type { DatastoreTarget, OnProgress, StorageCapabilities, StorageCapacity } from '../port.js';

const Bytes = z.int().min(0);

/** What is written beside the bytes of an image that is kept, or in their place. */
export const KeptRecord = z.object({
  /** Of who made it: an older one does not remove it. */
  epoch: z.int(),
  format: ImageFormat,
  published: z
    .object({ bytes: Bytes, sha256: z.string(), md5: z.string().nullable(), packing: z.array(Packing) })
    .nullable(),
  /** Of an image whose bytes are counted alone; null: they are there, and are measured. */
  counted: z.object({ bytes: Bytes, virtualSize: Bytes }).nullable(),
});
export type KeptRecord = z.infer<typeof KeptRecord>;
/** The same, as far as whoever makes it says it. */
export type MadeRecord = Omit<KeptRecord, 'epoch'>;
export type Counted = KeptRecord['counted'];

/** What a kind of storage in directories does with bytes: `fs` keeps them, `simulated` counts them. Each works in a directory of its own. */
export type Body = {
  can: StorageCapabilities;
  capacity(datastore: DatastoreTarget, signal: AbortSignal): Promise<StorageCapacity>;
  /** Before each call: waits or throws as a simulated one was told. */
  before(datastore: DatastoreTarget, call: BodyCall, bytes: number, signal: AbortSignal): Promise<void>;
  /** The disk in `directory` has been looked at, and is to become an image. */
  settle(directory: string, counted: NonNullable<Counted>): Promise<Counted>;
  createEmpty(directory: string, format: ImageFormat, size: number, signal: AbortSignal): Promise<Counted>;
  copy(
    from: string,
    directory: string,
    record: KeptRecord,
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<Counted>;
  resize(kept: string, record: KeptRecord, size: number, signal: AbortSignal): Promise<Counted>;
};
export type BodyCall = 'append' | 'keep' | 'createEmpty' | 'copy' | 'resize' | 'remove';

import { z } from 'zod';
import type { SimulatedCall } from '../../../schemas/storage/simulation.js';
import { ImageFormat, Packing } from '../../../schemas/storage/stored.js';
import type {
  ContextFile,
  DatastoreTarget,
  OnProgress,
  SnapshotChange,
  StorageCapabilities,
  StorageCapacity,
} from '../port.js';

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
  /** Of one whose bytes are counted alone: the numbers of its snapshots. */
  snapshots: z.array(z.int()).optional(),
});
export type KeptRecord = z.infer<typeof KeptRecord>;
/** The same, as far as whoever makes it says it. */
export type MadeRecord = Omit<KeptRecord, 'epoch'>;
export type Counted = KeptRecord['counted'];

/** What is written beside a disk of a VM. */
export const DiskRecord = KeptRecord.pick({ format: true, counted: true, snapshots: true }).extend({
  /** The image that it stands on (`clone`) or is (`use`); null: it is on its own. */
  from: z.object({ image: z.int(), datastore: z.int(), way: z.enum(['clone', 'use']) }).nullable(),
});
export type DiskRecord = z.infer<typeof DiskRecord>;

/** What a kind of storage in directories does with bytes: `fs` keeps them, `simulated` counts them. Each works in a directory of its own. */
export type Body = {
  can: StorageCapabilities;
  capacity(datastore: DatastoreTarget, signal: AbortSignal): Promise<StorageCapacity>;
  /** Before each call: waits or throws as a simulated one was told. */
  before(datastore: DatastoreTarget, call: BodyCall, bytes: number, signal: AbortSignal): Promise<void>;
  /** The disk in `directory` has been looked at, and is to become an image. */
  settle(directory: string, counted: NonNullable<Counted>): Promise<Counted>;
  createEmpty(directory: string, format: ImageFormat, size: number, signal: AbortSignal): Promise<Counted>;
  copy(from: string, directory: string, record: Sized, onProgress: OnProgress, signal: AbortSignal): Promise<Counted>;
  resize(directory: string, record: Sized, size: number, signal: AbortSignal): Promise<Counted>;
  /** A disk that stands on the image in `from`. */
  clone(from: string, directory: string, record: Sized, size: number, signal: AbortSignal): Promise<Counted>;
  /** A disk that is the image in `from`. */
  use(from: string, directory: string): Promise<void>;
  /** An empty raw disk in `directory` becomes one to swap to. */
  makeSwap(directory: string, size: number): Promise<void>;
  /** What is in `from` and in what it stands on, or was when a snapshot was taken, in one, in this format. */
  flatten(
    from: string,
    directory: string,
    record: Sized & { as: ImageFormat; snapshot?: number },
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<Counted>;
  /** The files that a guest is told by, in a directory of theirs alone. */
  tell(directory: string, files: readonly ContextFile[], signal: AbortSignal): Promise<void>;
  /** Changes snapshots of the qcow2 in `directory`. Resolves with the numbers of those that there are; null: nothing is to be changed. */
  snapshot(directory: string, record: Sized, change: SnapshotChange | null, signal: AbortSignal): Promise<number[]>;
  /** What is in `work` takes the place of what is in `directory`, in one go. */
  replace(work: string, directory: string): Promise<void>;
  /** What a program opens of what is in `directory`; null: there are no bytes. */
  pathIn(directory: string): string | null;
};
/** What has to be known of a disk to change it. */
export type Sized = Pick<KeptRecord, 'format' | 'counted' | 'snapshots'>;
export type BodyCall = Exclude<SimulatedCall, 'capacity'>;

import type { ImageFormat, Packing, StorageKind } from '../../schemas/storage/stored.js';

/** A datastore as its adapter knows it: where its bytes lie is derived from its id. */
export type DatastoreTarget<K extends StorageKind = StorageKind> = { id: number; ds_mad: K };

/** An image, whether there is anything of it or not. What it is called in its datastore is derived from its id. */
export type StoredImage<K extends StorageKind = StorageKind> = { id: number; datastore: DatastoreTarget<K> };

/**
 * Who changes an image. `epoch` rises with each holder of the image and with each try of a step: a lower one is stale. Two tries of one
 * epoch do no harm, but each may stop the other.
 */
export type ImageClaim<K extends StorageKind = StorageKind> = StoredImage<K> & { epoch: number };

/** In bytes. `free` is what can still be written, which may be less than what is not used: file systems reserve some. */
export type StorageCapacity = { total: number; used: number; free: number };

/** How far a call is, in bytes. `total` is null where nobody knows it before the end (what something unpacks to). */
export type Progress = { phase: 'fetch' | 'check' | 'unpack' | 'copy'; done: number; total: number | null };

/** Called after each piece of work, hundreds of times a second at most; must return at once, and not throw. */
export type OnProgress = (progress: Progress) => void;

/**
 * What has arrived of an image. `version`: what its source said of itself when that began (`SourceBytes`); null: it could not. `total`: as many bytes as it
 * said that there are; all of them are there when `bytes` is that.
 */
export type Staged = { bytes: number; version: string | null; total: number | null };

/** Bytes that go behind what has arrived. */
export type Arrival = {
  /** Where they go: at most as many bytes as are there. 0 begins anew; what was there behind `offset` is not part of it any more. */
  offset: number;
  /** Each piece is written before the next is asked for. */
  bytes: AsyncIterable<Uint8Array>;
  /** What the source says of itself, to be found in `Staged` by who goes on. */
  version: string | null;
  /** As many bytes as what has arrived may have in all; one more is refused. */
  most: number;
  /** As many as there will be in all; null: nobody knows. */
  total: number | null;
};

/** What the bytes that have arrived are to be when they become an image. */
export type KeepWish = {
  /** `disk`: unpacked, looked into, raw or qcow2. `file` (a kernel, a RAM disk, a file for guests): kept as it was published. */
  content: 'disk' | 'file';
  /** Of the bytes as published, in hexadecimal digits, either case. */
  sha256?: string | undefined;
  md5?: string | undefined;
  /** Bytes that it may have in the datastore, unpacked. */
  mostBytes: number;
  /** Bytes that a guest may see of it (the virtual size of a qcow2). */
  mostVirtual: number;
};

/** An image as it is kept. */
export type KeptImage = {
  format: ImageFormat;
  /** Bytes that a guest sees. */
  virtualSize: number;
  /** Bytes of the file: what it comes to when it is read. */
  bytes: number;
  /** Bytes that it takes on disk now: holes are none. */
  allocated: number;
  /** What it was made of; null: it was made empty, or is a copy. */
  published: { bytes: number; sha256: string; md5: string | null; packing: Packing[] } | null;
};

/** Everything that lies in a datastore, for `fsck`. Bytes are those on disk. */
export type Inventory = {
  images: { id: number; bytes: number }[];
  /** What has arrived of images that are not kept yet, and what is left of those that are being removed. */
  staging: { image: number; bytes: number }[];
  /** Disks of VMs. */
  disks: { vm: number; disk: number; bytes: number }[];
  /** Names that are none of ours: never touched. */
  strange: string[];
};

/** Which calls a kind of storage knows at all. */
export type StorageCapabilities = Readonly<{
  /** Bytes of kept images can be read: a simulated one counts them, and keeps none. */
  read: boolean;
}>;

/**
 * What Arcus asks of a kind of storage. Every method may be called again with the same arguments, whenever and beside another try of
 * itself, and stops early, throwing the signal's reason, when the signal aborts. What is told apart:
 * - `backend_unavailable`: does not answer, lacks a program, a fault of the disk; tried again.
 * - `datastore_full`: no room; not tried again.
 * - `image_refused`: the bytes are not what they must be. The detail says why. Nothing is left but what had arrived.
 * - `taken`: somebody with a later claim is at it, or has removed it.
 * - `not_found`: there is no such image.
 * Nothing is seen half: an image is there whole, or is not. What a killed process leaves is found by who tries again, and goes with `remove`.
 */
export interface Storage<K extends StorageKind = StorageKind> {
  readonly can: StorageCapabilities;
  /** Makes the datastore's directory if there is none. */
  capacity(datastore: DatastoreTarget<K>, signal: AbortSignal): Promise<StorageCapacity>;
  inventory(datastore: DatastoreTarget<K>, signal: AbortSignal): Promise<Inventory>;

  /** What has arrived of an image; of one that is kept, or that nobody knows, nothing. */
  staged(image: StoredImage<K>, signal: AbortSignal): Promise<Staged>;
  /**
   * Resolves with what has arrived in all when the iterable has ended and what it gave is on disk. When it fails, or the signal aborts, what had
   * come by then stays. An older try that still writes spoils nothing, and hears `taken`.
   */
  append(claim: ImageClaim<K>, arrival: Arrival, onProgress: OnProgress, signal: AbortSignal): Promise<Staged>;
  /** What has arrived, from an offset on. */
  readStaged(image: StoredImage<K>, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * Makes an image of what has arrived: checks its checksums, unpacks it (gzip, bzip2, xz, zstd, tar or zip with one file, and one in another),
   * finds its format and virtual size by looking into it. Succeeds with what it is when it is kept already. What has arrived stays when
   * it is refused, until `remove`.
   */
  keep(claim: ImageClaim<K>, wish: KeepWish, onProgress: OnProgress, signal: AbortSignal): Promise<KeptImage>;

  /** An empty image, of `size` bytes for the guest. One that is kept already is the result, as it is. */
  createEmpty(
    claim: ImageClaim<K>,
    empty: { format: ImageFormat; size: number },
    signal: AbortSignal,
  ): Promise<KeptImage>;
  /** An image that is as another, in a datastore of the same kind. One that is kept already is the result. */
  copy(claim: ImageClaim<K>, from: StoredImage<K>, onProgress: OnProgress, signal: AbortSignal): Promise<KeptImage>;
  /** An image as it is kept, or undefined. */
  find(image: StoredImage<K>, signal: AbortSignal): Promise<KeptImage | undefined>;
  /** The bytes of an image that is kept, from an offset on; refused with `not_implemented` where `can.read` is false. */
  read(image: StoredImage<K>, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Resolves when a guest sees this many bytes: never fewer than before, which is refused with `image_refused`. Nobody uses it meanwhile. */
  resize(claim: ImageClaim<K>, size: number, signal: AbortSignal): Promise<KeptImage>;
  /** Resolves when nothing of it is left, kept or arriving. Succeeds when nothing was. */
  remove(claim: ImageClaim<K>, signal: AbortSignal): Promise<void>;
}

/** The adapter of each datastore. */
export type Storages = { of(datastore: Pick<DatastoreTarget, 'ds_mad'>): Storage };

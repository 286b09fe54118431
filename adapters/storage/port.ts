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

/** A disk of a VM, by numbers of which none is given twice, in a datastore of type `system`. Where it lies is derived from them. */
export type StoredDisk<K extends StorageKind = StorageKind> = {
  vm: number;
  disk: number;
  datastore: DatastoreTarget<K>;
};

/** Who changes a disk, by the VM's epoch: one that is lower than another that has been at any disk of this VM is stale. */
export type DiskClaim<K extends StorageKind = StorageKind> = StoredDisk<K> & { epoch: number };

/** All disks that a VM has in a datastore. */
export type DisksClaim<K extends StorageKind = StorageKind> = Omit<DiskClaim<K>, 'disk'>;

/**
 * What a disk is made of. `clone`: what it is at first is the image's, of which nothing is copied, and what is written is its own; `use`: the image itself,
 * for who alone uses it, or only reads. `size`: bytes that a guest is to see at least; null: as many as of the image.
 */
export type DiskWish =
  | { from: StoredImage; way: 'clone' | 'use'; size: number | null }
  | { empty: { format: ImageFormat; size: number }; content: 'none' }
  | { empty: { format: 'raw'; size: number }; content: 'swap' };

/** A disk as it is. */
export type KeptDisk = {
  format: ImageFormat;
  /** Bytes that a guest sees. */
  virtualSize: number;
};

/**
 * One of the files that a guest is told by: what is told as it stands, or bytes of something else, of which it is known how many there are. `part`: `boot`: its guest never
 * finds it, and is booted by it.
 */
export type ContextFile = { name: string; part?: 'boot' } & (
  | { text: string }
  | { size: number; bytes: (signal: AbortSignal) => AsyncIterable<Uint8Array> }
);

/**
 * The directory of these files, for whoever makes a disk of it; null: there are no bytes, or no files. `bring`: it is that of another machine, and this copies them into a
 * directory of this one. `boot`: that of the files that a guest is booted by, as its host finds it; absent: there are no bytes, or no such files.
 */
export type KeptContext = {
  path: string | null;
  boot?: string;
  bring?: (into: string, signal: AbortSignal) => Promise<void>;
};
/** `isThere`: something is kept in it, whole or not: who has written it knows. */
export type KeptMemory = { path: string; isThere: boolean };
/**
 * What is done with what a qcow2 was at a moment, which is kept in it under a number: `take` keeps what it is now, in the place of what is kept under that number;
 * `revert` makes it that again, and keeps it; `drop` keeps it no more.
 */
export type SnapshotChange = { do: 'take' | 'revert' | 'drop'; snapshot: number };

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
  /** What guests of VMs are told, by the epoch under which they were started with it. */
  contexts: { vm: number; epoch: number; bytes: number }[];
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
 * - `not_found`: there is no such image, or no such disk.
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

  /**
   * A disk of a VM. One that is there already is the result, made larger where it is smaller than wished. An image must be kept in a datastore of the same kind, which
   * `not_found` says that it is not; what a guest would see less of than the image has is refused with `image_refused`.
   */
  makeDisk(claim: DiskClaim<K>, wish: DiskWish, signal: AbortSignal): Promise<KeptDisk>;
  /** A disk as it is, or undefined. */
  findDisk(disk: StoredDisk<K>, signal: AbortSignal): Promise<KeptDisk | undefined>;
  /** Resolves when a guest that is started sees this many bytes: never fewer than before, which is refused with `image_refused`. Nobody has it open meanwhile. */
  growDisk(claim: DiskClaim<K>, size: number, signal: AbortSignal): Promise<KeptDisk>;
  /** Resolves when nothing of it is left; an image that was used stays as it is. Succeeds when nothing was. What an older claim still makes of this VM's is none. */
  removeDisk(claim: DiskClaim<K>, signal: AbortSignal): Promise<void>;
  /** The same of all disks of a VM, and of what its guest was told. */
  removeDisks(claim: DisksClaim<K>, signal: AbortSignal): Promise<void>;
  /**
   * What the guest of a VM is told when it is started under this epoch, as files of one directory, each for its owner alone: whole or not at all. What it was told under
   * an older epoch is gone first, so that nobody starts it with that any more; what is there under this one is the result, as it is. No files: nothing is
   * left. Names lead to no other directory, or are refused by throwing.
   */
  keepContext(claim: DisksClaim<K>, files: readonly ContextFile[], signal: AbortSignal): Promise<KeptContext>;
  /**
   * The file in which a hypervisor keeps what a VM has in memory, away from hosts, as those open it that have its disks: from now on the file of this epoch, with what an older one has kept in it.
   * null: no bytes are kept there.
   */
  takeMemory(claim: DisksClaim<K>, signal: AbortSignal): Promise<KeptMemory | null>;
  /** Resolves when nothing is kept in it. Succeeds when nothing was. */
  dropMemory(claim: DisksClaim<K>, signal: AbortSignal): Promise<void>;
  /** What a hypervisor opens, in the format of `KeptDisk`; null: there are no bytes. Its directory is the disk's alone. */
  pathOf(disk: StoredDisk<K>): string | null;
  /**
   * An image that is as a disk is now, or was when this snapshot of it was taken, and stands on nothing. Nobody writes to the disk meanwhile. One that is kept already
   * is the result. `not_found`: there is no such snapshot.
   */
  saveDisk(
    claim: ImageClaim<K>,
    from: StoredDisk<K> & { snapshot?: number },
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<KeptImage>;
  /**
   * Of a disk, and of an image that it is itself; done again it is done. Nobody has it open meanwhile. One that is raw is refused with `image_refused`, and to revert to
   * what is not kept with `not_found`; to drop that succeeds. Snapshots go with what they are of.
   */
  snapshotDisk(claim: DiskClaim<K>, change: SnapshotChange, signal: AbortSignal): Promise<void>;
  /** The same of an image that nobody uses. Resolves with the numbers of the snapshots that it has then; `change`: null: of those that it has. */
  snapshotImage(claim: ImageClaim<K>, change: SnapshotChange | null, signal: AbortSignal): Promise<number[]>;
  /**
   * A disk that is there becomes as an image is, as large as it was, in its format; an image that it is itself becomes so. Until then, and whenever that fails, it
   * is what it was. Refused with `image_refused` where the image is larger. Nobody has it open meanwhile. Done again it is done anew.
   */
  restoreDisk(
    claim: DiskClaim<K>,
    from: StoredImage<K>,
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<KeptDisk>;
}

/** The adapter of each datastore. */
export type Storages = { of(datastore: Pick<DatastoreTarget, 'ds_mad'>): Storage };

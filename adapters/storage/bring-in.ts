import type { ImageClaim, KeepWish, KeptImage, OnProgress, Storage } from './port.js';
import type { SourceAddress, Sources } from './sources/port.js';

export type Import = KeepWish & {
  from: SourceAddress;
  /** Bytes that it may have as it is published. */
  mostPublished: number;
};

/**
 * Resolves when the image is made of the source: what has arrived of it goes on where it ended, unless the source is another since. Again it is the
 * same. What it fails with is that of `Storage` and `Sources`.
 */
export type BringIn = (
  ports: { storage: Storage; sources: Sources },
  claim: ImageClaim,
  wanted: Import,
  onProgress: OnProgress,
  signal: AbortSignal,
) => Promise<KeptImage>;

import { Problem } from '../../domain/problems.js';
import { grouped } from '../../schemas/common/limits.js';
import type { ImageClaim, KeepWish, KeptImage, OnProgress, Storage } from './port.js';
import type { SourceAddress, Sources } from './sources/port.js';

export type Import = KeepWish & {
  from: SourceAddress;
  /** Bytes that it may have as it is published. */
  mostPublished: number;
};
type Ports = { storage: Storage; sources: Sources };

/**
 * Resolves when the image is made of the source: what has arrived of it goes on where it ended, unless the source is another since. Again it is the
 * same. What it fails with is that of `Storage` and `Sources`.
 */
export async function bringIn(
  ports: Ports,
  claim: ImageClaim,
  wanted: Import,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<KeptImage> {
  const { storage } = ports;
  const found = await storage.find(claim, signal);
  if (found === undefined) await fetchRest(ports, claim, wanted, onProgress, signal);
  return storage.keep(claim, wanted, onProgress, signal);
}

/** Nobody is asked for what has arrived whole: it is judged by what lies here. */
async function fetchRest(
  { storage, sources }: Ports,
  claim: ImageClaim,
  { from, mostPublished: most }: Import,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<void> {
  const staged = await storage.staged(claim, signal);
  if (staged.bytes > 0 && staged.bytes === staged.total) return;
  const source = await sources.open(from, { offset: staged.bytes, version: staged.version }, signal);
  const { offset, bytes, version, total } = source;
  try {
    if (total !== null && total > most)
      throw new Problem('image_refused', `The source has ${grouped(total)} bytes, and may have ${grouped(most)}.`);
    await storage.append(claim, { offset, bytes, version, most, total }, onProgress, signal);
  } finally {
    await source.close();
  }
}

import { createHash, type Hash } from 'node:crypto';
import { Problem } from '../../domain/problems.js';
import { grouped } from '../../schemas/common/limits.js';
import type { ImageClaim, KeptImage, OnProgress, Storage, StoredImage } from './port.js';

/** The sum of the first bytes of an image. */
export type Summed = { bytes: number; sha256: string };

export type CopyWish = {
  from: StoredImage;
  /** What tells this state of the image from others. */
  version: string;
  /** What an earlier try has summed up, as it read; null: none has. */
  summed: Summed | null;
  /** Called after each piece that has been written, with a way to its sum: to make that costs as much as a piece. */
  reached: (bytes: number, sum: () => string) => void;
};

/**
 * Resolves when there is in another datastore what an image is in its own. Bytes go from one to the other and through no file between; their sum is made as they are read,
 * and compared with that of what lies there in the end. Goes on where an earlier try of the same state ended, as far as what lies there is what that has read. What is
 * raw stays so, whatever a guest has written at its beginning.
 */
export async function bringCopy(
  { source, target }: { source: Storage; target: Storage },
  claim: ImageClaim,
  wish: CopyWish,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<KeptImage> {
  const { from } = wish;
  const kept = await source.find(from, signal);
  if (kept === undefined)
    throw new Problem('not_found', `Image ${from.id} is not in datastore ${from.datastore.id}, where it is to be.`);
  const there = await target.find(claim, signal);
  if (there !== undefined) return there;
  const { bytes: total, format, virtualSize } = kept;
  const begun = await beginning(target, claim, wish, signal);
  const { sum, offset } = begun;
  const bytes = summing(source.read(from, offset, signal), begun, wish.reached);
  const { version } = wish;
  const arrived = await target.append(claim, { offset, bytes, version, most: total, total }, onProgress, signal);
  if (arrived.bytes !== total)
    throw new Problem(
      'backend_unavailable',
      `Of image ${from.id} ${grouped(arrived.bytes)} bytes were read, and it has ${grouped(total)}.`,
    );
  const content = format === 'raw' ? 'file' : 'disk';
  const sums = { sha256: sum.digest('hex') };
  return target.keep(claim, { content, ...sums, mostBytes: total, mostVirtual: virtualSize }, onProgress, signal);
}

type Begun = { sum: Hash; offset: number };

/** How far what lies there is what an earlier try has read: it is read again, where it is. */
async function beginning(
  target: Storage,
  claim: ImageClaim,
  { version, summed }: CopyWish,
  signal: AbortSignal,
): Promise<Begun> {
  const anew = (): Begun => ({ sum: createHash('sha256'), offset: 0 });
  const staged = await target.staged(claim, signal);
  if (summed === null || staged.version !== version || staged.bytes < summed.bytes) return anew();
  const { sum } = anew();
  let left = summed.bytes;
  for await (const chunk of target.readStaged(claim, 0, signal)) {
    sum.update(chunk.subarray(0, left));
    left -= Math.min(left, chunk.length);
    if (left === 0) break;
  }
  return sum.copy().digest('hex') === summed.sha256 ? { sum, offset: summed.bytes } : anew();
}

/** Who asks for the next piece has written the one before. */
async function* summing(
  bytes: AsyncIterable<Uint8Array>,
  { sum, offset }: Begun,
  reached: CopyWish['reached'],
): AsyncGenerator<Uint8Array> {
  let done = offset;
  for await (const chunk of bytes) {
    yield chunk;
    sum.update(chunk);
    done += chunk.length;
    reached(done, () => sum.copy().digest('hex'));
  }
}

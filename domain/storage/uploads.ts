import { limits } from '../../schemas/common/limits.js';
import type { Image, Upload } from '../../schemas/storage/image.js';

/** Milliseconds for which an upload may get no further. */
export const uploadPatience = limits.uploadIdle.most * 1_000;

/** When it is given up, if nobody goes on with it. */
export const expiryOf = ({ at }: Pick<Upload, 'at'>): Date => new Date(at.getTime() + uploadPatience);

/** Bytes that are sent of an image, in all; null: it is made of something else. */
export const uploadTotal = ({ origin }: Pick<Image, 'origin'>): number | null =>
  'upload' in origin ? origin.upload.bytes : null;

/** What is still to be sent of an image; null: nothing. */
export function uploadOf({
  upload,
  origin,
}: Pick<Image, 'upload' | 'origin'>): { bytes: number; arrived: number; expires: Date } | null {
  if (!upload?.open || !('upload' in origin)) return null;
  return { bytes: origin.upload.bytes, arrived: upload.arrived, expires: expiryOf(upload) };
}

/** `whole`: it can be made of what is there; `given_up`: nobody has gone on with it. */
export type UploadVerdict = 'waits' | 'whole' | 'given_up';

/**
 * What is to be done about an upload of which so many bytes are in its datastore. One that was closed was found whole, or given up: which of
 * them, what lies there says.
 */
export function judgeUpload(
  { open, at }: Pick<Upload, 'open' | 'at'>,
  staged: number,
  total: number,
  now: Date,
): UploadVerdict {
  if (staged >= total) return 'whole';
  if (!open) return 'given_up';
  return expiryOf({ at }) <= now ? 'given_up' : 'waits';
}

/** Bytes by which an upload has to grow to be further than it was: a byte now and then would hold a place for days. */
export const furtherBy = limits.slowest.most;

/** Whether it has got further, for which it is given more time. */
export const isUploadFurther = (arrived: number, before: number, total: number): boolean =>
  arrived >= before + furtherBy || (arrived === total && before < total);

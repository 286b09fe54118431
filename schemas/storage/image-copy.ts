import { z } from 'zod';
import { ObjectId, Timestamp } from '../common/common.js';
import type { StorageKind } from './stored.js';

/** COMING: its bytes are being brought; READY: disks stand on it; GOING: it is being removed. */
export const CopyState = z.enum(['COMING', 'READY', 'GOING']);
export type CopyState = z.infer<typeof CopyState>;

/** Which copy it is: there is one at most of an image in a datastore. */
export type CopyPlace = { image: number; datastore_id: number };

/** A step of a run, and which of its tries: of two the later one. */
export type CopyHolder = { step: string; attempt: number };

/** What an image is in a system datastore that lies elsewhere than its own, as stored. Its bytes are there under the id of the image. */
export type ImageCopy = CopyPlace & {
  /** `<image>/<datastore>`. */
  _id: string;
  ds_mad: StorageKind;
  state: CopyState;
  /** The epoch of the image whose bytes they are: each change of those raises it. */
  of: number;
  /** Rises with whoever is at work on it, and never falls as long as there is the image: what an older one does counts for nothing. */
  epoch: number;
  /** Who is at work on it; null: nobody. */
  holder: CopyHolder | null;
  /** When that last gave a sign of life. */
  beat_at: Date;
  /** Bytes of another state of the image may lie there, and are to go first. */
  clear: boolean;
  /** MB that it takes there. */
  size_mb: number;
  /** How far it is, in bytes, and when it last got further. */
  moved: { done: number; total: number; at: Date };
  /** The sum of the first bytes as they were read: who goes on compares what lies there with it. */
  summed: { bytes: number; sha256: string } | null;
  /** When a disk was last made of it. */
  used_at: Date;
  created_at: Date;
};

export const ImageCopyShown = z.object({
  datastore_id: ObjectId,
  state: CopyState.describe('COMING: it is being brought; READY: disks stand on it; GOING: it is being removed'),
  size_mb: z.int().describe('MB that it takes there'),
  moved: z.object({ done: z.int(), total: z.int() }).describe('Bytes that are there, of how many'),
  used_at: Timestamp.describe('When a disk was last made of it'),
});
export type ImageCopyShown = z.infer<typeof ImageCopyShown>;

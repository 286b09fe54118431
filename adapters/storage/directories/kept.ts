import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { z } from 'zod';
import { Problem } from '../../../domain/problems.js';
import { diskHeadBytes, virtualSizeOf } from '../../../domain/storage/disk-format.js';
import type { ImageFormat } from '../../../schemas/storage/stored.js';
import { codeOf } from '../disk-fault.js';
import { open, readFile, rename } from '../machine/files.js';
import type { KeptImage, StoredImage } from '../port.js';
import { type DiskRecord, KeptRecord } from './body.js';
import { keptNames, layoutOf, modes } from './layout.js';
import { writeAll } from './write-file.js';

/** Writes what is said of an image or a disk, whole or not at all, in the directory that has its bytes. */
export async function writeRecord(directory: string, record: KeptRecord | DiskRecord): Promise<void> {
  const draft = join(directory, `draft.${randomUUID()}`);
  const file = await open(draft, 'wx', modes.file);
  try {
    await writeAll(file, Buffer.from(JSON.stringify(record)), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(directory, keptNames.record));
}

/** What is said of an image that is kept; undefined: none is. */
export const recordOf = (kept: string): Promise<KeptRecord | undefined> => readRecord(kept, KeptRecord);

/** The same of whatever has a record. */
export async function readRecord<T>(directory: string, shape: z.ZodType<T>): Promise<T | undefined> {
  try {
    return shape.parse(JSON.parse(await readFile(join(directory, keptNames.record), 'utf8')));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    if (codeOf(error) !== undefined) throw error;
    throw new Problem('backend_unavailable', 'What is written beside the disk cannot be read.', { cause: error });
  }
}

/** The epoch of who made what is kept; -1: nothing is, or nothing that can be read, which nobody made as it is. */
export const epochOf = (kept: string): Promise<number> =>
  recordOf(kept).then(
    (record) => record?.epoch ?? -1,
    (error: unknown) => {
      if (error instanceof Problem) return -1;
      throw error;
    },
  );

export async function findKept(base: string, image: StoredImage): Promise<KeptImage | undefined> {
  const { kept } = layoutOf(base, image);
  const record = await recordOf(kept);
  if (record === undefined) return undefined;
  const { format, published, counted } = record;
  if (counted !== null) return { format, published, ...counted };
  const size = await measured(join(kept, keptNames.disk), format);
  return size && { format, published, ...size };
}

/**
 * A file's size is that of a raw disk, in whole sectors; a qcow2 says it itself, by the header that was looked at when it was kept. undefined: it went while
 * it was looked at.
 */
export async function measured(
  disk: string,
  format: ImageFormat,
): Promise<Pick<KeptImage, 'bytes' | 'virtualSize'> | undefined> {
  const file = await open(disk, 'r').catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(Math.min(size, diskHeadBytes));
    await file.read(head, 0, head.length, 0);
    return { bytes: size, virtualSize: virtualSizeOf(format, head, size) };
  } finally {
    await file.close();
  }
}

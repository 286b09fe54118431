import { randomUUID } from 'node:crypto';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../../../domain/problems.js';
import { diskHeadBytes, lookAt } from '../../../domain/storage/disk-format.js';
import { codeOf } from '../disk-fault.js';
import type { KeptImage, StoredImage } from '../port.js';
import { KeptRecord } from './body.js';
import { keptNames, layoutOf, modes } from './layout.js';
import { writeAll } from './write-file.js';

/** Writes what is said of an image, whole or not at all, in the directory that has its bytes. */
export async function writeRecord(directory: string, record: KeptRecord): Promise<void> {
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
export async function recordOf(kept: string): Promise<KeptRecord | undefined> {
  try {
    return KeptRecord.parse(JSON.parse(await readFile(join(kept, keptNames.record), 'utf8')));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    if (codeOf(error) !== undefined) throw error;
    throw new Problem('backend_unavailable', 'What is written beside the image cannot be read.', { cause: error });
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
  if (counted !== null) return { format, published, ...counted, allocated: 0 };
  return { format, published, ...(await measured(join(kept, keptNames.disk))) };
}

/** A file's size is that of a raw disk, in whole sectors; a qcow2 says it itself, by the header that was looked at when it was kept. */
async function measured(disk: string): Promise<Pick<KeptImage, 'bytes' | 'virtualSize' | 'allocated'>> {
  const file = await open(disk, 'r');
  try {
    const { size, blocks } = await file.stat();
    const head = Buffer.alloc(Math.min(size, diskHeadBytes));
    await file.read(head, 0, head.length, 0);
    const look = lookAt(head, size);
    const virtualSize = ('refused' in look ? null : look.virtualSize) ?? Math.ceil(size / 512) * 512;
    return { bytes: size, virtualSize, allocated: blocks * 512 };
  } finally {
    await file.close();
  }
}

/** Bytes on disk below a path; what goes meanwhile is nothing. */
export async function allocatedAt(path: string): Promise<number> {
  try {
    return (await stat(path)).blocks * 512;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

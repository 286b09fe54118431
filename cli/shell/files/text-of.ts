import { closeSync, openSync, readSync } from 'node:fs';
import { Complaint } from '../complaint.js';

/** Bytes that a file may have: many times what one request may. A device such as /dev/zero has no end. */
const most = 16 * 1024 * 1024;

/** The text of a file, or of standard input for `-`, without a byte order mark. */
export function textOf(file: string, { next }: { next: string }): string {
  const bytes = bytesOf(file, next);
  if (bytes.length > most)
    throw new Complaint('usage', `${nameOf(file)} has more than ${most / 1024 / 1024} MB.`, { next });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const line = bytes.subarray(0, faultIn(bytes)).filter((byte) => byte === 10).length + 1;
    throw new Complaint('usage', `${whereIn(file, { line })} is not UTF-8 text.`, {
      cause,
      next: 'Save it as UTF-8 and try again: nothing has been changed.',
    });
  }
}

export const nameOf = (file: string): string => (file === '-' ? 'Standard input' : file);

/** `shop.yaml:12:3`, as editors and compilers write it. */
export const whereIn = (file: string, { line, column }: { line: number; column?: number }): string =>
  `${file === '-' ? 'standard input' : file}:${line}${column === undefined ? '' : `:${column}`}`;

function bytesOf(file: string, next: string): Buffer {
  let descriptor: number | undefined;
  try {
    descriptor = file === '-' ? 0 : openSync(file, 'r');
    const chunks: Buffer[] = [];
    for (let size = 0; size <= most; ) {
      const chunk = Buffer.alloc(65_536);
      const read = readSome(descriptor, chunk);
      if (read === 0) break;
      chunks.push(chunk.subarray(0, read));
      size += read;
    }
    return Buffer.concat(chunks);
  } catch (cause) {
    const missing = codeOf(cause) === 'ENOENT';
    throw new Complaint('usage', `${nameOf(file)} ${missing ? 'does not exist' : 'cannot be read'}.`, { cause, next });
  } finally {
    if (descriptor !== undefined && descriptor !== 0) closeSync(descriptor);
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** A pipe whose writer is slow has nothing yet; on some systems its end is an error. */
function readSome(descriptor: number, chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(descriptor, chunk);
    } catch (error) {
      if (codeOf(error) === 'EOF') return 0;
      if (codeOf(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

/** The offset of the first byte that is none of UTF-8: up to there it can be read. */
function faultIn(bytes: Buffer): number {
  let [good, bad] = [0, bytes.length];
  while (good + 1 < bad) {
    const middle = Math.floor((good + bad) / 2);
    if (isReadable(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function isReadable(bytes: Buffer): boolean {
  try {
    // What is cut in the middle of a character is not wrong yet.
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

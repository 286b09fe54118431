import { open } from '../machine/files.js';
import type { OpenFile } from '../machine/machine.js';

/** Writes all of it; a file system may take less at a time. */
export async function writeAll(file: OpenFile, bytes: Uint8Array, position: number | null): Promise<void> {
  for (let from = 0; from < bytes.length; ) {
    const at = position === null ? null : position + from;
    const { bytesWritten } = await file.write(bytes, from, bytes.length - from, at);
    from += bytesWritten;
  }
}

/** As many bytes as are read of a file at a time: large enough to be fast, small enough for many at once. */
const readBytes = 512 * 1024;

/**
 * Bytes of an open file, from one place to another or to its end. Each piece is in the memory of the one before, and good until the next is asked for:
 * memory of its own for each is thrown away faster than it is collected, and a process that copies takes hundreds of MB.
 */
export async function* readFrom(file: OpenFile, from: number, to: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(readBytes, Math.max(0, to - from)));
  for (let at = from; at < to; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, to - at), at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** What is written of a directory (names that came and went) is on disk when this resolves. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Fills the file system of a directory to its last block; returns what makes room again. */
export function fillDisk(directory: string): () => void {
  const filler = join(directory, 'filler');
  const file = openSync(filler, 'w');
  try {
    for (const size of [2 ** 20, 4_096]) writeUntilFull(file, Buffer.alloc(size));
  } finally {
    closeSync(file);
  }
  return () => rmSync(filler);
}

function writeUntilFull(file: number, part: Buffer): void {
  for (;;) {
    try {
      if (writeSync(file, part) < part.length) return;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return;
      throw error;
    }
  }
}

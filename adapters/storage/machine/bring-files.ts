import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readFrom } from '../directories/write-file.js';
import { open, readdir } from './files.js';

/** Copies the files of a directory, wherever that is, into one of this machine, each for its owner alone. */
export async function bringFiles(from: string, into: string, signal: AbortSignal): Promise<void> {
  for (const name of await readdir(from)) {
    const file = await open(join(from, name), 'r');
    try {
      const { size } = await file.stat();
      const bytes = async function* (): AsyncGenerator<Buffer> {
        // The next piece comes into the memory of this one, which a stream may hold still.
        for await (const piece of readFrom(file, 0, size)) yield Buffer.from(piece);
      };
      await pipeline(bytes, createWriteStream(join(into, name), { flags: 'wx', mode: 0o600 }), { signal });
    } finally {
      await file.close();
    }
  }
}

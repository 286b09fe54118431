import { open } from '../machine/files.js';
import { modes } from './layout.js';
import { writeAll } from './write-file.js';

const hole = Buffer.alloc(64 * 1024);

/** As what is written in a row: pieces that are large enough for a file system to leave out when they are zeros. */
function* slices(chunk: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < chunk.length; at += hole.length) yield chunk.subarray(at, at + hole.length);
}
const isHole = (slice: Uint8Array): boolean => slice.length === hole.length && hole.equals(slice);

/**
 * Writes an iterable to a new file, with holes where it has zeros, and brings it to disk. `count` is told how many bytes there are before they are
 * written, and may throw.
 */
export async function writeSparse(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  count: (bytes: number) => void,
): Promise<number> {
  const file = await open(path, 'wx', modes.file);
  try {
    let at = 0;
    let written = 0;
    for await (const chunk of bytes) {
      signal.throwIfAborted();
      count(at + chunk.length);
      // Neighbours that are no holes are written together.
      let run = 0;
      let from = 0;
      for (const slice of slices(chunk)) {
        if (isHole(slice)) {
          if (run > from) await writeAll(file, chunk.subarray(from, run), at + from);
          from = run + slice.length;
        }
        run += slice.length;
      }
      if (run > from) await writeAll(file, chunk.subarray(from, run), at + from);
      if (run > from) written = at + run;
      at += chunk.length;
    }
    if (written < at) await file.truncate(at);
    await file.sync();
    return at;
  } finally {
    await file.close();
  }
}

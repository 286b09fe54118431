import { Problem } from '../../../domain/problems.js';
import { headBytes, packingOf } from '../../../domain/storage/packing.js';
import { limits } from '../../../schemas/common/limits.js';
import type { Packing } from '../../../schemas/storage/stored.js';
import { gunzip } from './gunzip.js';
import { type Peeked, peek } from './peek.js';
import { runFilter } from './run-filter.js';
import { untar } from './untar.js';
import { type ReadRange, unzip } from './unzip.js';

type Unpacker = (source: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array>;
const unpackers: { [P in Exclude<Packing, 'zip'>]: Unpacker } = {
  gzip: gunzip,
  bzip2: (source) => runFilter('bzip2', source),
  xz: (source) => runFilter('xz', source),
  zstd: (source) => runFilter('zstd', source),
  tar: untar,
};

/** What is in something that is stored, and what it was packed in, from the outside in. Of what is packed in nothing: it itself. */
export type Unpacked = { bytes: Peeked; packing: Packing[] };

/**
 * Unpacks while it is read. What it gives is not bounded: who reads counts, and leaves when it is enough, which ends everything behind it.
 */
export async function unpack(read: ReadRange, length: number): Promise<Unpacked> {
  const packing: Packing[] = [];
  let from: AsyncIterable<Uint8Array> = read(0, length);
  for (;;) {
    const { head, all } = await peek(from, headBytes);
    const found = packingOf(head);
    if (found === null) return { bytes: all, packing };
    const why = whyNot(packing, found);
    if (why !== undefined) {
      await all.return();
      throw new Problem('image_refused', why);
    }
    packing.push(found);
    if (found === 'zip') {
      await all.return();
      from = unzip(read, length);
    } else from = unpackers[found](all);
  }
}

function whyNot(packing: readonly Packing[], next: Packing): string | undefined {
  const all = [...packing, next].join(', ');
  if (packing.length === limits.packings.most) return `It is packed more than ${limits.packings.most} times: ${all}.`;
  return next === 'zip' && packing.length > 0
    ? `A zip is taken by itself alone, not in something else: ${all}.`
    : undefined;
}

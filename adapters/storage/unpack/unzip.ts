import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import yauzl from 'yauzl';
import { Problem } from '../../../domain/problems.js';

/** Bytes of what is stored, from one place to another. */
export type ReadRange = (from: number, to: number) => AsyncIterable<Uint8Array>;

/** What lists the files of a zip is at its end: it is read where it lies. */
class Stored extends yauzl.RandomAccessReader {
  readonly #read: ReadRange;

  constructor(read: ReadRange) {
    super();
    this.#read = read;
  }

  override _readStreamForRange(from: number, to: number): Readable {
    return Readable.from(copies(this.#read(from, to)), { objectMode: false });
  }
}

/** A stream keeps what it was given; what is read is good until the next is asked for. */
async function* copies(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) yield Buffer.from(chunk);
}

const damaged = (cause?: unknown): Problem =>
  new Problem('image_refused', 'What it is packed in (zip) is damaged or cut off.', { cause });
const refused = (why: string): Problem => new Problem('image_refused', `It is a zip ${why}.`);

/** The one file of a zip. Directories beside it are passed over; an encrypted one is refused, and so are several. */
export async function* unzip(read: ReadRange, bytes: number): AsyncGenerator<Uint8Array> {
  const zip = await openZip(read, bytes);
  try {
    const entry = await onlyEntry(zip);
    const stream = await openEntry(zip, entry);
    let sum = 0;
    try {
      for await (const chunk of chunksOf(stream)) {
        sum = crc32(chunk, sum);
        yield chunk;
      }
    } finally {
      stream.destroy();
    }
    if (sum !== entry.crc32) throw damaged();
  } finally {
    zip.close();
  }
}

async function* chunksOf(stream: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    throw error instanceof Problem ? error : damaged(error);
  }
}

const openZip = (read: ReadRange, bytes: number): Promise<yauzl.ZipFile> =>
  new Promise((resolve, reject) => {
    const options = { lazyEntries: true, autoClose: false, decodeStrings: false };
    yauzl.fromRandomAccessReader(new Stored(read), bytes, options, (error, zip) =>
      error ? reject(damaged(error)) : resolve(zip),
    );
  });

const openEntry = (zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<Readable> =>
  new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(damaged(error)) : resolve(stream)));
  });

/** Names are bytes here: they are looked at for the slash alone with which those of directories end. */
function onlyEntry(zip: yauzl.ZipFile): Promise<yauzl.Entry> {
  return new Promise((resolve, reject) => {
    let found: yauzl.Entry | undefined;
    zip.on('error', (error: unknown) => reject(damaged(error)));
    zip.on('end', () => (found ? resolve(found) : reject(refused('without a file'))));
    zip.on('entry', (entry: yauzl.Entry) => {
      if (Buffer.from(entry.fileName).at(-1) === 0x2f) return zip.readEntry();
      if ((entry.generalPurposeBitFlag & 1) === 1) return reject(refused('that is encrypted'));
      if (found) return reject(refused('of more than one file: an image is one file, by itself or in a zip'));
      found = entry;
      return zip.readEntry();
    });
    zip.readEntry();
  });
}

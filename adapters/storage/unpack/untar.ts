import { Header, Pax } from 'tar';
import { Problem } from '../../../domain/problems.js';
import { limits } from '../../../schemas/common/limits.js';

const damaged = (cause?: unknown): Problem =>
  new Problem('image_refused', 'What it is packed in (tar) is damaged or cut off.', { cause });
const refused = (why: string): Problem => new Problem('image_refused', `It is a tar ${why}.`);

const block = 512;
const padded = (bytes: number): number => Math.ceil(bytes / block) * block;
/** More than any header says of one file: names are in it, and a size. */
const mostOfHeader = 1024 * 1024;

const files = new Set(['File', 'OldFile', 'ContiguousFile']);
const namings = new Set(['NextFileHasLongPath', 'NextFileHasLongLinkpath', 'OldGnuLongPath', 'GlobalExtendedHeader']);

/** The one file of a tar. Directories beside it are passed over; links, devices and second files are refused. */
export async function* untar(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = new Input(source);
  try {
    let found = false;
    let beside = 0;
    const passOver = (bytes: number): void => {
      beside += bytes;
      if (beside > limits.besideFile.most) throw refused('with more beside its file than any tar has');
    };
    let size: number | undefined;
    for (;;) {
      const header = headerIn(await input.take(block));
      // Two blocks of zeros are the end, which some leave away; what is behind them is padding.
      if (header === undefined) break;
      const bytes = size ?? header.size ?? 0;
      size = undefined;
      if (header.type === 'ExtendedHeader') {
        if (bytes > mostOfHeader) throw damaged();
        size = Pax.parse((await input.take(padded(bytes))).subarray(0, bytes).toString('utf8')).size;
      } else if (namings.has(header.type) || header.type === 'Directory') {
        passOver(padded(bytes));
        for await (const _ of input.pass(padded(bytes)));
      } else if (!files.has(header.type)) {
        throw refused('with what is no file in it: an image is one file, by itself or in a tar');
      } else if (found) {
        throw refused('of more than one file: an image is one file, by itself or in a tar');
      } else {
        found = true;
        yield* input.pass(bytes);
        await input.take(padded(bytes) - bytes);
      }
    }
    if (!found) throw refused('without a file');
    // To its end: what packs the tar is checked there.
    while (!input.ended) {
      await input.next();
      passOver(input.left);
    }
  } finally {
    await input.close();
  }
}

/** undefined: the end. */
function headerIn(bytes: Buffer): Header | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes.length < block) throw damaged();
  const header = new Header(bytes);
  if (header.nullBlock) return undefined;
  if (!header.cksumValid || (header.size ?? 0) < 0) throw damaged();
  return header;
}

/** Bytes of an iterable, as many at a time as are asked for. */
class Input {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #left: Uint8Array = Buffer.alloc(0);
  ended = false;

  /** Bytes that are here and not taken yet. */
  get left(): number {
    return this.#left.length;
  }

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** The next bytes, however many there are; what was left of those before is gone. */
  async next(): Promise<void> {
    const next = await this.#iterator.next();
    this.ended = next.done === true;
    this.#left = next.done === true ? Buffer.alloc(0) : next.value;
  }

  /** These many, together; none at the end. Throws when it ends within them. */
  async take(bytes: number): Promise<Buffer> {
    const taken: Uint8Array[] = [];
    let length = 0;
    while (length < bytes) {
      if (this.#left.length === 0) {
        if (!this.ended) await this.next();
        if (!this.ended) continue;
        if (length > 0) throw damaged();
        break;
      }
      const part = this.#left.subarray(0, bytes - length);
      this.#left = this.#left.subarray(part.length);
      // Good until the next is asked for.
      taken.push(Buffer.from(part));
      length += part.length;
    }
    return Buffer.concat(taken);
  }

  /** These many, as they come. Throws when it ends before. */
  async *pass(bytes: number): AsyncGenerator<Uint8Array> {
    for (let left = bytes; left > 0; ) {
      if (this.#left.length === 0) await this.next();
      if (this.ended) throw damaged();
      const part = this.#left.subarray(0, left);
      this.#left = this.#left.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  async close(): Promise<void> {
    if (!this.ended) await this.#iterator.return?.();
  }
}

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const piece = 256 * 1_024;

/** Bytes that differ from place to place, the same each time. */
export function madeBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0, word = 1; at + 4 <= length; at += 4) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    bytes.writeUInt32LE(word, at);
  }
  return bytes;
}

export const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A server of one file on loopback that takes ranges, and sends it a piece at a time. */
export class ByteServer {
  readonly #server: Server;
  /** Where each answer began. */
  readonly froms: number[] = [];
  /** Bytes that were sent in all. */
  sent = 0;
  /** Milliseconds between pieces. */
  pause = 0;

  private constructor(bytes: Buffer) {
    this.#server = createServer((request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      this.froms.push(from);
      const range = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
      response.writeHead(from > 0 ? 206 : 200, {
        ...{ 'content-length': bytes.length - from, etag: '"the-one"', 'accept-ranges': 'bytes' },
        ...(from > 0 && range),
      });
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      const send = async () => {
        for (let at = from; at < bytes.length && !response.destroyed; at += piece) {
          const some = bytes.subarray(at, at + piece);
          if (!response.write(some)) await once(response, 'drain', { signal: gone.signal });
          this.sent += some.length;
          await sleep(this.pause);
        }
        response.end();
      };
      send().catch(() => response.destroy());
    });
  }

  static async serve(bytes: Buffer): Promise<ByteServer> {
    const server = new ByteServer(bytes);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the source does not listen');
    return `http://127.0.0.1:${address.port}/image.raw`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a server of images behaves. */
export type Manner = {
  ranges?: boolean;
  /** It breaks off behind these many bytes of an answer, having promised all. */
  breakAt?: number;
  /** It says nothing more behind these many bytes of an answer. */
  silentAt?: number;
  chunked?: boolean;
  status?: number;
  headers?: Record<string, string>;
  /** It sends this much, and rests for this many milliseconds. */
  pace?: { bytes: number; rest: number };
};

/** A real server on loopback that gives one file, and counts what it gave. */
export class ImageServer {
  content: Buffer;
  manner: Manner = { ranges: true };
  sent = 0;
  readonly asked: { path: string; range: string | undefined }[] = [];
  /** Paths that lead on. */
  readonly redirects = new Map<string, string>();
  readonly #server: Server;

  private constructor(content: Buffer) {
    this.content = content;
    this.#server = createServer(
      (request, response) => void this.#answer(request, response).catch(() => response.destroy()),
    );
  }

  static async start(content: Buffer): Promise<ImageServer> {
    const server = new ImageServer(content);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('it does not listen');
    return address.port;
  }

  url(path = '/image', host = '127.0.0.1'): string {
    return `http://${host}:${this.port}${path}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { manner, content } = this;
    this.asked.push({ path: request.url ?? '', range: request.headers.range });
    const to = this.redirects.get(request.url ?? '');
    if (to !== undefined) return void response.writeHead(302, { location: to }).end();
    if (manner.status !== undefined) return void response.writeHead(manner.status).end();
    const etag = `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`;
    const [, text] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const same = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
    const from = manner.ranges === true && text !== undefined && same ? Number(text) : 0;
    if (from > 0 && from >= content.length)
      return void response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    response.writeHead(from > 0 ? 206 : 200, {
      etag,
      ...(manner.chunked === true ? {} : { 'content-length': content.length - from }),
      ...(from > 0 && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
      ...manner.headers,
    });
    await this.#send(response, content.subarray(from), manner);
  }

  async #send(response: ServerResponse, bytes: Buffer, { breakAt, silentAt, pace }: Manner): Promise<void> {
    const end = Math.min(bytes.length, breakAt ?? Number.POSITIVE_INFINITY, silentAt ?? Number.POSITIVE_INFINITY);
    const step = pace?.bytes ?? 64 * 1024;
    for (let at = 0; at < end && !response.destroyed; at += step) {
      const part = bytes.subarray(at, Math.min(at + step, end));
      await new Promise((resolve) => response.write(part, resolve));
      this.sent += part.length;
      if (pace) await sleep(pace.rest);
    }
    if (silentAt !== undefined && silentAt < bytes.length) return;
    if (breakAt !== undefined && breakAt < bytes.length) return void response.destroy();
    response.end();
  }
}

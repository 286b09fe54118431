import { type Client, type Reply, refusalOf } from './client.js';
import { Misunderstood, Refusal, Unreachable } from './errors.js';
import type { Lost } from './manner.js';
import { rest } from './repeated.js';

/** Bytes that are there to be sent. */
export type Sendable = { size: number; read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> };

export type UploadManner = {
  signal?: AbortSignal;
  /** Told how many bytes the server has: at first, and after each piece. */
  onProgress?: (sent: number) => void;
  /** Told once for each time that it breaks off: it goes on where the server says that it got to. */
  onLost?: (error: Lost) => void;
  /** Milliseconds for which nothing gets through before it is given up; absent: ten minutes. */
  patience?: number;
};

/** Bytes that are sent with one request: what is lost when it breaks off. */
const piece = 8 * 1024 * 1024;
const usualPatience = 600_000;
const within = 120_000;
const firstPause = 200;
const longestPause = 5_000;

const tus = { 'tus-resumable': '1.0.0' };

/** Sends all of an image that the server does not have yet, whatever breaks off meanwhile; what it refuses is thrown. */
export async function sendUpload(
  client: Pick<Client, 'exchange' | 'endpoint'>,
  image: number,
  source: Sendable,
  { signal, onProgress, onLost, patience = usualPatience }: UploadManner = {},
): Promise<void> {
  const path = `/images/${image}/upload`;
  /** Where the server is; null: it is to be asked. */
  let offset: number | null = null;
  let since = Date.now();
  let furthest = -1;
  for (let pause = firstPause; ; ) {
    try {
      offset ??= await ask('GET');
      if (offset > furthest) {
        [furthest, since, pause] = [offset, Date.now(), firstPause];
        onProgress?.(offset);
      }
      if (offset >= source.size) return;
      offset = await ask('PATCH', offset);
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (Date.now() - since > patience) throw error;
      if (pause === firstPause) onLost?.(error);
      await rest(pause, signal);
      pause = Math.min(2 * pause, longestPause);
      offset = null;
    }
  }

  async function ask(method: 'GET' | 'PATCH', from = 0): Promise<number> {
    const bytes = method === 'PATCH' ? await source.read(from, Math.min(piece, source.size - from)) : undefined;
    const reply = await client.exchange(
      method,
      path,
      bytes && { type: 'application/offset+octet-stream', text: bytes },
      { signal, within, headers: { ...tus, ...(bytes && { 'upload-offset': String(from) }) } },
    );
    return offsetIn(reply, { endpoint: client.endpoint, method, path });
  }
}

function offsetIn(reply: Reply, asked: Parameters<typeof refusalOf>[0]): number {
  if (reply.status !== 200 && reply.status !== 204) throw refusalOf(asked, reply);
  const offset = reply.headers.get('upload-offset') ?? '';
  if (!/^\d{1,15}$/.test(offset))
    throw new Misunderstood(asked, [{ pointer: '/Upload-Offset', detail: 'is missing, or no number' }]);
  return Number(offset);
}

const elsewhere = new Set(['taken', 'wrong_state', 'malformed_body']);

/** The server is away, or another try of ours is where we wanted to go on: who asks again sees. */
const isPassing = (error: unknown): error is Lost =>
  error instanceof Unreachable
    ? error.reason === 'silent' || error.reason === 'late' || error.reason === 'broken_off'
    : error instanceof Refusal &&
      (error.status === 503 || (error.asked.method === 'PATCH' && elsewhere.has(error.code ?? '')));

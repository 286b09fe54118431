import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import { Problem } from '../../domain/problems.js';
import { grouped, limits } from '../../schemas/common/limits.js';
import type { ChunkSum } from './tus.js';

const silence = limits.silence.most * 1_000;

/** Runs `take` with the bytes of a request as they come; who sends nothing for a minute, or leaves, ends that, and what has come stays with whoever took it. */
export async function takingBytes<T>(
  request: Request,
  take: (bytes: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  let late: NodeJS.Timeout | undefined;
  const wait = (): void => {
    clearTimeout(late);
    late = setTimeout(
      () => ended.abort(new Problem('malformed_body', `Nothing more came for ${limits.silence.most} s.`)),
      silence,
    );
  };
  const left = (): void => {
    if (!request.complete)
      ended.abort(new Problem('malformed_body', 'The request ended before its body was complete.'));
  };
  request.once('close', left);
  async function* bytes(): AsyncGenerator<Uint8Array> {
    try {
      wait();
      // What is refused has an answer, which takes a connection that is still there.
      for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        if (chunk instanceof Uint8Array) yield chunk;
        wait();
      }
    } catch (error) {
      ended.signal.throwIfAborted();
      throw new Problem('malformed_body', 'The request ended before its body was complete.', { cause: error });
    } finally {
      clearTimeout(late);
    }
  }
  try {
    return await take(bytes(), ended.signal);
  } finally {
    clearTimeout(late);
    request.off('close', left);
  }
}

/** All of it, once it is found to be what its sum says: what is not is thrown away before anybody has seen it. */
export async function* checkedBytes(
  bytes: AsyncIterable<Uint8Array>,
  { algorithm, digest }: ChunkSum,
): AsyncGenerator<Uint8Array> {
  const { most } = limits.checkedChunk;
  const chunks: Uint8Array[] = [];
  const hash = createHash(algorithm);
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > most)
      throw new Problem('body_too_large', `A piece with Upload-Checksum may have ${grouped(most)} bytes at most.`);
    hash.update(chunk);
    chunks.push(chunk);
  }
  const sum = hash.digest();
  if (sum.length !== digest.length || !timingSafeEqual(sum, digest))
    throw new Problem('checksum_mismatch', `The ${algorithm} of what has come is ${sum.toString('base64')}.`);
  yield* chunks;
}

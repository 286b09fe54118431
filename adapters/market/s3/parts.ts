import { createHash } from 'node:crypto';
import { Problem } from '../../../domain/problems.js';
import type { AppBytes } from '../port.js';

/** One part of what is sent. Its bytes are those of a buffer that is given back. */
export type Part = { number: number; bytes: Buffer; md5: Buffer; free: () => void };

/** Buffers of one size, of which there are so many: memory stays flat, however much is sent. */
export function createBuffers(count: number, size: number) {
  const all: Buffer[] = [];
  const idle: Buffer[] = [];
  const waiting: ((buffer: Buffer) => void)[] = [];
  return {
    async take(): Promise<Buffer> {
      const buffer = idle.pop();
      if (buffer) return buffer;
      if (all.length < count) {
        const made = Buffer.allocUnsafe(size);
        all.push(made);
        return made;
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    give(buffer: Buffer): void {
      const next = waiting.shift();
      if (next) next(buffer);
      else idle.push(buffer);
    },
  };
}

/** Bytes in parts of a size, the last of which may be shorter; each is told to `add` as it comes. Throws where they are not as many as was said. */
export async function* partsOf(
  { total, read }: AppBytes,
  size: number,
  buffers: ReturnType<typeof createBuffers>,
  add: (chunk: Uint8Array) => void,
  signal: AbortSignal,
): AsyncGenerator<Part> {
  let number = 0;
  let buffer: Buffer | undefined;
  let has = 0;
  let at = 0;
  const part = (whole: Buffer): Part => {
    const bytes = whole.subarray(0, has);
    [buffer, has, number] = [undefined, 0, number + 1];
    return { number, bytes, md5: createHash('md5').update(bytes).digest(), free: () => buffers.give(whole) };
  };
  for await (const chunk of read(0, signal)) {
    signal.throwIfAborted();
    at += chunk.length;
    if (at > total) break;
    add(chunk);
    for (let from = 0; from < chunk.length; ) {
      buffer ??= await buffers.take();
      const some = chunk.subarray(from, from + size - has);
      buffer.set(some, has);
      has += some.length;
      from += some.length;
      if (has === size) yield part(buffer);
    }
  }
  if (at !== total) throw new Problem('backend_unavailable', 'What is published was not read as long as it is.');
  if (buffer && has > 0) yield part(buffer);
}

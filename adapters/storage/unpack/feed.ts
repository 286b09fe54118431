import type { Writable } from 'node:stream';
import { codeOf, thrown } from '../disk-fault.js';

/**
 * Writes an iterable to a stream, each piece once the one before has been taken: what it gives is good until the next is asked for. Resolves with what
 * the iterable threw, which ends the stream, or undefined. A reader that has enough, or is gone, is no fault of the writer's.
 */
export async function feed(source: AsyncIterable<Uint8Array>, into: Writable): Promise<Error | undefined> {
  try {
    for await (const chunk of source)
      await new Promise<void>((resolve, reject) => {
        const gone = (): void => reject(new Gone());
        into.once('close', gone);
        into.write(chunk, (error) => {
          into.off('close', gone);
          if (error) reject(error);
          else resolve();
        });
      });
    into.end();
    return undefined;
  } catch (error) {
    into.destroy();
    return error instanceof Gone || closed.has(codeOf(error) ?? '') ? undefined : thrown(error);
  }
}

class Gone extends Error {}
const closed = new Set([
  'EPIPE',
  'ECONNRESET',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_WRITE_AFTER_END',
]);

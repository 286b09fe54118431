import { createGunzip } from 'node:zlib';
import { Problem } from '../../../domain/problems.js';
import { codeOf } from '../disk-fault.js';
import { feed } from './feed.js';

/** Unpacks gzip, several members one after the other, too. */
export async function* gunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const unpacking = createGunzip({ chunkSize: 128 * 1024 });
  let fault: Error | undefined;
  const fed = feed(source, unpacking).then((its) => {
    fault = its;
  });
  try {
    yield* unpacking;
  } catch (error) {
    await fed;
    if (isDamage(error)) throw damaged(error);
    throw fault ?? error;
  } finally {
    unpacking.destroy();
    await fed;
  }
  if (fault !== undefined) throw isDamage(fault) ? damaged(fault) : fault;
}

const isDamage = (error: unknown): boolean => codeOf(error)?.startsWith('Z_') === true;
const damaged = (cause: unknown): Problem =>
  new Problem('image_refused', 'What it is packed in (gzip) is damaged or cut off.', { cause });

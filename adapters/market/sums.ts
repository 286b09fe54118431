import { createHash } from 'node:crypto';
import type { PublishedApp } from './port.js';

/** What bytes sum up to, as they come by. */
export function createSums() {
  const [md5, sha256] = [createHash('md5'), createHash('sha256')];
  let bytes = 0;
  return {
    add(chunk: Uint8Array): void {
      md5.update(chunk);
      sha256.update(chunk);
      bytes += chunk.length;
    },
    /** Once, when all have come. */
    result: (): PublishedApp => ({ bytes, md5: md5.digest('hex'), sha256: sha256.digest('hex') }),
  };
}

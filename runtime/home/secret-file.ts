import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { systemCode } from '../processes/obstacle.js';

/** So many random bytes, in letters that addresses and headers take as they are. */
export const randomSecret = (bytes = 24): string => randomBytes(bytes).toString('base64url');

/**
 * What the file holds, written there once with what `make` answers, for its owner's eyes only. It appears whole or not at
 * all, even when the machine ends in between; of several that make it at once, all get the first one's.
 */
export function ensureSecret(file: string, make: () => string): string {
  const own = `${file}.${process.pid}`;
  try {
    const opened = openSync(own, 'w', 0o600);
    try {
      writeFileSync(opened, `${make()}\n`);
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
    linkSync(own, file);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(own, { force: true });
  }
  // One that was copied from elsewhere may be open to others.
  chmodSync(file, 0o600);
  return readFileSync(file, 'utf8').trim();
}

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isSame, ownIdentity } from '../runtime/process-identity.js';

const Holder = z.object({ pid: z.int(), started: z.string() });

/**
 * Keeps a second simulator from the directory: two would write over each other's log. A holder that has died, by whatever
 * means, holds nothing. Gives back what unlocks; throws when another has it.
 */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, 'lock');
  for (;;) {
    try {
      writeFileSync(path, JSON.stringify(ownIdentity()), { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const holder = holderIn(path);
    if (holder && isSame(holder)) {
      throw new Error(`${directory} is in use by another simulator, process ${holder.pid}.`);
    }
    rmSync(path, { force: true });
  }
}

function holderIn(path: string): z.infer<typeof Holder> | undefined {
  try {
    return Holder.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // Cut short by a death, or gone since: nobody holds it.
    return undefined;
  }
}

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Obstacle, systemCode } from './obstacle.js';
import { isSame, ownIdentity, type ProcessIdentity } from './process-identity.js';

const LockContent = z.object({ pid: z.int().positive(), started: z.string() });

/** Who has the lock by its file, whether or not that process still runs. */
function readHolder(file: string): ProcessIdentity | null {
  try {
    return LockContent.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

/** The running process that has the home, or null. */
export function holderOf(file: string): ProcessIdentity | null {
  const holder = readHolder(file);
  return holder !== null && isSame(holder) ? holder : null;
}

/** Links our content to the name: it appears whole, and only if nothing has the name. */
function tryToTake(file: string, content: string): boolean {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, content);
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Takes a dead process's file away. Two who do so at once could take a living one: it is then put back. */
function clearStale(file: string): void {
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
    if (holderOf(aside) !== null) linkSync(aside, file);
  } catch {
    // Somebody else was faster: the next look decides.
  } finally {
    rmSync(aside, { force: true });
  }
}

/**
 * Takes the home for this process until `release`. A holder that has died, even by SIGKILL or with the machine, holds no
 * more: it is recognised by pid and start time. Throws an Obstacle when a living process has it.
 */
export async function lockHome(file: string, directory: string): Promise<{ release: () => void }> {
  const own = ownIdentity();
  const content = JSON.stringify(own);
  const isOurs = () => {
    const holder = readHolder(file);
    return holder !== null && holder.pid === own.pid && holder.started === own.started;
  };
  for (let attempt = 0; attempt < 10; attempt++) {
    if (tryToTake(file, content)) {
      await sleep(20);
      if (isOurs()) return { release: () => isOurs() && rmSync(file, { force: true }) };
    }
    const holder = holderOf(file);
    if (holder !== null)
      throw new Obstacle(
        `the home ${directory} is in use by process ${holder.pid}: end that one, or choose another home with --home DIR`,
      );
    clearStale(file);
  }
  throw new Obstacle(`the home ${directory} cannot be locked: remove ${file} if nothing uses the home`);
}

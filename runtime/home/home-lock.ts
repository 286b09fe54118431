import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Obstacle } from '../processes/obstacle.js';
import { isSame, ownIdentity, type ProcessIdentity } from '../processes/process-identity.js';

const LockContent = z.object({ pid: z.int().positive(), started: z.string() });

/** Contenders that see each other step back for up to so many milliseconds, and so often at most. */
const longestStepBack = 100;
const mostAttempts = 100;

/** The running process that wrote this file, or null. */
export function holderOf(file: string): ProcessIdentity | null {
  try {
    const writer = LockContent.parse(JSON.parse(readFileSync(file, 'utf8')));
    return isSame(writer) ? writer : null;
  } catch {
    return null;
  }
}

/** The file appears whole, in place of one that was there. */
function replaceFile(file: string, content: string): void {
  const part = `${file}.part-${process.pid}`;
  writeFileSync(part, content);
  renameSync(part, file);
}

/** Named after pid and start time: nobody ever writes a file of this name again, so that what a dead process left can go. */
function claimOf(file: string, own: ProcessIdentity): string {
  const start = createHash('sha256').update(own.started).digest('hex').slice(0, 12);
  return `${file}-${own.pid}-${start}`;
}

/** Another running process that has a claim. Those of dead ones are removed. */
function rivalOf(file: string, claim: string): ProcessIdentity | null {
  const base = basename(file);
  const isClaim = (name: string) => name.startsWith(base) && /^-\d+-[0-9a-f]{12}$/.test(name.slice(base.length));
  for (const name of readdirSync(dirname(file)).filter(isClaim)) {
    const other = join(dirname(file), name);
    if (other === claim) continue;
    const rival = holderOf(other);
    if (rival !== null) return rival;
    rmSync(other, { force: true });
  }
  return null;
}

/**
 * Takes the home for this process until `release`. A holder that has died, even by SIGKILL or with the machine, holds no
 * more: it is recognised by pid and start time. Throws an Obstacle when a living process has it.
 *
 * Each contender first writes a claim of its own and then looks for those of others: of two, at least the later one sees
 * the other, however long either is kept from going on in between. Nobody ever removes a file that a living process wrote.
 */
export async function lockHome(file: string, directory: string): Promise<{ release: () => void }> {
  const own = ownIdentity();
  const content = JSON.stringify(own);
  const claim = claimOf(file, own);
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const holder = holderOf(file);
    if (holder !== null) throw inUse(directory, holder);
    replaceFile(claim, content);
    const rival = rivalOf(file, claim);
    if (rival === null) {
      replaceFile(file, content);
      return {
        release: () => {
          rmSync(file, { force: true });
          rmSync(claim, { force: true });
        },
      };
    }
    rmSync(claim, { force: true });
    await sleep(Math.random() * longestStepBack);
  }
  throw new Obstacle(`the home ${directory} is wanted by several processes at once: try again`);
}

const inUse = (directory: string, { pid }: ProcessIdentity): Obstacle =>
  new Obstacle(
    `the home ${directory} is in use by process ${pid}: end that one, or choose another home with --home DIR`,
  );

import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether a process with this pid exists (it may be somebody else's by now: good enough for a lock held for seconds). */
function lives(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Takes the lock file, or returns the pid that has it. The content appears with the file, so nobody reads half of it. */
function take(path) {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, path);
    return null;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    try {
      return Number(readFileSync(path, 'utf8'));
    } catch {
      return 0;
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/**
 * Runs `work` while no other process of this checkout runs anything under the same lock file: two commands started at
 * once install and build one after the other. A lock left by a dead process is taken over.
 */
export async function exclusively(path, say, work) {
  mkdirSync(dirname(path), { recursive: true });
  for (let told = false; ; ) {
    const holder = take(path);
    if (holder === null) break;
    if (!lives(holder)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!told) say(`waiting for process ${holder}, which is preparing this checkout`);
    told = true;
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

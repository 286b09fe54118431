import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
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

/** Another process that lives and has a claim, or null. Those of dead ones are removed. */
function rivalOf(path) {
  const base = `${basename(path)}-`;
  for (const name of readdirSync(dirname(path))) {
    const pid = name.startsWith(base) ? Number(name.slice(base.length)) : Number.NaN;
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    if (lives(pid)) return pid;
    rmSync(join(dirname(path), name), { force: true });
  }
  return null;
}

/**
 * Runs `work` while no other process of this checkout runs anything under the same lock: two commands started at once
 * install and build one after the other. Each first writes a claim of its own and then looks for those of others: of two,
 * at least the later one sees the other, and steps back. What a dead process left counts as nothing.
 */
export async function exclusively(path, say, work) {
  mkdirSync(dirname(path), { recursive: true });
  const claim = `${path}-${process.pid}`;
  for (let told = false; ; ) {
    writeFileSync(claim, '');
    const rival = rivalOf(path);
    if (rival === null) break;
    rmSync(claim, { force: true });
    if (!told) say(`waiting for process ${rival}, which is preparing this checkout`);
    told = true;
    await sleep(100 + Math.random() * 200);
  }
  try {
    return await work();
  } finally {
    rmSync(claim, { force: true });
  }
}

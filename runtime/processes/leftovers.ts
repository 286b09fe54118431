import { execFileSync } from 'node:child_process';
import type { Home } from '../home/home.js';
import { type ChildRecord, endProcess, readChildren } from './children.js';
import { startOf } from './process-identity.js';

/**
 * Servers that have this home's data open by their command line: one that was started in the instant before its supervisor
 * was killed is written down nowhere.
 */
function withDataOpen(home: Home): ChildRecord[] {
  let listing: string;
  try {
    listing = execFileSync('ps', ['-axww', '-o', 'pid=,args='], { encoding: 'utf8', maxBuffer: 64e6 });
  } catch {
    return [];
  }
  return listing.split('\n').flatMap((line) => {
    const [, pid, args] = /^(\d+) +(\S.*)$/.exec(line.trim()) ?? [];
    if (pid === undefined || args === undefined || Number(pid) === process.pid) return [];
    const server = ['--db-filename', '--dbpath', '--directory'].some((option) =>
      args.includes(` ${option} ${home.directory}/`),
    );
    const started = startOf(Number(pid));
    return server && started !== null ? [{ name: 'a server', pid: Number(pid), started }] : [];
  });
}

/** What a killed supervisor of this home left running. Only whoever has the home's lock may ask. */
export function findLeftovers(home: Home): ChildRecord[] {
  const recorded = readChildren(home.children).filter((child) => startOf(child.pid) === child.started);
  const known = new Set(recorded.map((child) => child.pid));
  return [...recorded, ...withDataOpen(home).filter((child) => !known.has(child.pid))];
}

/** Ends them, newest first, and waits until they are gone: no second server ever opens the same data. */
export async function endLeftovers(home: Home, say: (line: string) => void): Promise<void> {
  const leftovers = findLeftovers(home).reverse();
  if (leftovers.length === 0) return;
  say(`ending what a killed Arcus left: ${leftovers.map(({ name, pid }) => `${name} (${pid})`).join(', ')}`);
  for (const child of leftovers) await endProcess(child, 10_000);
}

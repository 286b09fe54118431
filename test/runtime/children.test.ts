import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { homeAt } from '../../runtime/home/home.js';
import { Children, readChildren } from '../../runtime/processes/children.js';
import { endLeftovers, findLeftovers } from '../../runtime/processes/leftovers.js';
import { isAlive, startOf } from '../../runtime/processes/process-identity.js';
import { ownDirectory } from '../support/directories.js';
import { eventually, launch, launchBuilt } from '../support/processes.js';

const Pids = z.array(z.int());

async function ownerOfThree(directory: string) {
  const owner = launchBuilt('test/runtime/own-children.js', [directory]);
  const pids = await eventually(() => (owner.text().includes(']') ? Pids.parse(JSON.parse(owner.text())) : undefined));
  onTestFinished(async () => {
    owner.process.kill('SIGKILL');
    await eventually(() => !pids.some(isAlive));
  });
  return { owner, pids };
}

describe('children', () => {
  it('are written down with pid and start time', async () => {
    const directory = ownDirectory();
    const { pids } = await ownerOfThree(directory);
    const written = readChildren(join(directory, 'children.json'));
    expect(written.map(({ name, pid }) => [name, pid])).toEqual(pids.map((pid, index) => [`child ${index}`, pid]));
    for (const { pid, started } of written) expect(started).toBe(startOf(pid));
  });

  it('end, with all that they started, when their owner is killed, even those deaf to SIGTERM', async () => {
    const directory = ownDirectory();
    const { owner, pids } = await ownerOfThree(directory);
    expect(pids.every(isAlive)).toBe(true);
    owner.process.kill('SIGKILL');
    await eventually(() => !pids.some(isAlive));
  });

  it('of an owner that was killed together with its guardian are found and ended by the next start', async () => {
    const directory = ownDirectory();
    const home = homeAt(directory);
    const { owner, pids } = await ownerOfThree(directory);
    const guardian = await eventually(() => guardianOf(owner.pid));
    process.kill(guardian, 'SIGKILL');
    owner.process.kill('SIGKILL');
    await owner.exit;
    await eventually(() => findLeftovers(home).length === 3);
    const lines: string[] = [];
    await endLeftovers(home, (line) => lines.push(line));
    expect(pids.some(isAlive)).toBe(false);
    expect(lines[0]).toContain('ending what a killed Arcus left: child 2');
    expect(findLeftovers(home)).toEqual([]);
  });

  it('go on when they cannot be written down, and are as soon as they can', async () => {
    const directory = join(ownDirectory(), 'gone for a while');
    const file = join(directory, 'children.json');
    const children = new Children(file);
    const start = (name: string) =>
      children.start({ name, command: 'sleep', args: ['600'], log: join(dirname(directory), 'log') });
    const first = start('first');
    rmSync(directory, { recursive: true });
    const second = start('second');
    onTestFinished(async () => {
      await Promise.all([first, second].map((child) => children.end(child, 0)));
      children.release();
    });
    await children.end(first, 0);
    expect(isAlive(second.pid)).toBe(true);
    mkdirSync(directory);
    const written = await eventually(() => readChildren(file).find(({ name }) => name === 'second'));
    expect(written.pid).toBe(second.pid);
  });

  it('that were never written down are found by the data that they have open', () => {
    const directory = ownDirectory();
    const server = idle('--dbpath', join(directory, 'mongodb', 'data'));
    const other = idle('--dbpath', join(`${directory}-2`, 'mongodb', 'data'));
    const found = findLeftovers(homeAt(directory)).map(({ pid }) => pid);
    expect(found).toContain(server.pid);
    expect(found).not.toContain(other.pid);
  });
});

const idle = (...args: string[]) => launch(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '--', ...args]);

/** The guardian is the owner's child that runs guardian.js: Linux lists a process's children. */
function guardianOf(owner: number): number | undefined {
  const children = readFileSync(`/proc/${owner}/task/${owner}/children`, 'utf8').trim().split(' ').map(Number);
  return children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('guardian.js'));
}

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { holderOf, lockHome } from '../../runtime/home/home-lock.js';
import { Obstacle } from '../../runtime/processes/obstacle.js';
import { startOf } from '../../runtime/processes/process-identity.js';
import { ownDirectory } from '../support/directories.js';
import { eventually, launchBuilt } from '../support/processes.js';

const hold = (file: string) => launchBuilt('test/runtime/hold-home.js', [file]);

describe("a home's lock", () => {
  it('refuses a home that a living process has, naming it', async () => {
    const directory = ownDirectory();
    const file = join(directory, 'lock');
    const holder = hold(file);
    await eventually(() => holder.text().includes('locked'));
    await expect(lockHome(file, directory)).rejects.toThrow(
      `the home ${directory} is in use by process ${holder.pid}: end that one, or choose another home with --home DIR`,
    );
    await expect(lockHome(file, directory)).rejects.toThrow(Obstacle);
  });

  it('is taken over from a process that was killed', async () => {
    const directory = ownDirectory();
    const file = join(directory, 'lock');
    const holder = hold(file);
    await eventually(() => holder.text().includes('locked'));
    holder.process.kill('SIGKILL');
    await holder.exit;
    const lock = await lockHome(file, directory);
    expect(holderOf(file)?.pid).toBe(process.pid);
    lock.release();
    expect(existsSync(file)).toBe(false);
  });

  it('is not held by another process that was given the same pid', async () => {
    const directory = ownDirectory();
    const file = join(directory, 'lock');
    writeFileSync(file, JSON.stringify({ pid: process.ppid, started: 'another boot/1' }));
    expect(startOf(process.ppid)).not.toBeNull();
    expect(holderOf(file)).toBeNull();
    (await lockHome(file, directory)).release();
  });

  it('is not held by half a file', async () => {
    const directory = ownDirectory();
    const file = join(directory, 'lock');
    writeFileSync(file, '{"pid": 1');
    (await lockHome(file, directory)).release();
  });

  it('goes to exactly one of many that come at once, upon a dead holder', async () => {
    const rounds = 30;
    const files = Array.from({ length: rounds }, () => {
      const directory = ownDirectory();
      const file = join(directory, 'lock');
      writeFileSync(file, JSON.stringify({ pid: 4_194_305, started: 'long ago' }));
      return file;
    });
    const contenders = Array.from({ length: 6 }, () => launchBuilt('test/runtime/hold-home.js', files));
    const answers = (text: string): string[] => text.split('\n').slice(0, -1);
    await eventually(() => contenders.every(({ text }) => answers(text()).length === rounds));
    for (const [round, file] of files.entries()) {
      const winners = contenders.filter(({ text }) => answers(text())[round] === 'locked');
      expect(winners.map(({ pid }) => pid)).toEqual([holderOf(file)?.pid]);
    }
  });
});

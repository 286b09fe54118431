import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { readChildren } from '../../runtime/processes/children.js';
import type { ClusterShape } from '../support/cluster.js';

/** A kind of cluster that faults are done to. */
export type ShapeName = 'one of each' | 'two of each' | 'small disk' | 'own clocks';

/** What a run needs to know of the machine that it is on. */
export type Machine = { binaries: { mongod: string; temporal: string }; cache: string };

/** How to start a cluster of this shape, and what is to be undone when it has stopped; `keep`: but for its data. */
export type ShapedCluster = { shape: ClusterShape; release: (keep: boolean) => void };

/** Why this machine cannot have a cluster of a shape. */
export class ShapeMissing extends Error {}

const megabytes = 700;

/** Prepares a cluster of a shape; throws `ShapeMissing` where the machine lacks what it takes. */
export async function shaped(name: ShapeName, { binaries, cache }: Machine): Promise<ShapedCluster> {
  const nothing = () => {};
  switch (name) {
    case 'one of each':
      return { shape: { binaries }, release: nothing };
    case 'two of each':
      return { shape: { binaries, workers: 2, apis: 2 }, release: nothing };
    case 'small disk': {
      const { directory, release } = mountDisk();
      return { shape: { binaries, directory }, release };
    }
    case 'own clocks': {
      const library = await faketimeLibrary(cache);
      const directory = mkdtempSync(join(tmpdir(), 'arcus-cluster-'));
      for (const clock of clocks) setClock(directory, clock, 0);
      const environments = Object.fromEntries(clocks.map((clock) => [clock, faked(library, directory, clock)]));
      return { shape: { binaries, directory, environments }, release: nothing };
    }
  }
}

/** A file system of its own for a cluster: the tmpfs goes when the cluster has stopped or this process ends. */
function mountDisk(): { directory: string; release: (keep: boolean) => void } {
  const disk = mkdtempSync(join(tmpdir(), 'arcus-small-disk-'));
  const directory = join(disk, 'home');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', disk], { stdio: 'pipe' });
    mkdirSync(directory);
  } catch (error) {
    rmSync(disk, { recursive: true });
    throw new ShapeMissing(`no tmpfs can be mounted here: ${error instanceof Error ? error.message : String(error)}`);
  }
  const unmount = (): void => {
    execFileSync('umount', ['--lazy', disk]);
    rmSync(disk, { recursive: true, force: true });
  };
  // Where this process ends first, the guardian would not find its children written down any more.
  const abandon = (): void => {
    for (const { pid } of readChildren(join(directory, 'children.json'))) killGroup(pid);
    unmount();
  };
  process.on('exit', abandon);
  const release = (keep: boolean): void => {
    process.off('exit', abandon);
    if (!keep) unmount();
  };
  return { directory, release };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Processes whose clock can be moved, each by itself. */
const clocks = ['api', 'worker', 'mongodb'] as const;
export type Clock = (typeof clocks)[number];

/** Moves the clock of such processes, also of those that run, by so many seconds from the true time. */
export function setClock(directory: string, clock: Clock, seconds: number): void {
  writeFileSync(join(directory, `${clock}.faketime`), `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
}

/** A clock that jumps does not move the time since the start of the machine, by which timers go. */
const faked = (library: string, directory: string, clock: Clock): Record<string, string> => ({
  LD_PRELOAD: library,
  FAKETIME_TIMESTAMP_FILE: join(directory, `${clock}.faketime`),
  FAKETIME_NO_CACHE: '1',
  DONT_FAKE_MONOTONIC: '1',
});

/** Path of Debian's libfaketime, which is unpacked into the cache when it is not installed. */
async function faketimeLibrary(cache: string): Promise<string> {
  const unpacked = join(cache, 'libfaketime');
  const found = () =>
    ['/usr/lib', join(unpacked, 'usr', 'lib')]
      .flatMap((lib) => (existsSync(lib) ? readdirSync(lib).map((part) => join(lib, part)) : []))
      .map((part) => join(part, 'faketime', 'libfaketimeMT.so.1'))
      .find((path) => existsSync(path));
  const there = found();
  if (there !== undefined) return there;
  try {
    mkdirSync(unpacked, { recursive: true });
    const download = () => execa('apt-get', ['download', 'libfaketime'], { cwd: unpacked });
    await download().catch(async () => {
      await execa('apt-get', ['update']);
      await download();
    });
    const archive = readdirSync(unpacked).find((name) => name.endsWith('.deb')) ?? '';
    await execa('dpkg-deb', ['--extract', archive, '.'], { cwd: unpacked });
  } catch (error) {
    throw new ShapeMissing(`libfaketime is not to be had: ${error instanceof Error ? error.message : String(error)}`);
  }
  const library = found();
  if (library === undefined) throw new ShapeMissing('the package libfaketime holds no library for threads');
  return library;
}

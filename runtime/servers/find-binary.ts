import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { reasonOf } from '../processes/obstacle.js';
import type { Tool } from './downloads.js';
import { cachedBinary, type FetchOptions, fetchBinary } from './fetch-binary.js';

/** Where a tool was found, and how. */
export type FoundBinary = { path: string; from: 'PATH' | 'cache' | 'download' };

/** Whether there is a file that may be run. */
export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What a binary says its version is, such as 6.0.5, or null. */
export async function versionOf(path: string): Promise<string | null> {
  try {
    const { stdout } = await execa(path, ['--version'], { timeout: 20_000 });
    return /\bv?(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? null;
  } catch {
    return null;
  }
}

/** Why a binary will not do, or null. */
export async function unfitness(tool: Tool, path: string): Promise<string | null> {
  try {
    const { stdout } = await execa(path, ['--version'], { timeout: 20_000 });
    return tool.unfit(stdout);
  } catch (error) {
    return `it does not run: ${reasonOf(error)}`;
  }
}

/** The first one on PATH that will do, or null. */
export async function onPath(tool: Tool, path: string, progress: (line: string) => void): Promise<string | null> {
  for (const directory of path.split(delimiter).filter((entry) => entry !== '')) {
    const candidate = join(directory, tool.command);
    if (!(await isExecutable(candidate))) continue;
    const reason = await unfitness(tool, candidate);
    if (reason === null) return candidate;
    progress(`not using ${candidate}: ${reason}`);
  }
  return null;
}

/** Looks on PATH and in the cache, without fetching anything. */
export async function lookForBinary(tool: Tool, options: FetchOptions, path: string): Promise<FoundBinary | null> {
  const there = await onPath(tool, path, options.progress);
  if (there !== null) return { path: there, from: 'PATH' };
  const cached = cachedBinary(tool, options.cache, options.platform);
  return (await isExecutable(cached)) ? { path: cached, from: 'cache' } : null;
}

/** A binary on PATH, else in the cache, else fetched into it. Throws an Obstacle when none can be had. */
export async function findBinary(
  tool: Tool,
  options: FetchOptions,
  path: string = process.env.PATH ?? '',
): Promise<FoundBinary> {
  const found = await lookForBinary(tool, options, path);
  return found ?? { path: await fetchBinary(tool, options), from: 'download' };
}

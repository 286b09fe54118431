import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { makeDirectory } from '../home/make-directory.js';
import { Obstacle } from '../processes/obstacle.js';
import { mongods, type Tool } from './downloads.js';
import { cachedBinary, type FetchOptions, fetchBinary } from './fetch-binary.js';
import { type FoundBinary, isExecutable, onPath, unfitness, versionOf } from './find-binary.js';
import { firstData, lineOf, linesFor, type MongodData, opens } from './mongod-lines.js';

/** Milliseconds for which a release that could not be fetched is not tried again while there is another one. */
const patience = 24 * 3600_000;

const Kept = z.object({ version: z.string(), compatibility: z.string() });

const dataFile = (directory: string): string => join(directory, 'version.json');

/** What is known of the data in a directory of MongoDB, or null when there are none. */
export function dataIn(directory: string): MongodData | null {
  if (!existsSync(join(directory, 'data', 'WiredTiger'))) return null;
  try {
    return Kept.parse(JSON.parse(readFileSync(dataFile(directory), 'utf8')));
  } catch {
    return firstData;
  }
}

/** Notes what serves the data now. */
export function noteData(directory: string, data: MongodData): void {
  const part = `${dataFile(directory)}.${process.pid}`;
  writeFileSync(part, `${JSON.stringify(data)}\n`);
  renameSync(part, dataFile(directory));
}

/** Whether nobody has said yet of which version the data are. */
const isUnsaid = (directory: string): boolean => !existsSync(dataFile(directory));

const marker = (tool: Tool, { cache, platform }: FetchOptions): string =>
  join(dirname(cachedBinary(tool, cache, platform)), 'unreachable');

function triedLately(tool: Tool, options: FetchOptions): boolean {
  const tried = statSync(marker(tool, options), { throwIfNoEntry: false });
  return tried !== undefined && Date.now() - tried.mtimeMs < patience;
}

function noteUnreachable(tool: Tool, options: FetchOptions): void {
  makeDirectory(dirname(marker(tool, options)));
  writeFileSync(marker(tool, options), '');
}

/** Those that may serve the data in `directory` (null: new ones) here, best first. */
function releasesFor(directory: string | null, platform: string): Tool[] {
  const lines = linesFor(directory === null ? null : dataIn(directory), {
    platform: process.platform,
    release: release(),
  });
  return lines.flatMap((line) =>
    mongods.filter((tool) => lineOf(tool.version) === line && (tool.downloads[platform] ?? []).length > 0),
  );
}

/** The one on PATH, unless it cannot open the data. Of data that say nothing yet it is asked itself: it may have made them. */
async function usableOnPath(directory: string | null, options: FetchOptions, path: string): Promise<string | null> {
  const [newest] = mongods;
  const found = newest === undefined ? null : await onPath(newest, path, options.progress);
  const data = directory === null ? null : dataIn(directory);
  if (found === null || data === null || directory === null || isUnsaid(directory)) return found;
  const version = await versionOf(found);
  if (version === null || opens(lineOf(version), data.compatibility)) return found;
  options.progress(`not using ${found}: it is ${version}, and the data of the home are of ${data.compatibility}`);
  return null;
}

/** What is on PATH or in the cache for these data, without fetching anything. */
export async function lookForMongod(
  directory: string | null,
  options: FetchOptions,
  path: string,
): Promise<FoundBinary | null> {
  const there = await usableOnPath(directory, options, path);
  if (there !== null) return { path: there, from: 'PATH' };
  for (const tool of releasesFor(directory, options.platform)) {
    const cached = cachedBinary(tool, options.cache, options.platform);
    if (await isExecutable(cached)) return { path: cached, from: 'cache' };
  }
  return null;
}

/**
 * The servers that may serve the data in `directory`, best first; each is fetched when it is asked for. The vendor's current
 * builds come first, and older ones only where none of those can be had or does. Throws an Obstacle when there is none at all.
 */
export async function* mongodCandidates(
  directory: string | null,
  options: FetchOptions,
  path: string = process.env.PATH ?? '',
): AsyncGenerator<FoundBinary> {
  const failures: string[] = [];
  let found = 0;
  const there = await usableOnPath(directory, options, path);
  if (there !== null) {
    found++;
    yield { path: there, from: 'PATH' };
  }
  const putOff: Tool[] = [];
  for (const tool of releasesFor(directory, options.platform)) {
    const cached = cachedBinary(tool, options.cache, options.platform);
    const isCached = await isExecutable(cached);
    if (!isCached && triedLately(tool, options)) putOff.push(tool);
    else if (isCached || (await fetchTool(tool, options, failures))) {
      found++;
      yield { path: cached, from: isCached ? 'cache' : 'download' };
    }
  }
  if (found > 0) return;
  for (const tool of putOff)
    if (await fetchTool(tool, options, failures)) {
      found++;
      yield { path: cachedBinary(tool, options.cache, options.platform), from: 'download' };
    }
  if (found > 0) return;
  const why = failures.length === 0 ? 'none of those that open them runs here' : failures.join('; ');
  throw new Obstacle(
    `no mongod can be had${dataWords(directory)} (${why}): set ARCUS_MONGODB_URI to a server of yours`,
  );
}

/** Whether it is in the cache afterwards, and runs here: built for a newer system, it would not. */
async function fetchTool(tool: Tool, options: FetchOptions, failures: string[]): Promise<boolean> {
  try {
    const binary = await fetchBinary(tool, options);
    const reason = await unfitness(tool, binary);
    if (reason === null) return true;
    rmSync(binary);
    failures.push(`mongod ${tool.version}: ${reason}`);
    options.progress(`not using mongod ${tool.version}: ${reason}`);
  } catch (error) {
    if (!(error instanceof Obstacle)) throw error;
    failures.push(error.message);
  }
  noteUnreachable(tool, options);
  return false;
}

function dataWords(directory: string | null): string {
  const data = directory === null ? null : dataIn(directory);
  return data === null ? '' : ` for data of MongoDB ${data.compatibility}`;
}

/** The best one. */
export async function findMongod(directory: string | null, options: FetchOptions): Promise<FoundBinary> {
  for await (const found of mongodCandidates(directory, options)) return found;
  throw new Obstacle('no mongod can be had: set ARCUS_MONGODB_URI to a server of yours');
}

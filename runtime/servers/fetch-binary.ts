import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeDirectory } from '../home/make-directory.js';
import { Obstacle, reasonOf } from '../processes/obstacle.js';
import { isAlive } from '../processes/process-identity.js';
import type { Download, Tool } from './downloads.js';
import { unpack } from './unpack.js';

export type FetchOptions = {
  /** Directory that keeps what was fetched; made when missing. */
  cache: string;
  /** `platform-architecture` of Node. */
  platform: string;
  /** Where a copy of every archive lies under its file name; tried first. The pins hold there too. */
  mirror: string | null;
  /** Told a line now and then while something is on its way. */
  progress: (line: string) => void;
  /** Longest silence of a server, in milliseconds, before the next source is tried. */
  silence?: number;
};

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

/** Where a tool of this version lies in the cache, whether or not it is there. */
export const cachedBinary = (tool: Tool, cache: string, platform: string): string =>
  join(cache, `${tool.command}-${tool.version}-${platform}`, tool.command);

function sourcesOf(tool: Tool, { platform, mirror }: FetchOptions): Download[] {
  const downloads = tool.downloads[platform] ?? [];
  if (mirror === null) return [...downloads];
  const base = mirror.endsWith('/') ? mirror : `${mirror}/`;
  const mirrored = downloads.map((download) => ({ ...download, url: `${base}${basename(download.url)}` }));
  return [...mirrored, ...downloads];
}

/** Streams one archive to a file. Throws when the answer is no success, stalls, or has another hash than the pinned one. */
async function download({ url, sha256 }: Download, file: string, options: FetchOptions): Promise<void> {
  const { progress, silence = 10_000 } = options;
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(new Error(`silent for ${silence / 1000} s`)), silence);
  try {
    const response = await fetch(url, { signal: giveUp.signal, redirect: 'follow' });
    if (!response.ok || response.body === null) throw new Error(`answered ${response.status}`);
    const total = Number(response.headers.get('content-length') ?? 0);
    const hash = createHash('sha256');
    let received = 0;
    let told = 0;
    const watch = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        timer.refresh();
        hash.update(chunk);
        received += chunk.length;
        if (received - told >= Math.max(total / 4, 10e6)) {
          told = received;
          progress(`${basename(url)}: ${megabytes(received)}${total > 0 ? ` of ${megabytes(total)}` : ''}`);
        }
        done(null, chunk);
      },
    });
    await pipeline(response.body, watch, createWriteStream(file));
    const found = hash.digest('hex');
    if (found !== sha256) throw new Error(`the SHA-256 of what came is ${found}, pinned is ${sha256}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Parts of fetches that were killed: the name ends with the pid that wrote it. */
async function sweep(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const [, pid] = /\.part-(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(directory, name), { force: true });
  }
}

/**
 * Fetches a tool into the cache and returns its path. Every source is tried in turn; what comes is used only when it has
 * the pinned hash. Files appear by renaming, so a killed fetch leaves nothing that looks whole, and two at once do no harm.
 */
export async function fetchBinary(tool: Tool, options: FetchOptions): Promise<string> {
  const target = cachedBinary(tool, options.cache, options.platform);
  const directory = join(target, '..');
  try {
    makeDirectory(directory);
    await sweep(directory);
  } catch (error) {
    throw new Obstacle(
      `the cache ${options.cache} cannot be written (${reasonOf(error)}): set ARCUS_CACHE to another one`,
    );
  }
  const archive = join(directory, `archive.part-${process.pid}`);
  const binary = join(directory, `${tool.command}.part-${process.pid}`);
  const failures: string[] = [];
  try {
    for (const source of sourcesOf(tool, options)) {
      const { host } = new URL(source.url);
      options.progress(`fetching ${tool.command} ${tool.version} from ${host}`);
      try {
        await download(source, archive, options);
        await unpack(archive, source, binary);
        await rename(binary, target);
        return target;
      } catch (error) {
        failures.push(`${host}: ${reasonOf(error)}`);
        options.progress(`no ${tool.command} from ${host}: ${reasonOf(error)}`);
      }
    }
  } finally {
    await rm(archive, { force: true });
    await rm(binary, { force: true });
  }
  const why = failures.length === 0 ? `there is no download for ${options.platform}` : failures.join('; ');
  const other = tool.setting === null ? '' : `, or set ${tool.setting} to a server of yours`;
  throw new Obstacle(
    `${tool.command} is missing and could not be fetched (${why}): put ${tool.command} on PATH${other}`,
  );
}

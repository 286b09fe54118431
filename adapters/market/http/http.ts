import { constants, type FileHandle, open, readdir, realpath, rename, stat, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isAppKey } from '../../../domain/market/app-key.js';
import { Problem } from '../../../domain/problems.js';
import { isWithin } from '../../../domain/storage/safe-path.js';
import { mebi } from '../../../schemas/common/mebi.js';
import { syncDirectory, writeAll } from '../../storage/directories/write-file.js';
import { codeOf, diskFault } from '../../storage/disk-fault.js';
import { noCatalogue } from '../no-catalogue.js';
import type { MarketPlaces } from '../places.js';
import type { AppBytes, Market, MarketTarget, StoredApp } from '../port.js';
import { createSums } from '../sums.js';

/** A web server runs as somebody else. */
const readable = 0o644;
/** Bytes after which a writer looks whether the app is still his. */
const lookAfter = 32 * mebi;

const partOf = (key: string): string => `.${key}.part`;
const isPart = (name: string): boolean => name.startsWith('.') && name.endsWith('.part');

/**
 * A directory that a web server gives. `safe`: directories of this machine in which such directories may be. All tries of an app write to one file, each what is read at its
 * place: whoever is overtaken writes what is there already.
 */
export function httpMarket(places: MarketPlaces, safe: readonly string[]): Market<'http'> {
  async function directoryOf({ id }: MarketTarget): Promise<string> {
    const { http } = await places(id);
    if (!http) throw new Problem('not_found', `There is no marketplace ${id} of kind http.`);
    const real = await realpath(http.public_dir).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
      throw new Problem('backend_unavailable', `The directory of marketplace ${id} is not there.`);
    });
    const allowed = await Promise.all(safe.map((one) => realpath(one).catch(() => undefined)));
    if (allowed.some((one) => one !== undefined && isWithin(one, real))) return real;
    throw new Problem(
      'source_refused',
      `The directory of marketplace ${id} is in none of those that an operator allows in ARCUS_MARKET_DIRS.`,
    );
  }
  const inDirectory = async <T>(
    market: MarketTarget,
    signal: AbortSignal,
    call: (directory: string) => Promise<T>,
  ): Promise<T> => {
    try {
      signal.throwIfAborted();
      return await call(await directoryOf(market));
    } catch (error) {
      throw diskFault(error, signal, `Marketplace ${market.id}`);
    }
  };

  return {
    can: { publish: true, catalogue: false },
    capacity: (market, signal) =>
      inDirectory(market, signal, async (directory) => {
        const { blocks, bfree, bavail, bsize } = await statfs(directory);
        return { total: blocks * bsize, used: (blocks - bfree) * bsize, free: bavail * bsize };
      }),
    publish: (app, from, guard, onProgress, signal) =>
      inDirectory(app.market, signal, async (directory) => {
        const whole = join(directory, app.key);
        const part = join(directory, partOf(app.key));
        const isThere = (await sizeOf(whole)) === from.total;
        if (!isThere) await guard();
        const file = isThere ? null : await open(part, flags, readable);
        const sums = createSums();
        try {
          for await (const { chunk, at } of placed(from, signal)) {
            sums.add(chunk);
            if (file) await put(file, chunk, at);
            if (Math.floor((at + chunk.length) / lookAfter) > Math.floor(at / lookAfter)) await guard();
            onProgress({ phase: file ? 'copy' : 'check', done: at + chunk.length, total: from.total });
          }
          await file?.truncate(from.total);
          await file?.chmod(readable);
          await file?.sync();
        } finally {
          await file?.close();
        }
        if (file) {
          await guard();
          await named(app, part, whole, from.total);
          await syncDirectory(directory);
        }
        return sums.result();
      }),
    remove: ({ key, market }, signal) =>
      inDirectory(market, signal, async (directory) => {
        for (const name of [key, partOf(key)])
          await unlink(join(directory, name)).catch((error: unknown) => {
            if (codeOf(error) !== 'ENOENT') throw error;
          });
        await syncDirectory(directory);
      }),
    inventory: (market, signal) =>
      inDirectory(market, signal, async (directory) => {
        const found = [];
        for (const name of await readdir(directory)) {
          const key = isPart(name) ? name.slice(1, -'.part'.length) : name;
          if (!isAppKey(key)) continue;
          found.push({ key, bytes: (await sizeOf(join(directory, name))) ?? 0, whole: !isPart(name) });
        }
        return found;
      }),
    ...noCatalogue,
  };
}

const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    (error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    },
  );
}

/** Pieces with their places. Throws where there are fewer bytes, or more, than there were said to be. */
async function* placed({ total, read }: AppBytes, signal: AbortSignal) {
  let at = 0;
  for await (const chunk of read(0, signal)) {
    signal.throwIfAborted();
    if (at + chunk.length > total) break;
    yield { chunk, at };
    at += chunk.length;
  }
  if (at !== total) throw new Problem('backend_unavailable', 'What is published was not read as long as it is.');
}

/** Where these bytes are there already nothing is written. */
async function put(file: FileHandle, chunk: Uint8Array, at: number): Promise<void> {
  const there = Buffer.allocUnsafe(chunk.length);
  let has = 0;
  while (has < there.length) {
    const { bytesRead } = await file.read(there, has, there.length - has, at + has);
    if (bytesRead === 0) break;
    has += bytesRead;
  }
  if (has === chunk.length && there.equals(chunk)) return;
  await writeAll(file, chunk, at);
}

/** What is whole is called as it is to be called. Another try may have done so already. */
async function named({ id }: StoredApp, part: string, whole: string, total: number): Promise<void> {
  try {
    await rename(part, whole);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    if ((await sizeOf(whole)) !== total) throw new Problem('taken', `App ${id} has been removed meanwhile.`);
  }
}

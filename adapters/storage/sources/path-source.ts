import type { BigIntStats } from 'node:fs';
import { constants, type FileHandle, open, realpath } from 'node:fs/promises';
import { Problem } from '../../../domain/problems.js';
import { isPlainPath, isWithin } from '../../../domain/storage/safe-path.js';
import { readFrom } from '../directories/write-file.js';
import { codeOf } from '../disk-fault.js';
import type { SourceBytes, SourceOffset } from './port.js';

/** Directories from which images may be made, and those from which none is, whatever they are in: the home, with its keys, and the datastores. */
export type PathRules = { safe: readonly string[]; kept: readonly string[] };

const refused = (why: string): Problem => new Problem('source_refused', why);

/** Opens a file in a safe directory. What it is called is not said in what is refused: who asks knows it. */
export async function openPath(
  path: string,
  rules: PathRules,
  from: SourceOffset,
  signal: AbortSignal,
): Promise<SourceBytes> {
  if (!isPlainPath(path)) throw refused('The path of the source must be absolute, without . and .. in it.');
  const file = await openSafe(path, rules);
  try {
    const about = await file.stat({ bigint: true });
    if (!about.isFile()) throw refused('The path of the source is not that of a file.');
    const version = versionOf(about);
    const total = Number(about.size);
    const offset = from.version === version && from.offset <= total ? from.offset : 0;
    const bytes = bytesOf(file, offset, total, version, signal);
    return { offset, total, version, bytes, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

const versionOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(':');

/**
 * The path is resolved and checked, opened without following a link, and what was opened is checked again: somebody may have put a link in the
 * place of a directory in between.
 */
async function openSafe(path: string, rules: PathRules): Promise<FileHandle> {
  const safe = await reals(rules.safe);
  const kept = await reals(rules.kept);
  const check = (real: string): void => {
    if (!safe.some((directory) => isWithin(directory, real)) || kept.some((directory) => isWithin(directory, real)))
      throw refused('The path of the source is not in a safe directory: an operator names those in ARCUS_SAFE_DIRS.');
  };
  try {
    const real = await realpath(path);
    check(real);
    // Not to wait for who writes to a pipe.
    const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      check(await openedPath(file, real));
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  } catch (error) {
    const why = { ENOENT: 'is not there', ENOTDIR: 'is not there', EACCES: 'may not be read', ELOOP: 'is a link' }[
      codeOf(error) ?? ''
    ];
    throw why === undefined ? error : refused(`The path of the source ${why}.`);
  }
}

/** Where an open file is: Linux says it; elsewhere the path must still lead to it, without a link. */
async function openedPath(file: FileHandle, path: string): Promise<string> {
  return process.platform === 'linux' ? realpath(`/proc/self/fd/${file.fd}`) : realpath(path);
}

async function reals(directories: readonly string[]): Promise<string[]> {
  const found = await Promise.all(directories.map((directory) => realpath(directory).catch(() => undefined)));
  return found.filter((directory) => directory !== undefined);
}

async function* bytesOf(
  file: FileHandle,
  offset: number,
  total: number,
  version: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of readFrom(file, offset, total)) {
    signal.throwIfAborted();
    yield chunk;
  }
  if (versionOf(await file.stat({ bigint: true })) !== version)
    throw new Problem('backend_unavailable', 'The file that the image is made of was changed while it was read.');
}

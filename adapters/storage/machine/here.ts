import {
  constants,
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  statfs,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { join, relative } from 'node:path';
import { execa } from 'execa';
import { Problem } from '../../../domain/problems.js';
import { codeOf } from '../disk-fault.js';
import { plainEnvironment } from '../unpack/run-filter.js';
import type { Files, Machine, Manner, Ran } from './machine.js';

const files: Files = {
  open,
  readFile: (path) => readFile(path, 'utf8'),
  writeFile,
  async mkdir(path, how) {
    await mkdir(path, how);
  },
  readdir: (path) => readdir(path),
  stat,
  link,
  symlink,
  rename,
  unlink,
  rmdir,
  // Whoever has been overtaken may still be making something in it.
  remove: (path) => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 10 }),
  realpath: (path) => realpath(path),
  statfs: (path) => statfs(path),
  async allocated(path) {
    const found = new Map<string, number>();
    const add = async (at: string): Promise<void> => {
      // What goes meanwhile is nothing.
      const bytes = await stat(at).then(({ blocks }) => blocks * 512, isGone);
      found.set(relative(path, at), bytes);
    };
    const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
    await Promise.all(entries.filter((one) => one.isFile()).map((one) => add(join(one.parentPath, one.name))));
    return found;
  },
  async copyWithin(from, to, onProgress) {
    try {
      await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    } catch (error) {
      if (!cannotShare.has(codeOf(error) ?? '')) throw error;
      await rm(to, { force: true });
      return false;
    }
    const { size } = await stat(to);
    onProgress({ phase: 'copy', done: size, total: size });
    return true;
  },
};

const cannotShare = new Set(['ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'ENOSYS', 'EINVAL', 'ENOTTY']);

function isGone(error: unknown): 0 {
  if (codeOf(error) === 'ENOENT') return 0;
  throw error;
}

let booted: Promise<string | null> | undefined;

/** The longest that a program may take that moves no bytes, in milliseconds. */
export const longestRun = 1_800_000;

/** What ends a program that wants more than it may have: of time, and of memory, without which it gives up. */
const exhausted: ReadonlySet<string> = new Set(['SIGXCPU', 'SIGABRT', 'SIGTRAP', 'SIGSEGV']);
export const exhaustedText = 'it takes more memory or time than it may';

async function attempt(
  program: string,
  given: readonly string[],
  signal: AbortSignal,
  { moves, hear }: Manner,
): Promise<Ran | undefined> {
  const running = execa(program, given, {
    ...plainEnvironment,
    // A signal of its own for each: many that listen to one look like a leak.
    ...{ stdin: 'ignore', reject: false, cancelSignal: AbortSignal.any([signal]), timeout: moves ? 0 : longestRun },
    ...{ forceKillAfterDelay: 1_000, maxBuffer: 1024 * 1024 },
  });
  if (hear) running.stdout?.setEncoding('utf8').on('data', hear);
  const { code, exitCode, stdout, stderr, isTerminated, timedOut, signal: by } = await running;
  signal.throwIfAborted();
  if (code === 'ENOENT') return undefined;
  if (by !== undefined && exhausted.has(by)) return { exitCode: 1, stdout, stderr: exhaustedText };
  if (isTerminated && !timedOut)
    throw new Problem('backend_unavailable', `${called(program, given)} was ended from outside.`);
  if (timedOut || exitCode === undefined)
    throw new Problem('backend_unavailable', `${called(program, given)} did not end.`);
  return { exitCode, stdout, stderr };
}

/** What runs, whatever bounds it. */
export const called = (program: string, given: readonly string[]): string =>
  program === 'prlimit' ? (given.find((word) => !word.startsWith('--')) ?? program) : program;

/** The machine that this process runs on. */
export const here: Machine = {
  ...{ key: 'here', name: 'this machine', bounds: process.platform === 'linux' },
  files,
  boot() {
    booted ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
      (text) => text.trim(),
      () => null,
    );
    return booted;
  },
  attempt,
};

import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { Problem } from '../../../domain/problems.js';
import { limits } from '../../../schemas/common/limits.js';
import { withOwnFile } from '../../process/own-files.js';
import type { GuestFiles } from '../port.js';

/** What makes a disk of files, by the first of these programs that is there, which take the same options. */
const programs = [
  ['xorriso', ['-as', 'mkisofs']],
  ['genisoimage', []],
] as const;

/**
 * The CD-ROM of what a guest is told, for as long as the work takes. OpenNebula’s guests look for one that is called CONTEXT, with
 * names as they are (Rock Ridge, Joliet).
 */
export async function withContextDisk<T>(
  files: GuestFiles | null,
  signal: AbortSignal,
  work: (disk: { file: string; bytes: number } | null) => Promise<T>,
): Promise<T> {
  if (files === null) return work(null);
  return withOwnFile('context.iso', async (file) => {
    await made(await directoryOf(files, file, signal), file, signal);
    return work({ file, bytes: (await stat(file)).size });
  });
}

/** That of the files, or where they are brought to. */
async function directoryOf({ path, bring }: GuestFiles, beside: string, signal: AbortSignal): Promise<string> {
  if (!bring) return path;
  const into = join(dirname(beside), 'brought');
  await mkdir(into, { mode: 0o700 });
  await bring(into, signal);
  return into;
}

async function made(directory: string, file: string, signal: AbortSignal): Promise<void> {
  for (const [program, first] of programs) {
    const { code, exitCode, stderr } = await execa(
      program,
      [...first, '-quiet', '-V', 'CONTEXT', '-J', '-R', '-o', file, directory],
      {
        ...{ extendEnv: false, env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' }, stdin: 'ignore', reject: false },
        ...{ cancelSignal: AbortSignal.any([signal]), maxBuffer: 1024 ** 2, forceKillAfterDelay: 1_000 },
      },
    );
    signal.throwIfAborted();
    if (code === 'ENOENT') continue;
    if (exitCode === 0) return;
    throw new Problem(
      'backend_unavailable',
      `${program} makes no CD-ROM of a context: ${stderr.slice(0, limits.quoted.most)}.`,
    );
  }
  throw new Problem(
    'backend_unavailable',
    'Nothing makes CD-ROMs on this machine. On Debian: apt-get install xorriso.',
  );
}

import { execa } from 'execa';
import { z } from 'zod';
import { Problem } from '../../domain/problems.js';
import { limits } from '../../schemas/common/limits.js';
import { imagePrograms } from '../../schemas/storage/image-programs.js';
import type { ImageFormat } from '../../schemas/storage/stored.js';
import { plainEnvironment } from './unpack/run-filter.js';

/** What a program may take that looks at bytes which somebody gave: memory in bytes, seconds of a processor, seconds in all. */
const bounds = { memory: 4 * 1024 ** 3, processor: 600, milliseconds: 1_800_000 } as const;

const missing = (): Problem =>
  new Problem(
    'backend_unavailable',
    `qemu-img is not installed on this machine: it looks into disks and makes them. On Debian: apt-get install ${imagePrograms['qemu-img']}.`,
  );

type Ran = { exitCode: number; stdout: string; stderr: string };

/** Runs it within bounds where the system has `prlimit` (Linux), else without. Throws when it is not there, or was ended. */
async function run(given: readonly string[], signal: AbortSignal): Promise<Ran> {
  const limited = [`--as=${bounds.memory}`, `--cpu=${bounds.processor}:${bounds.processor + 10}`, 'qemu-img', ...given];
  const bounded = process.platform === 'linux' ? await attempt('prlimit', limited, signal) : undefined;
  const ran = bounded ?? (await attempt('qemu-img', given, signal));
  if (ran === undefined || /failed to execute qemu-img/.test(ran.stderr)) throw missing();
  return ran;
}

/** What ends a program that wants more than it may have: of time, and of memory, without which it gives up. */
const exhausted: ReadonlySet<string> = new Set(['SIGXCPU', 'SIGABRT', 'SIGTRAP', 'SIGSEGV']);

/** undefined: there is no such program. */
async function attempt(program: string, given: readonly string[], signal: AbortSignal): Promise<Ran | undefined> {
  const {
    code,
    exitCode,
    stdout,
    stderr,
    isTerminated,
    timedOut,
    signal: by,
  } = await execa(program, given, {
    ...plainEnvironment,
    ...{ stdin: 'ignore', reject: false, cancelSignal: signal, timeout: bounds.milliseconds },
    ...{ forceKillAfterDelay: 1_000, maxBuffer: 1024 * 1024 },
  });
  signal.throwIfAborted();
  if (code === 'ENOENT') return undefined;
  if (by !== undefined && exhausted.has(by))
    return { exitCode: 1, stdout, stderr: 'it takes more memory or time than it may' };
  if (isTerminated && !timedOut) throw new Problem('backend_unavailable', 'qemu-img was ended from outside.');
  if (timedOut || exitCode === undefined) throw new Problem('backend_unavailable', 'qemu-img did not end.');
  return { exitCode, stdout, stderr };
}

/** What it says of a failure, without paths of this machine. */
function said({ stderr }: Ran): string {
  const line = stderr.trim().split('\n').at(-1) ?? '';
  const words = line.replace(/'[^']*'/g, 'it').replace(/^qemu-img: /, '');
  return words.slice(0, limits.quoted.most);
}

const Info = z.object({ 'virtual-size': z.int().min(0), format: z.string() });

/**
 * What `qemu-img` makes of a disk of this format: it is told, and does not guess. Throws `image_refused` for one that it cannot open, or that
 * is damaged. `lookAt` has seen to it before that it opens no other file.
 */
export async function inspect(
  path: string,
  format: ImageFormat,
  signal: AbortSignal,
): Promise<{ virtualSize: number }> {
  const about = await run(['info', '--output=json', '-f', format, path], signal);
  if (about.exitCode !== 0) throw refused(said(about));
  const info = Info.safeParse(parsed(about.stdout));
  if (!info.success) throw new Problem('backend_unavailable', 'qemu-img answers in a way that is not known here.');
  if (format === 'qcow2') {
    // 3: clusters that nobody uses, which is no damage.
    const check = await run(['check', '--output=json', '-f', format, path], signal);
    if (check.exitCode !== 0 && check.exitCode !== 3) throw refused(said(check) || 'its clusters do not agree');
  }
  return { virtualSize: info.data['virtual-size'] };
}

const refused = (why: string): Problem =>
  new Problem('image_refused', `The image is damaged or cut off, as qemu-img says: ${why}.`);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Makes an empty disk; what was at the path is replaced. */
export async function createDisk(path: string, format: ImageFormat, size: number, signal: AbortSignal): Promise<void> {
  succeeded(await run(['create', '-q', '-f', format, path, String(size)], signal));
}

/** Makes a disk larger. */
export async function growDisk(path: string, format: ImageFormat, size: number, signal: AbortSignal): Promise<void> {
  succeeded(await run(['resize', '-q', '-f', format, path, String(size)], signal));
}

function succeeded(ran: Ran): void {
  if (ran.exitCode === 0) return;
  const full = /no space left/i.test(ran.stderr);
  throw new Problem(full ? 'datastore_full' : 'backend_unavailable', `qemu-img fails: ${said(ran)}.`);
}

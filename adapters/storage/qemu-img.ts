import { z } from 'zod';
import { Problem } from '../../domain/problems.js';
import { snapshotName } from '../../domain/storage/snapshot-name.js';
import { limits } from '../../schemas/common/limits.js';
import { imagePrograms } from '../../schemas/storage/image-programs.js';
import type { ImageFormat } from '../../schemas/storage/stored.js';
import { inTurn } from '../process/in-turn.js';
import { placed, type Word } from './machine/files.js';
import type { Machine, Manner, Ran } from './machine/machine.js';
import { noSnapshot } from './no-snapshot.js';
import type { OnProgress, SnapshotChange } from './port.js';

/** What a program may take that looks at bytes which somebody gave: memory in bytes, seconds of a processor. */
const bounds = { memory: 4 * 1024 ** 3, processor: 600 } as const;

const missing = ({ name }: Machine): Problem =>
  new Problem(
    'backend_unavailable',
    `qemu-img is not installed on ${name}: it looks into disks and makes them. On Debian: apt-get install ${imagePrograms['qemu-img']}.`,
  );

/** Runs it where the disks are that it is given, within bounds where that has `prlimit` (Linux), else without. Throws when it is not there, or was ended. */
async function run(words: readonly Word[], signal: AbortSignal, manner: Manner = { moves: false }): Promise<Ran> {
  const { machine, words: given } = await placed(words);
  const time = manner.moves ? [] : [`--cpu=${bounds.processor}:${bounds.processor + 10}`];
  const limited = [`--as=${bounds.memory}`, ...time, 'qemu-img', ...given];
  const bounded = machine.bounds ? await machine.attempt('prlimit', limited, signal, manner) : undefined;
  const ran = bounded ?? (await machine.attempt('qemu-img', given, signal, manner));
  if (ran === undefined || /failed to execute qemu-img/.test(ran.stderr)) throw missing(machine);
  return ran;
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

/** Disks of a whole batch of VMs are asked for at once: more processes than these take memory, and are no faster. */
const cloning = inTurn(8);

/** Makes a disk on an image: as that is, at first, and then with what is written to it. `image`: from where the disk is. */
export async function cloneDisk(
  image: string,
  format: ImageFormat,
  path: string,
  size: number,
  signal: AbortSignal,
): Promise<void> {
  const given = ['create', '-q', '-f', 'qcow2', '-F', format, '-b', image, path, String(size)];
  succeeded(await cloning(() => run(given, signal)));
}

const Snapshots = z.object({ snapshots: z.array(z.object({ name: z.string() })).default([]) });

/** As `SnapshotChange` says; resolves with the numbers of those that there are then. It is told the format, as everywhere: `qemu-img snapshot` would guess. */
export async function changeSnapshot(
  path: string,
  wish: SnapshotChange | null,
  signal: AbortSignal,
): Promise<number[]> {
  const about = await run(['info', '--output=json', '-f', 'qcow2', path], signal);
  succeeded(about);
  // Numbers alone name ours: what else a qcow2 has in it is somebody else’s.
  const there = Snapshots.parse(parsed(about.stdout)).snapshots.flatMap(({ name }) => {
    const [, number] = /^arcus\.(\d{1,9})$/.exec(name) ?? [];
    return number === undefined ? [] : [Number(number)];
  });
  if (wish === null) return there;
  const { do: what, snapshot } = wish;
  const name = snapshotName(snapshot);
  const isThere = there.includes(snapshot);
  const options = (at: string): string => `driver=qcow2,file.driver=file,file.filename=${at.replaceAll(',', ',,')}`;
  const file = { path, as: options };
  const change = async (flag: '-c' | '-a' | '-d'): Promise<void> =>
    succeeded(await run(['snapshot', '-q', flag, name, '--image-opts', file], signal, { moves: true }));
  if (what === 'revert' && !isThere) throw noSnapshot(snapshot);
  if (what === 'revert') {
    await change('-a');
    return there;
  }
  if (isThere) await change('-d');
  if (what === 'take') await change('-c');
  const others = there.filter((one) => one !== snapshot);
  return what === 'take' ? [...others, snapshot] : others;
}

type DiskFile = { path: string; format: ImageFormat };

/** What a disk is, with what it stands on, in a file of its own. */
export async function flattenDisk(
  from: DiskFile & { snapshot?: number },
  to: DiskFile,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<void> {
  const about = await run(['info', '--output=json', '-f', from.format, from.path], signal);
  succeeded(about);
  const total = Info.parse(parsed(about.stdout))['virtual-size'];
  const hear = (text: string): void => {
    const [, percent] = [...text.matchAll(/\((\d+\.\d+)\/100%\)/g)].at(-1) ?? [];
    if (percent !== undefined) onProgress({ phase: 'copy', done: Math.floor((total * Number(percent)) / 100), total });
  };
  const of = from.snapshot === undefined ? [] : ['-l', `snapshot.name=${snapshotName(from.snapshot)}`];
  const given = ['convert', '-p', ...of, '-f', from.format, '-O', to.format, from.path, to.path];
  const ran = await run(given, signal, { moves: true, hear });
  if (from.snapshot !== undefined && /Failed to load snapshot/.test(ran.stderr)) throw noSnapshot(from.snapshot);
  succeeded(ran);
}

function succeeded(ran: Ran): void {
  if (ran.exitCode === 0) return;
  const full = /no space left/i.test(ran.stderr);
  throw new Problem(full ? 'datastore_full' : 'backend_unavailable', `qemu-img fails: ${said(ran)}.`);
}

import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { Problem } from '../../../domain/problems.js';
import { mkdir, rename, rm, rmdir, stat, unlink, writeFile } from '../machine/files.js';
import { diskName, modes, named } from './layout.js';
import { namesIn, takeFile } from './pieces.js';
import { syncDirectory } from './write-file.js';

/** What a name in the directory of a VM is. */
export type VmName =
  | { is: 'disk'; disk: number }
  | { is: 'work'; disk: number; epoch: number }
  | { is: 'at'; epoch: number }
  | { is: 'context'; epoch: number }
  | { is: 'memory'; epoch: number };

const forms = {
  disk: /^disk\.(\d{1,15})$/,
  work: /^work\.(\d{1,15})\.(\d{1,15})\./,
  at: /^at\.(\d{1,15})$/,
  /** There, or in the making. */
  context: /^(?:(\d{1,15})|told\.(\d{1,15})\..+)$/,
  memory: /^memory\.(\d{1,15})$/,
};

/** undefined: none of ours. */
export function vmName(name: string): VmName | undefined {
  const [, disk] = forms.disk.exec(name) ?? [];
  if (disk !== undefined) return { is: 'disk', disk: Number(disk) };
  const [, made, by] = forms.work.exec(name) ?? [];
  if (made !== undefined && by !== undefined) return { is: 'work', disk: Number(made), epoch: Number(by) };
  const [, epoch] = forms.at.exec(name) ?? [];
  if (epoch !== undefined) return { is: 'at', epoch: Number(epoch) };
  const [, saved] = forms.memory.exec(name) ?? [];
  if (saved !== undefined) return { is: 'memory', epoch: Number(saved) };
  const [, there, making = there] = forms.context.exec(name) ?? [];
  return making === undefined ? undefined : { is: 'context', epoch: Number(making) };
}

type Work = { vm: number; disk: number; epoch: number };
/** A directory that a disk is made in, beside it. */
export const newWork = ({ disk, epoch }: Work): string => `work.${named(disk)}.${named(epoch)}.${randomUUID()}`;
/** One in the directory of an image that is a disk itself: to be renamed from, it lies in the same file system. */
export const newRestore = ({ vm, epoch }: Work): string => `restore.${named(vm)}.${named(epoch)}.${randomUUID()}`;

/** Of a name in the directory of an image: what a disk of this VM, which is the image, is about to become. */
export function restoreName(name: string, vm: number): { is: 'work'; epoch: number } | undefined {
  const [, of, epoch] = /^restore\.(\d{1,15})\.(\d{1,15})\./.exec(name) ?? [];
  return epoch !== undefined && Number(of) === vm ? { is: 'work', epoch: Number(epoch) } : undefined;
}

/**
 * Removes what was made under older epochs than this and is not in its place yet: out of the way first, in one go, for whoever is at it may go on. `gone`: to where, by
 * its name.
 */
export async function dropWork(
  directory: string,
  { epoch }: Pick<Claim, 'epoch'>,
  read: (name: string) => { is: string; epoch?: number } | undefined,
  gone: (name: string) => string,
): Promise<void> {
  for (const name of await namesIn(directory)) {
    const its = read(name);
    if (its?.is !== 'work' || its.epoch === undefined || its.epoch >= epoch) continue;
    const away = gone(name);
    await mkdir(dirname(away), { recursive: true, mode: modes.directory });
    await takeFile(join(directory, name), away);
    await rm(away, { recursive: true, force: true });
  }
}

export const overtakenAt = (vm: number): Problem =>
  new Problem('taken', `Somebody with a later claim works on the disks of VM ${vm}, or has removed them.`);

type Claim = { vm: number; epoch: number };

/** Throws `taken` when somebody with a later epoch has been at the disks of a VM. */
export async function refuseLate(directory: string, { vm, epoch }: Claim): Promise<void> {
  for (const name of await namesIn(directory)) {
    const its = vmName(name);
    if (its?.is === 'at' && its.epoch > epoch) throw overtakenAt(vm);
  }
}

/**
 * Says that this epoch is at the disks of a VM: from then on an older one hears `taken`, when it begins and before a disk of its making is seen. The
 * directory is there.
 */
export async function takeDirectory(directory: string, claim: Claim): Promise<void> {
  await refuseLate(directory, claim);
  await writeFile(join(directory, `at.${named(claim.epoch)}`), '', { mode: modes.file, flag: 'a' });
  await refuseLate(directory, claim);
  for (const name of await namesIn(directory)) {
    const its = vmName(name);
    if (its?.is === 'at' && its.epoch < claim.epoch) await unlink(join(directory, name)).catch(() => {});
  }
}

/** `name`: of the directory that it is made in, beside its place; `clear`: takes away what earlier tries have left, before that is there. */
type Appearing = {
  name: string;
  place: string;
  isThere: () => Promise<boolean>;
  clear?: () => Promise<void>;
  fill: (work: string) => Promise<void>;
};

/**
 * Makes something of a VM in a directory of its own, which appears whole, by being renamed to its place. Who is late hears `taken` before it appears; of
 * several who try at once, one is it, and all are content. What fails leaves nothing.
 */
export async function appear(
  directory: string,
  claim: Claim,
  { name, place, isThere, clear, fill }: Appearing,
  signal: AbortSignal,
): Promise<void> {
  const work = join(directory, name);
  try {
    await clear?.();
    await mkdir(work, { mode: modes.directory });
    await fill(work);
    await syncDirectory(work);
    signal.throwIfAborted();
    await refuseLate(directory, claim);
    await rename(work, place);
    await syncDirectory(directory);
  } catch (error) {
    const isAlone = (await namesIn(directory)).includes(name);
    await rm(work, { recursive: true, force: true });
    signal.throwIfAborted();
    await refuseLate(directory, claim);
    // From under him who began before, what he was at was taken away: what he says of that is no fault.
    if (!(await isThere())) throw isAlone ? error : overtakenAt(claim.vm);
  }
}

/** Names of what a guest was told up to an epoch, and of what is being made of that. */
export const namesOfContexts = async (directory: string, epoch: number): Promise<string[]> =>
  (await namesIn(directory)).filter((name) => {
    const its = vmName(name);
    return its?.is === 'context' && its.epoch <= epoch;
  });

/** Names of what is kept of a VM's memory up to an epoch, the latest last. */
export const namesOfMemory = async (directory: string, epoch: number): Promise<string[]> =>
  (await namesIn(directory))
    .map((name) => ({ name, its: vmName(name) }))
    .flatMap(({ name, its }) => (its?.is === 'memory' && its.epoch <= epoch ? [{ name, epoch: its.epoch }] : []))
    .sort((one, other) => one.epoch - other.epoch)
    .map(({ name }) => name);

/** Names of a disk, or of all, and of those that are being made up to an epoch. */
export async function namesOfDisks(directory: string, epoch: number, disk: number | null): Promise<string[]> {
  return (await namesIn(directory)).filter((name) => {
    const its = vmName(name);
    if (its?.is === 'work') return its.epoch <= epoch && (disk === null || its.disk === disk);
    return disk === null ? its?.is === 'disk' : name === diskName(disk);
  });
}

/** As long as nothing that was begun before is at work any more, in milliseconds. */
const forgetAfter = 24 * 3_600_000;

/** Forgets a VM of which nothing is left but that somebody was there, long ago. Somebody who comes at the same time finds it, or makes it anew. */
export async function forgetVm(directory: string): Promise<void> {
  for (const name of await namesIn(directory)) {
    if (vmName(name)?.is !== 'at') return;
    const { mtimeMs } = await stat(join(directory, name));
    if (Date.now() - mtimeMs < forgetAfter) return;
    await unlink(join(directory, name));
  }
  await rmdir(directory);
}

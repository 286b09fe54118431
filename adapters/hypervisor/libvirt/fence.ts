import { Problem } from '../../../domain/problems.js';
import type { Said, Virsh } from './virsh.js';

/**
 * What libvirt cannot do is to compare and act: between a look at a VM and its start there is always a moment in which somebody else has
 * taken it. So a domain has a CD-ROM whose file has the epoch in its name, without which QEMU does not start, and whoever stops a VM removes those
 * files first. They are volumes of a pool, which libvirt keeps on the host: made only where there is none of that name, and
 * listed by one call. A name stays when its file is gone: the highest is what the host has heard.
 */
export type Fence = {
  /** The highest epoch heard of each VM of the installation. */
  heard(signal: AbortSignal): Promise<ReadonlyMap<number, number>>;
  /**
   * Resolves when the host has heard this epoch of the VM: no lower one starts it from then on where it `stops` or `starts`. Throws `stale_epoch` where it has heard a higher one.
   * `starts`: what the domain of this epoch needs is there; the path of that, on the host, is the answer.
   */
  hear(vm: number, epoch: number, way: Way, signal: AbortSignal, told?: Told): Promise<string>;
  /** What the guest of a VM is told, into a file of this machine; false: nothing. */
  bring(vm: number, file: string, signal: AbortSignal): Promise<boolean>;
};

export const stale = (host: string, { id, epoch }: { id: number; epoch: number }, later: number): Problem =>
  new Problem('stale_epoch', `${host} has heard of epoch ${later} of VM ${id}, which is later than ${epoch}.`);

type Way = 'touches' | 'stops' | 'starts';
/** What is in its CD-ROM: what the one of before has, or a file of this machine; null: nothing. */
type Told = 'as before' | { file: string; bytes: number } | null;

const pool = 'arcus';
const exists = /exists already|already exists|in use by another|File exists/i;
const gone = /not found|no storage vol|no such/i;

type Name = { vm: number; epoch: number; kind: 'iso' | 'heard'; name: string; isEmpty: boolean };

export function fenceAt(virsh: Virsh, directory: string, installation: string, host: string): Fence {
  const nameOf = (vm: number, epoch: number, kind: Name['kind']): string => `${installation}.${vm}.${epoch}.${kind}`;

  const made = async (signal: AbortSignal): Promise<void> => {
    const known = await virsh.ask(['pool-info', pool], signal);
    if (known.refusal !== null)
      for (const words of [
        ['pool-define-as', pool, 'dir', '--target', directory],
        ['pool-build', pool],
        ['pool-autostart', pool],
      ])
        refused(await virsh.ask(words, signal), exists);
    refused(await virsh.ask(['pool-start', pool], signal), /already active/i);
  };
  const refused = ({ refusal }: Said, fine: RegExp): void => {
    if (refusal !== null && !fine.test(refusal))
      throw new Problem('backend_unavailable', `${host} keeps no storage pool "${pool}" in ${directory}: ${refusal}.`);
  };
  /** A command on the pool, which is made where there is none. */
  const onPool = async (words: readonly string[], fine: RegExp, signal: AbortSignal): Promise<string> => {
    const first = await virsh.ask(words, signal);
    if (first.refusal === null || fine.test(first.refusal)) return first.text;
    await made(signal);
    const second = await virsh.ask(words, signal);
    refused(second, fine);
    return second.text;
  };
  const names = async (signal: AbortSignal): Promise<Name[]> => {
    const text = await onPool(['vol-list', pool, '--details'], /(?!)/, signal);
    return text.split('\n').flatMap((line) => {
      const name = line.trim().split(' ')[0] ?? '';
      if (!name.startsWith(`${installation}.`)) return [];
      const [, vm, epoch, kind] =
        /^(\d{1,15})\.(\d{1,15})\.(iso|heard)$/.exec(name.slice(installation.length + 1)) ?? [];
      if (kind !== 'iso' && kind !== 'heard') return [];
      return [{ vm: Number(vm), epoch: Number(epoch), kind, name, isEmpty: line.includes(' 0.00 B ') }];
    });
  };
  /** The newest that has something of a VM. */
  const newest = async (vm: number, signal: AbortSignal): Promise<Name | undefined> => {
    const all = (await names(signal)).filter((name) => name.vm === vm && !name.isEmpty);
    return all.sort((one, other) => other.epoch - one.epoch)[0];
  };
  const create = async (vm: number, own: string, way: Way, told: Told, signal: AbortSignal): Promise<void> => {
    const before = told === 'as before' ? await newest(vm, signal) : undefined;
    if (before?.name === own) return;
    // What is only touched keeps its CD-ROM.
    if (before && !(way === 'touches' && before.kind === 'iso')) {
      // Who is faster may have taken it away: then there is a later epoch, which is seen next.
      const { refusal } = await virsh.work(['vol-clone', '--pool', pool, before.name, own], signal);
      if (refusal === null || exists.test(refusal)) return;
    }
    const bytes = told !== null && told !== 'as before' ? told.bytes : 0;
    await onPool(['vol-create-as', pool, own, `${bytes}B`, '--format', 'raw'], exists, signal);
    if (told !== null && told !== 'as before')
      refused(await virsh.work(['vol-upload', '--pool', pool, own, told.file], signal), /(?!)/);
  };
  let target: string | undefined;
  const pathOf = async (name: string, signal: AbortSignal): Promise<string> => {
    if (target === undefined) {
      const path = (await onPool(['vol-path', '--pool', pool, name], /(?!)/, signal)).trim();
      target = path.slice(0, path.length - name.length);
    }
    return `${target}${name}`;
  };

  return {
    async heard(signal) {
      const highest = new Map<number, number>();
      for (const { vm, epoch } of await names(signal)) highest.set(vm, Math.max(epoch, highest.get(vm) ?? 0));
      return highest;
    },
    async hear(vm, epoch, way, signal, told = null) {
      const own = nameOf(vm, epoch, way === 'starts' ? 'iso' : 'heard');
      await create(vm, own, way, told, signal);
      const all = (await names(signal)).filter((name) => name.vm === vm);
      const later = Math.max(...all.map((name) => name.epoch));
      const drop = async (which: (name: Name) => boolean): Promise<void> => {
        for (const { name } of all.filter(which)) await onPool(['vol-delete', '--pool', pool, name], gone, signal);
      };
      if (later > epoch) {
        await drop((name) => name.name === own);
        throw stale(host, { id: vm, epoch }, later);
      }
      // The name of the highest is what is known of it: it goes last of all, when another stands in its place.
      if (way === 'stops') await drop((name) => name.kind === 'iso');
      await drop((name) => name.epoch < epoch && (name.kind === 'heard' || way === 'starts'));
      return pathOf(own, signal);
    },
    async bring(vm, file, signal) {
      const found = await newest(vm, signal);
      if (!found) return false;
      refused(await virsh.work(['vol-download', '--pool', pool, found.name, file], signal), /(?!)/);
      return true;
    },
  };
}

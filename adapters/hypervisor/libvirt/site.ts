import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem } from '../../../domain/problems.js';
import { type VmCall, vmCalls } from '../../../domain/vms/vm-verbs.js';
import { ownName } from '../own-name.js';
import type { HostTarget } from '../port.js';
import { type Listed, listedIn } from './domains.js';
import { isMissing, refusal } from './faults.js';
import { type Fence, fenceAt, stale } from './fence.js';
import { uptimeIn } from './uptime.js';
import { type Said, type Virsh, virshAt } from './virsh.js';

/** A VM, and under which epoch something is done to it. */
export type Held = { id: number; epoch: number };
export type LibvirtHost = HostTarget<'libvirt'>;

/** What is there already, or any more, is no failure. */
export const fine = {
  gone: /failed to get domain|Domain not found|no domain with matching/i,
  down: /not running|failed to get domain|Domain not found|no domain with matching/i,
  up: /already active|already running/i,
} as const;

/** A snapshot of a VM, by the number and the epoch under which it was made, which are its name. */
export type KeptSnapshot = { name: string; id: number; epoch: number };
export const snapshotNameOf = (id: number, epoch: number): string => `arcus-vm.${id}.${epoch}`;

const noSnapshot = /no domain snapshot with matching name|failed to get domain|Domain not found/i;
const isBusy = /cannot acquire state change lock|another job is (already )?(active|running)/i;

/** A daemon of the whole machine; one of a user’s own may not change its networks. */
export const isSystem = ({ connection: { uri } }: LibvirtHost): boolean => new URL(uri).pathname === '/system';

/** A host as its calls know it. */
export class Site {
  readonly fence: Fence;
  constructor(
    readonly virsh: Virsh,
    readonly host: LibvirtHost,
    readonly installation: string,
  ) {
    this.fence = fenceAt(virsh, host.connection.directory, installation, host.name);
  }

  static at(host: LibvirtHost, installation: string): Site {
    return new Site(virshAt(host.connection.uri, host.name), host, installation);
  }

  /** Its domains, by as many questions however many there are. */
  async list(signal: AbortSignal): Promise<Listed[]> {
    const asked = async (...words: string[]) => {
      const { text, refusal: said } = await this.virsh.ask(words, signal);
      if (said !== null) throw refusal('backend_unavailable', `${this.host.name} does not list its domains`, said);
      return text;
    };
    const table = await asked('list', '--all', '--title', '--managed-save');
    const uuids = await asked('list', '--all', '--uuid', '--name');
    const groups = ['--state', '--cpu-total', '--balloon', '--vcpu', '--block', '--interface'];
    const { text: stats } = await this.virsh.ask(['domstats', '--raw', '--nowait', ...groups], signal);
    return listedIn(table, uuids, stats);
  }

  /** Nanoseconds that all its processors together have been at work or idle since it was started; null: it does not say. */
  async uptime(signal: AbortSignal): Promise<number | null> {
    const { text, refusal: said } = await this.virsh.ask(['nodecpustats'], signal);
    return said === null ? uptimeIn(text) : null;
  }

  readonly isOf =
    (vm: number) =>
    ({ mark }: Listed): boolean =>
      mark?.installation === this.installation && mark.vm === vm;

  async find(vm: number, signal: AbortSignal): Promise<Listed | undefined> {
    return (await this.list(signal)).find(this.isOf(vm));
  }

  /** That of a VM; throws `stale_epoch` where it is of a later holder: the domain says so even where the names of its epochs are lost. */
  async own(vm: Held, signal: AbortSignal): Promise<Listed | undefined> {
    const found = await this.find(vm.id, signal);
    const { epoch = 0 } = found?.mark ?? {};
    if (epoch > vm.epoch) throw stale(this.host.name, vm, epoch);
    return found;
  }

  /** `stale_epoch`, where the host has heard of a later holder; null: it has not. */
  async late(vm: Held, signal: AbortSignal): Promise<Problem | null> {
    const heard = (await this.fence.heard(signal)).get(vm.id) ?? 0;
    return heard > vm.epoch ? stale(this.host.name, vm, heard) : null;
  }

  /** A command that takes its time; what it is refused with is what the call is. */
  async work(
    call: VmCall,
    vm: number,
    words: readonly string[],
    signal: AbortSignal,
    accepted = /(?!)/,
  ): Promise<string> {
    return this.#accepted(call, vm, await this.virsh.work(words, signal), accepted);
  }

  /** A short one. */
  async ask(
    call: VmCall,
    vm: number,
    words: readonly string[],
    signal: AbortSignal,
    accepted = /(?!)/,
  ): Promise<string> {
    return this.#accepted(call, vm, await this.virsh.ask(words, signal), accepted);
  }

  refused(call: VmCall, vm: number, said: string): Error {
    return refusal(vmCalls[call].refused, `${this.host.name} refused ${ownName(`one-${vm}`, this.installation)}`, said);
  }

  /** Its guest is asked, and switched off when it has not gone down in time; at once where it is `hard`. */
  async halt(call: VmCall, vm: number, uuid: string, grace: number, signal: AbortSignal): Promise<void> {
    if (grace > 0) {
      const until = Date.now() + grace;
      const { refusal: said } = await this.virsh.ask(['shutdown', uuid], signal);
      while (said === null && Date.now() < until && (await this.#isUp(uuid, signal)))
        await sleep(Math.min(500, grace), undefined, { signal });
    }
    await this.work(call, vm, ['destroy', uuid], signal, fine.down);
  }

  /** Snapshots of a VM that a domain has, the latest last; somebody else’s are his. */
  async snapshots(call: VmCall, vm: number, uuid: string, signal: AbortSignal): Promise<KeptSnapshot[]> {
    const text = await this.ask(call, vm, ['snapshot-list', uuid, '--name'], signal, fine.gone);
    const all = text.split('\n').flatMap((line): KeptSnapshot[] => {
      const [name, id, epoch] = /^arcus-vm\.(\d{1,15})\.(\d{1,15})$/.exec(line.trim()) ?? [];
      return name === undefined ? [] : [{ name, id: Number(id), epoch: Number(epoch) }];
    });
    return all.sort((one, other) => one.epoch - other.epoch);
  }

  /** `accepted`: what it may complain of. */
  async dropSnapshot(
    call: VmCall,
    vm: number,
    uuid: string,
    { name }: KeptSnapshot,
    signal: AbortSignal,
    accepted = noSnapshot,
  ): Promise<void> {
    await this.work(call, vm, ['snapshot-delete', uuid, name], signal, accepted);
  }

  /** None of ours is left: they go with what switches a VM off, saves it, or takes it elsewhere. Where its disks do not let go of them, libvirt forgets them. */
  async dropSnapshots(call: VmCall, vm: number, uuid: string, signal: AbortSignal): Promise<void> {
    for (const kept of await this.snapshots(call, vm, uuid, signal)) {
      await this.dropSnapshot(call, vm, uuid, kept, signal, /(?:)/);
      await this.work(call, vm, ['snapshot-delete', uuid, kept.name, '--metadata'], signal, noSnapshot);
    }
  }

  /** Switched off and forgotten, if it is there. */
  async erase(call: VmCall, vm: number, uuid: string, signal: AbortSignal): Promise<void> {
    await this.work(call, vm, ['destroy', uuid], signal, fine.down);
    await this.dropSnapshots(call, vm, uuid, signal);
    const words = ['undefine', uuid, '--managed-save', '--snapshots-metadata', '--nvram'];
    await this.work(call, vm, words, signal, fine.gone);
  }

  async #isUp(uuid: string, signal: AbortSignal): Promise<boolean> {
    const { text, refusal: said } = await this.virsh.ask(['domstate', uuid], signal);
    return said === null ? !/shut off|crashed/.test(text) : !isMissing(said);
  }

  #accepted(call: VmCall, vm: number, { text, refusal: said }: Said, accepted: RegExp): string {
    // What an earlier try began libvirt goes on with, whoever asks no more.
    if (said !== null && isBusy.test(said))
      throw refusal('backend_unavailable', `${this.host.name} is at work on VM ${vm} still`, said);
    if (said !== null && !accepted.test(said)) throw this.refused(call, vm, said);
    return text;
  }
}

/** Of a VM and the epoch under which it is made: who makes it again makes the same. */
export const uuidOf = (installation: string, vm: number, epoch: number): string =>
  uuidFrom(`${installation} ${vm} ${epoch}`);

/** The same of the same words. RFC 9562, version 8. */
export function uuidFrom(words: string): string {
  const digits = createHash('sha256').update(words).digest('hex');
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(13, 16)}`,
    `8${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join('-');
}

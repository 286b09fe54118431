import { isDeepStrictEqual } from 'node:util';
import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import { Problem } from '../../../domain/problems.js';
import { type VmCall, vmCalls } from '../../../domain/vms/vm-verbs.js';
import type { DomainDevices } from '../../../schemas/operations/vm-devices.js';
import { withText } from '../../process/own-files.js';
import type { SnapshotTarget } from '../port.js';
import { devicesIn, writtenIn } from './device-record.js';
import { domainOf, revertedIn, underRevert } from './domain-edits.js';
import type { Listed } from './domains.js';
import { type Site, snapshotNameOf } from './site.js';

type Target = SnapshotTarget<'libvirt'>;

/** In its qcow2 disks, by libvirt: all that its guest writes to, and what it has in memory in the first of them. */
export async function createSnapshot(site: Site, vm: Target, domain: Listed | undefined, signal: AbortSignal) {
  if (domain?.state !== 'running') throw notSo('snapshotCreate', site, vm, 'it does not run');
  const { uuid } = domain;
  const { id, name: called } = vm.snapshot;
  const before = (await site.snapshots('snapshotCreate', vm.id, uuid, signal)).filter((kept) => kept.id === id);
  const name = snapshotNameOf(id, vm.epoch);
  if (!before.some((kept) => kept.name === name)) {
    const why = whyNotKept(await site.ask('snapshotCreate', vm.id, ['dumpxml', uuid], signal));
    if (why !== null) throw notSo('snapshotCreate', site, vm, why);
    const words = ['snapshot-create-as', uuid, '--name', name, '--description', called];
    await site.work('snapshotCreate', vm.id, words, signal, /already exists/i);
  }
  // What is of an older epoch gives way when there is another in its place.
  for (const kept of before)
    if (kept.name !== name) await site.dropSnapshot('snapshotCreate', vm.id, uuid, kept, signal);
}

/**
 * libvirt starts another QEMU from what is kept, with the definition of then. Into that is written before under which epoch it is begun, and what has become of disks since: so the domain itself
 * says whether it was done, whoever dies meanwhile.
 */
export async function revertToSnapshot(site: Site, vm: Target, domain: Listed | undefined, signal: AbortSignal) {
  const { id } = vm.snapshot;
  if (!domain) throw notSo('snapshotRevert', site, vm, 'it does not run');
  const { uuid, state } = domain;
  const ask = (...words: string[]) => site.ask('snapshotRevert', vm.id, words, signal);
  const all = await site.snapshots('snapshotRevert', vm.id, uuid, signal);
  const kept = all.findLast((one) => one.id === id);
  if (!kept) throw notSo('snapshotRevert', site, vm, `it has no snapshot ${id}`);
  const then = await ask('snapshot-dumpxml', uuid, kept.name, '--security-info');
  // Its own libvirt may have died between the end of the one QEMU and the start of the other.
  const isBegun = revertedIn(then) === vm.epoch;
  if (state !== 'running' && !isBegun) throw notSo('snapshotRevert', site, vm, 'it does not run');
  const now = await ask('dumpxml', uuid, '--security-info');
  if (state === 'running' && revertedIn(now) === vm.epoch) return;
  const was = domainOf(then);
  if (!isDeepStrictEqual(wiring(devicesIn(was)), wiring(devicesIn(now))))
    throw notSo('snapshotRevert', site, vm, 'its disks or NICs have changed since, and would be those of then');
  const changed = underRevert(then, vm.epoch, writtenIn(now));
  const redefine = (file: string) =>
    site.work('snapshotRevert', vm.id, ['snapshot-create', uuid, file, '--redefine'], signal);
  if (!isBegun) await withText(changed, redefine);
  await site.work('snapshotRevert', vm.id, ['snapshot-revert', uuid, kept.name, '--running'], signal);
}

export async function deleteSnapshot(site: Site, vm: Target, domain: Listed | undefined, signal: AbortSignal) {
  if (!domain) return;
  const { uuid } = domain;
  for (const kept of await site.snapshots('snapshotDelete', vm.id, uuid, signal))
    if (kept.id === vm.snapshot.id) await site.dropSnapshot('snapshotDelete', vm.id, uuid, kept, signal);
}

/** What a domain has, but for what was kept of its disks one by one: that stays in them. */
const wiring = ({ nics, disks }: DomainDevices) => ({
  nics,
  disks: disks.map(({ snapshots: _snapshots, current: _current, reverted: _reverted, ...disk }) => disk),
});

const parser = new XMLParser({
  ...{ ignoreAttributes: false, attributeNamePrefix: '@', parseTagValue: false, parseAttributeValue: false },
  isArray: (name) => name === 'disk',
});
const Disks = z.object({
  domain: z.object({
    devices: z.object({
      disk: z
        .array(
          z.object({
            driver: z.object({ '@type': z.string() }).optional(),
            target: z.object({ '@dev': z.string() }),
            readonly: z.unknown().optional(),
          }),
        )
        .default([]),
    }),
  }),
});

/** Why nothing can be kept in the disks of a domain; null: it can. */
function whyNotKept(definition: string): string | null {
  const { disk } = Disks.parse(parser.parse(definition)).domain.devices;
  const written = disk.filter(({ readonly }) => readonly === undefined);
  const other = written.find(({ driver }) => driver?.['@type'] !== 'qcow2');
  if (other)
    return `its disk ${other.target['@dev']} is ${other.driver?.['@type'] ?? 'of no format'}, and what a VM is, is kept in its disks, which have to be qcow2`;
  return written.length === 0 ? 'it has no qcow2 disk, in which it would be kept' : null;
}

const notSo = (call: VmCall, { host }: Site, { id }: Target, why: string): Problem =>
  new Problem(vmCalls[call].refused, `VM ${id} on ${host.name}: ${why}.`);

import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../../../domain/problems.js';
import { type DeviceCall, vmCalls } from '../../../domain/vms/vm-verbs.js';
import type { DomainChange, DomainDevices } from '../../../schemas/operations/vm-devices.js';
import { withText } from '../../process/own-files.js';
import type { DeviceTarget } from '../port.js';
import { aliasOf, devicesIn, devicesRecord, recordXml, writtenIn } from './device-record.js';
import { diskXml, nicXml } from './domain-xml.js';
import type { Listed } from './domains.js';
import { isSystem, type Site } from './site.js';

type Target = DeviceTarget<'libvirt'>;
type ChangeOf<A extends DomainChange['action']> = Extract<DomainChange, { action: A }>;

/** A domain of which a device is changed: `is` says what it has, and `all` what is written of it, too. */
export type Changing = {
  site: Site;
  vm: Target;
  call: DeviceCall;
  uuid: string;
  /** Where the change goes: into its definition, and into what runs. */
  scope: string[];
  is: DomainDevices;
  all: DomainDevices;
};

export async function changing(
  site: Site,
  vm: Target,
  call: DeviceCall,
  { uuid, state }: Listed,
  signal: AbortSignal,
): Promise<Changing> {
  const definition = await site.ask(call, vm.id, ['dumpxml', uuid, '--security-info'], signal);
  const scope = state === 'running' || state === 'booting' ? ['--config', '--live'] : ['--config'];
  return { site, vm, call, uuid, scope, is: devicesIn(definition), all: writtenIn(definition) };
}

/** What devices are to Arcus is written before one comes, and after one has gone: what is written and is not there does not count. */
async function write(
  { site, vm, call, uuid, scope }: Changing,
  devices: DomainDevices,
  signal: AbortSignal,
): Promise<void> {
  const { uri, key } = devicesRecord;
  const words = ['metadata', uuid, '--uri', uri, '--key', key, '--set', recordXml(devices), ...scope];
  await site.ask(call, vm.id, words, signal);
}

export function changeDevice(on: Changing, change: DomainChange, signal: AbortSignal): Promise<void> {
  switch (change.action) {
    case 'nic-attach':
      return attachNic(on, change, signal);
    case 'nic-detach':
      return detachNic(on, change, signal);
    case 'disk-attach':
      return attachDisk(on, change, signal);
    case 'disk-detach':
      return detachDisk(on, change, signal);
    case 'disk-resize':
      return resizeDisk(on, change, signal);
    case 'disk-snapshot-create':
    case 'disk-snapshot-revert':
    case 'disk-snapshot-delete':
      throw on.site.refused(on.call, on.vm.id, `libvirt hypervisors cannot do this (${change.action})`);
  }
}

async function attachNic(on: Changing, { nic }: ChangeOf<'nic-attach'>, signal: AbortSignal): Promise<void> {
  if (on.is.nics.some(({ nic_id }) => nic_id === nic.nic_id)) return;
  const others = on.all.nics.filter(({ nic_id }) => nic_id !== nic.nic_id);
  await write(on, { ...on.all, nics: [...others, nic] }, signal);
  const device = nicXml(nic, isSystem(on.site.host), on.vm.id);
  await attach(on, device, signal);
}

async function attachDisk(on: Changing, { disk }: ChangeOf<'disk-attach'>, signal: AbortSignal): Promise<void> {
  if (on.is.disks.some(({ disk_id }) => disk_id === disk.disk_id)) return;
  const others = on.all.disks.filter(({ disk_id }) => disk_id !== disk.disk_id);
  await write(on, { ...on.all, disks: [...others, disk] }, signal);
  const device = diskXml(disk);
  if (device !== null) await attach(on, device, signal);
}

async function attach({ site, vm, call, uuid, scope }: Changing, device: string, signal: AbortSignal): Promise<void> {
  await withText(device, (path) => site.work(call, vm.id, ['attach-device', uuid, path, ...scope], signal));
}

async function detachNic(on: Changing, { nic_id: id }: ChangeOf<'nic-detach'>, signal: AbortSignal): Promise<void> {
  if (on.is.nics.some(({ nic_id }) => nic_id === id)) await detach(on, aliasOf('nic', id), signal);
  await write(on, { ...on.all, nics: on.all.nics.filter(({ nic_id }) => nic_id !== id) }, signal);
}

async function detachDisk(on: Changing, { disk_id: id }: ChangeOf<'disk-detach'>, signal: AbortSignal): Promise<void> {
  const disk = on.is.disks.find(({ disk_id }) => disk_id === id);
  if (disk?.path !== undefined) await detach(on, aliasOf('disk', id), signal);
  await write(on, { ...on.all, disks: on.all.disks.filter(({ disk_id }) => disk_id !== id) }, signal);
}

/** What is asked for a device, and has not let go of it in this time, is refused: milliseconds. */
const patience = 20_000;

/** A guest that runs has to let go of it. */
async function detach({ site, vm, call, uuid, scope }: Changing, alias: string, signal: AbortSignal): Promise<void> {
  const words = ['detach-device-alias', uuid, alias, ...scope];
  await site.work(call, vm.id, words, signal, /no device found with alias|is already in the process of unplug/i);
  for (const until = Date.now() + patience; ; await sleep(200, undefined, { signal })) {
    const definition = await site.ask(call, vm.id, ['dumpxml', uuid], signal);
    if (!definition.includes(`'${alias}'`)) return;
    if (Date.now() > until) throw site.refused(call, vm.id, 'its guest does not let go of the device');
  }
}

async function resizeDisk(
  on: Changing,
  { disk_id: id, size }: ChangeOf<'disk-resize'>,
  signal: AbortSignal,
): Promise<void> {
  const disk = on.is.disks.find(({ disk_id }) => disk_id === id);
  if (!disk) throw new Problem(vmCalls.resizeDisk.refused, `VM ${on.vm.id} on ${on.site.host.name} has no disk ${id}.`);
  const runs = on.scope.includes('--live');
  // Of one that is down its datastore does it.
  if (runs && disk.path !== undefined && disk.size < size)
    await on.site.work('resizeDisk', on.vm.id, ['blockresize', on.uuid, disk.target, `${size}MiB`], signal);
  const disks = on.all.disks.map((one) => (one.disk_id === id ? { ...one, size } : one));
  await write(on, { ...on.all, disks }, signal);
}

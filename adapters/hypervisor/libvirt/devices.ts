import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../../../domain/problems.js';
import { type DeviceCall, vmCalls } from '../../../domain/vms/vm-verbs.js';
import type { DomainChange, DomainDevices } from '../../../schemas/operations/vm-devices.js';
import { withText } from '../../process/own-files.js';
import type { DeviceTarget } from '../port.js';
import { aliasOf, devicesIn, devicesRecord, recordXml, writtenIn } from './device-record.js';
import { changeOpenDisk } from './disk-snapshots.js';
import { diskXml, nicXml } from './domain-xml.js';
import type { Listed } from './domains.js';
import { isSystem, type Site } from './site.js';

type Target = DeviceTarget<'libvirt'>;
type Disk = DomainDevices['disks'][number];
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
  { uuid, isUp }: Listed,
  signal: AbortSignal,
): Promise<Changing> {
  const definition = await site.ask(call, vm.id, ['dumpxml', uuid, '--security-info'], signal);
  const scope = isUp ? ['--config', '--live'] : ['--config'];
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
      return changeSnapshot(on, change, signal);
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

/** `isOpen`: its guest has it open. Of one that is down its datastore does what is to be done to a disk: here it is written down. */
function diskOf(on: Changing, id: number) {
  const disk = on.is.disks.find(({ disk_id }) => disk_id === id);
  if (!disk) throw new Problem(vmCalls[on.call].refused, `VM ${on.vm.id} on ${on.site.host.name} has no disk ${id}.`);
  return { disk, isOpen: on.scope.includes('--live') && disk.path !== undefined };
}

async function changed(on: Changing, disk: Disk, edit: Partial<Disk>, signal: AbortSignal): Promise<void> {
  const disks = on.all.disks.map((one) => (one.disk_id === disk.disk_id ? { ...one, ...edit } : one));
  await write(on, { ...on.all, disks }, signal);
}

async function resizeDisk(
  on: Changing,
  { disk_id: id, size }: ChangeOf<'disk-resize'>,
  signal: AbortSignal,
): Promise<void> {
  const { disk, isOpen } = diskOf(on, id);
  if (isOpen && disk.size < size)
    await on.site.work('resizeDisk', on.vm.id, ['blockresize', on.uuid, disk.target, `${size}MiB`], signal);
  await changed(on, disk, { size }, signal);
}

type SnapshotChange = ChangeOf<'disk-snapshot-create' | 'disk-snapshot-revert' | 'disk-snapshot-delete'>;

/** First the disk, and then what is written of it: a number that is written down is there. */
async function changeSnapshot(on: Changing, change: SnapshotChange, signal: AbortSignal): Promise<void> {
  const { action, snapshot_id: id } = change;
  const { disk, isOpen } = diskOf(on, change.disk_id);
  const isThere = disk.snapshots.includes(id);
  const refused = (why: string) => on.site.refused(on.call, on.vm.id, `disk ${disk.disk_id} ${why}`);
  switch (action) {
    case 'disk-snapshot-create':
      if (isThere) return;
      if (disk.format !== 'qcow2') throw refused(`is ${disk.format}, which has no snapshots`);
      if (isOpen) await changeOpenDisk(on, disk, 'take', id, signal);
      return changed(on, disk, { snapshots: [...disk.snapshots, id], current: id }, signal);
    case 'disk-snapshot-revert':
      if (on.scope.includes('--live')) throw refused('cannot be reverted while its guest runs');
      if (!isThere) throw refused(`has no snapshot ${id}`);
      if (disk.reverted === on.vm.epoch) return;
      return changed(on, disk, { current: id, reverted: on.vm.epoch }, signal);
    case 'disk-snapshot-delete':
      if (!isThere) return;
      if (isOpen) await changeOpenDisk(on, disk, 'drop', id, signal);
      return changed(on, disk, { snapshots: disk.snapshots.filter((one) => one !== id) }, signal);
  }
}

import { XMLBuilder } from 'fast-xml-parser';
import type { DomainDevices } from '../../../schemas/operations/vm-devices.js';
import { deviceOf } from '../../network/linux/names.js';
import { aliasOf, devicesRecord, recordTree } from './device-record.js';
import { type DomainMark, titleOf } from './domain-title.js';

type DomainNic = DomainDevices['nics'][number];
type DomainDisk = DomainDevices['disks'][number];

/** How guests run: by the processor, or by QEMU in its place (TCG). */
export type VirtType = 'kvm' | 'qemu';

/** What a domain is made with. */
export type DomainWish = {
  name: string;
  uuid: string;
  mark: DomainMark;
  type: VirtType;
  /** What it cannot start without: a CD-ROM with its context, whose name has the epoch that may start it. */
  context: string;
  /** What its guest says on its serial console is kept there. */
  console: string;
  devices: DomainDevices;
  /** Whether its host lets NICs into bridges, and counts shares of processors: a daemon of a user's own does neither. */
  isSystem: boolean;
};

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  suppressEmptyNode: true,
  format: true,
});
/** Text of XML; what is in names and paths is escaped by the builder. */
const xml = (tree: object): string => builder.build(tree);

/** Whose metadata it is. */
const metadataUri = 'urn:arcus:domain:1';

/** On what bus a disk is, by the prefix of its target as OpenNebula has them. */
const buses = { vd: 'virtio', sd: 'scsi', hd: 'ide', xvd: 'virtio' } as const;

export function domainXml({ name, uuid, mark, type, context, console, devices, isSystem }: DomainWish): string {
  const { cpu, memory } = mark.capacity;
  const targets = devices.disks.map(({ target }) => target);
  const hasScsi = targets.some((target) => target.startsWith('sd'));
  return xml({
    domain: {
      '@type': type,
      ...{ name, uuid, title: titleOf(mark) },
      metadata: {
        'arcus:vm': {
          '@xmlns:arcus': metadataUri,
          ...{ '@installation': mark.installation, '@id': mark.vm, '@epoch': mark.epoch },
        },
        [`${devicesRecord.key}:devices`]: {
          [`@xmlns:${devicesRecord.key}`]: devicesRecord.uri,
          ...recordTree(devices),
        },
      },
      memory: { '@unit': 'MiB', '#text': memory },
      vcpu: Math.max(1, Math.ceil(cpu / 100)),
      ...(isSystem && { cputune: { shares: Math.min(262_144, Math.max(2, Math.round((1_024 * cpu) / 100))) } }),
      os: { type: { '@arch': 'x86_64', '#text': 'hvm' }, boot: { '@dev': 'hd' } },
      features: { acpi: '', apic: '' },
      ...(type === 'kvm' && { cpu: { '@mode': 'host-passthrough', '@migratable': 'on' } }),
      clock: { '@offset': 'utc' },
      ...{ on_poweroff: 'destroy', on_reboot: 'restart', on_crash: 'destroy' },
      devices: {
        disk: [contextDisk(context, targets), ...devices.disks.flatMap((disk) => diskTree(disk) ?? [])],
        ...(hasScsi && { controller: { '@type': 'scsi', '@model': 'virtio-scsi' } }),
        interface: devices.nics.map((nic) => nicTree(nic, isSystem, mark.vm)),
        serial: { '@type': 'pty', log: { '@file': console, '@append': 'on' }, target: { '@port': 0 } },
        channel: { '@type': 'unix', target: { '@type': 'virtio', '@name': 'org.qemu.guest_agent.0' } },
        // Boot loaders write on a screen, and wait for ever where the firmware knows of none.
        video: { model: { '@type': 'vga' } },
        memballoon: { '@model': 'virtio', stats: { '@period': 10 } },
        rng: { '@model': 'virtio', backend: { '@model': 'random', '#text': '/dev/urandom' } },
      },
    },
  });
}

/** The last place of an IDE bus that nothing else has: guests find it by its label. */
const contextDisk = (file: string, taken: readonly string[]) => ({
  ...{ '@type': 'file', '@device': 'cdrom' },
  driver: { '@name': 'qemu', '@type': 'raw' },
  source: { '@file': file },
  target: {
    '@dev': ['hdd', 'hdc', 'hdb', 'hda'].find((place) => !taken.includes(place)) ?? 'hdd',
    '@bus': 'ide',
  },
  readonly: '',
  alias: { '@name': 'ua-context' },
});

/** null: no bytes are kept of it, and there is nothing to open. */
function diskTree({ disk_id, target, type, format, readonly, options, path }: DomainDisk): object | null {
  if (path === undefined) return null;
  const prefix = target.replace(/.$/, '');
  return {
    ...{ '@type': 'file', '@device': type === 'cdrom' ? 'cdrom' : 'disk' },
    driver: {
      ...{ '@name': 'qemu', '@type': format },
      ...(options?.cache && { '@cache': options.cache }),
      ...(options?.io && { '@io': options.io }),
      ...(options?.discard && { '@discard': options.discard }),
    },
    source: { '@file': path },
    target: { '@dev': target, '@bus': Object.entries(buses).find(([start]) => start === prefix)?.[1] ?? 'virtio' },
    ...((readonly || type === 'cdrom') && { readonly: '' }),
    alias: { '@name': aliasOf('disk', disk_id) },
  };
}

/**
 * By the device that was plugged for it before (adapters/network), which is in its bridge, and filtered: it is opened as it is. Where there is none, a guest reaches
 * others through QEMU itself, and nobody reaches it.
 */
function nicTree({ nic_id, mac, model, bridge }: DomainNic, isSystem: boolean, vm: number): object {
  const wire =
    isSystem && bridge !== undefined
      ? { '@type': 'ethernet', target: { '@dev': deviceOf(vm, nic_id), '@managed': 'no' } }
      : { '@type': 'user' };
  return {
    ...wire,
    mac: { '@address': mac },
    model: { '@type': model ?? 'virtio' },
    alias: { '@name': aliasOf('nic', nic_id) },
  };
}

/** The XML of one device, as `attach-device` takes it. */
export const diskXml = (disk: DomainDisk): string | null => {
  const tree = diskTree(disk);
  return tree && xml({ disk: tree });
};
export const nicXml = (nic: DomainNic, isSystem: boolean, vm: number): string =>
  xml({ interface: nicTree(nic, isSystem, vm) });

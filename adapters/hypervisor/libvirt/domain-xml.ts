import { XMLBuilder } from 'fast-xml-parser';
import { bootDevices } from '../../../domain/vms/boot-order.js';
import { isQ35 as isQ35Machine, isUefi, processorsOf } from '../../../domain/vms/machine.js';
import { type DomainTree, rawDomain } from '../../../domain/vms/raw-domain.js';
import type { DomainDevices } from '../../../schemas/operations/vm-devices.js';
import type { Machine } from '../../../schemas/vms/machine.js';
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
  /** Files of the host that it is booted by, in the place of what its firmware finds. */
  boot?: { kernel: string; ramdisk?: string } | undefined;
  machine: Machine;
  /** How many processors its guest sees. */
  vcpu: number;
  /** By which its screen is opened, where its machine wishes for one: libvirt keeps it, and shows it to nobody who does not ask for secrets. */
  password: string;
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

/** By which libvirt keeps whose a domain is: an element of a namespace of its own. */
export const metadataOf = { uri: 'urn:arcus:domain:1', key: 'arcus' } as const;

/** On what bus a disk is, by the prefix of its target as OpenNebula has them. */
const buses = { vd: 'virtio', sd: 'scsi', hd: 'ide', xvd: 'virtio' } as const;

export function domainXml(wish: DomainWish): string {
  const { name, uuid, mark, type, context, console, devices, machine, vcpu, isSystem } = wish;
  const { cpu, memory } = mark.capacity;
  const { RAW } = machine;
  const OS: NonNullable<Machine['OS']> = machine.OS ?? {};
  const FEATURES: NonNullable<Machine['FEATURES']> = machine.FEATURES ?? {};
  const isQ35 = isQ35Machine(OS);
  const order = bootOrder(OS.BOOT, devices);
  const targets = devices.disks.map(({ target }) => target);
  const hasScsi = targets.some((target) => target.startsWith('sd'));
  const domain: DomainTree = {
    '@type': type,
    ...{ name, uuid, title: titleOf(mark) },
    metadata: {
      [`${metadataOf.key}:vm`]: {
        [`@xmlns:${metadataOf.key}`]: metadataOf.uri,
        ...{ '@installation': mark.installation, '@id': mark.vm, '@epoch': mark.epoch },
      },
      [`${devicesRecord.key}:devices`]: {
        [`@xmlns:${devicesRecord.key}`]: devicesRecord.uri,
        ...recordTree(devices),
      },
    },
    memory: { '@unit': 'MiB', '#text': memory },
    vcpu,
    ...(isSystem && { cputune: { shares: Math.min(262_144, Math.max(2, Math.round((1_024 * cpu) / 100))) } }),
    os: {
      ...firmwareTree(OS),
      type: { '@arch': OS.ARCH ?? 'x86_64', ...(OS.MACHINE && { '@machine': OS.MACHINE }), '#text': 'hvm' },
      ...(order.size === 0 && { boot: { '@dev': 'hd' } }),
      ...kernelTree(wish.boot, OS),
    },
    features: {
      ...(FEATURES.ACPI !== false && { acpi: '' }),
      ...(FEATURES.APIC !== false && { apic: '' }),
      ...(FEATURES.PAE === true && { pae: '' }),
      ...(FEATURES.HYPERV === true && {
        hyperv: {
          ...{
            relaxed: { '@state': 'on' },
            vapic: { '@state': 'on' },
            spinlocks: { '@state': 'on', '@retries': 4_096 },
          },
        },
      }),
      ...(OS.FIRMWARE_SECURE === true && { smm: { '@state': 'on' } }),
    },
    ...processor(machine, type, vcpu),
    clock: { '@offset': FEATURES.LOCALTIME === true ? 'localtime' : 'utc' },
    ...{ on_poweroff: 'destroy', on_reboot: 'restart', on_crash: 'destroy' },
    devices: {
      disk: [
        contextDisk(context, targets, isQ35),
        ...devices.disks.flatMap((disk) => diskTree(disk, { isQ35, order }) ?? []),
      ],
      ...(hasScsi && { controller: { '@type': 'scsi', '@model': 'virtio-scsi' } }),
      interface: devices.nics.map((nic) => nicTree(nic, isSystem, mark.vm, order)),
      serial: { '@type': 'pty', log: { '@file': console, '@append': 'on' }, target: { '@port': 0 } },
      ...(FEATURES.GUEST_AGENT !== false && {
        channel: { '@type': 'unix', target: { '@type': 'virtio', '@name': 'org.qemu.guest_agent.0' } },
      }),
      ...screen(wish),
      // Boot loaders write on a screen, and wait for ever where the firmware knows of none.
      video: { model: { '@type': 'vga' } },
      memballoon: { '@model': 'virtio', stats: { '@period': 10 } },
      rng: { '@model': 'virtio', backend: { '@model': 'random', '#text': '/dev/urandom' } },
    },
  };
  return xml({ domain: withRaw(domain, RAW?.DATA) });
}

/** UEFI: that of the host which suits, or what is named. What it keeps of its own is made of what its host has for that, and goes with the domain. */
function firmwareTree(OS: NonNullable<Machine['OS']>): object {
  const { FIRMWARE = '', FIRMWARE_SECURE } = OS;
  if (!isUefi(OS)) return {};
  const secure = FIRMWARE_SECURE === true ? 'yes' : 'no';
  return FIRMWARE === 'UEFI'
    ? { '@firmware': 'efi', firmware: { feature: { '@enabled': secure, '@name': 'secure-boot' } } }
    : { loader: { '@readonly': 'yes', '@type': 'pflash', '@secure': secure, '#text': FIRMWARE } };
}

/** A kernel, and what it is told: ROOT says where its root is, unless KERNEL_CMD does. */
function kernelTree(boot: DomainWish['boot'], { KERNEL_CMD = '', ROOT }: NonNullable<Machine['OS']>): object {
  if (!boot) return {};
  const { kernel, ramdisk } = boot;
  const isNamed = ROOT === undefined || /(^|\s)root=/.test(KERNEL_CMD);
  // `UUID=…` and paths are what they are; `vda1` is a device.
  const root = isNamed ? '' : `root=${/[=:]|^\//.test(ROOT) ? ROOT : `/dev/${ROOT}`}`;
  const cmdline = [KERNEL_CMD, root].filter((part) => part !== '').join(' ');
  return { kernel, ...(ramdisk !== undefined && { initrd: ramdisk }), ...(cmdline !== '' && { cmdline }) };
}

/** Which device comes when a guest is booted, by its alias: those of BOOT that it has. */
function bootOrder(boot: string | undefined, { disks, nics }: DomainDevices): ReadonlyMap<string, number> {
  const there = new Set([
    // Of one without a file there is nothing to boot from.
    ...disks.flatMap(({ disk_id, path }) => (path === undefined ? [] : [aliasOf('disk', disk_id)])),
    ...nics.map(({ nic_id }) => aliasOf('nic', nic_id)),
  ]);
  const named = bootDevices(boot).map(({ kind, id }) => aliasOf(kind, id));
  return new Map([...new Set(named)].filter((alias) => there.has(alias)).map((alias, at) => [alias, at + 1]));
}

/** What stands for the processors: where they are the host's own, all of what those can. */
function processor({ CPU_MODEL, TOPOLOGY }: Machine, type: VirtType, vcpu: number): object {
  const model = CPU_MODEL?.MODEL ?? (type === 'kvm' ? 'host-passthrough' : undefined);
  // One that was resized since has another number of them.
  const isApt = TOPOLOGY !== undefined && processorsOf(TOPOLOGY) === vcpu;
  const topology = isApt && {
    topology: {
      ...{ '@sockets': TOPOLOGY.SOCKETS ?? 1, '@cores': TOPOLOGY.CORES ?? 1, '@threads': TOPOLOGY.THREADS ?? 1 },
    },
  };
  if (model === undefined) return topology ? { cpu: topology } : {};
  const mode = model === 'host-passthrough' || model === 'host-model' || model === 'maximum' ? model : 'custom';
  return {
    cpu: {
      '@mode': mode,
      ...(mode === 'host-passthrough' && { '@migratable': 'on' }),
      ...(mode === 'custom' && { '@match': 'exact', model: { '@fallback': 'forbid', '#text': model } }),
      ...topology,
    },
  };
}

/** How people see and touch it. Its screen is for this host alone, unless it is said where else. */
function screen({ machine: { GRAPHICS, INPUT = [] }, password }: Pick<DomainWish, 'machine' | 'password'>): object {
  const inputs = INPUT.flatMap(({ TYPE, BUS }) =>
    TYPE === undefined ? [] : [{ '@type': TYPE, ...(BUS && { '@bus': BUS }) }],
  );
  const { TYPE, LISTEN = '127.0.0.1', PORT, KEYMAP, RANDOM_PASSWD } = GRAPHICS ?? {};
  return {
    ...(inputs.length > 0 && { input: inputs }),
    ...(TYPE !== undefined && {
      graphics: {
        ...{ '@type': TYPE, '@port': PORT ?? -1, '@autoport': PORT === undefined ? 'yes' : 'no' },
        ...(RANDOM_PASSWD === true && { '@passwd': password }),
        ...(KEYMAP && { '@keymap': KEYMAP }),
        listen: { '@type': 'address', '@address': LISTEN },
      },
    }),
  };
}

/** With what an administrator has said beside: devices are added to its own, and all else goes over them. */
function withRaw(domain: DomainTree, data: string | undefined): DomainTree {
  const raw = data === undefined ? {} : rawDomain(data);
  if (typeof raw === 'string') return domain;
  const { devices, ...others } = raw;
  const isQemus = Object.keys(others).some((name) => name.startsWith('qemu:'));
  return {
    ...(isQemus && { '@xmlns:qemu': 'http://libvirt.org/schemas/domain/qemu/1.0' }),
    ...{ ...domain, ...others },
    ...(devices !== undefined && { devices: [domain.devices, devices].flat() }),
  };
}

/** The last place of an IDE bus that nothing else has: guests find it by its label. */
const contextDisk = (file: string, taken: readonly string[], isQ35: boolean) => ({
  ...{ '@type': 'file', '@device': 'cdrom' },
  driver: { '@name': 'qemu', '@type': 'raw' },
  source: { '@file': file },
  // A q35 has no IDE.
  target: isQ35
    ? { '@dev': 'sdzz', '@bus': 'sata' }
    : {
        '@dev': ['hdd', 'hdc', 'hdb', 'hda'].find((place) => !taken.includes(place)) ?? 'hdd',
        '@bus': 'ide',
      },
  readonly: '',
  alias: { '@name': 'ua-context' },
});

const noOrder: ReadonlyMap<string, number> = new Map();
function bootOf(alias: string, order: ReadonlyMap<string, number>): object {
  const place = order.get(alias);
  return place === undefined ? {} : { boot: { '@order': place } };
}

/** null: no bytes are kept of it, and there is nothing to open. */
function diskTree(
  { disk_id, target, type, format, readonly, options, path }: DomainDisk,
  { isQ35 = false, order = noOrder }: { isQ35?: boolean; order?: ReadonlyMap<string, number> } = {},
): object | null {
  if (path === undefined) return null;
  const bus = Object.entries(buses).find(([start]) => start === target.replace(/.$/, ''))?.[1] ?? 'virtio';
  return {
    ...{ '@type': 'file', '@device': type === 'cdrom' ? 'cdrom' : 'disk' },
    driver: {
      ...{ '@name': 'qemu', '@type': format },
      ...(options?.cache && { '@cache': options.cache }),
      ...(options?.io && { '@io': options.io }),
      ...(options?.discard && { '@discard': options.discard }),
    },
    source: { '@file': path },
    target: { '@dev': target, '@bus': bus === 'ide' && isQ35 ? 'sata' : bus },
    ...bootOf(aliasOf('disk', disk_id), order),
    ...((readonly || type === 'cdrom') && { readonly: '' }),
    alias: { '@name': aliasOf('disk', disk_id) },
  };
}

/**
 * By the device that was plugged for it before (adapters/network), which is in its bridge, and filtered: it is opened as it is. Where there is none, a guest reaches
 * others through QEMU itself, and nobody reaches it.
 */
function nicTree(
  { nic_id, mac, model, bridge }: DomainNic,
  isSystem: boolean,
  vm: number,
  order: ReadonlyMap<string, number> = noOrder,
): object {
  const wire =
    isSystem && bridge !== undefined
      ? { '@type': 'ethernet', target: { '@dev': deviceOf(vm, nic_id), '@managed': 'no' } }
      : { '@type': 'user' };
  return {
    ...wire,
    mac: { '@address': mac },
    model: { '@type': model ?? 'virtio' },
    ...bootOf(aliasOf('nic', nic_id), order),
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

import { Ip4 } from '../../schemas/common/ip4.js';
import { limits } from '../../schemas/common/limits.js';
import { Mac } from '../../schemas/common/mac.js';
import { type Disk, NewDisk, type Nic } from '../../schemas/operations/vm-devices.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { few } from '../words.js';
import { type Attributes, listOf, textOf } from './template-values.js';
import { freeTarget } from './vm-devices.js';

/** What a VM begins with, of what its template says. */
export type TemplateDevices = Pick<Vm, 'nics' | 'disks' | 'device_ids'>;

/**
 * The NICs and volatile disks of a VM template. Disks of images are none yet: they keep their ids and the devices that they name,
 * so that a disk is called the same when there are images. `findings`: what is wrong with them, as `DISK/0/SIZE …`.
 */
export function templateDevices({ NIC, DISK }: { NIC?: unknown; DISK?: unknown }): {
  devices: TemplateDevices;
  findings: string[];
} {
  const [given, all] = [listOf(NIC), listOf(DISK)];
  const tooMany = [
    ...(given.length > limits.nics.most ? [`NIC has more than ${limits.nics.most}`] : []),
    ...(all.length > limits.disks.most ? [`DISK has more than ${limits.disks.most}`] : []),
  ];
  // They are not looked at more closely: that takes longer the more there are.
  if (tooMany.length > 0) return { devices: {}, findings: tooMany };
  const findings: string[] = [];
  const nics = given.map((one, at) => nicOf(one, at, findings));
  const disks = disksOf(all, findings);
  const macs = nics.flatMap(({ mac }) => mac ?? []);
  const twice = macs.find((mac, at) => macs.indexOf(mac) < at);
  if (twice !== undefined) findings.push(`NIC has the address ${twice} twice`);
  const devices = {
    ...(nics.length > 0 && { nics }),
    ...(disks.length > 0 && { disks }),
    ...(nics.length + all.length > 0 && { device_ids: { nic: nics.length, disk: all.length } }),
  };
  return { devices, findings };
}

function nicOf({ NETWORK, NETWORK_ID, IP, MAC, MODEL }: Attributes, nic_id: number, findings: string[]): Nic {
  const mac = MAC === undefined ? undefined : Mac.safeParse(MAC);
  if (mac?.success === false) findings.push(`NIC/${nic_id}/MAC ${mac.error.issues[0]?.message ?? 'is not valid'}`);
  const ip = IP === undefined ? undefined : Ip4.safeParse(IP);
  if (ip?.success === false) findings.push(`NIC/${nic_id}/IP ${ip.error.issues[0]?.message ?? 'is not valid'}`);
  const model = textOf(MODEL);
  return {
    ...{ nic_id, network: textOf(NETWORK) ?? textOf(NETWORK_ID) ?? null },
    ...(mac?.data !== undefined && { mac: mac.data }),
    ...(model !== undefined && { model }),
  };
}

const isVolatile = ({ TYPE, IMAGE, IMAGE_ID }: Attributes): boolean =>
  IMAGE === undefined && IMAGE_ID === undefined && /^(fs|swap)$/i.test(textOf(TYPE) ?? '');

/** What an author should know of its disks: those of images are none yet. */
export function diskWarnings({ DISK }: { DISK?: unknown }): string[] {
  const ofImages = listOf(DISK).flatMap(({ IMAGE, IMAGE_ID }) => textOf(IMAGE) ?? textOf(IMAGE_ID) ?? []);
  return ofImages.length === 0
    ? []
    : [`DISK names images (${few(ofImages)}): VMs run without those disks, for none are made of images yet.`];
}

function disksOf(all: readonly Attributes[], findings: string[]): Disk[] {
  const taken = all.flatMap(({ TARGET }) => textOf(TARGET) ?? []);
  return all.flatMap((given, disk_id) => {
    const named = textOf(given.TARGET);
    const target = named ?? freeTarget(taken);
    if (named === undefined && target !== undefined) taken.push(target);
    if (!isVolatile(given)) return [];
    const format = textOf(given.FORMAT)?.toLowerCase() === 'qcow2' ? 'qcow2' : 'raw';
    const size = typeof given.SIZE === 'string' ? Number(given.SIZE) : given.SIZE;
    const disk = NewDisk.safeParse({ type: textOf(given.TYPE)?.toLowerCase(), size, format, target });
    if (!disk.success) {
      for (const { path, message } of disk.error.issues)
        findings.push(`DISK/${disk_id}/${path.join('/').toUpperCase()} ${message}`);
      return [];
    }
    const { type } = disk.data;
    if (taken.filter((other) => other === target).length > 1) findings.push(`DISK has the target ${target} twice`);
    return [
      {
        disk_id,
        type,
        size: disk.data.size,
        format,
        target: target ?? '',
        snapshots: [],
        current: null,
        snapshot_ids: 0,
      },
    ];
  });
}

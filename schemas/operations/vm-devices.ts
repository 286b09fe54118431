import { z } from 'zod';
import { ObjectId, ObjectName, Timestamp } from '../common/common.js';
import { Ip4 } from '../common/ip4.js';
import { limits } from '../common/limits.js';
import { Mac } from '../common/mac.js';

export const NewNic = z.strictObject({
  network: z
    .union([ObjectName, ObjectId])
    .describe('The virtual network that it is on: its name among those of the VM’s owner, or its id'),
  network_uname: ObjectName.optional().describe('The user whose network is named; absent: the VM’s owner'),
  ip: Ip4.optional().describe('This very address of the network; absent: the next that is free'),
  mac: Mac.optional().describe('The address of the network that has this MAC; absent: the next that is free'),
  model: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,32}$/, 'must be a word, such as virtio')
    .optional()
    .describe('What card the guest sees, such as virtio; absent: as the hypervisor has it'),
});

export const DiskSize = z
  .int({ error: 'must be an integer, in MB' })
  .min(1, 'must be at least 1')
  .max(limits.diskSize.most, `must be at most ${limits.diskSize.most}`)
  .describe('MB');

const DiskTarget = z
  .string()
  .regex(/^(vd|sd|hd|xvd)[a-z]$/, 'must be a device such as vdb')
  .describe('The device that the guest sees, such as vdb');

export const NewDisk = z.strictObject({
  type: z.enum(['fs', 'swap']).describe('fs: for a file system; swap: to swap to'),
  size: DiskSize,
  format: z.enum(['raw', 'qcow2']).default('raw').describe('qcow2 disks can have snapshots'),
  target: DiskTarget.optional().describe('Absent: the first that is free, from vda on'),
});

const DeviceId = z.int().min(0);

/** What is done to the devices of a VM, by OpenNebula's names of its commands. */
export const DeviceChange = z.discriminatedUnion('action', [
  z.object({ action: z.literal('nic-attach'), nic: NewNic }),
  z.object({ action: z.literal('nic-detach'), nic_id: DeviceId }),
  z.object({ action: z.literal('disk-attach'), disk: NewDisk }),
  z.object({ action: z.literal('disk-detach'), disk_id: DeviceId }),
  z.object({ action: z.literal('disk-resize'), disk_id: DeviceId, size: DiskSize }),
  z.object({ action: z.literal('disk-snapshot-create'), disk_id: DeviceId, name: ObjectName }),
  z.object({ action: z.literal('disk-snapshot-revert'), disk_id: DeviceId, snapshot_id: DeviceId }),
  z.object({ action: z.literal('disk-snapshot-delete'), disk_id: DeviceId, snapshot_id: DeviceId }),
]);
export type NewNic = z.output<typeof NewNic>;
export type DeviceChange = z.output<typeof DeviceChange>;

export const DeviceAction = z.enum([
  'nic-attach',
  'nic-detach',
  'disk-attach',
  'disk-detach',
  'disk-resize',
  'disk-snapshot-create',
  'disk-snapshot-revert',
  'disk-snapshot-delete',
]);
export type DeviceAction = DeviceChange['action'];

/** The address of a virtual network that a NIC has, and how it is connected. `index`: which of its range it is. */
export type NicLease = {
  network: number;
  ar_id: number;
  index: number;
  ip: string | null;
  ip6_link: string | null;
  ip6_global: string | null;
  ip6_ula: string | null;
  vn_mad: string;
  bridge: string;
  phydev: string | null;
  vlan_id: number | null;
};

/**
 * A NIC as stored. `mac`: absent: made of the ids; `lease`: absent: its network is not looked after, for it was made or imported without
 * one.
 */
export type Nic = { nic_id: number; network: string | null; mac?: string; model?: string; lease?: NicLease };

type DiskSnapshot = { snapshot_id: number; name: string; parent: number | null; taken_at: Date };

/** A volatile disk as stored: it comes with the VM on its host, and goes with it. */
export type Disk = {
  disk_id: number;
  type: 'fs' | 'swap';
  size: number;
  format: 'raw' | 'qcow2';
  target: string;
  snapshots: DiskSnapshot[];
  /** The snapshot that what is written now comes after; null: none. */
  current: number | null;
  /** Ids of snapshots given so far: none is given twice. */
  snapshot_ids: number;
};

export type Devices = { nics: readonly Nic[]; disks: readonly Disk[] };

/** A change with the ids of what it makes. */
export type PlannedChange =
  | { action: 'nic-attach'; nic: Nic }
  | { action: 'disk-attach'; disk: Disk }
  | { action: 'disk-snapshot-create'; disk_id: number; snapshot: DiskSnapshot }
  | Exclude<DeviceChange, { action: 'nic-attach' | 'disk-attach' | 'disk-snapshot-create' }>;

/** What a hypervisor is told of a NIC. */
const DomainNic = z.strictObject({
  nic_id: DeviceId,
  mac: z.string(),
  network: z.string().nullable(),
  model: z.string().optional(),
  ip: z.string().optional(),
  bridge: z.string().optional(),
  vlan_id: z.int().optional(),
});

/** What it is told of a disk, and tells. `reverted`: the epoch of the call that last reverted it; null: none has. */
const DomainDisk = z.strictObject({
  disk_id: DeviceId,
  target: z.string(),
  type: z.enum(['fs', 'swap']),
  size: z.int(),
  format: z.enum(['raw', 'qcow2']),
  snapshots: z.array(DeviceId),
  current: DeviceId.nullable(),
  reverted: z.int().nullable(),
});

/** What a domain has beside processors and memory. */
export const DomainDevices = z.strictObject({ nics: z.array(DomainNic), disks: z.array(DomainDisk) });
export type DomainDevices = z.infer<typeof DomainDevices>;

/** The same change as a hypervisor is told of it. */
export const DomainChange = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('nic-attach'), nic: DomainNic }),
  z.strictObject({ action: z.literal('nic-detach'), nic_id: DeviceId }),
  z.strictObject({ action: z.literal('disk-attach'), disk: DomainDisk }),
  z.strictObject({ action: z.literal('disk-detach'), disk_id: DeviceId }),
  z.strictObject({ action: z.literal('disk-resize'), disk_id: DeviceId, size: z.int() }),
  z.strictObject({ action: z.literal('disk-snapshot-create'), disk_id: DeviceId, snapshot_id: DeviceId }),
  z.strictObject({ action: z.literal('disk-snapshot-revert'), disk_id: DeviceId, snapshot_id: DeviceId }),
  z.strictObject({ action: z.literal('disk-snapshot-delete'), disk_id: DeviceId, snapshot_id: DeviceId }),
]);
export type DomainChange = z.infer<typeof DomainChange>;

export const NicResource = z.object({
  nic_id: DeviceId.describe('Never given twice to the NICs of a VM'),
  network: z.string().nullable().describe('Name of its network; null: its template names none'),
  network_id: ObjectId.nullable().describe('The virtual network that its addresses are of; null: of none'),
  mac: z.string(),
  ip: z.string().nullable().describe('IPv4; null: none is known'),
  ip6_link: z.string().nullable(),
  ip6_global: z.string().nullable(),
  ip6_ula: z.string().nullable(),
  bridge: z.string().nullable().describe('Of its hosts, that it is connected to'),
  vlan_id: z.int().nullable(),
  model: z.string().nullable().describe('null: as the hypervisor has it'),
});

export const DiskResource = z.object({
  disk_id: DeviceId.describe('Never given twice to the disks of a VM'),
  type: z.enum(['fs', 'swap']),
  size: z.int().describe('MB'),
  format: z.enum(['raw', 'qcow2']),
  target: z.string().describe('The device that the guest sees'),
  snapshots: z.array(
    z.object({
      snapshot_id: DeviceId,
      name: z.string(),
      parent: DeviceId.nullable().describe('The snapshot that it comes after'),
      active: z.boolean().describe('What is written now comes after it'),
      taken_at: Timestamp,
    }),
  ),
});

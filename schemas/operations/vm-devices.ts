import { z } from 'zod';
import { ObjectId, ObjectName, Timestamp } from '../common/common.js';
import { Ip4 } from '../common/ip4.js';
import { atMost, limits } from '../common/limits.js';
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
  security_groups: z
    .array(ObjectId)
    .max(limits.securityGroups.most, atMost('securityGroups'))
    .optional()
    .describe('Security groups beside those of its network; where neither names any, the default one'),
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

/** OpenNebula’s prefixes of devices, which say on what bus a disk is. */
export const DevicePrefix = z.enum(['vd', 'sd', 'hd', 'xvd'], { error: 'must be vd, sd, hd or xvd' });

/** What a hypervisor is told of how to open a disk. */
export const DiskOptions = z.strictObject({
  driver: z.enum(['raw', 'qcow2'], { error: 'must be raw or qcow2' }).optional(),
  cache: z
    .enum(['default', 'none', 'writethrough', 'writeback', 'directsync', 'unsafe'], {
      error: 'must be default, none, writethrough, writeback, directsync or unsafe',
    })
    .optional(),
  io: z.enum(['native', 'threads', 'io_uring'], { error: 'must be native, threads or io_uring' }).optional(),
  discard: z.enum(['ignore', 'unmap'], { error: 'must be ignore or unmap' }).optional(),
});
export type DiskOptions = z.output<typeof DiskOptions>;

type DiskIssue = { code: 'custom'; message: string; path: string[]; input: unknown };

/** What of a disk is for those of images alone, and what for volatile ones. */
function checkDisk(
  disk: {
    image?: unknown;
    image_uname?: unknown;
    readonly?: unknown;
    type?: unknown;
    size?: unknown;
    format?: unknown;
  },
  report: (issue: DiskIssue) => void,
): void {
  const issue = (name: string, message: string) => report({ code: 'custom', path: [name], message, input: undefined });
  if (disk.image === undefined) {
    for (const name of ['type', 'size'] as const)
      if (disk[name] === undefined) issue(name, 'is required of a disk that is made of no image');
    for (const name of ['image_uname', 'readonly'] as const)
      if (disk[name] !== undefined) issue(name, 'is for disks of images');
  } else
    for (const name of ['type', 'format'] as const) if (disk[name] !== undefined) issue(name, 'is for volatile disks');
}

/** Of an image, or volatile: of a type and a size. */
export const NewDisk = z
  .strictObject({
    image: z
      .union([ObjectName, ObjectId])
      .optional()
      .describe(
        'The image that it is made of: its name among those of the VM’s owner, or its id; absent: it is volatile',
      ),
    image_uname: ObjectName.optional().describe('The user whose image is named; absent: the VM’s owner'),
    readonly: z.boolean().optional().describe('The guest cannot write to it'),
    type: z
      .enum(['fs', 'swap'], { error: 'must be fs or swap' })
      .optional()
      .describe('Of a volatile one. fs: for a file system; swap: to swap to'),
    size: DiskSize.optional().describe('MB; of a disk of an image: larger than that; absent: as large'),
    format: z
      .enum(['raw', 'qcow2'], { error: 'must be raw or qcow2' })
      .optional()
      .describe('Of a volatile one; default: raw. qcow2 disks can have snapshots'),
    target: DiskTarget.optional().describe('Absent: the first that is free'),
    dev_prefix: DevicePrefix.optional().describe(
      'Where no target is named: of what the first free one is; default: vd, and hd of a CD-ROM',
    ),
    ...DiskOptions.shape,
  })
  .superRefine((disk, { issues }) => checkDisk(disk, (issue) => issues.push(issue)));
export type NewDisk = z.output<typeof NewDisk>;

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
  /** What its guest may not send as somebody else; absent: it may. */
  guards?: { mac: boolean; ip: boolean };
};

/**
 * A NIC as stored. `mac`: absent: made of the ids; `lease`: absent: its network is not looked after, for it was made or imported without
 * one; `security_groups`: with those of its network as they were when it was made; absent: the default one.
 */
export type Nic = {
  nic_id: number;
  network: string | null;
  mac?: string;
  model?: string;
  lease?: NicLease;
  security_groups?: number[];
};

/** What a disk was at a moment. `parent`: after which one it was taken. */
export type DiskSnapshot = { snapshot_id: number; name: string; parent: number | null; taken_at: Date };

/**
 * The image of a disk. `clone`: the disk is one of its own on it; `use`: it is the image itself, into which is written what the guest writes
 * where it is persistent.
 */
export type DiskImage = {
  id: number;
  name: string;
  datastore: number;
  ds_mad: string;
  way: 'clone' | 'use';
  persistent: boolean;
  /** MB of its bytes, which it takes where it is brought to; absent: of before images were brought, as many as the disk has. */
  mb?: number;
};

/** A disk as stored. Without an image it is volatile: it is made with the VM, and goes with it. */
export type Disk = {
  disk_id: number;
  /** OpenNebula’s words: those of images are `file`, or `cdrom`. */
  type: 'fs' | 'swap' | 'file' | 'cdrom';
  size: number;
  format: 'raw' | 'qcow2';
  target: string;
  image?: DiskImage;
  readonly?: boolean;
  options?: DiskOptions;
  snapshots: DiskSnapshot[];
  /** The snapshot that what is written now comes after; null: none. */
  current: number | null;
  /** Ids of snapshots given so far: none is given twice. */
  snapshot_ids: number;
};

/** The snapshots of a disk: those that there are, the one that is written after, and how many numbers were given. */
export type DiskSnapshots = Pick<Disk, 'snapshots' | 'current' | 'snapshot_ids'>;

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
  type: z.enum(['fs', 'swap', 'file', 'cdrom']),
  size: z.int(),
  format: z.enum(['raw', 'qcow2']),
  readonly: z.boolean().optional(),
  options: DiskOptions.optional(),
  snapshots: z.array(DeviceId),
  current: DeviceId.nullable(),
  reverted: z.int().nullable(),
  /** What the hypervisor opens; absent: no bytes are kept of it. */
  path: z.string().optional(),
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
  security_groups: z.array(ObjectId).describe('Security groups that say what passes; none: its network is not known'),
});

export const DiskResource = z.object({
  disk_id: DeviceId.describe('Never given twice to the disks of a VM'),
  type: z.enum(['fs', 'swap', 'file', 'cdrom']).describe('fs, swap: volatile; file, cdrom: of an image'),
  size: z.int().describe('MB'),
  format: z.enum(['raw', 'qcow2']),
  target: z.string().describe('The device that the guest sees'),
  image: z
    .object({ id: ObjectId, name: z.string(), datastore_id: ObjectId })
    .nullable()
    .describe('What it is made of; null: it is volatile'),
  persistent: z.boolean().describe('It is the image itself: what the guest writes stays there'),
  readonly: z.boolean(),
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

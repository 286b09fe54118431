import { z } from 'zod';
import type { Capacity } from '../common/capacity.js';
import { ObjectId, ObjectName, OwnershipResource, Timestamp } from '../common/common.js';
import { type ListFields, namedFields } from '../common/list.js';
import { AttributeChanges, Attributes, ClusterResource, defaultCluster, Reserve } from './cluster.js';
import {
  type Fenced,
  FencedResource,
  type FenceTest,
  FenceTestResource,
  HostPolicy,
  ShownPolicy,
  type StoredPolicy,
  UpdatePolicy,
} from './ha.js';
import { LibvirtPlace } from './libvirt.js';
import { simulatedStorage } from './simulator.js';
import { type Condemned, type Strays, WildResource, ZombieResource } from './strays.js';

/**
 * OpenNebula's host states. INIT: not monitored yet, or what it still runs of before is being removed; MONITORED: usable;
 * ERROR: the last probe failed.
 */
export const HostState = z.enum(['INIT', 'MONITORED', 'ERROR', 'DISABLED', 'OFFLINE']);
export type HostState = z.infer<typeof HostState>;

/** Name of a hypervisor adapter (OpenNebula's VM_MAD). */
export const HypervisorKind = z.enum(['simulated', 'libvirt']);
export type HypervisorKind = z.infer<typeof HypervisorKind>;

const HostWish = z.enum(['enabled', 'disabled', 'offline']);

export const CreateHost = z.strictObject({
  name: ObjectName.describe('Name or address of the host, as its hypervisor knows it').refine(
    (name) => name !== simulatedStorage,
    'is where the simulated hypervisor keeps what is stopped, and runs nothing: choose another name',
  ),
  vm_mad: HypervisorKind.default('simulated').describe('Which hypervisor adapter drives it'),
  cpu: z
    .number()
    .min(0.01)
    .max(4096)
    .transform((cores) => Math.round(cores * 100) / 100)
    .describe('Cores that VMs may reserve'),
  memory: z.int().min(1).max(67_108_864).describe('Memory that VMs may reserve, in MB'),
  cluster_id: ObjectId.optional().describe('Cluster that it is in; default: 0'),
  attributes: AttributeChanges.optional().describe('Attributes for requirement and rank expressions'),
  reserved: Reserve.optional().describe('What is kept back of it; absent or null: as its cluster says'),
  libvirt: LibvirtPlace.optional().describe('Of a host of libvirt: how it is reached, and how guests run there'),
});
export type CreateHost = z.infer<typeof CreateHost>;

/** What people can change of a host, whole. */
export const HostEdit = z.strictObject({
  state: HostWish,
  cpu: CreateHost.shape.cpu,
  memory: CreateHost.shape.memory,
  cluster_id: ObjectId.default(defaultCluster),
  attributes: Attributes.default({}),
  reserved: Reserve.default({}),
  ha: HostPolicy.nullable().default(null),
});
export type HostEdit = z.output<typeof HostEdit>;

/** A merge patch of that. */
export const UpdateHost = z.strictObject({
  state: HostWish.optional().describe(
    'enabled hosts take VMs; disabled ones keep theirs but take no new ones; offline ones are not monitored either',
  ),
  cpu: CreateHost.shape.cpu.optional(),
  memory: CreateHost.shape.memory.optional(),
  cluster_id: ObjectId.nullable().optional().describe('Cluster to put it into; null: 0'),
  attributes: AttributeChanges.nullable().optional().describe('Attributes to set; null takes one away'),
  reserved: Reserve.nullable().optional().describe('What is kept back of it; null: as its cluster says'),
  ha: UpdatePolicy.nullable().optional().describe('What is done when it fails; null: as its cluster says'),
});
export type UpdateHost = z.infer<typeof UpdateHost>;

/** A host as stored. It owns its reservations: one entry a VM, their number and their sums, changed in one guarded update. */
export type Host = {
  _id: number;
  name: string;
  uid: number;
  gid: number;
  permissions: z.infer<typeof OwnershipResource>['permissions'];
  vm_mad: HypervisorKind;
  /** Of a host of libvirt: how it is reached. */
  libvirt?: LibvirtPlace;
  state: HostState;
  /** Why the host is in ERROR, in its hypervisor's words; in INIT: why it takes no VMs although it answers. */
  error: string | null;
  total: Capacity;
  /** Absent: as hosts of an earlier version, in the default cluster. */
  cluster_id?: number;
  /** Its own; those of its cluster are not repeated here. */
  attributes?: Attributes;
  /** What its operator wants kept back. */
  reserve?: Reserve;
  /** What that and its cluster's wish come to: VMs may reserve `total` less this, which may be negative. Absent: nothing. */
  reserved?: Capacity;
  used: Capacity;
  vms: Record<string, Capacity>;
  /** How many entries `vms` has: placement asks for it at every step, and must not count thousands. */
  vm_count: number;
  /** Domains that should not be there, as the last look found them. Absent: none. */
  strays?: Strays;
  /** What those take that are up. Nobody may reserve it. Absent: nothing. */
  outside?: Capacity;
  /** What is at work on it. Absent: nothing. */
  operation?: string | null;
  /** Zombies that somebody wants removed. */
  condemned?: Condemned[];
  created_at: Date;
  last_monitored_at: Date | null;
  /** Since when it has not answered. Absent or null: it has, or nobody knows. */
  silent_since?: Date | null;
  /** How long it had been up when that was written down last, as its hypervisor measures it. Absent: nobody knows. */
  uptime?: number;
  /** Polls in a row that it has missed. Absent: none. */
  missed?: number;
  /** When the last of them was counted. */
  missed_at?: Date;
  /** What is done when it fails, by its own policy or that of its cluster. Absent or null: nothing. */
  ha?: StoredPolicy | null;
  /** Who says so. Absent: the host, where it has a policy, else its cluster. */
  ha_of?: 'host' | 'cluster';
  /** Absent: none has come to an end. */
  fence_test?: FenceTest;
  /** One of these methods, by its place, has turned it off for a test, or was about to. Absent or null: it is on again. */
  power_cut?: { methods: string; at: number } | null;
  /** It is off, and nothing of before runs there, until it answers again. Absent or null: nobody knows. */
  fenced?: Fenced | null;
  /** The silence (`silent_since`) for which a failover has begun by itself: one that has failed is tried again by people. */
  failed_over?: Date | null;
};

/** What lists of hosts can be filtered and sorted by. */
export const hostFields = {
  ...namedFields,
  state: { kind: HostState.options, path: 'state' },
  vm_mad: { kind: HypervisorKind.options, path: 'vm_mad' },
  last_monitored_at: { kind: 'time', path: 'last_monitored_at', nullable: true },
} as const satisfies ListFields;

export const HostResource = OwnershipResource.extend({
  id: ObjectId,
  name: z.string(),
  vm_mad: HypervisorKind,
  libvirt: LibvirtPlace.nullable().describe('How its libvirt is reached; null: of another kind'),
  state: HostState,
  error: z.string().nullable().describe('Why it does not answer; in INIT: why it takes no VMs although it does'),
  silent_since: Timestamp.nullable().describe('Since when it has not answered; null: it has'),
  missed: z.int().describe('Polls in a row that it has not answered'),
  fenced: FencedResource.nullable().describe(
    'It is off, and nothing runs there until it answers again; null: nobody knows',
  ),
  ha: ShownPolicy.nullable().describe('What is done when it fails; null: nothing is done by itself'),
  ha_of: z.enum(['host', 'cluster']).describe('Whether that is its own policy, or as its cluster says'),
  armed: z
    .boolean()
    .nullable()
    .describe(
      'Whether that begins by itself: what is to turn it off has done so in a test, or a person is asked; null: it has no policy',
    ),
  fence_test: FenceTestResource.nullable().describe('The last test of that; null: none has come to an end'),
  expected_recovery: z
    .int()
    .nullable()
    .describe(
      'Seconds from its failure until its VMs are started elsewhere, at most; null: nothing is done by itself, or a person is asked',
    ),
  next_look: Timestamp.nullable().describe('About when it is asked next; null: it is not asked, or at once'),
  cluster_id: ObjectId,
  attributes: ClusterResource.shape.attributes.describe('Its own, for requirement and rank expressions'),
  reserved: Reserve.describe('What its operator wants kept back; null: as its cluster says'),
  cpu: z
    .object({ total: z.number(), reserved: z.number(), used: z.number(), outside: z.number(), free: z.number() })
    .describe('Cores; outside: taken by zombies and wilds; free: total less reserved, used and outside'),
  memory: z
    .object({ total: z.int(), reserved: z.int(), used: z.int(), outside: z.int(), free: z.int() })
    .describe('MB'),
  vms: z.array(ObjectId).describe('VMs with a reservation here'),
  operation: z.string().nullable().describe('The operation that is at work on it: its flush or failover'),
  zombies: z
    .object({ count: z.int(), items: z.array(ZombieResource) })
    .describe('Domains of this installation that should not be there; items: the first of them'),
  wilds: z
    .object({ count: z.int(), items: z.array(WildResource) })
    .describe('Domains that are not of this installation: nothing touches them; items: the first of them'),
  created_at: Timestamp,
  last_monitored_at: Timestamp.nullable(),
}).meta({ id: 'Host' });
export type HostResource = z.infer<typeof HostResource>;

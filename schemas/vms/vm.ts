import { z } from 'zod';
import { attributeChanges } from '../common/attribute-name.js';
import type { Capacity } from '../common/capacity.js';
import { ObjectId, ObjectName, type Ownership, OwnershipResource, Timestamp } from '../common/common.js';
import { atMost } from '../common/limits.js';
import { type ListFields, namedFields } from '../common/list.js';
import type { HypervisorKind } from '../hosts/host.js';
import { MonitoringResource } from '../hosts/metrics.js';
import type { StoredWild } from '../hosts/strays.js';
import type { Amounts } from '../identity/amounts.js';
import { DebugStep } from '../operations/debug-step.js';
import { checkActionArgs, SnapshotArgs, VmSwitch } from '../operations/vm-action.js';
import {
  type Disk,
  DiskResource,
  DiskSize,
  NewDisk,
  NewNic,
  type Nic,
  NicResource,
  type PlannedChange,
} from '../operations/vm-devices.js';
import type { PlacementRecord, RoleTies } from '../placement/placement.js';
import type { StorageKind } from '../storage/stored.js';
import { type Debugging, DebuggingResource } from './vm-debugging.js';
import { type VmFile, VmFileResource } from './vm-files.js';
import type { VmSchedule } from './vm-schedules.js';
import { Cores, Megabytes, VirtualCores, VmTemplateChanges } from './vm-template.js';

/** OpenNebula's VM states that exist so far (its include/VirtualMachine.h). */
export const VmState = z.enum(['PENDING', 'HOLD', 'ACTIVE', 'SUSPENDED', 'DONE', 'POWEROFF', 'UNDEPLOYED', 'STOPPED']);
export type VmState = z.infer<typeof VmState>;

/** OpenNebula's life-cycle states of an ACTIVE VM that exist so far; LCM_INIT elsewhere. */
export const VmLcmState = z.enum([
  'LCM_INIT',
  'PROLOG',
  'BOOT',
  'RUNNING',
  'HOTPLUG_SNAPSHOT',
  'MIGRATE',
  'SAVE_MIGRATE',
  'PROLOG_MIGRATE',
  'BOOT_MIGRATE',
  'PROLOG_MIGRATE_POWEROFF',
  'PROLOG_MIGRATE_SUSPEND',
  'SAVE_SUSPEND',
  'SAVE_STOP',
  'EPILOG_STOP',
  'PROLOG_RESUME',
  'BOOT_STOPPED',
  'SHUTDOWN',
  'SHUTDOWN_POWEROFF',
  'SHUTDOWN_UNDEPLOY',
  'BOOT_SUSPENDED',
  'HOTPLUG',
  'HOTPLUG_NIC',
  'HOTPLUG_NIC_POWEROFF',
  'HOTPLUG_PROLOG_POWEROFF',
  'HOTPLUG_EPILOG_POWEROFF',
  'HOTPLUG_SAVEAS',
  'HOTPLUG_SAVEAS_POWEROFF',
  'HOTPLUG_SAVEAS_SUSPENDED',
  'DISK_RESIZE',
  'DISK_RESIZE_POWEROFF',
  'DISK_SNAPSHOT',
  'DISK_SNAPSHOT_POWEROFF',
  'DISK_SNAPSHOT_SUSPENDED',
  'DISK_SNAPSHOT_REVERT_POWEROFF',
  'DISK_SNAPSHOT_REVERT_SUSPENDED',
  'DISK_SNAPSHOT_DELETE',
  'DISK_SNAPSHOT_DELETE_POWEROFF',
  'DISK_SNAPSHOT_DELETE_SUSPENDED',
  'EPILOG',
  'UNKNOWN',
  'BOOT_FAILURE',
  'PROLOG_FAILURE',
  'EPILOG_FAILURE',
  'EPILOG_STOP_FAILURE',
  'PROLOG_RESUME_FAILURE',
]);
export type VmLcmState = z.infer<typeof VmLcmState>;

/** Name and value pairs that the owner and the guest may write; names are upper case. READY=YES opens the ready gate. */
const UserTemplate = z.record(z.string(), z.unknown());
export type UserTemplate = Record<string, unknown>;

export const CreateVm = z.strictObject({
  template_id: ObjectId.describe('VM template to instantiate'),
  name: ObjectName.optional().describe('Default: the name of the template, a dash and the id of the VM'),
  template: VmTemplateChanges.optional().describe('Attributes that replace those of the template'),
  hold: z
    .boolean()
    .optional()
    .describe(
      'true: it is on hold, and finds no host before it is released; absent: as SUBMIT_ON_HOLD of its template says',
    ),
});
export type CreateVm = z.infer<typeof CreateVm>;

/** What people can change of a VM, whole. */
export const VmEdit = z.strictObject({ name: ObjectName, user_template: UserTemplate.default({}) });
export type VmEdit = z.output<typeof VmEdit>;

/** A merge patch of that. */
export const UpdateVm = z.strictObject({
  name: ObjectName.optional(),
  user_template: attributeChanges(z.unknown(), 'attributes')
    .nullable()
    .optional()
    .describe(`Attributes that owner and guest may write; null removes one; ${atMost('userTemplate')} of JSON`),
});
export type UpdateVm = z.infer<typeof UpdateVm>;

export const TerminateVm = z.strictObject({
  hard: z.boolean().default(false).describe('true: cut the power; false: ask the guest to shut down'),
});
export type TerminateVm = z.infer<typeof TerminateVm>;

export const PerformOnVm = z
  .strictObject({
    action: VmSwitch.describe(
      'poweroff: its guest shuts down, and it stays where it is; reboot: its guest begins anew; suspend: what it has in memory is saved on its host; stop: that is saved, and taken from its host with it; undeploy: its guest shuts down, and it leaves its host; -hard: its guest is not asked; snapshot-create: what it is at this moment is kept; snapshot-revert: it is that again; snapshot-delete: that is kept no more',
    ),
    ...SnapshotArgs.shape,
  })
  .superRefine((wish, { issues }) => checkActionArgs(wish, (issue) => issues.push(issue)));
export type PerformOnVm = z.infer<typeof PerformOnVm>;

export const DeployVm = z.strictObject({ host: ObjectId.describe('Where it is to be deployed') });
export type DeployVm = z.output<typeof DeployVm>;

export const MigrateVm = z.strictObject({
  host: ObjectId.optional().describe('Where it is to go; absent: where it fits'),
  live: z
    .boolean()
    .default(false)
    .describe('true: without a break, where it runs; false: it is saved, and goes on there'),
});
export type MigrateVm = z.output<typeof MigrateVm>;

export const ResizeVm = z.strictObject({
  cpu: Cores.optional(),
  vcpu: VirtualCores.describe('Cores that the guest sees'),
  memory: Megabytes.optional(),
});
export type ResizeVm = z.output<typeof ResizeVm>;

export const AttachNic = NewNic;
export const AttachDisk = NewDisk;
export const ResizeDisk = z.strictObject({ size: DiskSize.describe('MB; more than it has') });
export const SnapshotDisk = z.strictObject({ name: ObjectName });

export const RecoverAction = z
  .enum(['success', 'failure', 'retry', 'delete', 'recreate'])
  .describe(
    'success, failure: say how the step that hangs came out; retry: do it again; delete: end the VM, its power cut; recreate: end it and deploy it anew',
  );
export type RecoverAction = z.infer<typeof RecoverAction>;

export const RecoverVm = z
  .strictObject({
    action: RecoverAction,
    interactive: DebugStep.optional().describe('With retry: one action alone of what failed; absent: all of it'),
  })
  .superRefine(({ action, interactive }, { addIssue }) => {
    if (interactive && action !== 'retry')
      addIssue({
        code: 'custom',
        path: ['interactive'],
        message: 'is for retry: say nothing of it with another action',
      });
  });
export type RecoverVm = z.infer<typeof RecoverVm>;

/** Who may change the VM now: a fencing token. Every transition filters on all three. */
export type Hold = { op: string; epoch: number; attempt: number };

/** One stay on one host. */
export type HistoryRecord = {
  seq: number;
  hid: number;
  hostname: string;
  vm_mad: string;
  /** The epoch of the deploy that made it: what a destroy may destroy. */
  epoch: number;
  stime: Date;
  etime: Date | null;
  reason: 'none' | 'error' | 'user';
  /** Where its disks were; absent: it had none, or its host had them. */
  datastore?: number;
  /** Why it was put there; absent: nobody wrote it down. */
  placed?: PlacementRecord;
};

/**
 * Where a VM is to go, with what is reserved for it there; it may be there already. `epoch`: domains of it that are older are of before;
 * `from`: what it did when it was taken.
 */
export type Moving = Pick<HistoryRecord, 'hid' | 'hostname' | 'vm_mad' | 'epoch' | 'placed'> & {
  from: 'running' | 'suspended' | 'off';
};

/** The last change of its devices. `open`: it is under way, or it is not known whether it was done; `epoch`: under which it is made. */
export type DeviceChanging = {
  op: string;
  change: PlannedChange;
  from: Moving['from'];
  epoch: number;
  open: boolean;
};
/** What a VM was at one moment. `active`: it goes on from there; `op`: the operation that made it, or last reverted to it. */
export type VmSnapshot = { id: number; name: string; at: Date; active: boolean; op: string };

/** `at`: when; `given_up`: the epoch under which it was not any more. */
export type Restarts = { at: Date[]; given_up: number | null };
/** With which host a VM was lost, and which epoch it had then; `anew`: the host was started anew since, and does not run it. */
export type Lost = { hid: number; epoch: number; anew?: true };

/** A domain of somebody else that a VM is to have: on which host, and as it was seen there. */
export type Adopting = { hid: number; wild: StoredWild };

/** Each look of monitoring that writes has its own id: one that was overtaken then matches nothing. */
export type Sighting = { look: string; missing: boolean };

/** A change of a VM's state as stored. `op`: the operation that had it; null: none, as when monitoring found it so. */
export type VmLogLine = { at: Date; state: VmState; lcm_state: VmLcmState; op: string | null; reason: string | null };

/** What a VM had in memory is kept away from hosts, or may be: by which kind of hypervisor. */
export type Stored = { vm_mad: HypervisorKind };

/**
 * The system datastore that the disks of a VM are in. `mb`: what they may come to there, images that are used as they are not counted;
 * `at`: when that was promised last.
 */
export type VmDatastore = { id: number; ds_mad: StorageKind; mb: number; at: Date };

/** A disk that is as an image was, by which operation. */
export type DiskRestored = { op: string; disk: number; image: number; at: Date };

/** A VM as stored. */
export type Vm = Ownership & {
  _id: number;
  name: string;
  state: VmState;
  lcm_state: VmLcmState;
  /** Why it is in this state: what it waits for, or what failed. */
  reason: string | null;
  /** null: it was imported. */
  template_id: number | null;
  capacity: Capacity;
  template: Record<string, unknown>;
  user_template: UserTemplate;
  /** Set on VMs of a service: with ordinal, the unique key under which a plan makes it. */
  service: { id: number; role: string; ordinal: number } | null;
  /** How it goes with others of its service; absent: as it comes. */
  placement?: RoleTies;
  history: HistoryRecord[];
  /** While it changes its host, and after that until it is known where it is; absent: it does not. */
  moving?: Moving | null;
  /** Since it was stopped, until it runs again; absent: nothing of it is kept anywhere but on its host. */
  stored?: Stored | null;
  /** Who has asked for another host for it, and when one is looked for next; absent: nobody. */
  resched?: { by: number; next: Date } | null;
  /** What it has, as its host said last; absent: none. */
  nics?: Nic[];
  disks?: Disk[];
  /** What it has of images that are files; absent: nothing. */
  files?: VmFile[];
  /**
   * From its first place on, until it is DONE or made anew: for its disks, and for what its guest is told. Absent, null: it has neither, or its disks are with its host, as
   * of VMs of before.
   */
  datastore?: VmDatastore | null;
  /** How many ids its NICs and disks were given so far: none is given twice. */
  device_ids?: { nic: number; disk: number };
  device_change?: DeviceChanging | null;
  /** What a disk of it was made like last; absent: none ever was. */
  disk_restored?: DiskRestored;
  /** How far somebody has come with what failed, action by action; of before, where its epoch is not that of the VM. */
  debugging?: Debugging;
  /** Its changes of state, newest last; absent: of before there were logs. */
  log?: VmLogLine[];
  /** What is to be done to it at its time; absent: nothing ever was. */
  schedule?: VmSchedule;
  /** Kept with its domain; absent: none. */
  snapshots?: VmSnapshot[];
  /** The number of the one that is made next; absent: 0. */
  next_snapshot?: number;
  deploy_id: string | null;
  /** The domain that it is to have, as long as it does not have it for good: what there is of it then is not its own. Absent: its own. */
  adopts?: Adopting | null;
  /** Rises each time that somebody takes the hold; hypervisor calls carry it. */
  epoch: number;
  hold: Hold | null;
  /** The operation admitted on the VM itself, not ended. */
  operation: string | null;
  /** The intent that pre-empts: an operation that waits until the present holder lets go. */
  wanted: string | null;
  /** While it waits: when a host was last found for it, which it may not have got. */
  offered_at?: Date;
  /** The termination that its service has asked for, when another VM was to be made in its place; absent: there is none. */
  left_behind?: string;
  /** What monitoring last wrote of it, if anything; `missing`: its host answered, and it did not run there. */
  sighting?: Sighting;
  /** It is UNKNOWN because its host fell silent, if nothing was done to it since. Absent, null: for another reason. */
  lost?: Lost | null;
  /** When it was started again because its guest had crashed, within the last hour. Absent, null: it was not. */
  restarts?: Restarts | null;
  created_at: Date;
  ended_at: Date | null;
  /** What its user and group are charged for it until it is DONE. Of one of a service: what it has beyond what that is charged for it; absent: nothing. */
  charge?: Amounts;
};

/** What lists of VMs can be filtered and sorted by. */
export const vmFields = {
  ...namedFields,
  state: { kind: VmState.options, path: 'state' },
  lcm_state: { kind: VmLcmState.options, path: 'lcm_state' },
  template_id: { kind: 'integer', path: 'template_id', nullable: true },
  service_id: { kind: 'integer', path: 'service.id', nullable: true },
  role_name: { kind: 'text', path: 'service.role', nullable: true },
  ended_at: { kind: 'time', path: 'ended_at', nullable: true },
} as const satisfies ListFields;

export const VmResource = OwnershipResource.extend({
  id: ObjectId,
  name: z.string(),
  state: VmState,
  lcm_state: VmLcmState,
  reason: z.string().nullable().describe('Why it is in this state: what it waits for, or what failed'),
  ready: z.boolean().describe('READY=YES in its user template'),
  template_id: ObjectId.nullable().describe('What it was made from; null: it was imported'),
  cpu: z.number().describe('Cores reserved'),
  memory: z.int().describe('MB reserved'),
  service_id: ObjectId.nullable(),
  role_name: z.string().nullable(),
  host: z.object({ id: ObjectId, name: z.string() }).nullable().describe('Where it is, or null'),
  resched: z.boolean().describe('It goes to another host as soon as one takes it'),
  nics: z.array(NicResource).describe('As its host said last'),
  disks: z.array(DiskResource).describe('As its host said last'),
  files: z.array(VmFileResource).describe('What it has of images that are files'),
  datastore_id: ObjectId.nullable().describe(
    'The system datastore that its disks are in, and what its guest is told; null: it has none yet',
  ),
  snapshots: z
    .array(z.object({ id: ObjectId, name: z.string(), time: Timestamp, active: z.boolean() }))
    .describe('What it was at moments that are kept; active: it goes on from that one'),
  debugging: DebuggingResource.nullable().describe(
    'What failed, action by action, for a retry that is `interactive`; null: it is in no *_FAILURE state',
  ),
  template: z.record(z.string(), z.unknown()),
  user_template: z.record(z.string(), z.unknown()),
  history: z.array(
    z.object({
      seq: z.int(),
      host_id: ObjectId,
      hostname: z.string(),
      vm_mad: z.string(),
      datastore_id: ObjectId.nullable().describe('Where its disks were'),
      started_at: Timestamp,
      ended_at: Timestamp.nullable(),
      reason: z.enum(['none', 'error', 'user']),
    }),
  ),
  monitoring: MonitoringResource.nullable()
    .optional()
    .describe(
      'What it uses, as its host said last; null: it does not run, or nothing was heard for three polls; not in lists',
    ),
  operation: z.string().nullable().describe('The operation that is at work on it'),
  created_at: Timestamp,
  ended_at: Timestamp.nullable(),
}).meta({ id: 'Vm' });
export type VmResource = z.infer<typeof VmResource>;

import type { Vm } from '../../schemas/vms/vm.js';
import type { ProblemCode } from '../problems.js';
import type { VmEvent } from './vm-events.js';
import { type VmStateName, vmStateName } from './vm-states.js';

/** What changes a domain's devices; `does`: what a kind of hypervisor cannot that lacks it. */
const deviceCalls = {
  attachNic: { refused: 'action_refused', does: 'attach NICs to VMs' },
  detachNic: { refused: 'action_refused', does: 'detach NICs from VMs' },
  attachDisk: { refused: 'action_refused', does: 'attach disks to VMs' },
  detachDisk: { refused: 'action_refused', does: 'detach disks from VMs' },
  resizeDisk: { refused: 'action_refused', does: 'make disks of VMs larger' },
  snapshotDisk: { refused: 'action_refused', does: 'take snapshots of disks' },
  revertDisk: { refused: 'action_refused', does: 'revert disks to their snapshots' },
  dropSnapshot: { refused: 'action_refused', does: 'delete snapshots of disks' },
} as const;
export type DeviceCall = keyof typeof deviceCalls;

/** The calls of a hypervisor that change a VM, and which problem a refusal is that trying again cannot mend. */
export const vmCalls = {
  deploy: { refused: 'deploy_refused' },
  destroy: { refused: 'destroy_refused' },
  poweroff: { refused: 'action_refused' },
  reboot: { refused: 'action_refused' },
  suspend: { refused: 'action_refused' },
  resume: { refused: 'action_refused' },
  snapshotCreate: { refused: 'action_refused' },
  snapshotRevert: { refused: 'action_refused' },
  snapshotDelete: { refused: 'action_refused' },
  migrate: { refused: 'action_refused' },
  move: { refused: 'action_refused' },
  adopt: { refused: 'action_refused', does: 'give domains of others to VMs' },
  disown: { refused: 'action_refused', does: 'give adopted domains back' },
  store: { refused: 'action_refused', does: 'keep what is saved of VMs away from hosts' },
  fetch: { refused: 'action_refused', does: 'bring to hosts what is kept of VMs' },
  discard: { refused: 'action_refused', does: 'keep anything of VMs away from hosts' },
  ...deviceCalls,
} as const satisfies Record<string, { refused: ProblemCode; does?: string }>;

export type VmCall = keyof typeof vmCalls;

/** What is asked of the datastore that the disks of a VM are in. */
export type StorageCall = 'makeDisks';

type VerbRow = {
  call: VmCall | StorageCall;
  /** Into the state of work, from whatever state accepts it. */
  enter: VmEvent;
  /** While it is done. */
  during: VmStateName;
  /** When it is done, and when it is refused for good. */
  leave: VmEvent;
  fail: VmEvent;
  /** Where a VM is after it, and needs it no more. */
  after: readonly VmStateName[];
};

/** The VM is again what it was before, wherever its devices are then: what it has says whether this is done. */
const onDevice = <
  C extends DeviceCall,
  E extends VmEvent,
  D extends VmStateName,
  L extends 'run' | 'stop' | 'suspended',
>(
  call: C,
  enter: E,
  during: D,
  leave: L,
) => ({ call, enter, during, leave, fail: 'lose', after: [] }) as const;

/** By what a VM is that its devices are changed of: it runs, is powered off, or is suspended. */
const deviceVerbs = {
  attachNic: onDevice('attachNic', 'plug_nic', 'ACTIVE/HOTPLUG_NIC', 'run'),
  attachNicOff: onDevice('attachNic', 'plug_nic', 'ACTIVE/HOTPLUG_NIC_POWEROFF', 'stop'),
  detachNic: onDevice('detachNic', 'plug_nic', 'ACTIVE/HOTPLUG_NIC', 'run'),
  detachNicOff: onDevice('detachNic', 'plug_nic', 'ACTIVE/HOTPLUG_NIC_POWEROFF', 'stop'),
  attachDisk: onDevice('attachDisk', 'plug_disk', 'ACTIVE/HOTPLUG', 'run'),
  attachDiskOff: onDevice('attachDisk', 'plug_disk', 'ACTIVE/HOTPLUG_PROLOG_POWEROFF', 'stop'),
  detachDisk: onDevice('detachDisk', 'unplug_disk', 'ACTIVE/HOTPLUG', 'run'),
  detachDiskOff: onDevice('detachDisk', 'unplug_disk', 'ACTIVE/HOTPLUG_EPILOG_POWEROFF', 'stop'),
  resizeDisk: onDevice('resizeDisk', 'resize_disk', 'ACTIVE/DISK_RESIZE', 'run'),
  resizeDiskOff: onDevice('resizeDisk', 'resize_disk', 'ACTIVE/DISK_RESIZE_POWEROFF', 'stop'),
  snapshotDisk: onDevice('snapshotDisk', 'snapshot_disk', 'ACTIVE/DISK_SNAPSHOT', 'run'),
  snapshotDiskOff: onDevice('snapshotDisk', 'snapshot_disk', 'ACTIVE/DISK_SNAPSHOT_POWEROFF', 'stop'),
  snapshotDiskSaved: onDevice('snapshotDisk', 'snapshot_disk', 'ACTIVE/DISK_SNAPSHOT_SUSPENDED', 'suspended'),
  revertDiskOff: onDevice('revertDisk', 'revert_disk', 'ACTIVE/DISK_SNAPSHOT_REVERT_POWEROFF', 'stop'),
  revertDiskSaved: onDevice('revertDisk', 'revert_disk', 'ACTIVE/DISK_SNAPSHOT_REVERT_SUSPENDED', 'suspended'),
  dropSnapshot: onDevice('dropSnapshot', 'drop_snapshot', 'ACTIVE/DISK_SNAPSHOT_DELETE', 'run'),
  dropSnapshotOff: onDevice('dropSnapshot', 'drop_snapshot', 'ACTIVE/DISK_SNAPSHOT_DELETE_POWEROFF', 'stop'),
  dropSnapshotSaved: onDevice('dropSnapshot', 'drop_snapshot', 'ACTIVE/DISK_SNAPSHOT_DELETE_SUSPENDED', 'suspended'),
} as const;
export type DeviceVerb = keyof typeof deviceVerbs;

/**
 * What is done to VMs at their hypervisors: the call that does it, and the states before, while and after. Steps go by it
 * (activities/vms), and so does what every adapter promises (test/contracts).
 */
export const hostVerbs = {
  boot: {
    ...{ call: 'deploy', enter: 'boot', during: 'ACTIVE/BOOT' },
    ...{ leave: 'run', fail: 'fail_boot', after: ['ACTIVE/RUNNING'] },
  },
  /** No domain is left, for good. */
  remove: {
    ...{ call: 'destroy', enter: 'shutdown', during: 'ACTIVE/SHUTDOWN' },
    ...{ leave: 'done', fail: 'fail_shutdown', after: ['DONE'] },
  },
  /** The same of a VM that begins anew. */
  clear: {
    ...{ call: 'destroy', enter: 'shutdown', during: 'ACTIVE/SHUTDOWN' },
    ...{ leave: 'resubmit', fail: 'fail_shutdown', after: ['PENDING', 'DONE'] },
  },
  /** No domain is left of one that has disks in a datastore, and it has no host any more: they go next. */
  vacate: {
    ...{ call: 'destroy', enter: 'shutdown', during: 'ACTIVE/SHUTDOWN' },
    ...{ leave: 'epilog', fail: 'fail_shutdown', after: ['ACTIVE/EPILOG', 'PENDING', 'DONE'] },
  },
  /** Its domain stays, and does not run. */
  poweroff: {
    ...{ call: 'poweroff', enter: 'power_off', during: 'ACTIVE/SHUTDOWN_POWEROFF' },
    ...{ leave: 'stop', fail: 'lose', after: ['POWEROFF'] },
  },
  /** It runs before and after: nothing but the hold says that it is not done yet. */
  reboot: {
    ...{ call: 'reboot', enter: 'run', during: 'ACTIVE/RUNNING' },
    ...{ leave: 'run', fail: 'lose', after: [] },
  },
  /** What it has in memory is saved on its host. */
  suspend: {
    ...{ call: 'suspend', enter: 'suspend', during: 'ACTIVE/SAVE_SUSPEND' },
    ...{ leave: 'suspended', fail: 'lose', after: ['SUSPENDED'] },
  },
  /** It is switched off, and leaves its host. */
  undeploy: {
    ...{ call: 'destroy', enter: 'undeploy', during: 'ACTIVE/SHUTDOWN_UNDEPLOY' },
    ...{ leave: 'undeployed', fail: 'lose', after: ['UNDEPLOYED'] },
  },
  /** From what was saved on its host. */
  restore: {
    ...{ call: 'resume', enter: 'restore', during: 'ACTIVE/BOOT_SUSPENDED' },
    ...{ leave: 'run', fail: 'suspended', after: ['ACTIVE/RUNNING'] },
  },
  /** It is saved, */
  saveStop: {
    ...{ call: 'suspend', enter: 'save_stop', during: 'ACTIVE/SAVE_STOP' },
    ...{ leave: 'store', fail: 'lose', after: ['ACTIVE/EPILOG_STOP', 'STOPPED'] },
  },
  /** and leaves its host with what was saved. */
  store: {
    ...{ call: 'store', enter: 'store', during: 'ACTIVE/EPILOG_STOP' },
    ...{ leave: 'stored', fail: 'fail_epilog', after: ['STOPPED'] },
  },
  /** That comes to its new host, */
  fetch: {
    ...{ call: 'fetch', enter: 'fetch', during: 'ACTIVE/PROLOG_RESUME' },
    ...{ leave: 'resume_stopped', fail: 'fail_prolog', after: ['ACTIVE/BOOT_STOPPED', 'ACTIVE/RUNNING'] },
  },
  /** and it goes on there. */
  resumeStopped: {
    ...{ call: 'resume', enter: 'resume_stopped', during: 'ACTIVE/BOOT_STOPPED' },
    ...{ leave: 'run', fail: 'suspended', after: ['ACTIVE/RUNNING'] },
  },
  /** Of one without a host nothing is kept any more, neither what it had in memory nor disks, for good. */
  discard: {
    ...{ call: 'discard', enter: 'epilog', during: 'ACTIVE/EPILOG' },
    ...{ leave: 'done', fail: 'fail_epilog', after: ['DONE'] },
  },
  /** The same of one that begins anew. */
  discardToClear: {
    ...{ call: 'discard', enter: 'epilog', during: 'ACTIVE/EPILOG' },
    ...{ leave: 'resubmit', fail: 'fail_epilog', after: ['PENDING', 'DONE'] },
  },
  /** What it is at a moment is kept with its domain. It runs before and after: the list of its snapshots says whether it is done. */
  createSnapshot: {
    ...{ call: 'snapshotCreate', enter: 'snapshot', during: 'ACTIVE/HOTPLUG_SNAPSHOT' },
    ...{ leave: 'run', fail: 'run', after: [] },
  },
  /** It is that again. */
  revertSnapshot: {
    ...{ call: 'snapshotRevert', enter: 'snapshot', during: 'ACTIVE/HOTPLUG_SNAPSHOT' },
    ...{ leave: 'run', fail: 'run', after: [] },
  },
  /** That is kept no more. */
  deleteSnapshot: {
    ...{ call: 'snapshotDelete', enter: 'snapshot', during: 'ACTIVE/HOTPLUG_SNAPSHOT' },
    ...{ leave: 'run', fail: 'run', after: [] },
  },
  /** To another host while it runs: as with all that move it, its place says whether it is done. */
  migrate: {
    ...{ call: 'migrate', enter: 'migrate', during: 'ACTIVE/MIGRATE' },
    ...{ leave: 'run', fail: 'lose', after: [] },
  },
  /** The same in three steps: it is saved, */
  save: {
    ...{ call: 'suspend', enter: 'save_migrate', during: 'ACTIVE/SAVE_MIGRATE' },
    ...{ leave: 'move', fail: 'lose', after: ['ACTIVE/PROLOG_MIGRATE', 'ACTIVE/BOOT_MIGRATE'] },
  },
  /** what was saved comes to the other host, */
  move: {
    ...{ call: 'move', enter: 'move', during: 'ACTIVE/PROLOG_MIGRATE' },
    ...{ leave: 'restart', fail: 'lose', after: ['ACTIVE/BOOT_MIGRATE'] },
  },
  /** and it goes on there. */
  restart: {
    ...{ call: 'resume', enter: 'restart', during: 'ACTIVE/BOOT_MIGRATE' },
    ...{ leave: 'run', fail: 'suspended', after: ['ACTIVE/RUNNING'] },
  },
  /** One that is switched off. */
  moveOff: {
    ...{ call: 'move', enter: 'move_off', during: 'ACTIVE/PROLOG_MIGRATE_POWEROFF' },
    ...{ leave: 'stop', fail: 'lose', after: [] },
  },
  /** One that is suspended. */
  moveSaved: {
    ...{ call: 'move', enter: 'move_saved', during: 'ACTIVE/PROLOG_MIGRATE_SUSPEND' },
    ...{ leave: 'suspended', fail: 'lose', after: [] },
  },
  ...deviceVerbs,
} as const satisfies Record<string, VerbRow & { call: VmCall }>;

/** What is done to VMs, at their hypervisors or where their disks are. */
export const vmVerbs = {
  /** Its disks are there, each as it is wished: of one that has them in a datastore. */
  makeDisks: {
    ...{ call: 'makeDisks', enter: 'place', during: 'ACTIVE/PROLOG' },
    ...{ leave: 'boot', fail: 'fail_prolog', after: ['ACTIVE/BOOT', 'ACTIVE/RUNNING'] },
  },
  ...hostVerbs,
} as const satisfies Record<string, VerbRow>;

export type VmVerb = keyof typeof vmVerbs;
/** Those that are done at a host. */
export type HostVerb = keyof typeof hostVerbs;

type VmStates = Pick<Vm, 'state' | 'lcm_state'>;

/** Whether a VM is in the state in which this is done to it. */
export const isDuring = (verb: VmVerb, vm: VmStates): boolean => vmStateName(vm) === vmVerbs[verb].during;

/** Whether this needs not be done to a VM any more. */
export function isAfter(verb: VmVerb, vm: VmStates): boolean {
  const after: readonly VmStateName[] = vmVerbs[verb].after;
  return after.includes(vmStateName(vm));
}

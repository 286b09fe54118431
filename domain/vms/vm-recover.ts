import type { RecoverAction } from '../../schemas/vms/vm.js';
import type { VmEvent } from './vm-events.js';
import { type VmStateName, vmStateNames } from './vm-states.js';

/**
 * What a recovery does. `claim`: somebody says how a step that hangs came out, and the VM moves so; deploy, terminate,
 * recreate, stop: that operation begins, and goes on from what is.
 */
export type Recovery =
  | { do: 'claim'; event: VmEvent }
  | { do: 'deploy' | 'terminate' | 'recreate' | 'stop' }
  /** Why not, as a sentence that begins with what the VM is. */
  | { do: 'nothing'; why: string };

const claim = (event: VmEvent): Recovery => ({ do: 'claim', event });
const nothing = (why: string): Recovery => ({ do: 'nothing', why });
const deploy: Recovery = { do: 'deploy' };
const terminate: Recovery = { do: 'terminate' };
const recreate: Recovery = { do: 'recreate' };
const stop: Recovery = { do: 'stop' };

const noHost = nothing('it has no host yet, so nothing of it hangs.');
const held = nothing('it is on hold: release it or end it.');
const runs = nothing('it runs: there is nothing to recover.');
const isSo = nothing('that is what it is called already.');
const gone = nothing('it is gone for good.');
const isOff = nothing('it is powered off: resume it or end it.');
const isSaved = nothing('it is suspended: resume it or end it.');
const isAway = nothing('it was taken from its host: resume it or end it.');
const isStored = nothing('it is stopped: resume it or end it.');
const moves = nothing('what moves it is tried again by itself, or has ended: ask for its migration again.');
const switches = nothing('what switches it is tried again by itself, or has ended: ask for it again.');

const saves = nothing('what saves its disk is tried again by itself, or has ended: ask for it again.');
/** Nothing of it was changed: it is what it was, whatever is said. */
const ofSaving = (event: VmEvent) =>
  ({ success: claim(event), failure: claim(event), retry: saves, delete: terminate, recreate }) as const;

const changes = nothing('what changes its devices is tried again by itself, or has ended: ask for it again.');
/** Its host is asked what it has before the change ends: nobody has to say it. */
const ofDevices = { success: changes, failure: changes, retry: changes, delete: terminate, recreate } as const;

/**
 * State → action. As in OpenNebula, but: a claim of failure in UNKNOWN does not say that the VM runs; a retry serves
 * wherever something can be tried; and what the last operation asked for (hard or not) is asked for again.
 */
export const recoveries: { readonly [S in VmStateName]: { readonly [A in RecoverAction]: Recovery } } = {
  PENDING: { success: noHost, failure: noHost, retry: deploy, delete: terminate, recreate: noHost },
  HOLD: { success: held, failure: held, retry: held, delete: terminate, recreate: held },
  'ACTIVE/PROLOG': { success: deploy, failure: claim('fail_prolog'), retry: deploy, delete: terminate, recreate },
  'ACTIVE/BOOT': { success: claim('run'), failure: claim('fail_boot'), retry: deploy, delete: terminate, recreate },
  'ACTIVE/RUNNING': { success: runs, failure: runs, retry: runs, delete: terminate, recreate },
  'ACTIVE/SHUTDOWN_POWEROFF': {
    ...{ success: claim('stop'), failure: claim('run') },
    ...{ retry: switches, delete: terminate, recreate },
  },
  'ACTIVE/SHUTDOWN_UNDEPLOY': {
    ...{ success: claim('undeployed'), failure: claim('run') },
    ...{ retry: switches, delete: terminate, recreate },
  },
  'ACTIVE/SAVE_SUSPEND': {
    ...{ success: claim('suspended'), failure: claim('run') },
    ...{ retry: switches, delete: terminate, recreate },
  },
  // Saved, it is on its host still: it is SUSPENDED there.
  'ACTIVE/SAVE_STOP': {
    ...{ success: claim('suspended'), failure: claim('run') },
    ...{ retry: switches, delete: terminate, recreate },
  },
  'ACTIVE/EPILOG_STOP': {
    ...{ success: claim('stored'), failure: claim('fail_epilog') },
    ...{ retry: switches, delete: terminate, recreate },
  },
  'ACTIVE/PROLOG_RESUME': {
    ...{ success: deploy, failure: claim('fail_prolog') },
    ...{ retry: deploy, delete: terminate, recreate },
  },
  'ACTIVE/BOOT_STOPPED': {
    ...{ success: claim('run'), failure: claim('suspended') },
    ...{ retry: switches, delete: terminate, recreate },
  },
  'ACTIVE/BOOT_SUSPENDED': {
    ...{ success: claim('run'), failure: claim('suspended') },
    ...{ retry: switches, delete: terminate, recreate },
  },
  // OpenNebula takes it for a snapshot that was not made, whatever is claimed: what there is of it is not known, and it runs.
  'ACTIVE/HOTPLUG_SNAPSHOT': {
    ...{ success: claim('run'), failure: claim('run') },
    ...{ retry: switches, delete: terminate, recreate },
  },
  'ACTIVE/HOTPLUG_SAVEAS': ofSaving('run'),
  'ACTIVE/HOTPLUG_SAVEAS_POWEROFF': ofSaving('stop'),
  'ACTIVE/HOTPLUG_SAVEAS_SUSPENDED': ofSaving('suspended'),
  'ACTIVE/MIGRATE': { success: moves, failure: moves, retry: moves, delete: terminate, recreate },
  'ACTIVE/SAVE_MIGRATE': { success: moves, failure: moves, retry: moves, delete: terminate, recreate },
  'ACTIVE/PROLOG_MIGRATE': { success: moves, failure: moves, retry: moves, delete: terminate, recreate },
  'ACTIVE/BOOT_MIGRATE': { success: moves, failure: moves, retry: moves, delete: terminate, recreate },
  'ACTIVE/PROLOG_MIGRATE_POWEROFF': { success: moves, failure: moves, retry: moves, delete: terminate, recreate },
  'ACTIVE/PROLOG_MIGRATE_SUSPEND': { success: moves, failure: moves, retry: moves, delete: terminate, recreate },
  'ACTIVE/HOTPLUG': ofDevices,
  'ACTIVE/HOTPLUG_NIC': ofDevices,
  'ACTIVE/HOTPLUG_NIC_POWEROFF': ofDevices,
  'ACTIVE/HOTPLUG_PROLOG_POWEROFF': ofDevices,
  'ACTIVE/HOTPLUG_EPILOG_POWEROFF': ofDevices,
  'ACTIVE/DISK_RESIZE': ofDevices,
  'ACTIVE/DISK_RESIZE_POWEROFF': ofDevices,
  'ACTIVE/DISK_SNAPSHOT': ofDevices,
  'ACTIVE/DISK_SNAPSHOT_POWEROFF': ofDevices,
  'ACTIVE/DISK_SNAPSHOT_SUSPENDED': ofDevices,
  'ACTIVE/DISK_SNAPSHOT_REVERT_POWEROFF': ofDevices,
  'ACTIVE/DISK_SNAPSHOT_REVERT_SUSPENDED': ofDevices,
  'ACTIVE/DISK_SNAPSHOT_DELETE': ofDevices,
  'ACTIVE/DISK_SNAPSHOT_DELETE_POWEROFF': ofDevices,
  'ACTIVE/DISK_SNAPSHOT_DELETE_SUSPENDED': ofDevices,
  'ACTIVE/SHUTDOWN': {
    success: claim('done'),
    failure: claim('fail_shutdown'),
    retry: terminate,
    delete: terminate,
    recreate,
  },
  'ACTIVE/EPILOG': {
    success: claim('done'),
    failure: claim('fail_epilog'),
    retry: terminate,
    delete: terminate,
    recreate,
  },
  'ACTIVE/UNKNOWN': { success: claim('run'), failure: claim('stop'), retry: deploy, delete: terminate, recreate },
  'ACTIVE/PROLOG_FAILURE': { success: deploy, failure: isSo, retry: deploy, delete: terminate, recreate },
  'ACTIVE/BOOT_FAILURE': { success: claim('run'), failure: isSo, retry: deploy, delete: terminate, recreate },
  'ACTIVE/EPILOG_FAILURE': { success: claim('done'), failure: isSo, retry: terminate, delete: terminate, recreate },
  'ACTIVE/EPILOG_STOP_FAILURE': {
    ...{ success: claim('stored'), failure: claim('suspended') },
    ...{ retry: stop, delete: terminate, recreate },
  },
  'ACTIVE/PROLOG_RESUME_FAILURE': { success: deploy, failure: isSo, retry: deploy, delete: terminate, recreate },
  POWEROFF: { success: isOff, failure: isOff, retry: isOff, delete: terminate, recreate: isOff },
  SUSPENDED: { success: isSaved, failure: isSaved, retry: isSaved, delete: terminate, recreate: isSaved },
  UNDEPLOYED: { success: isAway, failure: isAway, retry: isAway, delete: terminate, recreate },
  STOPPED: { success: isStored, failure: isStored, retry: isStored, delete: terminate, recreate },
  DONE: { success: gone, failure: gone, retry: gone, delete: gone, recreate: gone },
};

/** The states in which an action does this. */
export const statesThat = (does: Recovery['do'], action: RecoverAction): VmStateName[] =>
  vmStateNames.filter((state) => recoveries[state][action].do === does);

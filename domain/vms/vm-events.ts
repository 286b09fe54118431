import type { Vm, VmLcmState } from '../../schemas/vms/vm.js';
import { deviceStates, isChangingDevices, savingStates } from './device-states.js';
import type { VmStateName } from './vm-states.js';

export type VmEvent =
  | 'place'
  | 'boot'
  | 'run'
  | 'lose'
  | 'stop'
  | 'retry'
  | 'fail_prolog'
  | 'fail_boot'
  | 'shutdown'
  | 'fail_shutdown'
  | 'epilog'
  | 'fail_epilog'
  | 'done'
  | 'resubmit'
  | 'power_off'
  | 'suspend'
  | 'suspended'
  | 'undeploy'
  | 'undeployed'
  | 'save_stop'
  | 'store'
  | 'stored'
  | 'fetch'
  | 'resume_stopped'
  | 'restore'
  | 'hold'
  | 'release'
  | 'snapshot'
  | 'migrate'
  | 'save_migrate'
  | 'move'
  | 'restart'
  | 'move_off'
  | 'move_saved'
  | 'plug_nic'
  | 'plug_disk'
  | 'unplug_disk'
  | 'resize_disk'
  | 'snapshot_disk'
  | 'revert_disk'
  | 'drop_snapshot'
  | 'save_disk'
  | 'leave';

/**
 * State → event → next state; an absent pair is illegal. A state on the way accepts its own event again, for a second
 * run. A VM can be shut down from everywhere: destroying what is not there succeeds, so each removal takes the same way.
 * `retry`: what failed to deploy or does not run is deployed again in its place, under a higher epoch. `lose`: its
 * domain is not what it was, and only looking at the host can tell more. `stop`: it is there and does not run. `resubmit`:
 * nothing of it is left anywhere, and it begins anew; so does one that was taken from its host. A step that switches a VM off
 * and is given up, or refused, leaves it UNKNOWN: the next look at its host says what it is. A VM may be found to `run` wherever its domain can have gone on
 * without Arcus. `leave`: its host is off, and it is to be started elsewhere, with the disks that it has. What is imported does in the end what it did before, be it nothing. Who gives up, or refuses, to take it to another host leaves it UNKNOWN, too, until it is known where it is.
 */
export const vmStates = {
  // Of one that was stopped or undeployed something is kept, which is brought to its host, or ended with it.
  PENDING: {
    place: 'ACTIVE/PROLOG',
    fetch: 'ACTIVE/PROLOG_RESUME',
    hold: 'HOLD',
    epilog: 'ACTIVE/EPILOG',
    done: 'DONE',
  },
  HOLD: { hold: 'HOLD', release: 'PENDING', epilog: 'ACTIVE/EPILOG', done: 'DONE' },
  'ACTIVE/PROLOG': {
    place: 'ACTIVE/PROLOG',
    retry: 'ACTIVE/PROLOG',
    boot: 'ACTIVE/BOOT',
    fail_prolog: 'ACTIVE/PROLOG_FAILURE',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/BOOT': {
    boot: 'ACTIVE/BOOT',
    run: 'ACTIVE/RUNNING',
    stop: 'POWEROFF',
    suspended: 'SUSPENDED',
    fail_boot: 'ACTIVE/BOOT_FAILURE',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/RUNNING': {
    run: 'ACTIVE/RUNNING',
    lose: 'ACTIVE/UNKNOWN',
    stop: 'POWEROFF',
    suspended: 'SUSPENDED',
    power_off: 'ACTIVE/SHUTDOWN_POWEROFF',
    suspend: 'ACTIVE/SAVE_SUSPEND',
    save_stop: 'ACTIVE/SAVE_STOP',
    undeploy: 'ACTIVE/SHUTDOWN_UNDEPLOY',
    snapshot: 'ACTIVE/HOTPLUG_SNAPSHOT',
    migrate: 'ACTIVE/MIGRATE',
    save_migrate: 'ACTIVE/SAVE_MIGRATE',
    plug_nic: 'ACTIVE/HOTPLUG_NIC',
    plug_disk: 'ACTIVE/HOTPLUG',
    unplug_disk: 'ACTIVE/HOTPLUG',
    resize_disk: 'ACTIVE/DISK_RESIZE',
    snapshot_disk: 'ACTIVE/DISK_SNAPSHOT',
    drop_snapshot: 'ACTIVE/DISK_SNAPSHOT_DELETE',
    save_disk: 'ACTIVE/HOTPLUG_SAVEAS',
    leave: 'PENDING',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  // It runs all the while, whatever becomes of the snapshot.
  'ACTIVE/HOTPLUG_SNAPSHOT': {
    snapshot: 'ACTIVE/HOTPLUG_SNAPSHOT',
    run: 'ACTIVE/RUNNING',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/MIGRATE': {
    migrate: 'ACTIVE/MIGRATE',
    run: 'ACTIVE/RUNNING',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/SAVE_MIGRATE': {
    save_migrate: 'ACTIVE/SAVE_MIGRATE',
    move: 'ACTIVE/PROLOG_MIGRATE',
    run: 'ACTIVE/RUNNING',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/PROLOG_MIGRATE': {
    move: 'ACTIVE/PROLOG_MIGRATE',
    restart: 'ACTIVE/BOOT_MIGRATE',
    run: 'ACTIVE/RUNNING',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/BOOT_MIGRATE': {
    restart: 'ACTIVE/BOOT_MIGRATE',
    run: 'ACTIVE/RUNNING',
    suspended: 'SUSPENDED',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/PROLOG_MIGRATE_POWEROFF': {
    move_off: 'ACTIVE/PROLOG_MIGRATE_POWEROFF',
    stop: 'POWEROFF',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/PROLOG_MIGRATE_SUSPEND': {
    move_saved: 'ACTIVE/PROLOG_MIGRATE_SUSPEND',
    suspended: 'SUSPENDED',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  ...deviceStates,
  ...savingStates,
  'ACTIVE/SHUTDOWN_POWEROFF': {
    power_off: 'ACTIVE/SHUTDOWN_POWEROFF',
    stop: 'POWEROFF',
    run: 'ACTIVE/RUNNING',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/SAVE_SUSPEND': {
    suspend: 'ACTIVE/SAVE_SUSPEND',
    suspended: 'SUSPENDED',
    run: 'ACTIVE/RUNNING',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/SHUTDOWN_UNDEPLOY': {
    undeploy: 'ACTIVE/SHUTDOWN_UNDEPLOY',
    undeployed: 'UNDEPLOYED',
    run: 'ACTIVE/RUNNING',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/SAVE_STOP': {
    save_stop: 'ACTIVE/SAVE_STOP',
    store: 'ACTIVE/EPILOG_STOP',
    suspended: 'SUSPENDED',
    run: 'ACTIVE/RUNNING',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/EPILOG_STOP': {
    store: 'ACTIVE/EPILOG_STOP',
    stored: 'STOPPED',
    fail_epilog: 'ACTIVE/EPILOG_STOP_FAILURE',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/PROLOG_RESUME': {
    fetch: 'ACTIVE/PROLOG_RESUME',
    retry: 'ACTIVE/PROLOG_RESUME',
    resume_stopped: 'ACTIVE/BOOT_STOPPED',
    fail_prolog: 'ACTIVE/PROLOG_RESUME_FAILURE',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/BOOT_STOPPED': {
    resume_stopped: 'ACTIVE/BOOT_STOPPED',
    run: 'ACTIVE/RUNNING',
    suspended: 'SUSPENDED',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/BOOT_SUSPENDED': {
    restore: 'ACTIVE/BOOT_SUSPENDED',
    run: 'ACTIVE/RUNNING',
    suspended: 'SUSPENDED',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  // Without disks in a datastore, a VM whose domain is gone is done at once. Whether a domain is left is unknown after a
  // shutdown that failed, whatever the VM was doing before.
  'ACTIVE/SHUTDOWN': {
    shutdown: 'ACTIVE/SHUTDOWN',
    epilog: 'ACTIVE/EPILOG',
    done: 'DONE',
    resubmit: 'PENDING',
    fail_shutdown: 'ACTIVE/UNKNOWN',
  },
  'ACTIVE/EPILOG': {
    shutdown: 'ACTIVE/SHUTDOWN',
    epilog: 'ACTIVE/EPILOG',
    done: 'DONE',
    resubmit: 'PENDING',
    fail_epilog: 'ACTIVE/EPILOG_FAILURE',
  },
  'ACTIVE/UNKNOWN': {
    lose: 'ACTIVE/UNKNOWN',
    run: 'ACTIVE/RUNNING',
    stop: 'POWEROFF',
    suspended: 'SUSPENDED',
    power_off: 'ACTIVE/SHUTDOWN_POWEROFF',
    undeploy: 'ACTIVE/SHUTDOWN_UNDEPLOY',
    retry: 'ACTIVE/PROLOG',
    leave: 'PENDING',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/PROLOG_FAILURE': { retry: 'ACTIVE/PROLOG', leave: 'PENDING', shutdown: 'ACTIVE/SHUTDOWN' },
  'ACTIVE/BOOT_FAILURE': {
    run: 'ACTIVE/RUNNING',
    retry: 'ACTIVE/PROLOG',
    leave: 'PENDING',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/EPILOG_FAILURE': { shutdown: 'ACTIVE/SHUTDOWN', epilog: 'ACTIVE/EPILOG', done: 'DONE' },
  'ACTIVE/EPILOG_STOP_FAILURE': {
    store: 'ACTIVE/EPILOG_STOP',
    stored: 'STOPPED',
    suspended: 'SUSPENDED',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/PROLOG_RESUME_FAILURE': {
    retry: 'ACTIVE/PROLOG_RESUME',
    store: 'ACTIVE/EPILOG_STOP',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  POWEROFF: {
    run: 'ACTIVE/RUNNING',
    stop: 'POWEROFF',
    retry: 'ACTIVE/PROLOG',
    undeploy: 'ACTIVE/SHUTDOWN_UNDEPLOY',
    move_off: 'ACTIVE/PROLOG_MIGRATE_POWEROFF',
    plug_nic: 'ACTIVE/HOTPLUG_NIC_POWEROFF',
    plug_disk: 'ACTIVE/HOTPLUG_PROLOG_POWEROFF',
    unplug_disk: 'ACTIVE/HOTPLUG_EPILOG_POWEROFF',
    resize_disk: 'ACTIVE/DISK_RESIZE_POWEROFF',
    snapshot_disk: 'ACTIVE/DISK_SNAPSHOT_POWEROFF',
    revert_disk: 'ACTIVE/DISK_SNAPSHOT_REVERT_POWEROFF',
    drop_snapshot: 'ACTIVE/DISK_SNAPSHOT_DELETE_POWEROFF',
    save_disk: 'ACTIVE/HOTPLUG_SAVEAS_POWEROFF',
    lose: 'ACTIVE/UNKNOWN',
    leave: 'PENDING',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  SUSPENDED: {
    run: 'ACTIVE/RUNNING',
    suspended: 'SUSPENDED',
    restore: 'ACTIVE/BOOT_SUSPENDED',
    store: 'ACTIVE/EPILOG_STOP',
    move_saved: 'ACTIVE/PROLOG_MIGRATE_SUSPEND',
    snapshot_disk: 'ACTIVE/DISK_SNAPSHOT_SUSPENDED',
    revert_disk: 'ACTIVE/DISK_SNAPSHOT_REVERT_SUSPENDED',
    drop_snapshot: 'ACTIVE/DISK_SNAPSHOT_DELETE_SUSPENDED',
    save_disk: 'ACTIVE/HOTPLUG_SAVEAS_SUSPENDED',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  UNDEPLOYED: { resubmit: 'PENDING', epilog: 'ACTIVE/EPILOG', shutdown: 'ACTIVE/SHUTDOWN' },
  STOPPED: { resubmit: 'PENDING', epilog: 'ACTIVE/EPILOG', shutdown: 'ACTIVE/SHUTDOWN' },
  DONE: {},
} as const satisfies Record<VmStateName, Partial<Record<VmEvent, VmStateName>>>;

/** The state of a VM after an event, or undefined where the event is illegal. */
export function nextVmState(state: VmStateName, event: VmEvent): VmStateName | undefined {
  const row: Partial<Record<VmEvent, VmStateName>> = vmStates[state];
  return row[event];
}

const abandonments: Partial<Record<VmLcmState, VmEvent>> = {
  PROLOG: 'fail_prolog',
  BOOT: 'fail_boot',
  SHUTDOWN: 'fail_shutdown',
  EPILOG: 'fail_epilog',
  SHUTDOWN_POWEROFF: 'lose',
  SHUTDOWN_UNDEPLOY: 'lose',
  SAVE_SUSPEND: 'lose',
  BOOT_SUSPENDED: 'suspended',
  SAVE_STOP: 'lose',
  EPILOG_STOP: 'fail_epilog',
  PROLOG_RESUME: 'fail_prolog',
  BOOT_STOPPED: 'suspended',
  HOTPLUG_SNAPSHOT: 'run',
  HOTPLUG_SAVEAS: 'run',
  HOTPLUG_SAVEAS_POWEROFF: 'stop',
  HOTPLUG_SAVEAS_SUSPENDED: 'suspended',
  MIGRATE: 'lose',
  SAVE_MIGRATE: 'lose',
  PROLOG_MIGRATE: 'lose',
  BOOT_MIGRATE: 'suspended',
  PROLOG_MIGRATE_POWEROFF: 'lose',
  PROLOG_MIGRATE_SUSPEND: 'lose',
};

/** The event by which a VM in the middle of a step says that the step was given up; undefined when it is in none. */
export const abandonment = ({ lcm_state }: Pick<Vm, 'lcm_state'>): VmEvent | undefined =>
  isChangingDevices(lcm_state) ? 'lose' : abandonments[lcm_state];

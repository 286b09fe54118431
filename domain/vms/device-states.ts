import type { VmLcmState } from '../../schemas/vms/vm.js';

/** States of a VM of which the devices are changed, as rows of the table of states: it is what it was before and after. */
export const deviceStates = {
  'ACTIVE/HOTPLUG': {
    plug_disk: 'ACTIVE/HOTPLUG',
    unplug_disk: 'ACTIVE/HOTPLUG',
    run: 'ACTIVE/RUNNING',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/HOTPLUG_NIC': {
    plug_nic: 'ACTIVE/HOTPLUG_NIC',
    run: 'ACTIVE/RUNNING',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/HOTPLUG_NIC_POWEROFF': {
    plug_nic: 'ACTIVE/HOTPLUG_NIC_POWEROFF',
    stop: 'POWEROFF',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/HOTPLUG_PROLOG_POWEROFF': {
    plug_disk: 'ACTIVE/HOTPLUG_PROLOG_POWEROFF',
    stop: 'POWEROFF',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/HOTPLUG_EPILOG_POWEROFF': {
    unplug_disk: 'ACTIVE/HOTPLUG_EPILOG_POWEROFF',
    stop: 'POWEROFF',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/DISK_RESIZE': {
    resize_disk: 'ACTIVE/DISK_RESIZE',
    run: 'ACTIVE/RUNNING',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/DISK_RESIZE_POWEROFF': {
    resize_disk: 'ACTIVE/DISK_RESIZE_POWEROFF',
    stop: 'POWEROFF',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/DISK_SNAPSHOT': {
    snapshot_disk: 'ACTIVE/DISK_SNAPSHOT',
    run: 'ACTIVE/RUNNING',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/DISK_SNAPSHOT_POWEROFF': {
    snapshot_disk: 'ACTIVE/DISK_SNAPSHOT_POWEROFF',
    stop: 'POWEROFF',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/DISK_SNAPSHOT_SUSPENDED': {
    snapshot_disk: 'ACTIVE/DISK_SNAPSHOT_SUSPENDED',
    suspended: 'SUSPENDED',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/DISK_SNAPSHOT_REVERT_POWEROFF': {
    revert_disk: 'ACTIVE/DISK_SNAPSHOT_REVERT_POWEROFF',
    stop: 'POWEROFF',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/DISK_SNAPSHOT_REVERT_SUSPENDED': {
    revert_disk: 'ACTIVE/DISK_SNAPSHOT_REVERT_SUSPENDED',
    suspended: 'SUSPENDED',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/DISK_SNAPSHOT_DELETE': {
    drop_snapshot: 'ACTIVE/DISK_SNAPSHOT_DELETE',
    run: 'ACTIVE/RUNNING',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/DISK_SNAPSHOT_DELETE_POWEROFF': {
    drop_snapshot: 'ACTIVE/DISK_SNAPSHOT_DELETE_POWEROFF',
    stop: 'POWEROFF',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/DISK_SNAPSHOT_DELETE_SUSPENDED': {
    drop_snapshot: 'ACTIVE/DISK_SNAPSHOT_DELETE_SUSPENDED',
    suspended: 'SUSPENDED',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
} as const;

/** Of one of which a disk is saved nothing is changed: it is what it was, whatever becomes of that. */
export const savingStates = {
  'ACTIVE/HOTPLUG_SAVEAS': {
    save_disk: 'ACTIVE/HOTPLUG_SAVEAS',
    run: 'ACTIVE/RUNNING',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/HOTPLUG_SAVEAS_POWEROFF': {
    save_disk: 'ACTIVE/HOTPLUG_SAVEAS_POWEROFF',
    stop: 'POWEROFF',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/HOTPLUG_SAVEAS_SUSPENDED': {
    save_disk: 'ACTIVE/HOTPLUG_SAVEAS_SUSPENDED',
    suspended: 'SUSPENDED',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
} as const;

const words: ReadonlySet<string> = new Set(Object.keys(deviceStates).map((name) => name.replace('ACTIVE/', '')));
export const isChangingDevices = (lcm_state: VmLcmState): boolean => words.has(lcm_state);

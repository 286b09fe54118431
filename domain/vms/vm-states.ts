import type { Vm, VmLcmState, VmState } from '../../schemas/vms/vm.js';

/** A VM's state and life-cycle state in one word: the latter says something only of an ACTIVE VM. */
export type VmStateName = Exclude<VmState, 'ACTIVE'> | `ACTIVE/${Exclude<VmLcmState, 'LCM_INIT'>}`;

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
  | 'drop_snapshot';

/**
 * State → event → next state; an absent pair is illegal. A state on the way accepts its own event again, for a second
 * run. A VM can be shut down from everywhere: destroying what is not there succeeds, so each removal takes the same way.
 * `retry`: what failed to deploy or does not run is deployed again in its place, under a higher epoch. `lose`: its
 * domain is not what it was, and only looking at the host can tell more. `stop`: it is there and does not run. `resubmit`:
 * nothing of it is left anywhere, and it begins anew; so does one that was taken from its host. A step that switches a VM off
 * and is given up, or refused, leaves it UNKNOWN: the next look at its host says what it is. A VM may be found to `run` wherever its domain can have gone on
 * without Arcus. Who gives up, or refuses, to take it to another host leaves it UNKNOWN, too, until it is known where it is.
 */
export const vmStates = {
  PENDING: { place: 'ACTIVE/PROLOG', hold: 'HOLD', done: 'DONE' },
  HOLD: { hold: 'HOLD', release: 'PENDING', done: 'DONE' },
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
  // Its devices are changed.
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
  'ACTIVE/BOOT_SUSPENDED': {
    restore: 'ACTIVE/BOOT_SUSPENDED',
    run: 'ACTIVE/RUNNING',
    suspended: 'SUSPENDED',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  // Without disks to clean up, a VM whose domain is gone is done at once. Whether a domain is left is unknown after a
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
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  'ACTIVE/PROLOG_FAILURE': { retry: 'ACTIVE/PROLOG', shutdown: 'ACTIVE/SHUTDOWN' },
  'ACTIVE/BOOT_FAILURE': { run: 'ACTIVE/RUNNING', retry: 'ACTIVE/PROLOG', shutdown: 'ACTIVE/SHUTDOWN' },
  'ACTIVE/EPILOG_FAILURE': { shutdown: 'ACTIVE/SHUTDOWN', epilog: 'ACTIVE/EPILOG', done: 'DONE' },
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
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  SUSPENDED: {
    run: 'ACTIVE/RUNNING',
    suspended: 'SUSPENDED',
    restore: 'ACTIVE/BOOT_SUSPENDED',
    move_saved: 'ACTIVE/PROLOG_MIGRATE_SUSPEND',
    snapshot_disk: 'ACTIVE/DISK_SNAPSHOT_SUSPENDED',
    revert_disk: 'ACTIVE/DISK_SNAPSHOT_REVERT_SUSPENDED',
    drop_snapshot: 'ACTIVE/DISK_SNAPSHOT_DELETE_SUSPENDED',
    lose: 'ACTIVE/UNKNOWN',
    shutdown: 'ACTIVE/SHUTDOWN',
  },
  UNDEPLOYED: { resubmit: 'PENDING', shutdown: 'ACTIVE/SHUTDOWN' },
  DONE: {},
} as const satisfies Record<VmStateName, Partial<Record<VmEvent, VmStateName>>>;

/** The state of a VM after an event, or undefined where the event is illegal. */
export function nextVmState(state: VmStateName, event: VmEvent): VmStateName | undefined {
  const row: Partial<Record<VmEvent, VmStateName>> = vmStates[state];
  return row[event];
}

type VmStates = Pick<Vm, 'state' | 'lcm_state'>;

/** The one word for what a VM document stores in two. */
export function vmStateName({ state, lcm_state }: VmStates): VmStateName {
  if (state !== 'ACTIVE') return state;
  if (lcm_state === 'LCM_INIT') return 'ACTIVE/UNKNOWN';
  return `ACTIVE/${lcm_state}`;
}

const storedStates: { readonly [name in VmStateName]: VmStates } = {
  PENDING: { state: 'PENDING', lcm_state: 'LCM_INIT' },
  HOLD: { state: 'HOLD', lcm_state: 'LCM_INIT' },
  'ACTIVE/PROLOG': { state: 'ACTIVE', lcm_state: 'PROLOG' },
  'ACTIVE/BOOT': { state: 'ACTIVE', lcm_state: 'BOOT' },
  'ACTIVE/RUNNING': { state: 'ACTIVE', lcm_state: 'RUNNING' },
  'ACTIVE/SHUTDOWN': { state: 'ACTIVE', lcm_state: 'SHUTDOWN' },
  'ACTIVE/SHUTDOWN_POWEROFF': { state: 'ACTIVE', lcm_state: 'SHUTDOWN_POWEROFF' },
  'ACTIVE/SHUTDOWN_UNDEPLOY': { state: 'ACTIVE', lcm_state: 'SHUTDOWN_UNDEPLOY' },
  'ACTIVE/SAVE_SUSPEND': { state: 'ACTIVE', lcm_state: 'SAVE_SUSPEND' },
  'ACTIVE/BOOT_SUSPENDED': { state: 'ACTIVE', lcm_state: 'BOOT_SUSPENDED' },
  'ACTIVE/HOTPLUG_SNAPSHOT': { state: 'ACTIVE', lcm_state: 'HOTPLUG_SNAPSHOT' },
  'ACTIVE/MIGRATE': { state: 'ACTIVE', lcm_state: 'MIGRATE' },
  'ACTIVE/SAVE_MIGRATE': { state: 'ACTIVE', lcm_state: 'SAVE_MIGRATE' },
  'ACTIVE/PROLOG_MIGRATE': { state: 'ACTIVE', lcm_state: 'PROLOG_MIGRATE' },
  'ACTIVE/BOOT_MIGRATE': { state: 'ACTIVE', lcm_state: 'BOOT_MIGRATE' },
  'ACTIVE/PROLOG_MIGRATE_POWEROFF': { state: 'ACTIVE', lcm_state: 'PROLOG_MIGRATE_POWEROFF' },
  'ACTIVE/PROLOG_MIGRATE_SUSPEND': { state: 'ACTIVE', lcm_state: 'PROLOG_MIGRATE_SUSPEND' },
  'ACTIVE/HOTPLUG': { state: 'ACTIVE', lcm_state: 'HOTPLUG' },
  'ACTIVE/HOTPLUG_NIC': { state: 'ACTIVE', lcm_state: 'HOTPLUG_NIC' },
  'ACTIVE/HOTPLUG_NIC_POWEROFF': { state: 'ACTIVE', lcm_state: 'HOTPLUG_NIC_POWEROFF' },
  'ACTIVE/HOTPLUG_PROLOG_POWEROFF': { state: 'ACTIVE', lcm_state: 'HOTPLUG_PROLOG_POWEROFF' },
  'ACTIVE/HOTPLUG_EPILOG_POWEROFF': { state: 'ACTIVE', lcm_state: 'HOTPLUG_EPILOG_POWEROFF' },
  'ACTIVE/DISK_RESIZE': { state: 'ACTIVE', lcm_state: 'DISK_RESIZE' },
  'ACTIVE/DISK_RESIZE_POWEROFF': { state: 'ACTIVE', lcm_state: 'DISK_RESIZE_POWEROFF' },
  'ACTIVE/DISK_SNAPSHOT': { state: 'ACTIVE', lcm_state: 'DISK_SNAPSHOT' },
  'ACTIVE/DISK_SNAPSHOT_POWEROFF': { state: 'ACTIVE', lcm_state: 'DISK_SNAPSHOT_POWEROFF' },
  'ACTIVE/DISK_SNAPSHOT_SUSPENDED': { state: 'ACTIVE', lcm_state: 'DISK_SNAPSHOT_SUSPENDED' },
  'ACTIVE/DISK_SNAPSHOT_REVERT_POWEROFF': { state: 'ACTIVE', lcm_state: 'DISK_SNAPSHOT_REVERT_POWEROFF' },
  'ACTIVE/DISK_SNAPSHOT_REVERT_SUSPENDED': { state: 'ACTIVE', lcm_state: 'DISK_SNAPSHOT_REVERT_SUSPENDED' },
  'ACTIVE/DISK_SNAPSHOT_DELETE': { state: 'ACTIVE', lcm_state: 'DISK_SNAPSHOT_DELETE' },
  'ACTIVE/DISK_SNAPSHOT_DELETE_POWEROFF': { state: 'ACTIVE', lcm_state: 'DISK_SNAPSHOT_DELETE_POWEROFF' },
  'ACTIVE/DISK_SNAPSHOT_DELETE_SUSPENDED': { state: 'ACTIVE', lcm_state: 'DISK_SNAPSHOT_DELETE_SUSPENDED' },
  'ACTIVE/EPILOG': { state: 'ACTIVE', lcm_state: 'EPILOG' },
  'ACTIVE/UNKNOWN': { state: 'ACTIVE', lcm_state: 'UNKNOWN' },
  'ACTIVE/PROLOG_FAILURE': { state: 'ACTIVE', lcm_state: 'PROLOG_FAILURE' },
  'ACTIVE/BOOT_FAILURE': { state: 'ACTIVE', lcm_state: 'BOOT_FAILURE' },
  'ACTIVE/EPILOG_FAILURE': { state: 'ACTIVE', lcm_state: 'EPILOG_FAILURE' },
  POWEROFF: { state: 'POWEROFF', lcm_state: 'LCM_INIT' },
  SUSPENDED: { state: 'SUSPENDED', lcm_state: 'LCM_INIT' },
  UNDEPLOYED: { state: 'UNDEPLOYED', lcm_state: 'LCM_INIT' },
  DONE: { state: 'DONE', lcm_state: 'LCM_INIT' },
};

/** What a VM document stores for this state. */
export const storedVmState = (name: VmStateName): VmStates => ({ ...storedStates[name] });

export const vmStateNames = Object.values(storedStates).map(vmStateName);

/** OpenNebula's *_FAILURE states: they are left by a new try or by a removal. */
export const isVmFailure = (lcm: VmLcmState): boolean => lcm.endsWith('_FAILURE');

/** VMs that failed to deploy, and can be deployed again where they are. */
export const failedToDeploy = ({ lcm_state }: Pick<Vm, 'lcm_state'>): boolean =>
  lcm_state === 'PROLOG_FAILURE' || lcm_state === 'BOOT_FAILURE';

export const isVmRunning = (vm: VmStates): boolean => vm.state === 'ACTIVE' && vm.lcm_state === 'RUNNING';

/** States of VMs that their users have switched off, and start again when they like. */
export const offStates: readonly VmState[] = ['POWEROFF', 'SUSPENDED', 'UNDEPLOYED'];

/** Its devices are changed: it is there before and after. */
const changing: readonly VmLcmState[] = [
  ...(['HOTPLUG', 'HOTPLUG_NIC', 'HOTPLUG_NIC_POWEROFF'] as const),
  ...(['HOTPLUG_PROLOG_POWEROFF', 'HOTPLUG_EPILOG_POWEROFF', 'DISK_RESIZE', 'DISK_RESIZE_POWEROFF'] as const),
  ...(['DISK_SNAPSHOT', 'DISK_SNAPSHOT_POWEROFF', 'DISK_SNAPSHOT_SUSPENDED'] as const),
  ...(['DISK_SNAPSHOT_REVERT_POWEROFF', 'DISK_SNAPSHOT_REVERT_SUSPENDED'] as const),
  ...(['DISK_SNAPSHOT_DELETE', 'DISK_SNAPSHOT_DELETE_POWEROFF', 'DISK_SNAPSHOT_DELETE_SUSPENDED'] as const),
];

/** On the way into one of them, out of it by what was saved, to another host, or at its snapshots. */
const switching: readonly VmLcmState[] = [
  ...(['SHUTDOWN_POWEROFF', 'SAVE_SUSPEND', 'SHUTDOWN_UNDEPLOY', 'BOOT_SUSPENDED'] as const),
  ...(['HOTPLUG_SNAPSHOT'] as const),
  ...(['MIGRATE', 'SAVE_MIGRATE', 'PROLOG_MIGRATE', 'BOOT_MIGRATE'] as const),
  ...(['PROLOG_MIGRATE_POWEROFF', 'PROLOG_MIGRATE_SUSPEND'] as const),
  ...changing,
];

/** Switched off by its user, and not on its way: that it does not run is as it should be. */
export const isVmOff = ({ state }: Pick<Vm, 'state'>): boolean => offStates.includes(state);

/** A VM that serves, or that its user has switched off or is switching: nothing is amiss with it. */
export const isVmHealthy = (vm: VmStates): boolean =>
  isVmRunning(vm) || isVmOff(vm) || switching.includes(vm.lcm_state);

/** A VM that no host has had since it was made, or began anew. */
export const isVmUnplaced = ({ state }: Pick<Vm, 'state'>): boolean => state === 'PENDING' || state === 'HOLD';

/** States of VMs that have a host, with what is reserved there. */
export const placedStates: readonly VmState[] = ['ACTIVE', 'POWEROFF', 'SUSPENDED'];

/** Without a host, and with nothing on one: to be placed, or taken from it. */
export const isVmOffHost = ({ state }: Pick<Vm, 'state'>): boolean => !placedStates.includes(state);

export const isVmGone = (vm: Pick<Vm, 'state'>): boolean => vm.state === 'DONE';

const abandonments: Partial<Record<VmLcmState, VmEvent>> = {
  PROLOG: 'fail_prolog',
  BOOT: 'fail_boot',
  SHUTDOWN: 'fail_shutdown',
  EPILOG: 'fail_epilog',
  SHUTDOWN_POWEROFF: 'lose',
  SHUTDOWN_UNDEPLOY: 'lose',
  SAVE_SUSPEND: 'lose',
  BOOT_SUSPENDED: 'suspended',
  HOTPLUG_SNAPSHOT: 'run',
  MIGRATE: 'lose',
  SAVE_MIGRATE: 'lose',
  PROLOG_MIGRATE: 'lose',
  BOOT_MIGRATE: 'suspended',
  PROLOG_MIGRATE_POWEROFF: 'lose',
  PROLOG_MIGRATE_SUSPEND: 'lose',
  HOTPLUG: 'lose',
  HOTPLUG_NIC: 'lose',
  HOTPLUG_NIC_POWEROFF: 'lose',
  HOTPLUG_PROLOG_POWEROFF: 'lose',
  HOTPLUG_EPILOG_POWEROFF: 'lose',
  DISK_RESIZE: 'lose',
  DISK_RESIZE_POWEROFF: 'lose',
  DISK_SNAPSHOT: 'lose',
  DISK_SNAPSHOT_POWEROFF: 'lose',
  DISK_SNAPSHOT_SUSPENDED: 'lose',
  DISK_SNAPSHOT_REVERT_POWEROFF: 'lose',
  DISK_SNAPSHOT_REVERT_SUSPENDED: 'lose',
  DISK_SNAPSHOT_DELETE: 'lose',
  DISK_SNAPSHOT_DELETE_POWEROFF: 'lose',
  DISK_SNAPSHOT_DELETE_SUSPENDED: 'lose',
};

/** The event by which a VM in the middle of a step says that the step was given up; undefined when it is in none. */
export const abandonment = ({ lcm_state }: Pick<Vm, 'lcm_state'>): VmEvent | undefined => abandonments[lcm_state];

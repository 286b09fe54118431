import { type Vm, VmLcmState, type VmState } from '../../schemas/vms/vm.js';
import { isChangingDevices } from './device-states.js';

/** A VM's state and life-cycle state in one word: the latter says something only of an ACTIVE VM. */
export type VmStateName = Exclude<VmState, 'ACTIVE'> | `ACTIVE/${Exclude<VmLcmState, 'LCM_INIT'>}`;

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
  'ACTIVE/SAVE_STOP': { state: 'ACTIVE', lcm_state: 'SAVE_STOP' },
  'ACTIVE/EPILOG_STOP': { state: 'ACTIVE', lcm_state: 'EPILOG_STOP' },
  'ACTIVE/PROLOG_RESUME': { state: 'ACTIVE', lcm_state: 'PROLOG_RESUME' },
  'ACTIVE/BOOT_STOPPED': { state: 'ACTIVE', lcm_state: 'BOOT_STOPPED' },
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
  'ACTIVE/HOTPLUG_SAVEAS': { state: 'ACTIVE', lcm_state: 'HOTPLUG_SAVEAS' },
  'ACTIVE/HOTPLUG_SAVEAS_POWEROFF': { state: 'ACTIVE', lcm_state: 'HOTPLUG_SAVEAS_POWEROFF' },
  'ACTIVE/HOTPLUG_SAVEAS_SUSPENDED': { state: 'ACTIVE', lcm_state: 'HOTPLUG_SAVEAS_SUSPENDED' },
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
  'ACTIVE/EPILOG_STOP_FAILURE': { state: 'ACTIVE', lcm_state: 'EPILOG_STOP_FAILURE' },
  'ACTIVE/PROLOG_RESUME_FAILURE': { state: 'ACTIVE', lcm_state: 'PROLOG_RESUME_FAILURE' },
  POWEROFF: { state: 'POWEROFF', lcm_state: 'LCM_INIT' },
  SUSPENDED: { state: 'SUSPENDED', lcm_state: 'LCM_INIT' },
  UNDEPLOYED: { state: 'UNDEPLOYED', lcm_state: 'LCM_INIT' },
  STOPPED: { state: 'STOPPED', lcm_state: 'LCM_INIT' },
  DONE: { state: 'DONE', lcm_state: 'LCM_INIT' },
};

/** What a VM document stores for this state. */
export const storedVmState = (name: VmStateName): VmStates => ({ ...storedStates[name] });

export const vmStateNames = Object.values(storedStates).map(vmStateName);

/** OpenNebula's *_FAILURE states: they are left by a new try or by a removal. */
export const isVmFailure = (lcm: VmLcmState): boolean => lcm.endsWith('_FAILURE');

/** States of VMs with which something is amiss, and at which nobody need be at work. */
export const amissStates: readonly VmLcmState[] = ['UNKNOWN', ...VmLcmState.options.filter(isVmFailure)];

/** VMs that failed to deploy, and can be deployed again where they are. */
export const failedToDeploy = ({ lcm_state }: Pick<Vm, 'lcm_state'>): boolean =>
  lcm_state === 'PROLOG_FAILURE' || lcm_state === 'BOOT_FAILURE' || lcm_state === 'PROLOG_RESUME_FAILURE';

export const isVmRunning = (vm: VmStates): boolean => vm.state === 'ACTIVE' && vm.lcm_state === 'RUNNING';

/** States of VMs that their users have switched off, and start again when they like. */
export const offStates: readonly VmState[] = ['POWEROFF', 'SUSPENDED', 'UNDEPLOYED', 'STOPPED'];

/** On the way into one of them, out of it by what was saved, to another host, at its snapshots, or while a disk of it is saved. */
const switching: readonly VmLcmState[] = [
  ...(['SHUTDOWN_POWEROFF', 'SAVE_SUSPEND', 'SHUTDOWN_UNDEPLOY', 'BOOT_SUSPENDED'] as const),
  ...(['SAVE_STOP', 'EPILOG_STOP', 'PROLOG_RESUME', 'BOOT_STOPPED'] as const),
  ...(['HOTPLUG_SNAPSHOT', 'HOTPLUG_SAVEAS', 'HOTPLUG_SAVEAS_POWEROFF', 'HOTPLUG_SAVEAS_SUSPENDED'] as const),
  ...(['MIGRATE', 'SAVE_MIGRATE', 'PROLOG_MIGRATE', 'BOOT_MIGRATE'] as const),
  ...(['PROLOG_MIGRATE_POWEROFF', 'PROLOG_MIGRATE_SUSPEND'] as const),
];

/** Switched off by its user, and not on its way: that it does not run is as it should be. */
export const isVmOff = ({ state }: Pick<Vm, 'state'>): boolean => offStates.includes(state);

/** A VM that serves, or that its user has switched off or is switching: nothing is amiss with it. */
export const isVmHealthy = (vm: VmStates): boolean =>
  isVmRunning(vm) || isVmOff(vm) || switching.includes(vm.lcm_state) || isChangingDevices(vm.lcm_state);

/** A VM that no host has had since it was made, or began anew: nothing of it is anywhere. */
export const isVmUnplaced = ({ state, stored, datastore }: Pick<Vm, 'state' | 'stored' | 'datastore'>): boolean =>
  (state === 'PENDING' || state === 'HOLD') && !stored && !datastore;

/** States of VMs that have a host, with what is reserved there. */
export const placedStates: readonly VmState[] = ['ACTIVE', 'POWEROFF', 'SUSPENDED'];

/** Without a host, and with nothing on one: to be placed, or taken from it. */
export const isVmOffHost = ({ state }: Pick<Vm, 'state'>): boolean => !placedStates.includes(state);

export const isVmGone = (vm: Pick<Vm, 'state'>): boolean => vm.state === 'DONE';

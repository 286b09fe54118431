import type { Operation } from '../../schemas/operations/operation.js';
import { isOn, type OperationOn } from '../../schemas/operations.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { hasAnswered } from './vm-debugging.js';
import { hasChanged } from './vm-devices.js';
import { hasMoved } from './vm-moves.js';
import { hasDone, isSnapshotVerb, snapshotOf } from './vm-snapshots.js';
import { isVmGone, isVmRunning } from './vm-states.js';
import { switchOf, vmSwitches } from './vm-switches.js';
import { isAfter } from './vm-verbs.js';

/** A VM as far as it says whether the operation on it has come to its end. */
export type ArrivingVm = Pick<
  Vm,
  | 'state'
  | 'lcm_state'
  | 'history'
  | 'moving'
  | 'device_change'
  | 'disk_restored'
  | 'snapshots'
  | 'adopts'
  | 'debugging'
>;

type Seen = Pick<Operation, '_id' | 'kind' | 'input'>;
type Test = (vm: ArrivingVm, operation: Seen) => boolean;
type Row = {
  /** The VM is where the operation leads: a cancel that comes then comes too late. */
  arrived: Test;
  /** It is counted as done while the operation goes on. */
  counted: Test;
};

const by = (arrived: Test): Row => ({ arrived, counted: arrived });
const never: Test = () => false;

const rows: { readonly [K in OperationOn<'vm'>]: Row } = {
  deployVm: by(isVmRunning),
  terminateVm: by(isVmGone),
  // It may lead anywhere: to where it runs, for most. What is gone with its disks is as was said.
  recoverVm: { arrived: isVmGone, counted: isVmRunning },
  performOnVm: by(isSwitched),
  migrateVm: by(hasMoved),
  importVm: by((vm) => !vm.adopts && !isVmGone(vm)),
  changeDevices: by(hasChanged),
  // Its VM is the same before and after: its images say whether it is done.
  saveDisk: by(never),
  restoreDisk: by((vm, { _id }) => vm.disk_restored?.op === _id),
  debugVm: by((vm, { _id }) => hasAnswered(vm, _id)),
};

function isSwitched(vm: ArrivingVm, operation: Seen): boolean {
  const action = switchOf(operation);
  if (action === null) return false;
  const { verb } = vmSwitches[action];
  return isSnapshotVerb(verb) ? hasDone(verb, vm, snapshotOf(vm, operation), operation._id) : isAfter(verb, vm);
}

const rowOf = (kind: Seen['kind']): Row | null => (isOn('vm', kind) ? rows[kind] : null);

/** Whether a VM is where the operation on it leads. */
export const vmArrived = (vm: ArrivingVm, operation: Seen): boolean =>
  rowOf(operation.kind)?.arrived(vm, operation) === true;

/** Whether it counts as done, for how far the operation on it is. */
export const vmCounted = (vm: ArrivingVm, operation: Seen): boolean =>
  rowOf(operation.kind)?.counted(vm, operation) === true;

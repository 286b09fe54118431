import type { Caller } from '../../domain/identity/caller.js';
import { isSwitchAction } from '../../domain/vms/vm-switches.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { ActionArgs, DiskSnapshotAction, VmAction, VmSwitch } from '../../schemas/operations/vm-action.js';
import { DeviceChange } from '../../schemas/operations/vm-devices.js';
import type { Admission, OperationsContext } from '../context.js';
import { unconditional } from '../precondition.js';
import { changeDevices } from './vm-devices.js';
import { holdVm, releaseVm } from './vm-hold.js';
import { recoverVm, resumeVm } from './vm-recovery.js';
import { switchVm } from './vm-switches.js';
import { terminateVm } from './vms.js';

/** Asks something of one VM by its name, by the request that people use. Returns what does it; null: nothing needs to. */
export async function askOfVm(
  context: OperationsContext,
  caller: Caller,
  vm: number,
  { action, disk, ...args }: { action: VmAction } & ActionArgs,
  admission: Admission,
): Promise<OperationResource | null> {
  if (isSwitchAction(action)) return switchVm(context, caller, vm, { action, ...args }, admission);
  const onDisk = (what: DiskSnapshotAction) => () => {
    const { name, snapshot: snapshot_id } = args;
    const change = DeviceChange.parse({ action: what, disk_id: disk, name, snapshot_id });
    return changeDevices(context, caller, vm, change, admission);
  };
  const deeds: Record<Exclude<VmAction, VmSwitch>, () => Promise<OperationResource | null>> = {
    terminate: () => terminateVm(context, caller, vm, { hard: false }, admission),
    'terminate-hard': () => terminateVm(context, caller, vm, { hard: true }, admission),
    hold: async () => {
      await holdVm(context, caller, vm, unconditional);
      return null;
    },
    release: () => releaseVm(context, caller, vm, admission),
    resume: () => resumeVm(context, caller, vm, admission),
    recreate: () => recoverVm(context, caller, vm, { action: 'recreate' }, admission),
    'disk-snapshot-create': onDisk('disk-snapshot-create'),
    'disk-snapshot-revert': onDisk('disk-snapshot-revert'),
    'disk-snapshot-delete': onDisk('disk-snapshot-delete'),
  };
  return deeds[action]();
}

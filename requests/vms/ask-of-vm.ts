import type { Caller } from '../../domain/identity/caller.js';
import { isSwitchAction } from '../../domain/vms/vm-switches.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { SnapshotArgs, VmAction, VmSwitch } from '../../schemas/operations/vm-action.js';
import type { Admission, OperationsContext } from '../context.js';
import { recoverVm, resumeVm } from './vm-recovery.js';
import { switchVm } from './vm-switches.js';
import { terminateVm } from './vms.js';

/** Asks something of one VM by its name, by the request that people use. */
export function askOfVm(
  context: OperationsContext,
  caller: Caller,
  vm: number,
  { action, ...args }: { action: VmAction } & SnapshotArgs,
  admission: Admission,
): Promise<OperationResource> {
  if (isSwitchAction(action)) return switchVm(context, caller, vm, { action, ...args }, admission);
  const deeds: Record<Exclude<VmAction, VmSwitch>, () => Promise<OperationResource>> = {
    terminate: () => terminateVm(context, caller, vm, { hard: false }, admission),
    'terminate-hard': () => terminateVm(context, caller, vm, { hard: true }, admission),
    resume: () => resumeVm(context, caller, vm, admission),
    recreate: () => recoverVm(context, caller, vm, { action: 'recreate' }, admission),
  };
  return deeds[action]();
}

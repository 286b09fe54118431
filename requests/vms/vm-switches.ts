import type { Act } from '../../domain/acts/acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import { statesOf } from '../../domain/vms/vm-action-states.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { VmSwitch } from '../../schemas/operations/vm-action.js';
import { demandOn } from '../acts/acts.js';
import type { Admission, OperationsContext } from '../context.js';
import { type Asked, repeatedRequest } from '../operations/admit.js';
import { beginOnVm, findVm } from './vm-recovery.js';

/** Switches a VM off or over, and keeps it: see the table of switches for what each does, and in which states. */
export async function switchVm(
  context: OperationsContext,
  caller: Caller,
  id: number,
  action: VmSwitch,
  admission: Admission,
): Promise<OperationResource> {
  const act: Act = { do: 'switch', action };
  const asked = { request: { deed: 'switch', id, action }, admission };
  const vm = await findVm(context, caller, id, act);
  const repeated = await repeatedRequest(context, caller, admission, asked.request);
  if (repeated) return repeated;
  await demandOn(context.store, act, { type: 'vm', vm, service: null });
  return switchVmAgain(context, caller, id, action, asked);
}

export async function switchVmAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  action: VmSwitch,
  asked: Asked,
): Promise<OperationResource> {
  const act: Act = { do: 'switch', action };
  const vm = await findVm(context, caller, id, act);
  return beginOnVm(context, 'performOnVm', { action }, act, statesOf(action), caller, vm, asked);
}

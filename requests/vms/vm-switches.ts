import type { Act } from '../../domain/acts/acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { Problem } from '../../domain/problems.js';
import { statesOf } from '../../domain/vms/vm-action-states.js';
import { amountOf, limits } from '../../schemas/common/limits.js';
import type { OperationInputs } from '../../schemas/operations/inputs.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { demandOn } from '../acts/acts.js';
import type { Admission, OperationsContext } from '../context.js';
import { type Asked, repeatedRequest } from '../operations/admit.js';
import { refuseUnable } from './refuse-unable.js';
import { beginOnVm, findVm } from './vm-recovery.js';

/** What is done, and of a snapshot which it is about. */
export type SwitchWish = OperationInputs['performOnVm'];

/** Switches a VM off or over, and keeps it: see the table of switches for what each does, and in which states. */
export async function switchVm(
  context: OperationsContext,
  caller: Caller,
  id: number,
  wish: SwitchWish,
  admission: Admission,
): Promise<OperationResource> {
  const act: Act = { do: 'switch', action: wish.action };
  const asked = { request: { deed: 'switch', id, ...wish }, admission };
  const vm = await findVm(context, caller, id, act);
  const repeated = await repeatedRequest(context, caller, admission, asked.request);
  if (repeated) return repeated;
  await demandOn(context.store, act, { type: 'vm', vm, service: null });
  return switchVmAgain(context, caller, id, wish, asked);
}

export async function switchVmAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  wish: SwitchWish,
  asked: Asked,
): Promise<OperationResource> {
  const { action, name } = wish;
  const act: Act = { do: 'switch', action };
  const vm = await findVm(context, caller, id, act);
  refuseUnable(vm, action);
  refuseSnapshot(vm, wish);
  const input = name === undefined ? wish : { ...wish, name: objectName(name) };
  return beginOnVm(context, 'performOnVm', input, act, statesOf(action), caller, vm, asked);
}

/** A snapshot that is not there, and one more than there may be. Nobody but who is admitted changes what there is. */
function refuseSnapshot({ _id: id, snapshots = [] }: Vm, { action, snapshot }: SwitchWish): void {
  if (snapshot !== undefined && !snapshots.some((one) => one.id === snapshot))
    throw new Problem('not_found', `VM ${id} has no snapshot ${snapshot}.`);
  const { most } = limits.snapshots;
  if (action === 'snapshot-create' && snapshots.length >= most)
    throw new Problem(
      'wrong_state',
      `VM ${id} has ${amountOf(most, 'snapshots')}, as many as are possible: delete one first.`,
    );
}

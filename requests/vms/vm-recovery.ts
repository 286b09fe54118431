import { type Act, rightFor } from '../../domain/acts/acts.js';
import { deployedAgainIn, wasHard } from '../../domain/acts/vm-acts.js';
import { isSilent } from '../../domain/hosts/host-states.js';
import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import { placesOf } from '../../domain/vms/stays.js';
import { statesOf } from '../../domain/vms/vm-action-states.js';
import { unseenClaim } from '../../domain/vms/vm-claims.js';
import { recoveries, statesThat } from '../../domain/vms/vm-recover.js';
import { type VmStateName, vmStateName } from '../../domain/vms/vm-states.js';
import type { DebugStep } from '../../schemas/operations/debug-step.js';
import type { OperationInputs } from '../../schemas/operations/inputs.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { RecoverVm, Vm } from '../../schemas/vms/vm.js';
import { demandOn, whyLost } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { type Asked, admit, repeatedRequest } from '../operations/admit.js';
import { terminateVmAgain } from './vms.js';

// What can be asked of a VM that is not where it should be.

/** As the table of recoveries says. Who claims a fact that Arcus has not seen needs the ADMIN right. */
export async function recoverVm(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { action, interactive }: RecoverVm,
  admission: Admission,
): Promise<OperationResource> {
  if (interactive) return debugVm(context, caller, id, interactive, admission);
  const { store } = context;
  const act: Act = { do: 'recoverVm', action };
  const asked = { request: { deed: 'recover', id, action }, admission };
  const vm = await findVm(context, caller, id, act);
  const repeated = await repeatedRequest(context, caller, admission, asked.request);
  if (repeated) return repeated;
  await demandOn(store, act, { type: 'vm', vm, service: null });
  const recovery = recoveries[vmStateName(vm)][action];
  switch (recovery.do) {
    case 'terminate': {
      const hard = action === 'delete' || (await lastWasHard(context, id));
      return terminateVmAgain(context, caller, id, { hard }, asked);
    }
    case 'recreate':
      return beginOnVm(context, 'deployVm', { recreate: true }, act, statesThat('recreate', action), caller, vm, asked);
    case 'stop':
      return beginOnVm(context, 'performOnVm', { action: 'stop' }, act, statesThat('stop', action), caller, vm, asked);
    case 'claim':
      // Only success and failure are claims.
      return beginOnVm(
        context,
        'recoverVm',
        { claim: action === 'success' ? 'success' : 'failure' },
        act,
        [vmStateName(vm)],
        caller,
        vm,
        asked,
        await claimWarnings(context, vm),
      );
    case 'deploy':
      return beginOnVm(context, 'deployVm', {}, act, statesThat('deploy', action), caller, vm, asked);
    case 'nothing':
      throw new Problem('wrong_state', `VM ${id} cannot be recovered with ${action}: ${recovery.why}`);
  }
}

/** One action of what failed, as somebody has answered it: what that was is compared with where the VM stands when it is admitted. */
async function debugVm(
  context: OperationsContext,
  caller: Caller,
  id: number,
  step: DebugStep,
  admission: Admission,
): Promise<OperationResource> {
  const asked = { request: { deed: 'debug', id, ...step }, admission };
  const act: Act = { do: 'debug', answer: step.answer, at: step };
  await findVm(context, caller, id, act);
  const repeated = await repeatedRequest(context, caller, admission, asked.request);
  return repeated ?? debugVmAgain(context, caller, id, step, asked);
}

/** The same once more. */
export async function debugVmAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  step: DebugStep,
  asked: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const act: Act = { do: 'debug', answer: step.answer, at: step };
  const vm = await findVm(context, caller, id, act);
  await demandOn(store, act, { type: 'vm', vm, service: null });
  return beginOnVm(context, 'debugVm', step, act, [vmStateName(vm)], caller, vm, asked);
}

/** Starts a VM again that is switched off, or of which nobody knows: in its place, or where it fits, under a higher epoch. */
export async function resumeVm(
  context: OperationsContext,
  caller: Caller,
  id: number,
  admission: Admission,
): Promise<OperationResource> {
  const { store } = context;
  const act: Act = { do: 'resume' };
  const asked = { request: { deed: 'resume', id }, admission };
  const vm = await findVm(context, caller, id, act);
  const repeated = await repeatedRequest(context, caller, admission, asked.request);
  if (repeated) return repeated;
  await demandOn(store, act, { type: 'vm', vm, service: null });
  return beginOnVm(context, 'deployVm', {}, act, statesOf('resume'), caller, vm, asked);
}

/** Deploys a VM once more that has no host yet or does not run where it is: there, under a higher epoch. */
export async function deployVmAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  asked: Asked,
): Promise<OperationResource> {
  const act: Act = { do: 'recoverVm', action: 'retry' };
  return beginOnVm(
    context,
    'deployVm',
    {},
    act,
    deployedAgainIn,
    caller,
    await findVm(context, caller, id, act),
    asked,
  );
}

/** Says once more of a VM what was said of it. */
export async function claimVmAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  input: OperationInputs['recoverVm'],
  asked: Asked,
): Promise<OperationResource> {
  const act: Act = { do: 'recoverVm', action: input.claim };
  const vm = await findVm(context, caller, id, act);
  return beginOnVm(
    context,
    'recoverVm',
    input,
    act,
    statesThat('claim', input.claim),
    caller,
    vm,
    asked,
    await claimWarnings(context, vm),
  );
}

/** Where its host does not answer, what is said of a VM is believed. */
async function claimWarnings({ store }: OperationsContext, vm: Vm): Promise<string[]> {
  const hosts = await store.hosts.byIds(placesOf(vm).map(({ hid }) => hid));
  return hosts.filter(isSilent).map((host) => unseenClaim(vm._id, host));
}

export async function findVm(context: OperationsContext, caller: Caller, id: number, act: Act): Promise<Vm> {
  const { store } = context;
  return authorised(caller, 'vm', await store.vms.find(id), rightFor(act, null), id);
}

/** `states`: those in which the VM must still be, in nobody's hands, when the operation is admitted. */
export function beginOnVm<
  K extends 'deployVm' | 'recoverVm' | 'performOnVm' | 'migrateVm' | 'changeDevices' | 'debugVm',
>(
  context: OperationsContext,
  kind: K,
  input: OperationInputs[K],
  act: Act,
  states: readonly VmStateName[],
  caller: Caller,
  vm: Vm,
  { retryOf, request, admission }: Asked,
  warnings: readonly string[] = [],
): Promise<OperationResource> {
  const { store } = context;
  const { _id: id } = vm;
  return admit(context, caller, admission, {
    kind,
    resource: { type: 'vm', id },
    name: vm.name,
    owner: vm,
    right: rightFor(act, null),
    ...(vm.template_id !== null && { template: vm.template_id }),
    ...(retryOf !== undefined && { retryOf }),
    input,
    request,
    warnings,
    claim: (op, transaction) =>
      store.vms.admitExclusive(
        id,
        op,
        // Of what failed, each answer is about one action: nobody may have answered it since it was read.
        { states, between: asksBoth(act), ...(act.do === 'debug' && { epoch: vm.epoch }) },
        transaction,
      ),
    refusal: () => whyLost(store, act, { type: 'vm', id }),
  });
}

/** What finds out on which of two hosts a VM is, or leaves nothing of it on either. */
const asksBoth = (act: Act): boolean => act.do === 'migrate' || (act.do === 'recoverVm' && act.action === 'recreate');

/** Whether the last termination was to be a hard one. */
async function lastWasHard(context: OperationsContext, id: number): Promise<boolean> {
  const { store } = context;
  const last = await store.operations.lastOf({ type: 'vm', id });
  return last !== null && wasHard(last);
}

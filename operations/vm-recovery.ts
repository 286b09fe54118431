import type { Caller } from '../domain/caller.js';
import { Problem } from '../domain/problems.js';
import { recoveries, resumable, statesThat } from '../domain/vm-recover.js';
import { storedVmState, type VmStateName, vmStateName } from '../domain/vm-states.js';
import type { OperationInputs, OperationResource } from '../schemas/operation.js';
import type { RecoverVm, Vm } from '../schemas/vm.js';
import { admit, repeatedRequest } from './admit.js';
import { authorised } from './authorise.js';
import type { Admission, OperationsContext } from './context.js';
import type { vmOperations } from './vms.js';

type Asked = { retryOf?: string; request: unknown };

/** What can be asked of a VM that is not where it should be. */
export const vmRecovery = (
  context: OperationsContext,
  vms: Pick<ReturnType<typeof vmOperations>, 'terminateAgain'>,
) => {
  const { store } = context;
  const find = async (caller: Caller, id: number, right: 'manage' | 'admin'): Promise<Vm> =>
    authorised(caller, 'VM', await store.vms.find(id), right, `VM ${id}`);

  return {
    /** As the table of recoveries says. Who claims a fact that Arcus has not seen needs the ADMIN right. */
    async recover(caller: Caller, id: number, { action }: RecoverVm, admission: Admission): Promise<OperationResource> {
      const isClaim = action === 'success' || action === 'failure';
      const vm = await find(caller, id, isClaim ? 'admin' : 'manage');
      const request = { deed: 'recover', id, action };
      const repeated = await repeatedRequest(context, caller, admission, request);
      if (repeated) return repeated;
      const recovery = recoveries[vmStateName(vm)][action];
      switch (recovery.do) {
        case 'terminate':
          return vms.terminateAgain(
            caller,
            id,
            { hard: action === 'delete' || (await wasHard(id)), request },
            admission,
          );
        case 'nothing':
          throw (await busy(id)) ?? refusal(vm, action, recovery.why);
        case 'deploy':
          return deployAgain(caller, id, { request }, admission, statesThat('deploy', action));
        case 'recreate':
          return begin(
            'deployVm',
            { recreate: true },
            vm,
            caller,
            { request },
            admission,
            statesThat('recreate', action),
          );
        case 'claim':
          if (!isClaim) throw refusal(vm, action, 'nobody can say that.');
          return begin('recoverVm', { claim: action }, vm, caller, { request }, admission, [vmStateName(vm)]);
      }
    },

    /** Starts a VM again that is powered off, or of which nobody knows: in its place, under a higher epoch. */
    async resume(caller: Caller, id: number, admission: Admission): Promise<OperationResource> {
      await find(caller, id, 'manage');
      const request = { deed: 'resume', id };
      const repeated = await repeatedRequest(context, caller, admission, request);
      return repeated ?? deployAgain(caller, id, { request }, admission, resumable);
    },

    /** Deploys a VM once more that has no host yet or does not run where it is: there, under a higher epoch. */
    deployAgain: (caller: Caller, id: number, asked: Asked, admission: Admission) =>
      deployAgain(caller, id, asked, admission, statesThat('deploy', 'retry')),

    /** Says once more of a VM what was said of it. */
    claimAgain: async (
      caller: Caller,
      id: number,
      input: OperationInputs['recoverVm'],
      asked: Asked,
      admission: Admission,
    ) => {
      const vm = await find(caller, id, 'admin');
      const states = statesThat('claim', input.claim);
      return begin('recoverVm', input, vm, caller, asked, admission, states);
    },
  };

  async function deployAgain(
    caller: Caller,
    id: number,
    asked: Asked,
    admission: Admission,
    states: readonly VmStateName[],
  ): Promise<OperationResource> {
    return begin('deployVm', {}, await find(caller, id, 'manage'), caller, asked, admission, states);
  }

  function begin<K extends 'deployVm' | 'recoverVm'>(
    kind: K,
    input: OperationInputs[K],
    vm: Vm,
    caller: Caller,
    { retryOf, request }: Asked,
    admission: Admission,
    states: readonly VmStateName[],
  ): Promise<OperationResource> {
    const { _id: id } = vm;
    const free = { operation: null, wanted: null, hold: null, $or: states.map(storedVmState) };
    return admit(context, caller, admission, {
      kind,
      resource: { type: 'vm', id },
      name: vm.name,
      owner: vm,
      right: kind === 'recoverVm' ? 'admin' : 'manage',
      template: vm.template_id,
      ...(retryOf !== undefined && { retryOf }),
      input,
      request,
      claim: (op, session) => store.vms.admit(id, free, { operation: op }, session),
      refusal: async () => (await busy(id)) ?? notIn(await store.vms.find(id), id, states),
    });
  }

  /** Who is at work on the VM, if somebody is. */
  async function busy(id: number): Promise<Problem | null> {
    const now = await store.vms.find(id);
    const operation = now?.wanted ?? now?.operation ?? now?.hold?.op ?? null;
    return operation === null
      ? null
      : new Problem(
          'operation_in_progress',
          `Operation ${operation} is at work on VM ${id}. Wait for it or cancel it; delete pre-empts it.`,
          { operation },
        );
  }

  /** Whether the last termination was to be a hard one. */
  async function wasHard(id: number): Promise<boolean> {
    const last = await store.operations.lastOf({ type: 'vm', id });
    return last !== null && 'hard' in last.input && last.input.hard === true;
  }
};

const refusal = (vm: Vm, action: string, why: string): Problem =>
  new Problem('wrong_state', `VM ${vm._id} cannot be recovered with ${action}: ${why}`);

function notIn(vm: Vm | null, id: number, states: readonly VmStateName[]): Problem {
  const name = vm ? shortName(vmStateName(vm)) : 'gone';
  return new Problem('wrong_state', `VM ${id} is ${name}: this is for ${states.map(shortName).join(', ')}.`);
}

const shortName = (state: VmStateName): string => state.replace('ACTIVE/', '');

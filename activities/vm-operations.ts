import { failedToDeploy, isVmFailure } from '../domain/vm-states.js';
import { isTermination } from '../schemas/operation.js';
import type { Vm } from '../schemas/vm.js';
import { begin, type StepInput, supersede } from './begin.js';
import { endPending, placeVms, planNow } from './place-vms.js';
import type { StepPorts } from './ports.js';
import { retryVms, takeVms } from './role-vms.js';

export type VmPlan = { vm: number; hard: boolean };
export type VmInput = { op: string; vm: number };

/** `boot`: it has a place; `wait`: it fits nowhere; `gone`: somebody else has it, or it is done. */
export type VmPlacement = 'boot' | 'wait' | 'gone';

/** `destroy`: it is ours to remove; `gone`: nothing is left; `busy`: another operation is at work on it. */
export type VmRemoval = 'destroy' | 'gone' | 'busy';

/** The steps of operations on single VMs that touch MongoDB alone. */
export const vmOperationActivities = ({
  store,
  engine,
  settings,
}: Pick<StepPorts, 'store' | 'engine' | 'settings'>) => ({
  beginVmDeployment: (input: StepInput) =>
    begin(store, input, async ({ _id: op, resource }): Promise<VmPlan | null> => {
      const vm = await store.vms.find(resource.id);
      return vm?.operation === op && vm.wanted === null ? { vm: vm._id, hard: false } : null;
    }),

  /** Takes the VM and gives it a place, if there is one; one that failed in its place keeps that. */
  async placeVm({ op, vm: id }: VmInput): Promise<VmPlacement> {
    const present = await store.vms.byIds([id]);
    const held = (await takeVms(store, op, present)).filter((vm) => vm.hold?.op === op);
    await retryVms(
      store,
      held.filter((vm) => failedToDeploy(vm) || vm.lcm_state === 'UNKNOWN' || vm.state === 'POWEROFF'),
    );
    await placeVms(store, held, undefined, settings.placement);
    const vm = await store.vms.find(id);
    if (!vm || vm.state === 'DONE' || (vm.hold?.op !== op && vm.lcm_state !== 'RUNNING')) return 'gone';
    return vm.state === 'PENDING' ? 'wait' : 'boot';
  },

  /**
   * The run ends and the operation waits, with no run open, until capacity appears. Looks once more after it has said
   * so: capacity that came just before would otherwise tell nobody.
   */
  async park({ op, run, vm: id }: VmInput & { run: string }): Promise<void> {
    const vm = await store.vms.find(id);
    await store.operations.wait(op, run, vm?.reason ?? 'capacity');
    if (!vm) return;
    if ((await planNow(store, [vm], settings.placement)).placed.length > 0) await engine.signalPlacement();
  },

  beginVmTermination: (input: StepInput) =>
    begin(store, input, async (operation): Promise<VmPlan | null> => {
      const { _id: op, resource } = operation;
      const vm = await store.vms.find(resource.id);
      if (vm?.wanted !== op) return null;
      await supersede(store, op, [vm.operation]);
      await store.vms.model.updateOne({ _id: vm._id, wanted: op }, { $set: { operation: op } });
      return { vm: vm._id, hard: isTermination(operation) && operation.input.hard };
    }),

  /** Takes the VM for its removal, if nobody is at work on it; `force` ends the operation that is. */
  async takeForRemoval({ op, vm: id, force }: VmInput & { force: boolean }): Promise<VmRemoval> {
    const [vm] = await store.vms.byIds([id]);
    if (!vm || vm.state === 'DONE') return 'gone';
    if (force && vm.hold && vm.hold.op !== op) await store.vms.seize(op, vm);
    const [taken] = await takeVms(store, op, [vm]);
    if (!taken) return 'gone';
    if (taken.hold?.op !== op) return 'busy';
    await endPending(store, [taken]);
    return taken.state === 'PENDING' ? 'gone' : 'destroy';
  },

  /** What a VM came to: null when it is there or gone as wished, else the reason that it is not. */
  async vmFailure({ vm: id }: { vm: number }): Promise<string | null> {
    const vm: Vm | null = await store.vms.find(id);
    if (!vm) return null;
    return isVmFailure(vm.lcm_state) || vm.lcm_state === 'UNKNOWN' ? (vm.reason ?? 'it failed') : null;
  },
});

import { Context } from '@temporalio/activity';
import type { Hypervisor, PlacedVm } from '../../adapters/hypervisor/port.js';
import { brief, longest } from '../../domain/brief.js';
import { type Problem, problemOf } from '../../domain/problems.js';
import { placeOf, placesOf } from '../../domain/vms/stays.js';
import {
  after,
  afterFailure,
  answeredIn,
  type DebugDeed,
  type DebugVerb,
  hasAnswered,
} from '../../domain/vms/vm-debugging.js';
import { isDebugging } from '../../schemas/operations/operation.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import { begin, type StepInput } from '../operations/begin.js';
import type { StepPorts } from '../ports.js';
import { adapterFor, hostTargets, placed, placeIn, toStart } from './at-hosts.js';
import { madeDisks, removedDisks } from './disks.js';
import { tellGuest } from './guests.js';
import { discardStored, memoryOf } from './kept-memory.js';
import { demandedCopies } from './needed-copies.js';
import type { VmInput } from './vm-operations.js';
import type { VmBatch } from './vms.js';

/** `done`: there is nothing to be done at a host, or an earlier try has done it. */
type DebugPlan = ({ do: 'run' } & DebugDeed) | { do: 'done' } | { do: 'refused'; why: string };

const taken = (vm: number): string => `another operation has VM ${vm} now`;

/** The steps of one action of a failed VM that touch MongoDB alone. */
export const debuggingActivities = ({ store }: Pick<StepPorts, 'store'>) => ({
  beginDebugging: (input: StepInput) =>
    begin(store, input, async (operation): Promise<{ vm: number } | null> => {
      const vm = await store.vms.find(operation.resource.id);
      return vm?.operation === operation._id && vm.wanted === null ? { vm: vm._id } : null;
    }),

  /** Takes the VM, which stays what it is; an action that is skipped is written down in the same moment. */
  async takeForDebugging({ op, vm: id }: VmInput): Promise<DebugPlan> {
    const operation = await store.operations.find(op);
    if (!operation || !isDebugging(operation)) return { do: 'refused', why: taken(id) };
    const { answer } = operation.input;
    for (;;) {
      const [vm] = await store.vms.byIds([id]);
      if (!vm || vm.operation !== op || vm.wanted !== null) return { do: 'refused', why: taken(id) };
      if (hasAnswered(vm, op)) return { do: 'done' };
      const asked = answeredIn(vm, operation.input);
      if (asked === null) return { do: 'refused', why: `VM ${id} is not as it was when this was answered` };
      const { deed, so } = asked;
      const skips = answer === 'skip';
      if (await store.vms.takeToDebug(op, vm, skips ? after(so, 'skipped', op, new Date()) : so))
        return skips ? { do: 'done' } : { do: 'run', ...deed };
    }
  },

  /** What an action came to: null when it is done. `failure`: how its step ended where that could say nothing itself. */
  async debugFailure({ op, vm: id, failure }: VmInput & { failure: string | null }): Promise<string | null> {
    for (;;) {
      const [vm] = await store.vms.byIds([id]);
      if (!vm || hasAnswered(vm, op)) return null;
      if (vm.debugging?.failed?.op === op) return vm.debugging.failed.error;
      if (vm.hold?.op !== op || !vm.debugging) return failure ?? taken(id);
      const why = failure ?? 'it did not come to its end';
      // Under another epoch: what the step still does is not heard any more.
      if (await store.vms.takeToDebug(op, vm, afterFailure(vm.debugging, why, op, new Date()))) return why;
      if (vm.wanted !== null) return why;
    }
  },
});

type AtHost = {
  vm: WorkVm;
  /** The one that is made; absent: all. */
  disk: number | undefined;
  on: (host: number) => { adapter: Hypervisor; target: Omit<PlacedVm, 'template'> };
  /** On its own host. */
  here: () => { adapter: Hypervisor; target: Omit<PlacedVm, 'template'> };
  hypervisors: StepPorts['hypervisors'];
  storages: StepPorts['storages'];
  store: StepPorts['store'];
  template: () => Promise<PlacedVm['template']>;
  /** What its guest is told is where it is started from. */
  tell: () => ReturnType<typeof tellGuest>;
  signal: AbortSignal;
};
type Came = Partial<Pick<Vm, 'deploy_id' | 'device_change' | 'history' | 'stored' | 'datastore'>>;

/** What is done at hosts, and what is written of the VM beside. Each is what the verb does in its place (`vms.ts`), under an epoch of its own. */
const calls: Readonly<Record<DebugVerb, (at: AtHost) => Promise<Came>>> = {
  clear: destroyed,
  remove: destroyed,
  makeDisks: async ({ vm, disk, storages, store, signal }) => {
    await madeDisks(storages, vm, await demandedCopies({ store }, vm), signal, disk);
    return {};
  },
  boot: async ({ vm, here, template, tell, storages, signal }) => {
    const { adapter, target } = here();
    const told = await tell();
    const start = { ...toStart(storages, vm, target.host), ...told, template: await template() };
    const { deployId } = await adapter.deploy(start, signal);
    return {
      deploy_id: deployId,
      history: vm.history.map((stay, at) => (at === vm.history.length - 1 ? { ...stay, epoch: vm.epoch } : stay)),
      ...(vm.device_change?.open && { device_change: null }),
    };
  },
  store: async ({ vm, storages, here, signal }) => {
    const { adapter, target } = here();
    await adapter.store({ ...target, memory: memoryOf(storages, vm, target.host.vm_mad) }, signal);
    return {};
  },
  fetch: async ({ vm, storages, here, tell, signal }) => {
    const { adapter, target } = here();
    await adapter.fetch({ ...target, ...(await tell()), memory: memoryOf(storages, vm, target.host.vm_mad) }, signal);
    return {};
  },
  discard: discarded,
  discardToClear: discarded,
};

/** Of one that has a host nothing is left there, either. */
async function discarded(at: AtHost): Promise<Came> {
  const came = placeOf(at.vm) === null ? {} : await destroyed(at);
  await discardStored(at, at.vm, at.signal);
  await removedDisks(at.storages, at.vm, at.signal);
  return { ...came, ...(at.vm.stored && { stored: null }) };
}

/** The VM, under the number of this try; null: an earlier one has written down what the action came to, or somebody else has it. */
async function entered(store: StepPorts['store'], op: string, id: number, attempt: number): Promise<WorkVm | null> {
  for (;;) {
    const [vm] = await store.vms.byIds([id]);
    if (vm?.hold?.op !== op || vm.hold.attempt > attempt || vm.wanted !== null) return null;
    if (hasAnswered(vm, op) || vm.debugging?.failed?.op === op) return null;
    const [own] = (await store.vms.enter([vm], attempt, () => null)) ?? [];
    if (own) return own;
  }
}

async function destroyed({ vm, on, signal }: AtHost): Promise<Came> {
  for (const { hid } of placesOf(vm)) {
    const { adapter, target } = on(hid);
    await adapter.destroy({ ...target, hard: true }, signal);
  }
  return { deploy_id: null };
}

export const debuggingSteps = (ports: StepPorts) => ({
  /**
   * One action at the host of a VM that failed. Whatever the host says to it is its outcome, for the person who has asked: it is not tried
   * again, as steps of other operations are. What is done again is what died, or could not be written down.
   */
  async debugVms({ op, vms: [id = -1], verb, disk }: VmBatch & DebugDeed): Promise<void> {
    const { store, hypervisors, storages } = ports;
    const { info, cancellationSignal: signal } = Context.current();
    const hosts = hostTargets(store);
    const vm = await entered(store, op, id, info.attempt);
    if (!vm?.debugging) return;
    await hosts.read([vm]);
    let came: Came | Problem;
    try {
      const at = (target: ReturnType<typeof hosts.of>) => ({
        ...{
          adapter: verb === 'makeDisks' ? hypervisors.of(target) : adapterFor(verb, target, hypervisors),
          target: placed(vm, target),
        },
      });
      came = await calls[verb]({
        ...{ vm, disk, signal, hypervisors, storages, store },
        on: (hid) => at(hosts.of(hid)),
        here: () => at(placeIn(hosts, vm)),
        template: async () => (await store.vms.contentsOf([id])).get(id)?.() ?? {},
        tell: () => tellGuest(ports, vm, signal),
      });
    } catch (error) {
      const problem = problemOf(error);
      if (signal.aborted || !problem) throw error;
      // Somebody else has the VM, and says what becomes of it.
      if (problem.code === 'stale_epoch') return;
      came = problem;
    }
    const at = new Date();
    await store.vms.noteDebugging(
      vm,
      came instanceof Error
        ? { debugging: afterFailure(vm.debugging, brief(came.message, longest.vm), op, at) }
        : { debugging: after(vm.debugging, 'succeeded', op, at), ...came },
    );
  },
});

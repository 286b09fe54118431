import { domainName } from '../../domain/operations/names.js';
import { endStay, placeOf } from '../../domain/vms/stays.js';
import { abandonment, nextVmState, type VmEvent } from '../../domain/vms/vm-events.js';
import { recoveries } from '../../domain/vms/vm-recover.js';
import { hasDone, isSnapshotVerb, nextSnapshot, type SnapshotDeed } from '../../domain/vms/vm-snapshots.js';
import { failedToDeploy, isVmFailure, isVmRunning, isVmUnplaced, vmStateName } from '../../domain/vms/vm-states.js';
import { type SwitchVerb, vmSwitches } from '../../domain/vms/vm-switches.js';
import { isAfter, isDuring, type VmVerb } from '../../domain/vms/vm-verbs.js';
import { isClaim, isSwitch, isTermination, isVmDeployment } from '../../schemas/operations/operation.js';
import type { VmSwitch } from '../../schemas/operations/vm-action.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { VmMove } from '../../store/vms/vm-transitions.js';
import { begin, type StepInput, supersede } from '../operations/begin.js';
import type { StepPorts } from '../ports.js';
import { silenceOf } from './at-hosts.js';
import { endPending, placeVms, planNow } from './place-vms.js';
import { retryVms, takeVms } from './taking.js';
import { wakeService } from './wake-service.js';

/** `clear`: what there is of it is to be ended before it is deployed; `host`: where; `held`: it is made on hold, and not deployed. */
export type VmPlan = { vm: number; hard: boolean; clear?: boolean; host?: number; held?: boolean };
/**
 * What somebody has said of a VM; null: it does not hang any more. `disks`: its domain is gone, and they are to go next. `believed`:
 * that they are gone was said, too, and is so where their datastore does not answer.
 */
export type ClaimPlan = { vm: number; event: VmEvent | null; disks?: true; believed?: true };
export type VmInput = { op: string; vm: number };

/** `boot`: it has a place; `restore`: there, what it had in memory is saved; `wait`: it fits nowhere; `gone`: somebody else has it, or it is done. */
export type VmPlacement = 'boot' | 'restore' | 'wait' | 'gone';

export type SwitchPlan = { vm: number; action: VmSwitch; verb: SwitchVerb; hard: boolean; snapshot?: SnapshotDeed };

/** `destroy`: it is ours to remove; `gone`: nothing is left; `busy`: another operation is at work on it. */
export type VmRemoval = 'destroy' | 'gone' | 'busy';

/** The steps of operations on single VMs that touch MongoDB alone. */
export const vmOperationActivities = ({
  store,
  engine,
  settings,
}: Pick<StepPorts, 'store' | 'engine' | 'settings'>) => ({
  beginVmDeployment: (input: StepInput) =>
    begin(store, input, async (operation): Promise<VmPlan | null> => {
      const vm = await store.vms.find(operation.resource.id);
      if (vm?.operation !== operation._id || vm.wanted !== null) return null;
      const clear = isVmDeployment(operation) && operation.input.recreate === true && !isVmUnplaced(vm);
      const { host, hold } = isVmDeployment(operation) ? operation.input : {};
      return {
        ...{ vm: vm._id, hard: false, ...(clear && { clear }) },
        ...(host !== undefined && { host }),
        ...(hold && { held: true }),
      };
    }),

  beginClaim: (input: StepInput) =>
    begin(store, input, async (operation): Promise<ClaimPlan | null> => {
      const vm = await store.vms.find(operation.resource.id);
      if (vm?.operation !== operation._id || vm.wanted !== null || !isClaim(operation)) return null;
      const recovery = recoveries[vmStateName(vm)][operation.input.claim];
      if (recovery.do !== 'claim') return { vm: vm._id, event: null };
      if (recovery.event !== 'done' || (!vm.datastore && !vm.stored)) return { vm: vm._id, event: recovery.event };
      // Whoever says that its shutdown succeeded has not said that of its disks.
      const believed = vm.lcm_state !== 'SHUTDOWN';
      return { vm: vm._id, event: 'epilog', disks: true, ...(believed && { believed }) };
    }),

  /** What somebody has said of the VM is written. Returns false when it is not so that it could be said any more. */
  async claimVm({ op, vm: id, event }: VmInput & { event: VmEvent }): Promise<boolean> {
    const vm = await store.vms.find(id);
    if (!vm || vm.operation !== op) return false;
    const aim = nextVmState(vmStateName(vm), event);
    // Said by an earlier try of this step already.
    const taken = async (): Promise<true> => {
      if (event === 'epilog') await takeVms(store, op, await store.vms.byIds([id]));
      return true;
    };
    if (aim === undefined || aim === vmStateName(vm)) return taken();
    const now = new Date();
    const stay = placeOf(vm);
    const leaves = event === 'done' || event === 'epilog' || event === 'undeployed' || event === 'stored';
    if (leaves && stay) await store.hosts.release([{ vm: id, host: stay.hid, capacity: vm.capacity }]);
    const set = leaves
      ? {
          ...{ reason: null, history: endStay(vm.history, 'user', now) },
          // What is stored of it is that very domain, or goes with its disks.
          ...(event !== 'stored' && { deploy_id: null }),
          ...(event !== 'stored' && event !== 'epilog' && { stored: null }),
          ...(event === 'done' && { ended_at: now }),
        }
      : event === 'run'
        ? { reason: null, deploy_id: vm.deploy_id ?? domainName(id) }
        : { reason: 'said so by an administrator' };
    return (await store.vms.transition([{ vm, event, set, release: true }])).has(id) && taken();
  },

  /** Takes a VM of which nothing is to be left. */
  async takeForClearing({ op, vm: id }: VmInput): Promise<boolean> {
    const [vm] = await takeVms(store, op, await store.vms.byIds([id]));
    return vm?.hold?.op === op && vm.state !== 'PENDING';
  },

  /** Takes the VM and gives it a place, if there is one; one that failed in its place keeps that. */
  async placeVm({ op, vm: id, host }: VmInput & { host?: number }): Promise<VmPlacement> {
    const present = await store.vms.byIds([id]);
    const held = (await takeVms(store, op, present)).filter((vm) => vm.hold?.op === op);
    if (held.some((vm) => vm.state === 'SUSPENDED' || isDuring('restore', vm))) return 'restore';
    await retryVms(
      store,
      held.filter((vm) => failedToDeploy(vm) || vm.lcm_state === 'UNKNOWN' || vm.state === 'POWEROFF'),
    );
    const away = held.filter(({ state }) => state === 'UNDEPLOYED' || state === 'STOPPED' || state === 'HOLD');
    await store.vms.transition(
      away.map((vm): VmMove => ({ vm, event: vm.state === 'HOLD' ? 'release' : 'resubmit', set: { reason: null } })),
    );
    const waiting = away.length === 0 ? held : await store.vms.byIds([id]);
    await placeVms(store, waiting, undefined, settings.placement, host);
    const vm = await store.vms.find(id);
    if (!vm || vm.state === 'DONE' || (vm.hold?.op !== op && vm.lcm_state !== 'RUNNING')) return 'gone';
    return vm.state === 'PENDING' ? 'wait' : 'boot';
  },

  /** Why no host has taken the VM. */
  async whyWaits({ vm: id }: { vm: number }): Promise<string> {
    return (await store.vms.find(id))?.reason ?? 'it has no room';
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

  beginVmSwitch: (input: StepInput) =>
    begin(store, input, async (operation): Promise<SwitchPlan | null> => {
      const vm = await store.vms.find(operation.resource.id);
      if (vm?.operation !== operation._id || vm.wanted !== null || !isSwitch(operation)) return null;
      const { action, name, snapshot: id } = operation.input;
      const { verb, hard } = vmSwitches[action];
      if (!isSnapshotVerb(verb)) return { vm: vm._id, action, verb, hard };
      // Of one that an earlier try of it has made, the same.
      const made = vm.snapshots?.find((one) => one.op === operation._id);
      const snapshot = id === undefined ? (made ?? nextSnapshot(vm, name)) : { id, name: '' };
      return { vm: vm._id, action, verb, hard, snapshot: { id: snapshot.id, name: snapshot.name } };
    }),

  /** Takes the VM, to switch it. Returns false when somebody else has it. */
  async takeForSwitch({ op, vm: id }: VmInput): Promise<boolean> {
    const [vm] = await takeVms(store, op, await store.vms.byIds([id]));
    return vm?.hold?.op === op;
  },

  /** Why the VM is not where this was to lead; null: it is, or it is not there any more. */
  async verbFailure({
    op,
    vm: id,
    verb,
    snapshot,
  }: {
    vm: number;
    verb: VmVerb;
    op?: string;
    snapshot?: SnapshotDeed;
  }): Promise<string | null> {
    const vm = await store.vms.find(id);
    if (vm && snapshot && op !== undefined && isSnapshotVerb(verb) && hasDone(verb, vm, snapshot, op)) return null;
    if (!vm || vm.state === 'DONE' || isAfter(verb, vm) || (verb === 'reboot' && isVmRunning(vm))) return null;
    return vm.reason ?? (await silenceOf(store, vm)) ?? `it is ${vmStateName(vm).replace('ACTIVE/', '')}`;
  },

  beginVmTermination: (input: StepInput) =>
    begin(store, input, async (operation): Promise<VmPlan | null> => {
      const { _id: op, resource } = operation;
      const vm = await store.vms.find(resource.id);
      if (vm?.wanted !== op) return null;
      await supersede(store, op, [vm.operation]);
      await store.vms.beginWanted(vm._id, op);
      return { vm: vm._id, hard: isTermination(operation) && operation.input.hard };
    }),

  /** Takes the VM for its removal, unless another operation is in the middle of a step on it; `force`: then, too. */
  async takeForRemoval({ op, vm: id, force }: VmInput & { force: boolean }): Promise<VmRemoval> {
    const [vm] = await store.vms.byIds([id]);
    if (!vm || vm.state === 'DONE') return 'gone';
    // Of one that is in the middle of no step, nothing is under way: whoever is about to begin one finds it taken.
    const isIdle = abandonment(vm) === undefined;
    if ((force || isIdle) && vm.hold && vm.hold.op !== op) await store.vms.seize(op, vm);
    const [taken] = await takeVms(store, op, [vm]);
    if (!taken) return 'gone';
    if (taken.hold?.op !== op) return 'busy';
    if (!isVmUnplaced(taken)) return 'destroy';
    await endPending(store, [taken]);
    if (taken.service) await wakeService({ store, engine }, taken.service.id);
    return 'gone';
  },

  /** What a VM came to: null when it is there or gone as wished, else the reason that it is not. */
  async vmFailure({ vm: id }: { vm: number }): Promise<string | null> {
    const vm: Vm | null = await store.vms.find(id);
    if (!vm) return null;
    // It was to run, from what had been saved, and could not be resumed.
    if (vm.state === 'SUSPENDED') return vm.reason ?? 'it is suspended';
    return isVmFailure(vm.lcm_state) || vm.lcm_state === 'UNKNOWN' ? (vm.reason ?? 'it failed') : null;
  },
});

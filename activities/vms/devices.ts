import { Context } from '@temporalio/activity';
import { Problem } from '../../domain/problems.js';
import { placeOf } from '../../domain/vms/stays.js';
import {
  devicesAfter,
  devicesOf,
  deviceVerb,
  domainChange,
  hasChanged,
  planChange,
  wasDone,
} from '../../domain/vms/vm-devices.js';
import { movesFrom, vmMoves } from '../../domain/vms/vm-moves.js';
import { vmStateName } from '../../domain/vms/vm-states.js';
import { type DeviceVerb, vmVerbs } from '../../domain/vms/vm-verbs.js';
import { isDeviceChange } from '../../schemas/operations/operation.js';
import type { DeviceAction } from '../../schemas/operations/vm-devices.js';
import type { DeviceChanging } from '../../schemas/vms/vm.js';
import { untilChosen } from '../../store/networks/choice-lost.js';
import { begin, type StepInput } from '../operations/begin.js';
import { orProblem } from '../or-problem.js';
import type { StepPorts } from '../ports.js';
import { adapterFor, fenced, hostTargets, placed, placeIn } from './at-hosts.js';
import { type BatchOutcome, eachVm } from './each-vm.js';
import { withAddress } from './nic-address.js';
import { takeVms } from './taking.js';
import type { VmInput } from './vm-operations.js';
import type { VmBatch } from './vms.js';

/** `settle`: of the change before it is not known whether it was done; `done`: this one is. */
type ChangePlan =
  | { do: 'change'; verb: DeviceVerb }
  | { do: 'refused'; why: string }
  | { do: 'settle' }
  | { do: 'done' };

/** The steps of changes of devices that touch MongoDB alone. */
export const deviceActivities = ({ store, directory }: Pick<StepPorts, 'store' | 'directory'>) => ({
  beginDeviceChange: (input: StepInput) =>
    begin(store, input, async (operation): Promise<{ vm: number; action: DeviceAction } | null> => {
      const vm = await store.vms.find(operation.resource.id);
      if (vm?.operation !== operation._id || vm.wanted !== null || !isDeviceChange(operation)) return null;
      return { vm: vm._id, action: operation.input.change.action };
    }),

  /**
   * Takes the VM, and writes down what is to be changed with the ids of what comes of it, and with the address that a NIC takes with
   * that: a second try finds those.
   */
  async prepareDeviceChange({ op, vm: id }: VmInput): Promise<ChangePlan> {
    const operation = await store.operations.find(op);
    const [vm] = (await takeVms(store, op, await store.vms.byIds([id]))).filter(({ hold }) => hold?.op === op);
    if (!vm || !operation || !isDeviceChange(operation))
      return { do: 'refused', why: `another operation has VM ${id} now` };
    if (hasChanged(vm, operation)) return { do: 'done' };
    const { change } = operation.input;
    const { device_change: last } = vm;
    if (last?.open && (last.op !== op || last.epoch !== vm.epoch)) return { do: 'settle' };
    const from = movesFrom(vm);
    const verb = from && deviceVerb(change.action, from);
    if (from === undefined || verb === undefined)
      return { do: 'refused', why: vm.reason ?? `VM ${id} is ${vmStateName(vm)}` };
    if (last?.open) return { do: 'change', verb };
    const plan = planChange(vm, change, new Date());
    if ('why' in plan) return { do: 'refused', why: plan.why };
    const { device_ids } = plan;
    const write = async (): Promise<boolean> => {
      const planned = await withAddress({ store, directory }, vm, operation, plan.change);
      const device_change: DeviceChanging = { op, change: planned, from, epoch: vm.epoch, open: true };
      const set = { device_change, device_ids };
      return (await store.vms.transition([{ vm, event: vmMoves[from].settled, set }])).has(id);
    };
    const written = await orProblem(untilChosen(write));
    if (written instanceof Problem) return { do: 'refused', why: written.message };
    return written ? { do: 'change', verb } : { do: 'refused', why: `another operation has VM ${id} now` };
  },

  /** Why the devices of the VM are not changed; null: they are. */
  async deviceFailure({ op, vm: id }: VmInput): Promise<string | null> {
    const vm = await store.vms.find(id);
    if (!vm) return 'it is not there any more';
    if (hasChanged(vm, { _id: op })) return null;
    return vm.reason ?? `it is ${vmStateName(vm).replace('ACTIVE/', '')}`;
  },
});

/** The steps of them at hypervisors. */
export const deviceSteps = ({ store, hypervisors }: StepPorts) => ({
  /** As the verb says; then the VM is what it was, and has what its host has. */
  async changeDevices({ op, vms, verb }: VmBatch & { verb: DeviceVerb }): Promise<BatchOutcome> {
    const hosts = hostTargets(store);
    return eachVm(store.vms, op, vms, {
      verb,
      prepare: hosts.read,
      work: async (vm, signal) => {
        const { device_change: wish } = vm;
        if (!wish?.open || wish.op !== op) throw new Problem('wrong_state', `VM ${vm._id} is to be changed by nobody.`);
        const host = placeIn(hosts, vm);
        const adapter = adapterFor(verb, host, hypervisors);
        await adapter[vmVerbs[verb].call]({ ...placed(vm, host), change: domainChange(vm._id, wish.change) }, signal);
        return { ...devicesAfter(devicesOf(vm), wish.change), device_change: { ...wish, open: false } };
      },
    });
  },

  /**
   * After a change that did not come to its end: sees at the VM's host whether it was done, and writes what is there. First a call under a
   * new epoch, which changes nothing of a VM that is as it was: from then on no older change comes through.
   */
  async settleDevices({ op, vms: [id = -1] }: VmBatch): Promise<void> {
    const { cancellationSignal: signal } = Context.current();
    await takeVms(store, op, await store.vms.byIds([id]));
    const vm = await store.vms.renew(op, id);
    const { device_change: wish } = vm ?? {};
    if (!vm || !wish?.open) return;
    const { fence, settled } = vmMoves[wish.from];
    const hosts = hostTargets(store);
    await hosts.read([vm]);
    const found = placeOf(vm) === null ? null : await fenced(hypervisors, placeIn(hosts, vm), vm, fence, signal);
    const isAsItWas =
      wish.from === 'off'
        ? found === null || found.state === 'stopped'
        : found?.state === (wish.from === 'running' ? 'running' : 'suspended') || found?.state === 'booting';
    const isDone = found !== null && wasDone(wish.change, wish.epoch, found.devices ?? { nics: [], disks: [] });
    await store.vms.transition([
      {
        vm,
        event: isAsItWas ? settled : 'lose',
        set: {
          reason: isAsItWas ? null : found ? `it is ${found.state}` : 'its host has nothing of it',
          ...(isDone && devicesAfter(devicesOf(vm), wish.change)),
          device_change: isDone ? { ...wish, open: false } : null,
        },
        release: true,
      },
    ]);
  },
});

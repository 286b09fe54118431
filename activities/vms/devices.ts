import { Context } from '@temporalio/activity';
import { Problem, problemOf } from '../../domain/problems.js';
import { storageWish } from '../../domain/vms/disk-wishes.js';
import { placeOf } from '../../domain/vms/stays.js';
import {
  devicesAfter,
  devicesOf,
  deviceVerb,
  hasChanged,
  planChange,
  snapshotChange,
  wasDone,
} from '../../domain/vms/vm-devices.js';
import { movesFrom, vmMoves } from '../../domain/vms/vm-moves.js';
import { vmStateName } from '../../domain/vms/vm-states.js';
import { type DeviceVerb, vmVerbs } from '../../domain/vms/vm-verbs.js';
import { isDeviceChange } from '../../schemas/operations/operation.js';
import type { DeviceAction, Devices, PlannedChange } from '../../schemas/operations/vm-devices.js';
import type { DeviceChanging } from '../../schemas/vms/vm.js';
import { untilChosen } from '../../store/mongo/choice-lost.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import { begin, type StepInput } from '../operations/begin.js';
import { orProblem } from '../or-problem.js';
import type { StepPorts } from '../ports.js';
import { adapterFor, fenced, hostTargets, placed, placeIn, toldOf } from './at-hosts.js';
import { datastoreOfChange, imageOfChange } from './disk-image.js';
import { grownDisk, madeDisk, removedDisk, snapshotDone } from './disks.js';
import { type BatchOutcome, eachVm } from './each-vm.js';
import { copiesThere, demandedCopies, neededCopies } from './needed-copies.js';
import { withAddress } from './nic-address.js';
import { takeVms } from './taking.js';
import type { VmInput } from './vm-operations.js';
import type { VmBatch } from './vms.js';

/** `bring`: an image is to be brought to its datastore first. `settle`: of the change before it is not known whether it was done; `done`: this one is. */
type ChangePlan =
  | { do: 'change'; verb: DeviceVerb; bring?: true }
  | { do: 'refused'; why: string }
  | { do: 'settle' }
  | { do: 'done' };

async function toChange(ports: Pick<StepPorts, 'store'>, vm: WorkVm, verb: DeviceVerb): Promise<ChangePlan> {
  const { missing } = await copiesThere(ports, await neededCopies(ports, [vm]));
  return { do: 'change', verb, ...(missing.length > 0 && { bring: true }) };
}

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
    if (last?.open) return toChange({ store }, vm, verb);
    const ports = { store, directory };
    const write = async (): Promise<ChangePlan> => {
      const plan = planChange(vm, change, new Date(), await imageOfChange(ports, vm, operation));
      if ('why' in plan) return { do: 'refused', why: plan.why };
      const { device_ids } = plan;
      const planned = await withAddress(ports, vm, operation, plan.change);
      const datastore = await datastoreOfChange(ports, vm, planned);
      const device_change: DeviceChanging = { op, change: planned, from, epoch: vm.epoch, open: true };
      const set = { device_change, device_ids, ...(datastore && { datastore }) };
      const { there, refused } = await store.places.free([{ vm, event: vmMoves[from].settled, set }]);
      if (refused.length > 0)
        return {
          do: 'refused',
          why: `datastore ${datastore?.id} has no room for ${datastore?.mb} MB of disks of VM ${id}`,
        };
      if (!there.has(id)) return { do: 'refused', why: `another operation has VM ${id} now` };
      return toChange({ store }, { ...vm, device_change, ...(datastore && { datastore }) }, verb);
    };
    const written = await orProblem(untilChosen(write));
    return written instanceof Problem ? { do: 'refused', why: written.message } : written;
  },

  /** Why the devices of the VM are not changed; null: they are. */
  async deviceFailure({ op, vm: id }: VmInput): Promise<string | null> {
    const vm = await store.vms.find(id);
    if (!vm) return 'it is not there any more';
    if (hasChanged(vm, { _id: op })) return null;
    return vm.reason ?? `it is ${vmStateName(vm).replace('ACTIVE/', '')}`;
  },
});

/** A snapshot that was to be taken, and of which the domain has nothing, is not kept. */
const asDropped = ({
  disk_id,
  snapshot: { snapshot_id },
}: Extract<PlannedChange, { snapshot: unknown }>): PlannedChange => ({
  ...({ action: 'disk-snapshot-delete', disk_id, snapshot_id } as const),
});

/** What a VM has, and what its disks come to where they lie. */
const settledDevices = ({ datastore }: WorkVm, { nics, disks }: Devices) => ({
  ...{ nics: [...nics], disks: [...disks] },
  ...(datastore && { datastore: { ...datastore, mb: storageWish(disks)?.mb ?? 0 } }),
});

/** Snapshots of a disk that is an image itself are kept in that, and stay with it: it says so, too, before the VM does. */
async function keptInImage(
  store: StepPorts['store'],
  { _id }: WorkVm,
  change: PlannedChange,
  { disks }: Devices,
): Promise<void> {
  const its = snapshotChange(change);
  const disk = its && disks.find(({ disk_id }) => disk_id === its.disk);
  if (disk?.image?.way === 'use') await store.images.keepsSnapshots(disk.image.id, _id, disk);
}

/** The steps of them at hypervisors. */
export const deviceSteps = ({ store, hypervisors, storages }: StepPorts) => ({
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
        const { change } = wish;
        if (change.action === 'disk-attach')
          await madeDisk(storages, vm, change.disk, await demandedCopies({ store }, vm), signal);
        // Of one that runs its hypervisor does it, which has it open.
        if (change.action === 'disk-resize' && wish.from === 'off')
          await grownDisk(storages, vm, change.disk_id, change.size, signal);
        await adapter[vmVerbs[verb].call]({ ...placed(vm, host), change: toldOf(storages, vm, change) }, signal);
        if (change.action === 'disk-detach') await removedDisk(storages, vm, change.disk_id, signal);
        await snapshotDone(storages, vm, wish, signal);
        const after = devicesAfter(devicesOf(vm), change);
        await keptInImage(store, vm, change, after);
        return { ...settledDevices(vm, after), device_change: { ...wish, open: false } };
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
    const { change } = wish;
    // Of a disk that the domain has not, nothing is kept.
    const gone =
      change.action === 'disk-attach' && !isDone
        ? change.disk.disk_id
        : change.action === 'disk-detach' && isDone
          ? change.disk_id
          : null;
    if (gone !== null) await removedDisk(storages, vm, gone, signal);
    const orphan = change.action === 'disk-snapshot-create' ? asDropped(change) : null;
    const inDatastore = isDone ? change : orphan;
    // Where it never was there, nothing of it is.
    if (inDatastore)
      await snapshotDone(storages, vm, { ...wish, change: inDatastore }, signal).catch((error: unknown) => {
        if (problemOf(error)?.code !== 'not_found') throw error;
      });
    await keptInImage(store, vm, change, isDone ? devicesAfter(devicesOf(vm), change) : devicesOf(vm));
    await store.vms.transition([
      {
        vm,
        event: isAsItWas ? settled : 'lose',
        set: {
          reason: isAsItWas ? null : found ? `it is ${found.state}` : 'its host has nothing of it',
          ...settledDevices(vm, isDone ? devicesAfter(devicesOf(vm), change) : devicesOf(vm)),
          device_change: isDone ? { ...wish, open: false } : null,
        },
        release: true,
      },
    ]);
  },
});

import { Context } from '@temporalio/activity';
import { endStay } from '../../domain/vms/stays.js';
import { disksAway } from '../../domain/vms/vm-devices.js';
import type { Stored } from '../../schemas/vms/vm.js';
import type { CopyWish } from '../../store/vms/copy-claims.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import type { StepPorts } from '../ports.js';
import { dropUnfinished } from '../storage/image-copies.js';
import { adapterFor, hostTargets, placed, placeIn } from './at-hosts.js';
import { removedDisks } from './disks.js';
import { type BatchOutcome, eachVm } from './each-vm.js';
import { tellGuest } from './guests.js';
import { discardStored, memoryOf, refuseUnkept } from './kept-memory.js';
import { neededCopies } from './needed-copies.js';
import { dropSurplus } from './place-vms.js';
import { wakeService } from './wake-service.js';

// What is kept of VMs away from their hosts: how it comes to be so, comes back, and goes.

/**
 * RUNNING → SAVE_STOP → EPILOG_STOP, and what is suspended is marked: from then on something of it may be kept elsewhere. Returns
 * those that are to leave their hosts now.
 */
export async function saveToStop(
  { store, hypervisors, storages }: StepPorts,
  op: string,
  vms: readonly number[],
): Promise<number[]> {
  const hosts = hostTargets(store);
  const storedOf = (vm: WorkVm): { stored: Stored } => ({ stored: { vm_mad: placeIn(hosts, vm).vm_mad } });
  const present = await store.vms.byIds(vms);
  const suspended = present.filter((vm) => vm.state === 'SUSPENDED' && vm.hold?.op === op && !vm.stored);
  if (suspended.length > 0) {
    await hosts.read(suspended);
    await store.vms.transition(suspended.map((vm) => ({ vm, event: 'suspended', set: storedOf(vm) })));
  }
  const running = present.filter(({ lcm_state }) => lcm_state === 'RUNNING' || lcm_state === 'SAVE_STOP');
  if (running.length === 0) return [...vms];
  const { failed, taken } = await eachVm(
    store.vms,
    op,
    running.map(({ _id }) => _id),
    {
      verb: 'saveStop',
      goesOn: true,
      prepare: hosts.read,
      work: async (vm, signal) => {
        const target = placeIn(hosts, vm);
        // What could not leave then stays as it is.
        adapterFor('store', target, hypervisors);
        refuseUnkept(storages, vm, target.vm_mad);
        await adapterFor('saveStop', target, hypervisors).suspend(placed(vm, target), signal);
        return storedOf(vm);
      },
    },
  );
  const lost = new Set([...failed.map(({ vm }) => vm), ...taken]);
  return vms.filter((vm) => !lost.has(vm));
}

/** PROLOG_RESUME → BOOT_STOPPED → RUNNING, with what they had in memory. */
export async function resumeStopped(ports: StepPorts, op: string, vms: readonly number[]): Promise<BatchOutcome> {
  const { store, hypervisors, storages } = ports;
  const hosts = hostTargets(store);
  const fetched = await eachVm(store.vms, op, vms, {
    verb: 'fetch',
    goesOn: true,
    prepare: hosts.read,
    work: async (vm, signal) => {
      const target = placeIn(hosts, vm);
      const told = await tellGuest(ports, vm, signal);
      const memory = memoryOf(storages, vm, target.vm_mad);
      await adapterFor('fetch', target, hypervisors).fetch({ ...placed(vm, target), ...told, memory }, signal);
      return {};
    },
  });
  const resumed = await eachVm(store.vms, op, fetched.done, {
    verb: 'resumeStopped',
    prepare: hosts.read,
    work: async (vm, signal) => {
      const target = placeIn(hosts, vm);
      await adapterFor('resumeStopped', target, hypervisors).resume(placed(vm, target), signal);
      return { stored: null };
    },
  });
  return merged({ ...fetched, done: [] }, resumed);
}

/** EPILOG → DONE, or PENDING, of VMs without a host: what is kept of them is ended, and their disks. */
export async function discarding(
  { store, hypervisors, storages, engine }: StepPorts,
  op: string,
  vms: readonly number[],
  to: 'remove' | 'clear',
): Promise<BatchOutcome> {
  const losing = new Set<number>();
  const apart: CopyWish[] = [];
  const outcome = await eachVm(store.vms, op, vms, {
    verb: to === 'remove' ? 'discard' : 'discardToClear',
    prepare: async (entering) => {
      apart.push(...(await neededCopies({ store }, entering)));
    },
    work: async (vm, signal) => {
      await discardStored({ hypervisors, storages }, vm, signal);
      await removedDisks(storages, vm, signal);
      return { deploy_id: null, ...(vm.stored && { stored: null }), ...(vm.datastore && { datastore: null }) };
    },
    left: (vm, at) => ({
      ...(to === 'remove' && { ended_at: at }),
      ...disksAway(vm, true),
      history: endStay(vm.history, 'user', at),
    }),
    before: async (gone) => {
      for (const vm of gone) if (vm.service && vm.operation === op) losing.add(vm.service.id);
    },
  });
  if (to === 'remove') await dropSurplus(store, outcome.done);
  await dropUnfinished({ store, storages }, apart, Context.current().cancellationSignal);
  for (const service of losing) await wakeService({ store, engine }, service);
  return outcome;
}

/** Parts of a batch, each of VMs that no other one has: what goes wrong with one of them waits for the others. */
export async function together(...parts: readonly Promise<BatchOutcome>[]): Promise<BatchOutcome> {
  let all: BatchOutcome = { done: [], failed: [], taken: [] };
  for (const part of await Promise.allSettled(parts)) {
    if (part.status === 'rejected') throw part.reason;
    all = merged(all, part.value);
  }
  return all;
}

export const merged = (one: BatchOutcome, other: BatchOutcome): BatchOutcome => ({
  done: [...one.done, ...other.done],
  failed: [...one.failed, ...other.failed],
  taken: [...one.taken, ...other.taken],
});

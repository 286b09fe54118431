import type { Hypervisors } from '../../adapters/hypervisor/hypervisors.js';
import type { HostTarget, Hypervisor } from '../../adapters/hypervisor/port.js';
import type { Networks } from '../../adapters/network/port.js';
import { Problem, problemOf } from '../../domain/problems.js';
import { type VmCall, vmCalls } from '../../domain/vms/vm-verbs.js';
import { type NicsStore, type WantedNic, wantedNicsReader } from './plugged-nics.js';

type Held = { id: number; epoch: number };

/**
 * Hypervisors whose hosts have what the NICs of a VM need before it is there, and not any more when it has gone. So every step that deploys, moves or removes a VM, or
 * changes its NICs, does the same to its networks, as often and as late as it does anything: plugging a NIC twice is plugging it once, and the epoch of the VM's holder fences
 * both alike.
 */
export function networkedHypervisors(hypervisors: Hypervisors, networks: Networks, store: NicsStore): Hypervisors {
  const nicsOf = wantedNicsReader(store);
  const each =
    (way: 'plug' | 'unplug') =>
    async (
      host: HostTarget,
      { id, epoch }: Held,
      signal: AbortSignal,
      which: (nic: WantedNic) => boolean = () => true,
    ): Promise<void> => {
      const nics = (await nicsOf(id)).filter(which);
      await Promise.all(nics.map((nic) => networks.of(host)[way]({ ...nic, epoch }, signal)));
    };
  const [plug, unplug] = [each('plug'), each('unplug')];
  return { of: (host) => networked(hypervisors.of(host)) };

  function networked(hypervisor: Hypervisor): Hypervisor {
    return {
      can: hypervisor.can,
      ...untouched(hypervisor),
      deploy: (vm, signal) =>
        asRefused('deploy', async () => {
          // Most have none, and are not asked after.
          if (vm.devices?.nics.length === 0) return hypervisor.deploy(vm, signal);
          await plug(vm.host, vm, signal);
          try {
            return await hypervisor.deploy(vm, signal);
          } catch (error) {
            // Too late: what was plugged for it goes, and not what a newer holder has plugged.
            if (problemOf(error)?.code === 'stale_epoch') await unplug(vm.host, vm, signal);
            throw error;
          }
        }),
      destroy: (vm, signal) =>
        asRefused('destroy', async () => {
          await hypervisor.destroy(vm, signal);
          await unplug(vm.host, vm, signal);
        }),
      attachNic: (vm, signal) =>
        asRefused('attachNic', async () => {
          const { change } = vm;
          if (change.action === 'nic-attach') await plug(vm.host, vm, signal, ({ nic }) => nic === change.nic.nic_id);
          await hypervisor.attachNic(vm, signal);
        }),
      detachNic: (vm, signal) =>
        asRefused('detachNic', async () => {
          const { change } = vm;
          await hypervisor.detachNic(vm, signal);
          if (change.action === 'nic-detach') await unplug(vm.host, vm, signal, ({ nic }) => nic === change.nic_id);
        }),
      migrate: (vm, signal) =>
        asRefused('migrate', async () => {
          await plug(vm.to, vm, signal);
          await hypervisor.migrate(vm, signal);
          await unplug(vm.host, vm, signal);
        }),
      move: (vm, signal) =>
        asRefused('move', async () => {
          await plug(vm.to, vm, signal);
          await hypervisor.move(vm, signal);
          await unplug(vm.host, vm, signal);
        }),
      store: (vm, signal) =>
        asRefused('store', async () => {
          await hypervisor.store(vm, signal);
          await unplug(vm.host, vm, signal);
        }),
      fetch: (vm, signal) =>
        asRefused('fetch', async () => {
          await plug(vm.host, vm, signal);
          await hypervisor.fetch(vm, signal);
        }),
    };
  }
}

/** What trying again cannot mend of a network is told as what the call is refused with. */
async function asRefused<T>(call: VmCall, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const problem = problemOf(error);
    if (problem?.code !== 'network_refused') throw error;
    throw new Problem(vmCalls[call].refused, problem.message, { cause: error });
  }
}

/** What changes nothing of what a VM is connected to. One by one: an adapter may be of a class, whose methods need it. */
const untouched = (its: Hypervisor) =>
  ({
    probe: (host, signal) => its.probe(host, signal),
    guestsSeen: (host, signal) => its.guestsSeen(host, signal),
    look: (vm, signal) => its.look(vm, signal),
    poweroff: (vm, signal) => its.poweroff(vm, signal),
    reboot: (vm, signal) => its.reboot(vm, signal),
    suspend: (vm, signal) => its.suspend(vm, signal),
    resume: (vm, signal) => its.resume(vm, signal),
    snapshotCreate: (vm, signal) => its.snapshotCreate(vm, signal),
    snapshotRevert: (vm, signal) => its.snapshotRevert(vm, signal),
    snapshotDelete: (vm, signal) => its.snapshotDelete(vm, signal),
    adopt: (vm, signal) => its.adopt(vm, signal),
    disown: (vm, signal) => its.disown(vm, signal),
    discard: (vm, signal) => its.discard(vm, signal),
    attachDisk: (vm, signal) => its.attachDisk(vm, signal),
    detachDisk: (vm, signal) => its.detachDisk(vm, signal),
    resizeDisk: (vm, signal) => its.resizeDisk(vm, signal),
    snapshotDisk: (vm, signal) => its.snapshotDisk(vm, signal),
    revertDisk: (vm, signal) => its.revertDisk(vm, signal),
    dropSnapshot: (vm, signal) => its.dropSnapshot(vm, signal),
  }) satisfies Partial<Hypervisor>;

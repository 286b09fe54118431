import type { MemoryPlace } from '../../adapters/hypervisor/port.js';
import { domainName } from '../../domain/operations/names.js';
import { Problem } from '../../domain/problems.js';
import { vmCalls } from '../../domain/vms/vm-verbs.js';
import type { HypervisorKind } from '../../schemas/hosts/host.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import type { StepPorts } from '../ports.js';
import { inTime } from './disks.js';

/** Whether what VMs have in memory is kept in their datastores, when they leave their hosts with it: a kind of hypervisor may have a place of its own. */
const inDatastore = { simulated: false, libvirt: true } as const satisfies Record<HypervisorKind, boolean>;

type Kept = Pick<WorkVm, '_id' | 'epoch' | 'datastore'>;

/** Where that of a VM may be; undefined: its kind of hypervisor needs no such place, or it has no datastore, or one that keeps no bytes. */
export function memoryOf(storages: StepPorts['storages'], vm: Kept, kind: HypervisorKind): MemoryPlace | undefined {
  if (!inDatastore[kind] || !vm.datastore) return undefined;
  const { id, ds_mad } = vm.datastore;
  const storage = storages.of({ ds_mad });
  if (!storage.can.read) return undefined;
  const claim = { vm: vm._id, epoch: vm.epoch, datastore: { id, ds_mad } };
  return {
    async take(signal) {
      const kept = await inTime(vm, storage.takeMemory(claim, signal));
      if (!kept) throw new Problem(vmCalls.store.refused, `Datastore ${id} keeps no files that a host opens.`);
      return kept;
    },
    drop: (signal) => inTime(vm, storage.dropMemory(claim, signal)),
  };
}

/** Before anything of a VM is saved: throws where that could not be kept away from its host. */
export function refuseUnkept(storages: StepPorts['storages'], vm: Kept, kind: HypervisorKind): void {
  if (inDatastore[kind] && memoryOf(storages, vm, kind) === undefined)
    throw new Problem(
      vmCalls.store.refused,
      `VM ${vm._id} has no datastore of files, in which what it has in memory would be kept: switch it off, or undeploy it.`,
    );
}

/** Of what a VM had in memory nothing is kept away from hosts any more. */
export async function discardStored(
  { hypervisors, storages }: Pick<StepPorts, 'hypervisors' | 'storages'>,
  vm: Kept & Pick<WorkVm, 'stored'>,
  signal: AbortSignal,
): Promise<void> {
  const { _id: id, epoch, stored } = vm;
  if (!stored) return;
  const memory = memoryOf(storages, vm, stored.vm_mad);
  await hypervisors.of(stored).discard({ id, domain: domainName(id), epoch, memory }, signal);
}

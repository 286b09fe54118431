import type { HypervisorKind } from '../../schemas/hosts/host.js';
import type { Disk } from '../../schemas/operations/vm-devices.js';
import type { Vm, VmDatastore } from '../../schemas/vms/vm.js';
import type { ProblemCode } from '../problems.js';
import { placeOf } from './stays.js';
import { isVmRunning } from './vm-states.js';

/**
 * Whether what a disk has stays as it is while its VM runs. Guests of simulated hosts write nothing. Of a kind whose guests do, what is copied would be of
 * no one moment: their VMs are switched off or suspended first, until its adapter can have them write elsewhere meanwhile.
 */
const staysWhileRunning = { simulated: true, libvirt: false } as const satisfies Readonly<
  Record<HypervisorKind, boolean>
>;

/** Whether nobody writes to the disks of a VM that is on such a host, if it runs. */
export const isStill = (
  runs: boolean,
  kind: string | undefined,
  stays: Readonly<Record<string, boolean>> = staysWhileRunning,
): boolean => !runs || kind === undefined || stays[kind] === true;

type Saved = Pick<Vm, '_id' | 'state' | 'lcm_state' | 'history' | 'disks' | 'datastore'>;
export type DiskSave = { disk: Disk; datastore: VmDatastore };

/** What is saved, and from where; or why it is not, as a sentence. */
export function planSave(
  vm: Saved,
  disk: number,
  snapshot?: number,
  stays: Readonly<Record<string, boolean>> = staysWhileRunning,
): DiskSave | { code: ProblemCode; why: string } {
  const { _id: id, disks = [], datastore } = vm;
  const found = disks.find(({ disk_id }) => disk_id === disk);
  if (!found) return { code: 'not_found', why: `VM ${id} has no disk ${disk}.` };
  const refused = (why: string) => ({ code: 'wrong_state', why }) as const;
  if (found.type === 'swap') return refused(`Disk ${disk} of VM ${id} is one to swap to: there is nothing to save.`);
  if (!datastore) return refused(`Disk ${disk} of VM ${id} is kept by its host, and in no datastore.`);
  if (snapshot !== undefined && !found.snapshots.some(({ snapshot_id }) => snapshot_id === snapshot))
    return { code: 'not_found', why: `Disk ${disk} of VM ${id} has no snapshot ${snapshot}.` };
  const place = placeOf(vm);
  if (isVmRunning(vm) && place !== null && stays[place.vm_mad] !== true)
    return refused(
      `Disk ${disk} of VM ${id} changes while it runs, and hosts of kind ${place.vm_mad} cannot keep it as it is: suspend the VM or switch it off, and save it then.`,
    );
  return { disk: found, datastore };
}

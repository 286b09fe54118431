import type { Disk } from '../../schemas/operations/vm-devices.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { imagesUsedBy } from '../vms/boot-files.js';
import { type VmStateName, vmStateName } from '../vms/vm-states.js';
import { type Flaw, flaw } from './evidence.js';
import { isMoving, type SeenVm, type Surroundings } from './hands.js';
import type { SeenImage } from './judge-images.js';
import { seenOf } from './judge-vms.js';

/** Disks that lie in a datastore; bytes are those on disk. */
export type LyingDisks = readonly { vm: number; disk: number; bytes: number }[];

export type AroundDisks = Surroundings & {
  /** Those that are said to have their disks in the datastore, and those of which something lies there. */
  vms: ReadonlyMap<number, SeenVm>;
};

/** States of VMs whose disks were made, and are there until they are DONE. */
const made: ReadonlySet<VmStateName> = new Set<VmStateName>([
  'ACTIVE/RUNNING',
  'ACTIVE/UNKNOWN',
  'POWEROFF',
  'SUSPENDED',
  'STOPPED',
  'UNDEPLOYED',
]);

/** The disks of a VM, with the one of which it is not settled whether it has it. */
export function disksOf({
  state,
  disks = [],
  device_change: last,
}: Pick<Vm, 'state' | 'disks' | 'device_change'>): Disk[] {
  if (state === 'DONE') return [];
  return [...disks, ...(last?.open && last.change.action === 'disk-attach' ? [last.change.disk] : [])];
}

/** Images that a VM uses, or may. */
export const usedBy = (vm: Pick<SeenVm, 'state' | 'disks' | 'files' | 'device_change'>): number[] =>
  vm.state === 'DONE' ? [] : imagesUsedBy({ disks: disksOf(vm), ...(vm.files && { files: vm.files }) });

/** Which disks in a datastore no VM explains, and which VMs lack theirs there. */
export function judgeDisks(datastore: number, lying: LyingDisks, known: AroundDisks): Flaw[] {
  const there = new Set(lying.map(({ vm, disk }) => `${vm} ${disk}`));
  const surplus = lying.flatMap(({ vm: id, disk, bytes }): Flaw[] => {
    const vm = known.vms.get(id);
    if (!vm) return [flaw('disk_orphaned', { datastore, vm: id, disk, bytes })];
    if (isMoving(vm, known)) return [];
    const is = whyNotIts(vm, disk, datastore);
    return is === null ? [] : [flaw('disk_left', { datastore, vm: id, disk, bytes, is })];
  });
  const lacking = [...known.vms.values()].flatMap((vm): Flaw[] => {
    if (vm.datastore?.id !== datastore || !made.has(vmStateName(vm)) || isMoving(vm, known)) return [];
    const missing = (vm.disks ?? []).filter(({ disk_id }) => !there.has(`${vm._id} ${disk_id}`));
    return missing.map(({ disk_id: disk }) => flaw('disk_missing', { ...seenOf(vm), datastore, disk }));
  });
  return [...surplus, ...lacking];
}

/** What guests are told that lies in a datastore. */
export type LyingContexts = readonly { vm: number; epoch: number }[];

/** Of which VMs a datastore has what they were told, and should not. A VM that has room there may have it: the next start says what it is. */
export const judgeContexts = (datastore: number, lying: LyingContexts, known: AroundDisks): Flaw[] =>
  lying.flatMap(({ vm: id, epoch }): Flaw[] => {
    const vm = known.vms.get(id);
    if (!vm) return [flaw('context_orphaned', { datastore, vm: id, epoch })];
    const is = isMoving(vm, known) ? null : whyNotTold(vm, datastore);
    return is === null ? [] : [flaw('context_left', { datastore, vm: id, epoch, is })];
  });

/** Why what lies there is nothing that the guest of a VM is told; null: it may be. */
export function whyNotTold(
  { state, datastore: its }: Pick<SeenVm, 'state' | 'datastore'>,
  datastore: number,
): 'DONE' | 'elsewhere' | 'without' | null {
  if (state === 'DONE') return 'DONE';
  if (!its) return 'without';
  return its.id === datastore ? null : 'elsewhere';
}

/** Why what lies there is no disk of a VM; null: it is. */
export function whyNotIts(
  vm: Pick<SeenVm, 'state' | 'datastore' | 'disks' | 'device_change'>,
  disk: number,
  datastore: number,
): 'DONE' | 'elsewhere' | 'without' | null {
  if (vm.state === 'DONE') return 'DONE';
  if (vm.datastore && vm.datastore.id !== datastore) return 'elsewhere';
  return disksOf(vm).some(({ disk_id }) => disk_id === disk) ? null : 'without';
}

/** Images that VMs have disks of, and that do not say so. `images`: those that are there. */
export const judgeImagesOfVms = (
  vms: readonly SeenVm[],
  { images, ...known }: Surroundings & { images: ReadonlyMap<number, Pick<SeenImage, 'vms'>> },
): Flaw[] =>
  vms.flatMap((vm) => {
    if (isMoving(vm, known)) return [];
    return usedBy(vm).flatMap((image) =>
      images.get(image)?.vms.includes(vm._id) ? [] : [flaw('image_use_missing', { ...seenOf(vm), image })],
    );
  });

/** VMs that images say to use them, and that do not. */
export const judgeUsers = (images: readonly Pick<SeenImage, '_id' | 'vms'>[], { vms, ...known }: AroundDisks): Flaw[] =>
  images.flatMap(({ _id: image, vms: named }) =>
    named.flatMap((id): Flaw[] => {
      const vm = vms.get(id);
      if (vm && (isMoving(vm, known) || usedBy(vm).includes(image))) return [];
      const is = vm === undefined ? 'missing' : vm.state === 'DONE' ? 'DONE' : 'without';
      return [flaw('image_use_stale', { image, vm: id, is })];
    }),
  );

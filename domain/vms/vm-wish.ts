import type { RoleTies } from '../../schemas/placement/placement.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { PlacementWish } from '../placement/placement.js';
import type { StorageWish } from '../placement/placement-datastores.js';
import { bootFilesOf } from './boot-files.js';
import { storageWish } from './disk-wishes.js';
import { isAttributes } from './template-values.js';

type WishingVm = Pick<
  Vm,
  '_id' | 'capacity' | 'user_template' | 'service' | 'placement' | 'disks' | 'files' | 'datastore'
> &
  /** `told`: what a projection says in the place of the template. */
  Partial<Pick<Vm, 'template'>> & { told?: boolean };

/** Whether its guest is to be told something. */
export const isTold = ({ told, template }: Pick<WishingVm, 'told' | 'template'>): boolean =>
  told ?? isAttributes(template?.CONTEXT);

/** Whether it needs a place for files: what its guest is told, and what it is booted by. */
export const hasFiles = (vm: Pick<WishingVm, 'told' | 'template' | 'files'>): boolean =>
  isTold(vm) || bootFilesOf(vm.files).length > 0;

/** What a VM asks of a host. */
export const wishOf = (vm: WishingVm): PlacementWish => ({
  vm: vm._id,
  capacity: vm.capacity,
  requirements: textOf(vm.user_template.SCHED_REQUIREMENTS),
  rank: textOf(vm.user_template.SCHED_RANK),
  storage: storageOf(vm),
  tied: vm.service && vm.placement ? { ...vm.placement, service: vm.service.id, role: vm.service.role } : undefined,
});

/** The same of a host that somebody has named: what it is like is his affair, and rules between roles are not. */
export const wishOn = (vm: Parameters<typeof wishOf>[0]): PlacementWish => ({
  ...wishOf(vm),
  ...{ requirements: undefined, rank: undefined },
});

/** Whether a role's VMs may not share any host with any other: what a plan alone cannot promise when two plan at once. */
export const isBound = ({ together, apart }: RoleTies): boolean => together.length > 0 || apart.length > 0;

function storageOf(vm: WishingVm): StorageWish | undefined {
  const { disks = [], files = [], datastore, user_template } = vm;
  if (datastore) return { mb: 0, kinds: [], at: datastore.id };
  const boot = bootFilesOf(files);
  const wish = storageWish(disks, isTold(vm) ? files : boot.length > 0 ? boot : null);
  if (!wish) return;
  const { SCHED_DS_REQUIREMENTS, SCHED_DS_RANK } = user_template;
  return {
    ...wish,
    ...{ requirements: textOf(SCHED_DS_REQUIREMENTS), rank: textOf(SCHED_DS_RANK) },
    // Without disks its guest can be started all the same, and is told nothing.
    ...(disks.length + boot.length === 0 && { spare: true }),
  };
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined;

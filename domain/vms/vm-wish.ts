import type { RoleTies } from '../../schemas/placement/placement.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { PlacementWish } from '../placement/placement.js';

/** What a VM asks of a host. */
export const wishOf = (
  vm: Pick<Vm, '_id' | 'capacity' | 'user_template' | 'service' | 'placement'>,
): PlacementWish => ({
  vm: vm._id,
  capacity: vm.capacity,
  requirements: textOf(vm.user_template.SCHED_REQUIREMENTS),
  rank: textOf(vm.user_template.SCHED_RANK),
  tied: vm.service && vm.placement ? { ...vm.placement, service: vm.service.id, role: vm.service.role } : undefined,
});

/** The same of a host that somebody has named: what it is like is his affair, and rules between roles are not. */
export const wishOn = (vm: Parameters<typeof wishOf>[0]): PlacementWish => ({
  ...wishOf(vm),
  ...{ requirements: undefined, rank: undefined },
});

/** Whether a role's VMs may not share any host with any other: what a plan alone cannot promise when two plan at once. */
export const isBound = ({ together, apart }: RoleTies): boolean => together.length > 0 || apart.length > 0;

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined;

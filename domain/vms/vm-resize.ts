import type { Capacity } from '../../schemas/common/capacity.js';
import type { Amounts } from '../../schemas/identity/amounts.js';
import type { ResizeVm, Vm } from '../../schemas/vms/vm.js';
import { added, chargeOfVm, negated, nothing } from '../identity/quotas.js';

/** What a VM is to have; `asked`: what its owner is charged beyond what he was, less where it is negative. */
export type Resized = { capacity: Capacity; template: Vm['template']; charge?: Amounts; asked: Amounts };

/** What is not named stays. */
export function resized(
  vm: Pick<Vm, 'capacity' | 'template' | 'charge'>,
  { cpu, vcpu, memory }: Pick<ResizeVm, 'cpu' | 'vcpu' | 'memory'>,
): Resized {
  const capacity = {
    cpu: cpu === undefined ? vm.capacity.cpu : Math.round(cpu * 100),
    memory: memory ?? vm.capacity.memory,
  };
  // One of a service is charged with that, as large as it was.
  const charge =
    vm.charge && vm.charge.vms > 0
      ? added(vm.charge, added(chargeOfVm(capacity), negated(chargeOfVm(vm.capacity))))
      : vm.charge;
  return {
    capacity,
    template: {
      ...vm.template,
      ...(cpu !== undefined && { CPU: capacity.cpu / 100 }),
      ...(memory !== undefined && { MEMORY: memory }),
      ...(vcpu !== undefined && { VCPU: vcpu }),
    },
    ...(charge && { charge }),
    asked: charge && vm.charge ? added(charge, negated(vm.charge)) : nothing,
  };
}

/** Whether a VM asks for less than it did of something. */
export const isSmaller = (after: Capacity, before: Capacity): boolean =>
  after.cpu < before.cpu || after.memory < before.memory;

import { Problem } from '../../domain/problems.js';
import { placeOf } from '../../domain/vms/stays.js';
import { isUnable } from '../../domain/vms/unable.js';
import type { VmAction } from '../../schemas/operations/vm-action.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { VmActionName } from '../../schemas/vms/vm-actions.js';

/** Refuses what the hypervisor of a VM's host cannot do. */
export function refuseUnable(vm: Pick<Vm, '_id' | 'history' | 'moving'>, action: VmActionName | VmAction): void {
  const place = placeOf(vm);
  if (place && isUnable(place.vm_mad, action))
    throw new Problem(
      'wrong_state',
      `VM ${vm._id} is on ${place.hostname}, and hosts of kind ${place.vm_mad} cannot do this (${action}).`,
    );
}

import { placeOf } from '../vms/stays.js';
import { abandonment } from '../vms/vm-events.js';
import { isVmOffHost } from '../vms/vm-states.js';
import { type Flaw, flaw } from './evidence.js';
import { isExpected, isMoving, isOpen, type SeenVm, type Surroundings } from './hands.js';
import { type OperationsOf, straysOf } from './judge-operation-owners.js';

/**
 * `reserved`: for each host that exists, those of the VMs in question that have a reservation there; `unfinished`: those
 * whose last operation has failed or was cancelled.
 */
export type AroundVms = Surroundings & {
  reserved: ReadonlyMap<number, ReadonlySet<number>>;
  unfinished: ReadonlySet<number>;
  operationsOn: OperationsOf;
};

export const seenOf = ({ _id: vm, state, lcm_state, epoch, hold }: SeenVm) => ({ vm, state, lcm_state, epoch, hold });

/** What of these VMs no operation explains. */
export const judgeVms = (vms: readonly SeenVm[], known: AroundVms): Flaw[] =>
  vms.flatMap((vm) =>
    isMoving(vm, known) ? [] : [...staleOf(vm, known), ...judgeOwner(vm, known), ...judgeVm(vm, known)],
  );

function judgeVm(vm: SeenVm, known: AroundVms): Flaw[] {
  const { _id: id, state, epoch, service } = vm;
  if (state === 'DONE') return placeOf(vm) ? [flaw('vm_done_on_host', { vm: id, stay: vm.history.length - 1 })] : [];
  const found: Flaw[] = [];
  if (!isVmOffHost(vm) && !isDiscarded(vm)) found.push(...judgePlace(vm, known));
  const owner = service && known.services.get(service.id);
  if (service && !owner)
    found.push(flaw('vm_without_service', { vm: id, service: service.id, role: service.role, lacks: 'service' }));
  if (service && owner && !owner.roles.some(({ name }) => name === service.role))
    found.push(flaw('vm_without_service', { vm: id, service: service.id, role: service.role, lacks: 'role' }));
  if (isExpected(vm, known)) return found;
  if (abandonment(vm)) found.push(flaw('vm_abandoned', seenOf(vm)));
  // Those of a service wait for its recovery, whose state says so; one whose operation failed or was cancelled, for its own.
  if (state === 'PENDING' && service === null && !known.unfinished.has(id))
    found.push(flaw('vm_waits_for_nothing', { vm: id, epoch }));
  return found;
}

/** What is kept of it away from hosts is on its way out, or could not be ended. */
const isDiscarded = (vm: SeenVm): boolean =>
  (vm.lcm_state === 'EPILOG' || vm.lcm_state === 'EPILOG_FAILURE') && placeOf(vm) === null;

/** Of one that is DONE, too, which goes with its service. Of one that is to be given away no more is said: its operations go with it. */
function judgeOwner(vm: SeenVm, { services, operationsOn }: AroundVms): Flaw[] {
  const { _id: id } = vm;
  const owner = vm.service && services.get(vm.service.id);
  // It is about to be.
  if (owner?.giving) return [];
  if (owner && (vm.uid !== owner.uid || vm.gid !== owner.gid))
    return [flaw('vm_owner_differs', { vm: id, service: owner._id, is: ownerOf(vm), should: ownerOf(owner) })];
  const strays = straysOf(vm, operationsOn.get(id));
  return strays ? [flaw('vm_operation_owner_differs', { vm: id, ...strays })] : [];
}

const ownerOf = ({ uid, gid }: { uid: number; gid: number }) => ({ uid, gid });

function judgePlace(vm: SeenVm, { reserved }: AroundVms): Flaw[] {
  const { _id: id, epoch, capacity } = vm;
  const stay = placeOf(vm);
  const there = stay && reserved.get(stay.hid);
  if (!stay || !there) return [flaw('vm_without_host', { vm: id, epoch, host: stay?.hid ?? null })];
  return there.has(id) ? [] : [flaw('vm_not_reserved', { ...seenOf(vm), host: stay.hid, capacity })];
}

/** Names of operations that have ended, or never were. Letting go of a VM in the middle of a step is part of giving that up. */
function staleOf(vm: SeenVm, { operations }: AroundVms): Flaw[] {
  const { _id: id, hold, operation, wanted } = vm;
  const isStale = (op: string): boolean => !isOpen(op, operations);
  return [
    ...(hold !== null && isStale(hold.op) && !abandonment(vm) ? [flaw('vm_hold_stale', { vm: id, hold })] : []),
    ...(operation !== null && isStale(operation) ? [flaw('vm_operation_stale', { vm: id, op: operation })] : []),
    ...(wanted !== null && isStale(wanted) ? [flaw('vm_wanted_stale', { vm: id, op: wanted })] : []),
  ];
}

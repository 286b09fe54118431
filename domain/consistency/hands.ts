import type { Host } from '../../schemas/hosts/host.js';
import type { Operation, OperationState } from '../../schemas/operations/operation.js';
import type { Role, Service } from '../../schemas/services/service.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { hasEnded } from '../operation-states.js';

/** The operations that the documents name, as far as they exist. */
export type KnownOperations = ReadonlyMap<string, Pick<Operation, 'state' | 'releasing'>>;

export type SeenVm = Pick<
  Vm,
  | '_id'
  | 'uid'
  | 'gid'
  | 'permissions'
  | 'state'
  | 'lcm_state'
  | 'epoch'
  | 'hold'
  | 'operation'
  | 'wanted'
  | 'service'
  | 'capacity'
  | 'history'
  | 'moving'
  | 'nics'
  | 'device_change'
  | 'disks'
  | 'files'
  | 'datastore'
>;
export type SeenService = Pick<
  Service,
  '_id' | 'uid' | 'gid' | 'permissions' | 'state' | 'epoch' | 'operation' | 'wanted' | 'holds' | 'giving' | 'networks'
> & {
  roles: Pick<Role, 'name' | 'state' | 'cardinality' | 'operation'>[];
};

const parked: readonly OperationState[] = ['waiting', 'waiting_for_you'];

/** Whether an operation that a document names is one that has not ended. */
export function isOpen(op: string, operations: KnownOperations): boolean {
  const known = operations.get(op);
  return known !== undefined && !hasEnded(known);
}

/** Whether it also has a run, or its VMs are being let go of: whatever does not fit may be about to. */
function isAtWork(op: string, operations: KnownOperations): boolean {
  const known = operations.get(op);
  if (known?.releasing) return true;
  return known !== undefined && !hasEnded(known) && !parked.includes(known.state);
}

/** Every operation that has its hands on a VM, directly or through its service. */
const handsOn = (vm: SeenVm, service: Pick<SeenService, 'operation' | 'wanted' | 'roles'> | undefined): string[] => {
  const role = service?.roles.find(({ name }) => name === vm.service?.role);
  return [vm.hold?.op, vm.operation, vm.wanted, service?.operation, service?.wanted, role?.operation].filter(isName);
};

const isName = (op: string | null | undefined): op is string => typeof op === 'string';

/** Every operation that has its hands on a service. */
export const handsOnService = ({ operation, wanted, holds, roles }: SeenService): string[] =>
  [operation, wanted, ...Object.values(holds).map(({ op }) => op), ...roles.map((role) => role.operation)].filter(
    isName,
  );

/** Every operation that these documents name: what is to be known of them. */
export const namedOperations = (
  vms: readonly SeenVm[],
  services: readonly SeenService[],
  hosts: readonly Pick<Host, 'operation'>[] = [],
): string[] => [
  ...new Set([
    ...vms.flatMap((vm) => handsOn(vm, undefined)),
    ...services.flatMap(handsOnService),
    ...hosts.flatMap(({ operation }) => operation ?? []),
  ]),
];

export type Surroundings = {
  operations: KnownOperations;
  services: ReadonlyMap<number, SeenService>;
};

const serviceOf = ({ service }: SeenVm, { services }: Surroundings): SeenService | undefined =>
  service === null ? undefined : services.get(service.id);

/** A VM that an operation with a run has its hands on: nothing of it is judged. */
export const isMoving = (vm: SeenVm, known: Surroundings): boolean =>
  handsOn(vm, serviceOf(vm, known)).some((op) => isAtWork(op, known.operations));

/** A VM that an operation has its hands on, be it one that waits. */
export const isExpected = (vm: SeenVm, known: Surroundings): boolean =>
  handsOn(vm, serviceOf(vm, known)).some((op) => isOpen(op, known.operations));

export const isServiceMoving = (service: SeenService, operations: KnownOperations): boolean =>
  handsOnService(service).some((op) => isAtWork(op, operations));

import type { ServiceState } from '../../schemas/services/service.js';
import { judgedStates } from '../services/service-health.js';
import { isUp } from '../services/service-states.js';
import { type Flaw, flaw } from './evidence.js';
import { isOpen, isServiceMoving, type KnownOperations, type SeenService } from './hands.js';
import { type OperationsOf, straysOf } from './judge-operation-owners.js';

/** The VMs of a role, counted. */
export type RoleCount = {
  /** Not DONE. */
  present: number;
  /** RUNNING, or POWEROFF, which the user may start again. */
  running: number;
  /** Not DONE, and some operation is named on them. */
  busy: number;
  /** DONE ones too: so many VMs, with so many different numbers. */
  all: number;
  numbers: number;
};

export type AroundServices = {
  operations: KnownOperations;
  /** By service and role; absent: no VM was ever made. */
  counts: ReadonlyMap<number, ReadonlyMap<string, RoleCount>>;
  operationsOn: OperationsOf;
};

const none: RoleCount = { present: 0, running: 0, busy: 0, all: 0, numbers: 0 };

/** States in which an operation must be there. */
const working: readonly ServiceState[] = ['PENDING', 'DEPLOYING', 'UNDEPLOYING', 'SCALING'];

/** What becomes of a role whose work was given up. */
const givenUp: Partial<Record<ServiceState, ServiceState>> = {
  DEPLOYING: 'FAILED_DEPLOYING',
  UNDEPLOYING: 'FAILED_UNDEPLOYING',
  SCALING: 'FAILED_SCALING',
};

/** What of these services no operation explains. */
export const judgeServices = (services: readonly SeenService[], known: AroundServices): Flaw[] =>
  services.flatMap((service) =>
    isServiceMoving(service, known.operations) ? [] : [...judgeOwner(service, known), ...judgeService(service, known)],
  );

function judgeOwner(service: SeenService, { operationsOn }: AroundServices): Flaw[] {
  const strays = straysOf(service, operationsOn.get(service._id));
  return strays ? [flaw('service_operation_owner_differs', { service: service._id, ...strays })] : [];
}

function judgeService(service: SeenService, { operations, counts }: AroundServices): Flaw[] {
  const { _id: id, state, epoch, operation, wanted, holds } = service;
  const isStale = (op: string | null): op is string => op !== null && !isOpen(op, operations);
  const held = Object.entries(holds).flatMap(([role, hold]) =>
    isStale(hold.op) ? [flaw('service_hold_stale', { service: id, role, op: hold.op, epoch: hold.epoch })] : [],
  );
  const named = service.roles.flatMap(({ name: role, operation: op = null }) =>
    isStale(op) ? [flaw('role_operation_stale', { service: id, role, op })] : [],
  );
  const isExpected = [operation, wanted].some((op) => op !== null && isOpen(op, operations));
  if (isExpected) return [...held, ...named];
  // One that waits with no run may have some of the roles.
  const isOfRoles = service.roles.some(({ operation: op }) => op && isOpen(op, operations));
  if (working.includes(state) && !isOfRoles)
    return [...held, ...named, flaw('service_abandoned', { service: id, state, epoch, operation, wanted })];
  const countOf = (role: string): RoleCount => counts.get(id)?.get(role) ?? none;
  return [
    ...held,
    ...named,
    ...(isStale(operation) ? [flaw('service_operation_stale', { service: id, op: operation })] : []),
    ...(isStale(wanted) ? [flaw('service_wanted_stale', { service: id, op: wanted })] : []),
    ...(state === 'DONE' ? judgeRemains(service, counts.get(id)) : []),
    // One that waits with no run, and has only some of the roles, explains these alone.
    ...service.roles.flatMap((role) =>
      role.operation && isOpen(role.operation, operations) ? [] : judgeRole(service, role, countOf(role.name)),
    ),
  ];
}

function judgeRemains(
  { _id: id, state, epoch }: SeenService,
  counts: ReadonlyMap<string, RoleCount> | undefined,
): Flaw[] {
  const rows = [...(counts?.values() ?? [])];
  const vms = rows.reduce((sum, { present }) => sum + present, 0);
  const isBusy = rows.some(({ busy }) => busy > 0);
  return vms > 0 && !isBusy ? [flaw('service_done_with_vms', { service: id, state, epoch, vms })] : [];
}

function judgeRole(service: SeenService, role: SeenService['roles'][number], count: RoleCount): Flaw[] {
  const { _id: id, state, epoch } = service;
  const { name, cardinality } = role;
  const seen = { service: id, state, epoch, role: name };
  const { present, running, busy } = count;
  const found: Flaw[] = [];
  if (count.all > count.numbers) found.push(flaw('role_number_twice', { service: id, role: name }));
  const becomes = rightState(state, role.state, present);
  if (becomes !== null) found.push(flaw('role_state_wrong', { ...seen, is: role.state, becomes }));
  // A recovery passes over roles that run: one that only says so would stay as it is.
  const runs = isUp(role.state) && judgedStates.includes(state) && busy === 0;
  if (runs && running < cardinality) found.push(flaw('role_incomplete', { ...seen, running, present, cardinality }));
  else if (runs && present > cardinality) found.push(flaw('role_surplus', { ...seen, present, cardinality }));
  return found;
}

/** The state that a role should have in a service that nobody is at work on; null: the one that it has. */
function rightState(service: ServiceState, role: ServiceState, vms: number): ServiceState | null {
  if (service === 'DONE') return role === 'DONE' || vms > 0 ? null : 'DONE';
  if (service === 'WARNING' || service === 'FAILED_SCALING')
    return role === 'DEPLOYING' || role === 'FAILED_DEPLOYING' ? 'WARNING' : (givenUp[role] ?? null);
  if (service === 'RUNNING') return isUp(role) ? null : (givenUp[role] ?? role);
  return givenUp[role] ?? null;
}

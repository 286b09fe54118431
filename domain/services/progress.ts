import type { Operation } from '../../schemas/operations/operation.js';
import type { OperationDetail } from '../../schemas/operations/operation-resource.js';
import { takesAway } from '../../schemas/operations.js';
import type { Service } from '../../schemas/services/service.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { isReady } from '../vms/ready.js';
import { type ArrivingVm, vmCounted } from '../vms/vm-arrival.js';
import { isVmGone, isVmRunning } from '../vms/vm-states.js';
import { heldBack } from './holding.js';
import { byRole } from './service-health.js';

export type Progress = NonNullable<OperationDetail['progress']>;
export type Eta = { at: Date; typicalMilliseconds: number; runs: number };

export type CountedVm = Pick<Vm, 'state' | 'lcm_state' | 'service' | 'user_template'>;

const unit = 'VMs';

/**
 * How far an operation on a service is. Deploying: VMs that run, and have reported where a ready gate asks for it, of
 * those that the roles are to have, but for roles on hold. Undeploying: VMs that are gone of those there were; `vms` are then those that are not
 * DONE and those that became so since the operation was asked for.
 */
export function serviceProgress(
  kind: Operation['kind'],
  { roles, body }: Pick<Service, 'roles' | 'body'>,
  vms: readonly CountedVm[],
): Progress {
  const removes = takesAway(kind);
  const isDone = (vm: CountedVm): boolean =>
    removes ? isVmGone(vm) : isVmRunning(vm) && (!body.ready_status_gate || isReady(vm.user_template));
  const vmsOf = byRole(vms);
  const back = heldBack(roles, body.deployment);
  const counted = roles.map(({ name, state, cardinality }) => {
    const its = vmsOf(name);
    // Where VMs are too many, that those run that are to be says nothing of the others.
    const done = its.filter(isDone).length;
    return {
      name,
      state,
      done: removes ? done : Math.min(done, cardinality),
      total: removes ? its.length : back.has(name) ? done : cardinality,
    };
  });
  const sum = (size: (role: (typeof counted)[number]) => number): number =>
    counted.reduce((total, role) => total + size(role), 0);
  return { done: sum(({ done }) => done), total: sum(({ total }) => total), unit, roles: counted };
}

/** The same of an operation on one VM. */
export function vmProgress(operation: Pick<Operation, '_id' | 'kind' | 'input'>, vm: ArrivingVm): Progress {
  return { done: vmCounted(vm, operation) ? 1 : 0, total: 1, unit, roles: [] };
}

/** When a running operation should end, from how long earlier ones took (milliseconds); null: nothing says it, or overdue. */
export function etaOf(
  { state, waiting_for, started_at }: Pick<Operation, 'state' | 'waiting_for' | 'started_at'>,
  durations: readonly number[],
  now: Date,
): Eta | null {
  const typicalMilliseconds = median(durations);
  if (state !== 'running' || waiting_for !== null || started_at === null || typicalMilliseconds === null) return null;
  const at = new Date(started_at.getTime() + typicalMilliseconds);
  return at > now ? { at, typicalMilliseconds, runs: durations.length } : null;
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.slice(Math.floor((sorted.length - 1) / 2), Math.floor(sorted.length / 2) + 1);
  return middle.length === 0 ? null : middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

import type { Role } from '../../schemas/services/service.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { isProtected } from '../vms/ready.js';
import { failedToDeploy, isVmHealthy } from '../vms/vm-states.js';
import { replacement } from './role-cap.js';
import { belongs, isDeparting, isLeaving } from './service-health.js';

/**
 * What becomes of a role's failed VMs. replace: they are removed while new ones are made in their place; remove: they
 * are removed, and nothing is made yet; retry: they are deployed again where they are; keep: they stay failed.
 */
export type FailedVms = 'replace' | 'remove' | 'retry' | 'keep';

/** A VM of a role, as it is looked at when the role is deployed, recovered or repaired. */
export type StartVm = Pick<Vm, '_id' | 'state' | 'lcm_state' | 'hold' | 'epoch' | 'wanted' | 'left_behind'> & {
  user_template: { PROTECTED?: unknown };
};

/** What is to be done so that a role has the VMs that it is to have. */
export type RoleStartPlan<V> = {
  /** They are deployed again where they are. */
  again: V[];
  /** They are removed. */
  goes: V[];
  /** Of these, those beyond the cardinality with which nothing was amiss. */
  surplus: V[];
  /** VMs to be made. */
  lacking: number;
  /** VMs that are to be made, or to go, once some of those that go are gone. */
  waits: number;
};

/** VMs of a role that are taken when it is started, and how many stay as they are: what is to go for good is not its own. */
export function startedOf<V extends StartVm>(all: readonly V[], failed?: FailedVms): { its: V[]; kept: number } {
  const own = all.filter(belongs);
  const its = own.filter((vm) => failed !== 'keep' || !failedToDeploy(vm));
  return { its, kept: own.length - its.length };
}

/**
 * Plans from what is. `all`: the VMs of the role that are not DONE; `taken`: those that startedOf says, as they are now that
 * `op` has those of them that are free. Of what failed, that which was taken least often goes first: what cannot be removed is
 * not in the way of what can.
 */
export function roleStart<V extends StartVm>(
  role: Pick<Role, 'cardinality' | 'scale_in'>,
  all: readonly V[],
  taken: readonly V[],
  { op, kept, failed }: { op: string; kept: number; failed?: FailedVms | undefined },
): RoleStartPlan<V> {
  const { cardinality } = role;
  const leaving = taken.filter(isLeaving);
  const staying = taken.filter((vm) => !isLeaving(vm));
  const others = all.filter((vm) => !belongs(vm));
  const fixed = kept + staying.length + others.filter(isDeparting).length;
  const retried = leaving.filter((vm) => failed === 'retry' && mayBeRetried(vm, op));
  const again = retried.slice(0, Math.max(0, cardinality - fixed));
  const isAgain = new Set(again);
  const going = leaving.filter(isGoing);
  const filling = fixed + again.length;
  const { replaced, waiting, lacking, vacant } = replacement(cardinality, {
    filling,
    going: going.length,
    behind: others.filter((vm) => !isDeparting(vm)).length,
    failed: leaving
      .filter((vm) => !isAgain.has(vm) && !isGoing(vm))
      .toSorted((one, other) => one.epoch - other.epoch || one._id - other._id),
  });
  // What failed and is too many goes as well: nothing takes its place.
  const beyond = Math.min(waiting.length, Math.max(0, filling + waiting.length - cardinality));
  const surplus = failed === undefined ? surplusOf(role, staying, kept, op) : [];
  return {
    again,
    goes: [...going, ...replaced, ...waiting.slice(0, beyond), ...surplus],
    surplus,
    lacking: failed === 'remove' ? 0 : lacking,
    waits: failed === 'remove' ? 0 : waiting.length - beyond + vacant,
  };
}

/** It is being removed, or that has failed: whatever is done, it goes. */
const isGoing = ({ lcm_state }: StartVm): boolean => ['SHUTDOWN', 'EPILOG', 'EPILOG_FAILURE'].includes(lcm_state);

/** Not where a removal is under way or wished for. */
const mayBeRetried = (vm: StartVm, op: string): boolean =>
  failedToDeploy(vm) && vm.hold?.op === op && vm.wanted === null;

/**
 * VMs that a role has beyond its cardinality, such as one that could not be removed, was replaced, and runs after all: they go in the
 * order in which a scaling takes them, as far as their age says it, and protected ones stay.
 */
function surplusOf<V extends StartVm>(
  { cardinality, scale_in }: Pick<Role, 'cardinality' | 'scale_in'>,
  staying: readonly V[],
  kept: number,
  op: string,
): V[] {
  const mayGo = staying.filter((vm) => vm.hold?.op === op && !isProtected(vm.user_template));
  const rank = (vm: V): number => (isVmHealthy(vm) ? 1 : 0);
  const age = scale_in === 'newest' ? -1 : 1;
  return mayGo
    .toSorted((one, other) => rank(one) - rank(other) || age * (one._id - other._id))
    .slice(0, Math.max(0, kept + staying.length - cardinality));
}

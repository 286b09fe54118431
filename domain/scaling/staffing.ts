import type { ScaleInOrder } from '../../schemas/services/service-template.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { replacement } from '../services/role-cap.js';
import { belongs, isDeparting } from '../services/service-health.js';
import { isProtected } from '../vms/ready.js';
import { failedToDeploy, isVmHealthy } from '../vms/vm-states.js';

/** A VM of a role, as it is looked at when the role is scaled. */
export type StaffedVm = Pick<Vm, '_id' | 'state' | 'lcm_state' | 'hold' | 'wanted' | 'left_behind'> & {
  user_template: { PROTECTED?: unknown };
};

/** What VMs use, by their ids; of those that are not in it nobody knows. */
export type Loads = ReadonlyMap<number, number>;

/**
 * Which VMs go first when there are too many: those that are named, then as the role says. Protected ones only by name.
 * `loads`: what they use, of a role that says `least_loaded`.
 */
export type ScaleIn = { order?: ScaleInOrder | undefined; named?: readonly number[]; loads?: Loads };

/** What is to be done so that a role has as many VMs as it is to have. */
export type Staffing<V> = {
  /** VMs that never ran, or whose removal has failed: they go at once, and others take the places of the former. */
  failed: V[];
  /** VMs beyond the cardinality, the first to go first; those that are going already among them. */
  victims: V[];
  /** VMs that are there and are to be placed or booted. */
  start: V[];
  /** VMs to be made. */
  lacking: number;
  /** VMs beyond the cardinality that another operation holds: they are not taken from it, but when it lets go. */
  busy: number;
  /** VMs beyond the cardinality that stay, for they are protected. */
  kept: number;
  /** VMs that are to be made, or replaced, once some of those that go are gone. */
  waits: number;
};

/**
 * From the VMs of a role that are not DONE to those that it is to have. One that somebody is terminating by hand fills its
 * place until it is gone, and is none of those that are removed: the fewer have to go. One whose state is not known stays,
 * unless there are too many. `op`: whoever scales; what others hold is left alone.
 * What has failed beyond the cap (replacement) stays where it is.
 */
export function staffing<V extends StaffedVm>(
  vms: readonly V[],
  cardinality: number,
  op: string,
  { order = 'oldest', named = [], loads = new Map() }: ScaleIn = {},
): Staffing<V> {
  const first = new Set(named);
  const isNamed = ({ _id }: V): boolean => first.has(_id);
  const isOthers = ({ hold }: V): boolean => hold !== null && hold.op !== op;
  const own = vms.filter(belongs);
  const isGoing = ({ lcm_state }: V): boolean => lcm_state === 'SHUTDOWN' || lcm_state === 'EPILOG';
  const going = own.filter((vm) => isGoing(vm) && !isOthers(vm));
  const stuck = own.filter((vm) => vm.lcm_state === 'EPILOG_FAILURE' && !isOthers(vm));
  const neverRan = own.filter((vm) => failedToDeploy(vm) && !isOthers(vm));
  const others = vms.filter((vm) => !belongs(vm));
  const departing = others.filter(isDeparting).length;
  const { replaced, waiting, lacking, vacant } = replacement(cardinality, {
    filling: own.length - going.length - stuck.length - neverRan.length + departing,
    going: going.length + stuck.length,
    behind: others.length - departing,
    failed: neverRan,
  });
  const leaving = new Set([...going, ...stuck, ...replaced]);
  const keeping = own.filter((vm) => !leaving.has(vm));
  const surplus = Math.max(0, keeping.length - cardinality);
  const mayGo = keeping.filter((vm) => isNamed(vm) || !isProtected(vm.user_template));
  const inOrder = leavingOrder(
    mayGo.filter((vm) => !isOthers(vm)),
    order,
    loads,
  );
  const victims = [...inOrder.filter(isNamed), ...inOrder.filter((vm) => !isNamed(vm))].slice(0, surplus);
  const stays = waiting.filter((vm) => !victims.includes(vm)).length;
  return {
    failed: [...stuck, ...replaced],
    victims: [...going, ...victims],
    start: keeping.filter((vm) => isStarting(vm) && !isOthers(vm) && !victims.includes(vm)),
    lacking,
    busy: Math.min(surplus, mayGo.length) - victims.length,
    kept: Math.max(0, surplus - mayGo.length),
    waits: stays + vacant,
  };
}

const isStarting = ({ state, lcm_state }: StaffedVm): boolean =>
  state === 'PENDING' || lcm_state === 'PROLOG' || lcm_state === 'BOOT';

/**
 * Those that do not serve before those that do, and of these in the order that the role says. By load: of which nothing is known
 * may be at work, and goes after all of which it is known that they are not; of two alike the older.
 */
export const leavingOrder = <V extends StaffedVm>(
  vms: readonly V[],
  order: ScaleInOrder = 'oldest',
  loads: Loads = new Map(),
): V[] => {
  const loadOf = ({ _id }: V): number => loads.get(_id) ?? Number.MAX_VALUE;
  const inOrder: Record<ScaleInOrder, (one: V, other: V) => number> = {
    oldest: (one, other) => one._id - other._id,
    newest: (one, other) => other._id - one._id,
    least_loaded: (one, other) => loadOf(one) - loadOf(other) || one._id - other._id,
  };
  return vms.toSorted((one, other) => rank(one) - rank(other) || inOrder[order](one, other));
};

const rank = (vm: StaffedVm): number => (isVmHealthy(vm) ? 2 : isStarting(vm) ? 1 : 0);

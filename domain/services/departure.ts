import type { Amounts } from '../../schemas/identity/amounts.js';
import type { Role, Service } from '../../schemas/services/service.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { chargeOfVm } from '../identity/quotas.js';
import { listed } from '../words.js';
import { belongs, type HealthVm, isLeaving, serviceHealth, shortfall } from './service-health.js';

/** A VM of a service that is DONE now, as it was before. */
export type Departed = Pick<Vm, '_id' | 'capacity' | 'operation' | 'hold' | 'left_behind'> & {
  service: NonNullable<Vm['service']>;
};

/**
 * Whether an operation on the VM itself has ended it, which somebody has asked for. What its service's own operations end
 * is replaced or undeployed, and what was left behind on a silent host has been replaced: that lowers nothing.
 */
export const isByHand = (vm: Pick<Vm, 'service' | 'operation' | 'hold' | 'left_behind'>): boolean =>
  vm.service !== null &&
  vm.operation !== null &&
  vm.operation !== vm.left_behind &&
  (vm.hold === null || vm.hold.op === vm.operation);

/** What a role is to have once a VM of it is gone. One that there was beyond the cardinality takes no place with it. */
export function cardinalityWithout(cardinality: number, others: readonly HealthVm[]): number {
  const staying = others.filter((vm) => belongs(vm) && !isLeaving(vm)).length;
  return staying < cardinality ? cardinality - 1 : cardinality;
}

export type DepartedService = Pick<Service, 'state' | 'roles' | 'operation' | 'wanted' | 'charge' | 'capacities'> & {
  body: Pick<Service['body'], 'ready_status_gate'>;
};

/** `returned`: what goes back to the quotas of the service's owner; null: nothing. */
export type Departure = Pick<Service, 'state' | 'roles'> & { message: string; returned: Amounts | null };

/**
 * What becomes of a service when a VM of it is DONE because `by` has terminated it: its role has one place fewer, and is
 * judged at once, unless an operation is at work on the service. `others`: the VMs of the service that are left.
 */
export function departure(
  service: DepartedService,
  { _id: vm, capacity, service: { role: name } }: Departed,
  others: readonly HealthVm[],
  { by, at }: { by: string; at: Date },
): Departure {
  const its = others.filter((other) => other.service?.role === name);
  const { cardinality: before = 0, surplus = 0 } = service.roles.find((role) => role.name === name) ?? {};
  const cardinality = cardinalityWithout(before, its);
  const isLowered = cardinality < before;
  const roles = service.roles.map((role): Role => {
    if (role.name !== name) return role;
    const after = {
      ...{ ...role, cardinality },
      ...(isLowered && { lowered: loweredBy({ vm, by, at }, role.lowered) }),
      // One that a scaling was to remove: it is not charged any more.
      ...(!isLowered && surplus > 0 && { surplus: surplus - 1 }),
    };
    // What it says of itself names how many there are to be.
    return role.state === 'FAILED_DEPLOYING' || role.state === 'FAILED_SCALING'
      ? { ...after, reason: shortfall(after, its) }
      : after;
  });
  const isFree = service.operation === null && service.wanted === null;
  const health = isFree ? serviceHealth({ ...service, roles }, others, at) : null;
  return {
    state: health?.state ?? service.state,
    roles: roles.map((role, index) => ({ ...role, ...health?.roles[index] })),
    message: `${departureText(vm, by)}: cardinality of ${name} is ${isLowered ? 'now' : 'still'} ${cardinality}`,
    returned: (isLowered || surplus > 0) && service.charge ? chargeOfVm(service.capacities?.[name] ?? capacity) : null,
  };
}

const departureText = (vm: number, by: string): string => `VM ${vm} was terminated by ${by}`;

type Lowered = NonNullable<Role['lowered']>;

/** How many VMs before the last one are kept by name. */
const mostEarlier = 4;

function loweredBy(last: Pick<Lowered, 'vm' | 'by' | 'at'>, before: Lowered | undefined): Lowered {
  if (!before) return last;
  const { vm, by, earlier = [], more = 0 } = before;
  const all = [{ vm, by }, ...earlier];
  const left = more + Math.max(0, all.length - mostEarlier);
  return { ...last, earlier: all.slice(0, mostEarlier), ...(left > 0 && { more: left }) };
}

/** Of the VMs that have lowered the cardinality of a role, the last ones by name, for whoever asks why it is that. */
export function loweredText({
  name,
  cardinality,
  lowered,
}: Pick<Role, 'name' | 'cardinality' | 'lowered'>): string | null {
  if (!lowered) return null;
  const byWhom = new Map<string, number[]>();
  for (const { vm, by } of [lowered, ...(lowered.earlier ?? [])]) byWhom.set(by, [...(byWhom.get(by) ?? []), vm]);
  const told = [...byWhom].map(([by, vms], at) => {
    const were = at > 0 ? '' : vms.length === 1 ? ' was terminated' : ' were terminated';
    return `${vms.length === 1 ? 'VM' : 'VMs'} ${listed(vms.map(String))}${were} by ${by}`;
  });
  const more = lowered.more ? [`${lowered.more} more before`] : [];
  return `${listed([...told, ...more])}: cardinality of ${name} is now ${cardinality}`;
}

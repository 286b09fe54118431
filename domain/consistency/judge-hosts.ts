import type { Capacity } from '../../schemas/common/capacity.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { SightedDomain } from '../vms/sightings.js';
import { placeOf, placesOf } from '../vms/stays.js';
import { isVmOffHost, isVmRunning } from '../vms/vm-states.js';
import { mostUnasked, reasonOf } from '../vms/zombies.js';
import { type Flaw, flaw } from './evidence.js';
import { isExpected, isMoving, isOpen, type SeenVm, type Surroundings } from './hands.js';
import { seenOf } from './judge-vms.js';

export type SeenDomain = { vm: number; epoch: number; heard: number; state: SightedDomain['state'] };

/** What a host said of itself: its domains, or why it cannot be reached; null: it is OFFLINE and was not asked. */
export type Heard = { domains: readonly SeenDomain[] } | { error: string } | null;

export type SeenHost = Pick<Host, '_id' | 'name' | 'total' | 'reserved' | 'used' | 'vms' | 'vm_count' | 'operation'> & {
  heard: Heard;
};

/** `vms`: those that have a reservation or a domain on one of the hosts in question. */
export type AroundHosts = Surroundings & { vms: ReadonlyMap<number, SeenVm> };

/** What of these hosts no operation explains: their books, and their domains. */
export const judgeHosts = (hosts: readonly SeenHost[], known: AroundHosts): Flaw[] =>
  hosts.flatMap((host) => [
    ...judgeName(host, known),
    ...judgeSums(host),
    ...Object.entries(host.vms).flatMap(([vm, capacity]) => judgeReservation(host, Number(vm), capacity, known)),
    ...judgeDomains(host, known),
  ]);

function judgeName({ _id: host, operation: op }: SeenHost, { operations }: AroundHosts): Flaw[] {
  return op && !isOpen(op, operations) ? [flaw('host_operation_stale', { host, op })] : [];
}

function judgeSums({ _id: host, used, total: whole, reserved, vms, vm_count }: SeenHost): Flaw[] {
  const count = Object.keys(vms).length;
  const sum = { cpu: 0, memory: 0 };
  for (const { cpu, memory } of Object.values(vms)) {
    sum.cpu += cpu;
    sum.memory += memory;
  }
  if (!isEqual(used, sum) || vm_count !== count) return [flaw('host_sums_wrong', { host, used, vm_count, sum, count })];
  const total = {
    cpu: whole.cpu - (reserved?.cpu ?? 0),
    memory: whole.memory - (reserved?.memory ?? 0),
  };
  const isOver = used.cpu > total.cpu || used.memory > total.memory;
  return isOver ? [flaw('host_overcommitted', { host, used, total })] : [];
}

const isEqual = (one: Capacity, other: Capacity): boolean => one.cpu === other.cpu && one.memory === other.memory;

function judgeReservation({ _id: host }: SeenHost, id: number, reserved: Capacity, known: AroundHosts): Flaw[] {
  const capacity = { cpu: reserved.cpu, memory: reserved.memory };
  const vm = known.vms.get(id);
  if (!vm) return [flaw('reservation_orphaned', { host, vm: id, capacity, is: 'missing', epoch: null })];
  const { state, epoch } = vm;
  if (isMoving(vm, known)) return [];
  if (state === 'DONE') return [flaw('reservation_orphaned', { host, vm: id, capacity, is: state, epoch })];
  // One that waits keeps what an earlier try has reserved for it, as long as somebody will wake it.
  if (isVmOffHost(vm))
    return isExpected(vm, known) ? [] : [flaw('reservation_orphaned', { host, vm: id, capacity, is: state, epoch })];
  const stay = placeOf(vm);
  if (!stay) return [];
  if (!isAt(vm, host)) return [flaw('reservation_orphaned', { host, vm: id, capacity, is: 'elsewhere', epoch })];
  const should = { cpu: vm.capacity.cpu, memory: vm.capacity.memory };
  return isEqual(capacity, should) ? [] : [flaw('reservation_differs', { host, vm: id, capacity, should })];
}

/** Whether it may be there: on its host, or on the one to which it was on the way. */
const isAt = (vm: SeenVm, host: number): boolean => placesOf(vm).some(({ hid }) => hid === host);

function judgeDomains({ _id: host, name, vms, heard }: SeenHost, known: AroundHosts): Flaw[] {
  if (heard === null) return [];
  if ('error' in heard) return [flaw('host_unreachable', { host, name, error: heard.error })];
  const present = new Set(heard.domains.map(({ vm }) => vm));
  const missing = Object.keys(vms).flatMap((id): Flaw[] => {
    const vm = known.vms.get(Number(id));
    if (!vm || present.has(vm._id) || !isVmRunning(vm) || placeOf(vm)?.hid !== host) return [];
    return isMoving(vm, known) ? [] : [flaw('domain_missing', { ...seenOf(vm), host, name })];
  });
  const found = heard.domains.flatMap((domain) => judgeDomain({ host, name }, domain, known));
  return [...doubtMany(found), ...missing];
}

/** So many at once point to documents that are not what they were: then a person has to look. */
function doubtMany(found: readonly Flaw[]): Flaw[] {
  const over = found.filter(({ code }) => code === 'domain_orphaned' || code === 'domain_elsewhere');
  if (over.length <= mostUnasked) return [...found];
  return found.map((one): Flaw => {
    if (one.code !== 'domain_orphaned' && one.code !== 'domain_elsewhere') return one;
    const { host, name, vm, epoch } = one.seen;
    return flaw('domain_doubtful', { host, name, vm, epoch, why: 'many' });
  });
}

function judgeDomain(at: { host: number; name: string }, domain: SeenDomain, known: AroundHosts): Flaw[] {
  const { vm: id, epoch, heard } = domain;
  const vm = known.vms.get(id);
  if (vm && isMoving(vm, known)) return [];
  const stay = vm ? placeOf(vm) : null;
  const why = reasonOf(at.host, domain, vm && { ...vm, operation: null, hold: null, wanted: null });
  // The looks at its host see to that.
  if (why === 'not_imported') return [];
  if (!vm || (why !== null && why !== 'done' && why !== 'elsewhere'))
    return [flaw('domain_doubtful', { ...at, vm: id, epoch: heard, why: why ?? 'unknown' })];
  if (why === 'done') return [flaw('domain_orphaned', { ...at, vm: id, epoch: heard, is: vm.state })];
  if (!stay) return [];
  if (why === 'elsewhere')
    return [flaw('domain_elsewhere', { ...at, vm: id, epoch: heard, at: stay.hostname, vmEpoch: vm.epoch })];
  if (heard > vm.epoch) return [flaw('domain_newer', { ...seenOf(vm), ...at, domain: heard })];
  if (!isVmRunning(vm)) return [];
  if (epoch < stay.epoch) return [flaw('domain_older', { ...seenOf(vm), ...at, domain: epoch })];
  const { state } = domain;
  return state === 'stopped' || state === 'failed'
    ? [flaw('domain_stopped', { ...seenOf(vm), ...at, domain: state })]
    : [];
}

import { targetOf } from '../../adapters/hypervisor/host-target.js';
import type { DomainReport, HostTarget, Hypervisor, PlacedVm } from '../../adapters/hypervisor/port.js';
import { isOff, isSilent } from '../../domain/hosts/host-states.js';
import { domainName } from '../../domain/operations/names.js';
import { Problem, type ProblemCode, problemOf } from '../../domain/problems.js';
import { placeOf, placesOf } from '../../domain/vms/stays.js';
import { domainChange, domainDevices } from '../../domain/vms/vm-devices.js';
import type { vmMoves } from '../../domain/vms/vm-moves.js';
import { type HostVerb, hostVerbs, vmCalls } from '../../domain/vms/vm-verbs.js';
import { clauses } from '../../domain/words.js';
import type { Fenced } from '../../schemas/hosts/ha.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { DomainChange, DomainDevices, PlannedChange } from '../../schemas/operations/vm-devices.js';
import type { Reservation } from '../../store/hosts/host-reservations.js';
import type { Store } from '../../store/store.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import type { StepPorts } from '../ports.js';

// What steps at hypervisors ask and say of hosts.

type Hosts = ReturnType<typeof hostTargets>;

/** A host that steps ask something of; `off`: nothing that it had runs there any more. */
type AskedHost = HostTarget & Pick<Host, 'state'> & { fenced: Fenced | null; off: boolean };

/** The hosts of a batch, read at once. */
export function hostTargets(store: Store) {
  const known = new Map<number, AskedHost>();
  return {
    async read(vms: readonly WorkVm[]): Promise<void> {
      const ids = new Set(vms.flatMap((vm) => placesOf(vm).map(({ hid }) => hid)));
      for (const host of await store.hosts.byIds([...ids])) {
        const { state, fenced = null } = host;
        known.set(host._id, { ...targetOf(host), state, fenced, off: isOff(host) });
      }
    },
    of(id: number): AskedHost {
      const host = known.get(id);
      if (!host) throw new Problem('not_found', `Host ${id} does not exist any more.`);
      return host;
    },
  };
}

/** The host that a VM is on. */
export function placeIn(hosts: Hosts, vm: WorkVm): ReturnType<Hosts['of']> {
  const stay = placeOf(vm);
  if (!stay) throw new Problem('wrong_state', `VM ${vm._id} has no host.`);
  return hosts.of(stay.hid);
}

/** What monitoring says of the hosts of a VM that do not answer; null: all answer. */
export async function silenceOf(store: Store, vm: Pick<WorkVm, 'history' | 'moving'>): Promise<string | null> {
  const hosts = await store.hosts.byIds(placesOf(vm).map(({ hid }) => hid));
  const silent = hosts.filter(isSilent);
  const said = silent.map(({ name, state, error }) => `${name} is ${state}${error === null ? '' : ` (${error})`}`);
  return said.length === 0 ? null : clauses(said);
}

/** What is reserved for a VM, on whatever hosts it may be. */
export const reservationsOf = (vm: WorkVm): Reservation[] =>
  placesOf(vm).map(({ hid }) => ({ vm: vm._id, host: hid, capacity: vm.capacity }));

/** What leaves nothing of a VM is done where nothing is. */
const ending: ReadonlySet<HostVerb> = new Set(['remove', 'clear', 'vacate']);

/**
 * The adapter of a host. Throws what its refusal would be where its kind of hypervisor cannot do this at all; nor can one that was fenced, and
 * whoever is at work there need not try it for minutes.
 */
export function adapterFor(
  verb: HostVerb,
  target: HostTarget & { fenced?: Fenced | null },
  hypervisors: StepPorts['hypervisors'],
): Hypervisor {
  const adapter = hypervisors.of(target);
  const { call } = hostVerbs[verb];
  const row: { refused: ProblemCode; does?: string } = vmCalls[call];
  if (target.fenced && !ending.has(verb))
    throw new Problem(row.refused, `${target.name} is off: ${target.fenced.by} has said so.`);
  if (adapter.can[call]) return adapter;
  throw new Problem(row.refused, `${target.name}: ${target.vm_mad} hypervisors cannot ${row.does ?? `${call} VMs`}.`);
}

/** What hypervisors open of the disks of a VM that lie in a datastore. */
function pathsOf(
  storages: StepPorts['storages'],
  { _id: vm, datastore }: Pick<WorkVm, '_id' | 'datastore'>,
): (disk: DomainDisk) => DomainDisk {
  if (!datastore) return (disk) => disk;
  const storage = storages.of(datastore);
  return (disk) => {
    const path = storage.pathOf({ vm, disk: disk.disk_id, datastore });
    return path === null ? disk : { ...disk, path };
  };
}
type DomainDisk = DomainDevices['disks'][number];

export const placed = (vm: WorkVm, host: HostTarget): Omit<PlacedVm, 'template'> => ({
  id: vm._id,
  domain: domainName(vm._id),
  host,
  capacity: vm.capacity,
  epoch: vm.epoch,
  devices: domainDevices(vm),
  ...(vm.template_id === null && { adopted: true }),
  labels: { vm: vm._id, ...(vm.service && { service: vm.service.id, role: vm.service.role }) },
});

/** The same of one that is started, or made anew, there: with where its disks lie. */
export function toStart(storages: StepPorts['storages'], vm: WorkVm, host: HostTarget): ReturnType<typeof placed> {
  const { nics, disks } = domainDevices(vm);
  return { ...placed(vm, host), devices: { nics, disks: disks.map(pathsOf(storages, vm)) } };
}

/** What a host is told of a change of a VM: with where a disk lies that it attaches. */
export function toldOf(storages: StepPorts['storages'], vm: WorkVm, change: PlannedChange): DomainChange {
  const told = domainChange(vm._id, change);
  return told.action === 'disk-attach' ? { ...told, disk: pathsOf(storages, vm)(told.disk) } : told;
}

/**
 * What a host has of a VM, once it has heard a call under the VM's epoch, which changes nothing of one that is as it was: no older one
 * comes through from then on. null: nothing; nor does one that is OFFLINE and does not answer, or was fenced.
 */
export async function fenced(
  hypervisors: StepPorts['hypervisors'],
  host: ReturnType<Hosts['of']>,
  vm: WorkVm,
  fence: (typeof vmMoves)[keyof typeof vmMoves]['fence'],
  signal: AbortSignal,
): Promise<DomainReport | null> {
  if (host.fenced) return null;
  const adapter = hypervisors.of(host);
  try {
    if (adapter.can[fence]) await refusable(adapter[fence]({ ...placed(vm, host), hard: true }, signal));
    return await adapter.look(placed(vm, host), signal);
  } catch (error) {
    if (!host.off || problemOf(error)?.code !== 'backend_unavailable') throw error;
    return null;
  }
}

/** A refusal has been heard all the same. */
async function refusable(call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (problemOf(error)?.code !== 'action_refused') throw error;
  }
}

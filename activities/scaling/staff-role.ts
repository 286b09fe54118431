import { staleAfter } from '../../domain/hosts/polls.js';
import { Problem, type ProblemCode } from '../../domain/problems.js';
import { type Loads, staffing } from '../../domain/scaling/staffing.js';
import { isVmUnplaced } from '../../domain/vms/vm-states.js';
import type { Role } from '../../schemas/services/service.js';
import type { ServicePart } from '../../store/services/service-roles.js';
import type { Store } from '../../store/store.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import { type Hosted, hostVms, lackingCapacity } from '../services/find-hosts.js';
import { type MakingPorts, makeVms } from '../services/role-vms.js';
import type { RoleInput } from '../services/roles-input.js';
import { endPending } from '../vms/place-vms.js';
import { takeVms } from '../vms/taking.js';

/** VMs that are too many and are to go, and how many more others hold. */
export type VictimsTaken = { victims: number[]; busy: number };

/** `named`: VMs that go before others. */
export type StaffInput = RoleInput & { named?: readonly number[] };

/**
 * What is to be done for a role: `remove`: VMs that never ran, or could not be removed; `waits`: what is done about as many
 * more once some of those are gone, absent: nothing; or why nothing can be made of it.
 */
export type RoleStaffed =
  | (Hosted & VictimsTaken & { remove: number[]; waits?: number })
  | { failure: { code: ProblemCode; detail: string } };

type Measuring = Pick<MakingPorts, 'store' | 'settings'>;

/** How often a role is planned for within one step, at most. */
const mostPlans = 8;

/** Staffs a role; see the step of this name. */
export async function staffRole(ports: MakingPorts, input: StaffInput): Promise<RoleStaffed | null> {
  const { store } = ports;
  const { op, service: id, role: name, step, named = [] } = input;
  let staffed: RoleStaffed | null = null;
  for (let times = 0; times < mostPlans && staffed === null; times++) {
    // VMs of the role were terminated, or made by another try, while this one planned: it plans again, from what is.
    const part = await store.scalings.enter({ service: id, role: name, op, step });
    if (!part) return null;
    staffed = await staff(ports, part, { op, step, named });
  }
  if (staffed === null)
    throw new Problem('internal', `Role ${name} of service ${id} changes faster than it is scaled.`);
  if ('pending' in staffed && staffed.pending > 0)
    await store.operations.note(op, { [name]: lackingCapacity(staffed.pending, name) });
  return staffed;
}

/** null: what it was planned from has changed. */
async function staff(
  ports: MakingPorts,
  service: ServicePart,
  { op, step, named }: Required<Pick<StaffInput, 'op' | 'step' | 'named'>>,
): Promise<RoleStaffed | null> {
  const { store, settings } = ports;
  const [role] = service.roles;
  if (!role) return null;
  const [all, lastOrdinals, hosts] = await Promise.all([
    store.vms.ofService(service._id, [role.name]),
    store.vms.lastOrdinals(service._id, [role.name]),
    store.hosts.snapshot(),
  ]);
  const { failed, victims, start, lacking, busy, waits } = staffing(all, role.cardinality, op, {
    ...{ order: role.scale_in, named, loads: await loadsOf(ports, role, all) },
  });
  const taken = await takenOf(store, op, [...failed, ...victims, ...start]);
  const firstNumber = Math.max(role.last_vmname, (lastOrdinals.get(role.name) ?? -1) + 1);
  const [made = []] =
    lacking > 0 ? await makeVms(ports, op, service, [{ role, count: lacking, firstNumber, step }]) : [];
  if (made === null) return null;
  if (made instanceof Problem) return { failure: { code: made.code, detail: made.message } };
  const going = await leaving(store, taken(victims));
  const hosted = await hostVms({ store, settings }, op, [...taken(start), ...made], { made, hosts });
  return {
    ...hosted(role.name),
    remove: await leaving(store, taken(failed)),
    victims: going,
    busy: busy + victims.length - taken(victims).length,
    ...(waits > 0 && { waits }),
  };
}

/** Those of a role that are too many, as far as nobody else has them. */
export async function takeVictims(
  ports: Measuring,
  { op, service: id, role: name, step, named = [] }: StaffInput,
): Promise<VictimsTaken> {
  const { store } = ports;
  const part = await store.scalings.enter({ service: id, role: name, op, step });
  const [role] = part?.roles ?? [];
  if (!role) return { victims: [], busy: 0 };
  const all = await store.vms.ofService(id, [name]);
  const { victims, busy } = staffing(all, role.cardinality, op, {
    ...{ order: role.scale_in, named, loads: await loadsOf(ports, role, all) },
  });
  const taken = (await takenOf(store, op, victims))(victims);
  return { victims: await leaving(store, taken), busy: busy + victims.length - taken.length };
}

/** The CPU that VMs use, of a role that asks for it and has too many. What was told too long ago says nothing. */
async function loadsOf(
  { store, settings }: Measuring,
  { scale_in, cardinality }: Role,
  vms: readonly WorkVm[],
): Promise<Loads> {
  if (scale_in !== 'least_loaded' || vms.length <= cardinality) return new Map();
  const since = new Date(Date.now() - staleAfter(settings));
  const samples = await store.metrics.latest(
    vms.map(({ _id }) => _id),
    since,
  );
  return new Map(samples.map(({ vm_id, cpu }) => [vm_id, cpu]));
}

/** Takes VMs for an operation; returns which of some of them it has got, as they are then. */
async function takenOf(
  store: Store,
  op: string,
  vms: readonly WorkVm[],
): Promise<(some: readonly WorkVm[]) => WorkVm[]> {
  const ours = new Map(
    (await takeVms(store, op, vms)).flatMap((vm) => (vm.hold?.op === op ? [[vm._id, vm] as const] : [])),
  );
  return (some) => some.flatMap((vm) => ours.get(vm._id) ?? []);
}

/** VMs without a host are gone at once; the rest is to be destroyed. */
async function leaving(store: Store, vms: readonly WorkVm[]): Promise<number[]> {
  await endPending(store, vms);
  return vms.flatMap((vm) => (isVmUnplaced(vm) ? [] : [vm._id]));
}

import { inSlices } from '../../adapters/process/in-slices.js';
import { planning } from '../../domain/placement/placement.js';
import { portionsOf } from '../../domain/portions.js';
import { byRole } from '../../domain/services/service-health.js';
import { wishOf } from '../../domain/vms/vm-wish.js';
import type { HeldRow } from '../../store/vms/waiting-vms.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import type { StepPorts } from '../ports.js';
import { dropSurplus, type Known, placeVms } from '../vms/place-vms.js';
import { datastoresFor, siblingsIn } from '../vms/placement-context.js';

/** What is to boot of a role, and how many of its VMs still wait for a host. */
export type Hosted = { boot: number[]; pending: number };

/** VMs that are given a host at once: their documents are read, and their reservations written, in one go. */
const portion = 500;

/**
 * Gives a host to those of these VMs that an operation holds and that have none, in one pass for whatever roles they are of;
 * returns by role what is to boot and how many wait. `known`: what was just made or read.
 */
export async function hostVms(
  { store, settings }: Pick<StepPorts, 'store' | 'settings'>,
  op: string,
  vms: readonly WorkVm[],
  known?: Known,
): Promise<(role: string) => Hosted> {
  const held = vms.filter((vm) => vm.hold?.op === op);
  const { placed, pending } = await placeVms(store, held, known, settings.placement);
  const [isPlaced, isPending] = [new Set(placed), new Set(pending)];
  const vmsOf = byRole(held);
  return (role) => {
    const its = vmsOf(role);
    return {
      boot: its.filter((vm) => ['PROLOG', 'BOOT'].includes(vm.lcm_state) || isPlaced.has(vm._id)).map((vm) => vm._id),
      pending: its.filter((vm) => isPending.has(vm._id)).length,
    };
  };
}

/**
 * Looks again for hosts for all VMs of roles that wait. `turn`: those whose turn it is; null: everybody's. They are looked
 * at as a few fields each, in one plan; what that finds a host for is then placed as any other. Returns the roles for which
 * something has changed. Said again, it names those again that an earlier try has placed.
 */
export async function lookForHosts(
  { store, settings }: Pick<StepPorts, 'store' | 'settings'>,
  { op, service, roles, turn }: { op: string; service: number; roles: readonly string[]; turn: Set<number> | null },
): Promise<Map<string, Hosted>> {
  const waiting = new Set(roles);
  const concerned = turn
    ? (await store.waiting.rolesOf(service, [...turn])).filter((role) => waiting.has(role))
    : roles;
  const rows: HeldRow[] = [];
  if (concerned.length > 0)
    for await (const page of store.waiting.ofRoles(service, concerned, op)) for (const row of page) rows.push(row);
  const pending = rows.filter(({ state }) => state === 'PENDING');
  const trying = turn ? pending.filter(({ _id }) => turn.has(_id)) : pending;
  const fitting = await withRoom({ store, settings }, trying);
  const boot = rows.filter(({ state }) => state !== 'PENDING').map((row) => ({ id: row._id, role: roleOf(row) }));
  // As placeVms does for those that it is given.
  await dropSurplus(
    store,
    boot.map(({ id }) => id),
  );
  const placed = new Set<number>();
  for (const some of portionsOf(fitting, portion)) {
    const held = (await store.vms.byIds(some)).filter((vm) => vm.hold?.op === op);
    const result = await placeVms(store, held, undefined, settings.placement);
    for (const id of result.placed) placed.add(id);
    // A host that has taken all it may in one pass takes none in the next: the rest is for the next look.
    if (result.pending.length > 0) break;
  }
  for (const row of pending) if (placed.has(row._id)) boot.push({ id: row._id, role: roleOf(row) });
  const hosted = new Map<string, Hosted>(concerned.map((role) => [role, { boot: [], pending: 0 }]));
  for (const { id, role } of boot) hosted.get(role)?.boot.push(id);
  for (const row of pending) {
    const its = placed.has(row._id) ? undefined : hosted.get(roleOf(row));
    if (its) its.pending += 1;
  }
  return hosted;
}

const roleOf = ({ service }: HeldRow): string => service?.role ?? '';

/** Those of the waiting for which a plan finds a host now, in its order; the others are told why they have none. */
async function withRoom(
  { store, settings }: Pick<StepPorts, 'store' | 'settings'>,
  rows: readonly HeldRow[],
): Promise<number[]> {
  if (rows.length === 0) return [];
  const tied = new Set(rows.flatMap(({ service, placement }) => (service && placement ? [service.id] : [])));
  const [hosts, siblings, datastores] = await Promise.all([
    store.hosts.snapshot(),
    siblingsIn(store, [...tied]),
    datastoresFor(store, rows),
  ]);
  const wishes = rows.map((row) => wishOf({ ...row, user_template: row.user_template ?? {} }));
  const { placed, unplaced } = await inSlices(planning(hosts, wishes, settings.placement, { siblings, datastores }));
  const told = new Map(rows.map(({ _id, reason }) => [_id, reason]));
  await store.vms.setPendingReasons(
    new Map(unplaced.filter(({ vm, reason }) => told.get(vm) !== reason).map(({ vm, reason }) => [vm, reason])),
  );
  return placed.map(({ vm }) => vm);
}

/** What the roles wait for, in words; null: their VMs have hosts. */
export const lackingCapacity = (vms: number, role: string): string | null =>
  vms === 0 ? null : `capacity for ${vms === 1 ? '1 VM' : `${vms} VMs`} of role ${role}`;

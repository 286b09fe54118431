import { inSlices } from '../../adapters/process/in-slices.js';
import { type PlacementPlan, type PlacementSettings, planning } from '../../domain/placement/placement.js';
import { createStorageDemands } from '../../domain/placement/placement-datastores.js';
import type { DescribedDatastore } from '../../domain/storage/datastore-attributes.js';
import { placesOf, withStay } from '../../domain/vms/stays.js';
import { isVmUnplaced } from '../../domain/vms/vm-states.js';
import { isBound, wishOf, wishOn } from '../../domain/vms/vm-wish.js';
import type { PlacementRecord } from '../../schemas/placement/placement.js';
import type { HistoryRecord } from '../../schemas/vms/vm.js';
import type { Reservation } from '../../store/hosts/host-reservations.js';
import type { Store } from '../../store/store.js';
import type { BoundlyMoved, BoundMove } from '../../store/vms/bound-moves.js';
import type { VmMove } from '../../store/vms/vm-transitions.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import { contextOf, datastoresFor } from './placement-context.js';

/** Other workers may take what a plan counted on; after so many plans the rest waits for capacity. */
const plans = 8;

export type Placed = { placed: number[]; pending: number[] };

type Hosts = Awaited<ReturnType<Store['hosts']['snapshot']>>;

/** `made`: VMs that were made just now, for which nobody can have reserved anything; `hosts`: as they were a moment ago. */
export type Known = { made: readonly WorkVm[]; hosts: Hosts };

/** What a plan made now would come to, without doing any of it. */
export async function planNow(
  store: Store,
  vms: readonly WorkVm[],
  settings?: PlacementSettings,
): Promise<PlacementPlan> {
  const [hosts, context] = await Promise.all([store.hosts.snapshot(), contextOf(store, vms)]);
  return inSlices(planning(hosts, vms.map(wishOf), settings, context));
}

/**
 * Gives PENDING VMs a host: a plan over a snapshot, one guarded update a host, and a new plan for what did not fit any
 * more; then PENDING → PROLOG for those that have a reservation. The rest stays PENDING with its reason. Said again, it
 * goes on with the reservations that an earlier try has left. `known`: what need not be read; `only`: the
 * one host that is asked, whatever they require.
 */
export async function placeVms(
  store: Store,
  vms: readonly WorkVm[],
  known?: Known,
  settings?: PlacementSettings,
  only?: number,
): Promise<Placed> {
  const waiting = vms.filter((vm) => vm.state === 'PENDING');
  await dropLeft(store, vms);
  const pass: Pass = { settings, taken: new Map(), only };
  const result = await placeOnce(store, waiting, known, pass);
  let { refused } = result;
  for (let round = 0; refused.length > 0 && round < plans; round++) {
    const again = await placeOnce(store, refused, undefined, pass);
    result.placed.push(...again.placed);
    result.pending.push(...again.pending);
    refused = again.refused;
  }
  return { placed: result.placed, pending: [...result.pending, ...refused.map((vm) => vm._id)] };
}

/**
 * What was placed by a try before this one may have been reserved elsewhere, too, by yet another that has lost the race and
 * died before it gave that back: its step goes on here.
 */
export async function dropLeft(store: Store, vms: readonly Pick<WorkVm, '_id' | 'lcm_state'>[]): Promise<void> {
  const placed = vms.filter(({ lcm_state }) => lcm_state === 'PROLOG');
  await dropSurplus(
    store,
    placed.map(({ _id }) => _id),
  );
}

/** What one call of placeVms goes by; `taken`: how many VMs each host has been given in it. */
type Pass = { settings: PlacementSettings | undefined; taken: Map<number, number>; only: number | undefined };

/** `refused`: they have lost the place that was planned: to VMs of their service that they must not be with, or the room for their disks. */
async function placeOnce(
  store: Store,
  waiting: readonly WorkVm[],
  known: Known | undefined,
  { settings, taken, only }: Pass,
): Promise<Placed & { refused: WorkVm[] }> {
  if (waiting.length === 0) return { placed: [], pending: [], refused: [] };
  const ids = waiting.map((vm) => vm._id);
  const isNew = new Set(known?.made.map((vm) => vm._id));
  const [found, before] = await Promise.all([
    store.hosts.reservationsOf(ids.filter((id) => !isNew.has(id))),
    known?.hosts ?? store.hosts.snapshot(),
  ]);
  let reserved = await asLarge(store, waiting, found);
  let hosts = reserved.length < found.length ? await store.hosts.snapshot() : before;
  const inherited = reserved.length > 0;
  const reasons = new Map<number, string>();
  const chosen = new Map<number, number>();
  let datastores: readonly DescribedDatastore[] = [];
  const records = new Map<number, PlacementRecord>();
  for (let round = 0; round < plans; round++) {
    const having = new Set(reserved.map(({ vm }) => vm));
    const lacking = waiting.filter((vm) => !having.has(vm._id));
    if (lacking.length === 0) break;
    if (round > 0) hosts = await store.hosts.snapshot();
    const capacities = new Map(lacking.map((vm) => [vm._id, vm.capacity]));
    const context = await contextOf(store, lacking);
    datastores = context.datastores ?? [];
    const asked = only === undefined ? hosts : hosts.filter(({ id }) => id === only);
    const wishes = lacking.map((vm) => (only === undefined ? wishOf(vm) : wishOn(vm)));
    const plan = await inSlices(planning(asked, wishes, settings, { ...context, taken }));
    reasons.clear();
    for (const { vm, reason } of plan.unplaced) reasons.set(vm, reason);
    if (plan.placed.length === 0) break;
    for (const { vm, record, datastore } of plan.placed) {
      records.set(vm, record);
      if (datastore !== undefined) chosen.set(vm, datastore);
    }
    const places = plan.placed.flatMap(({ vm, host }): Reservation[] => {
      const capacity = capacities.get(vm);
      return capacity ? [{ vm, host, capacity }] : [];
    });
    const granted = await store.hosts.reserve(places);
    for (const { host } of granted) taken.set(host, (taken.get(host) ?? 0) + 1);
    reserved = [...reserved, ...granted];
  }
  const {
    there: placed,
    moved,
    refused,
  } = await assign(store, {
    ...{ hosts, waiting, reserved, records, chosen },
    datastores: datastores.length > 0 ? datastores : await datastoresFor(store, waiting),
  });
  const lost = new Set(refused);
  await store.hosts.release(reserved.filter(({ vm }) => lost.has(vm)));
  // Of two tries that race, whoever loses drops what it reserved. VMs that the other has placed are there all the same.
  if (inherited || moved < reserved.length - lost.size) await dropSurplus(store, ids);
  await store.vms.setPendingReasons(reasons);
  const having = new Set(reserved.map(({ vm }) => vm));
  return {
    placed: [...placed],
    pending: ids.filter((id) => !having.has(id)),
    refused: waiting.filter((vm) => lost.has(vm._id)),
  };
}

/**
 * Those of as much as the VM is to have; others are given back, which were made before it was resized. VMs are read once more for that:
 * what was reserved is read after them, and another try may have done so since for what they are to have now.
 */
async function asLarge(
  store: Store,
  vms: readonly WorkVm[],
  reserved: readonly Reservation[],
): Promise<readonly Reservation[]> {
  const outgrownOf = (read: readonly WorkVm[]): Reservation[] => {
    const waiting = new Map(read.filter(isVmUnplaced).map((vm) => [vm._id, vm.capacity]));
    return reserved.filter(({ vm, capacity: { cpu, memory } }) => {
      const wanted = waiting.get(vm);
      return wanted !== undefined && (wanted.cpu !== cpu || wanted.memory !== memory);
    });
  };
  const suspects = outgrownOf(vms);
  if (suspects.length === 0) return reserved;
  const outgrown = new Set(outgrownOf(await store.vms.byIds([...new Set(suspects.map(({ vm }) => vm))])));
  await store.hosts.release([...outgrown]);
  return reserved.filter((one) => !outgrown.has(one));
}

/** Ends VMs that have no host: nothing of them runs anywhere. */
export async function endPending(store: Store, vms: readonly WorkVm[]): Promise<void> {
  const waiting = vms.filter(isVmUnplaced);
  if (waiting.length === 0) return;
  const now = new Date();
  await store.vms.transition(
    waiting.map((vm): VmMove => ({ vm, event: 'done', set: { ended_at: now, reason: null }, release: true })),
  );
  await dropSurplus(
    store,
    waiting.map((vm) => vm._id),
  );
}

type Assignment = {
  hosts: Hosts;
  waiting: readonly WorkVm[];
  reserved: readonly Reservation[];
  records: ReadonlyMap<number, PlacementRecord>;
  /** Datastores that were planned for VMs with disks. */
  chosen: ReadonlyMap<number, number>;
  datastores: readonly DescribedDatastore[];
};

/** PENDING → PROLOG where a reservation stands; returns those that are there now, and those that may not be. */
async function assign(
  store: Store,
  { hosts, waiting, reserved, records, chosen, datastores }: Assignment,
): Promise<BoundlyMoved> {
  // Of those that an earlier try has reserved a host for nobody knows which datastore that was.
  const storages = createStorageDemands(datastores);
  const known = new Map(hosts.map((host) => [host.id, host]));
  const hostOf = new Map(reserved.toReversed().map(({ vm, host }) => [vm, known.get(host)]));
  // One moment for all: those of one host are then one write.
  const stime = new Date();
  const free: VmMove[] = [];
  const bound = new Map<number, BoundMove[]>();
  const homeless: number[] = [];
  for (const vm of waiting) {
    const host = hostOf.get(vm._id);
    if (!host) continue;
    const record = records.get(vm._id);
    const wish = wishOf(vm);
    const at = wish.storage && (chosen.get(vm._id) ?? storages.of(wish.storage).take(host));
    const found = datastores.find(({ _id }) => _id === at);
    if (wish.storage && !wish.storage.spare && !found) {
      homeless.push(vm._id);
      continue;
    }
    const { mb = 0 } = wish.storage ?? {};
    const datastore = found && !vm.datastore && { id: found._id, ds_mad: found.ds_mad, mb, at: stime };
    const stay: HistoryRecord = {
      seq: (vm.history.at(-1)?.seq ?? -1) + 1,
      hid: host.id,
      hostname: host.name,
      vm_mad: host.vm_mad,
      epoch: vm.epoch,
      stime,
      etime: null,
      reason: 'none',
      ...(found && { datastore: found._id }),
      ...(record && { placed: record }),
    };
    const move: VmMove = {
      vm,
      event: vm.stored ? 'fetch' : 'place',
      set: { reason: null, history: withStay(vm.history, stay), ...(datastore && { datastore }) },
    };
    const { tied } = wish;
    if (tied && isBound(tied))
      bound.set(tied.service, [...(bound.get(tied.service) ?? []), { move, tied, host: host.id }]);
    else free.push(move);
  }
  const result = await store.places.free(free);
  result.refused.push(...homeless);
  for (const [service, moves] of bound) {
    const { there, moved, refused } = await store.places.ofService(service, moves);
    for (const id of there) result.there.add(id);
    result.moved += moved;
    result.refused.push(...refused);
  }
  return result;
}

/** Gives back reservations that no VM document stands by: of a lost race, or of a VM that was terminated meanwhile. */
export async function dropSurplus(store: Store, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  const [reserved, vms] = [await store.hosts.reservationsOf(ids), await store.vms.byIds(ids)];
  const present = new Map(vms.map((vm) => [vm._id, vm]));
  await store.hosts.release(
    reserved.filter(({ vm: id, host }) => {
      const vm = present.get(id);
      return vm === undefined || (vm.state !== 'PENDING' && !placesOf(vm).some(({ hid }) => hid === host));
    }),
  );
}

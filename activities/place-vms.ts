import { planPlacement } from '../domain/placement.js';
import type { HistoryRecord, Vm } from '../schemas/vm.js';
import type { Reservation } from '../store/hosts.js';
import type { Store } from '../store/store.js';
import { placeOf, type VmMove } from '../store/vms.js';

/** Other workers may take what a plan counted on; after so many plans the rest waits for capacity. */
const plans = 8;

export type Placed = { placed: number[]; pending: number[] };

type Hosts = Awaited<ReturnType<Store['hosts']['snapshot']>>;

/** `made`: VMs that were made just now, for which nobody can have reserved anything; `hosts`: as they were a moment ago. */
export type Known = { made: readonly Vm[]; hosts: Hosts };

/**
 * Gives PENDING VMs a host: a plan over a snapshot, one guarded update a host, and a new plan for what did not fit any
 * more; then PENDING → PROLOG for those that have a reservation. The rest stays PENDING with its reason. Said again, it
 * goes on with the reservations that an earlier try has left. `known`: what need not be read.
 */
export async function placeVms(store: Store, vms: readonly Vm[], known?: Known): Promise<Placed> {
  const waiting = vms.filter((vm) => vm.state === 'PENDING');
  if (waiting.length === 0) return { placed: [], pending: [] };
  const ids = waiting.map((vm) => vm._id);
  const isNew = new Set(known?.made.map((vm) => vm._id));
  let [reserved, hosts] = await Promise.all([
    store.hosts.reservationsOf(ids.filter((id) => !isNew.has(id))),
    known?.hosts ?? store.hosts.snapshot(),
  ]);
  const inherited = reserved.length > 0;
  let reasons = new Map<number, string>();
  for (let round = 0; round < plans; round++) {
    const having = new Set(reserved.map(({ vm }) => vm));
    const lacking = waiting.filter((vm) => !having.has(vm._id));
    if (lacking.length === 0) break;
    if (round > 0) hosts = await store.hosts.snapshot();
    const capacities = new Map(lacking.map((vm) => [vm._id, vm.capacity]));
    const plan = planPlacement(
      hosts,
      lacking.map((vm) => ({ vm: vm._id, capacity: vm.capacity })),
    );
    reasons = new Map(plan.unplaced.map(({ vm, reason }) => [vm, reason]));
    if (plan.placed.length === 0) break;
    const wishes = plan.placed.flatMap(({ vm, host }): Reservation[] => {
      const capacity = capacities.get(vm);
      return capacity ? [{ vm, host, capacity }] : [];
    });
    reserved = [...reserved, ...(await store.hosts.reserve(wishes))];
  }
  const { there: placed, moved } = await assign(store, hosts, waiting, reserved);
  // Of two tries that race, whoever loses drops what it reserved. VMs that the other has placed are there all the same.
  if (inherited || moved < reserved.length) await dropSurplus(store, ids);
  await store.vms.setPendingReasons(reasons);
  const having = new Set(reserved.map(({ vm }) => vm));
  return { placed: [...placed], pending: ids.filter((id) => !having.has(id)) };
}

/** Ends VMs that have no host: nothing of them runs anywhere. */
export async function endPending(store: Store, vms: readonly Vm[]): Promise<void> {
  const waiting = vms.filter((vm) => vm.state === 'PENDING');
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

/** PENDING → PROLOG where a reservation stands; returns those that are there now. */
async function assign(
  store: Store,
  hosts: Hosts,
  waiting: readonly Vm[],
  reserved: readonly Reservation[],
): ReturnType<Store['vms']['move']> {
  const known = new Map(hosts.map((host) => [host.id, host]));
  const hostOf = new Map(reserved.toReversed().map(({ vm, host }) => [vm, known.get(host)]));
  // One moment for all: those of one host are then one write.
  const stime = new Date();
  return store.vms.move(
    waiting.flatMap((vm): VmMove[] => {
      const host = hostOf.get(vm._id);
      if (!host) return [];
      const stay: HistoryRecord = {
        seq: vm.history.length,
        hid: host.id,
        hostname: host.name,
        vm_mad: host.vm_mad,
        epoch: vm.epoch,
        stime,
        etime: null,
        reason: 'none',
      };
      return [{ vm, event: 'place', set: { reason: null, history: [...vm.history, stay] } }];
    }),
  );
}

/** Gives back reservations that no VM document stands by: of a lost race, or of a VM that was terminated meanwhile. */
async function dropSurplus(store: Store, ids: readonly number[]): Promise<void> {
  const [reserved, vms] = [await store.hosts.reservationsOf(ids), await store.vms.byIds(ids)];
  const present = new Map(vms.map((vm) => [vm._id, vm]));
  await store.hosts.release(
    reserved.filter(({ vm: id, host }) => {
      const vm = present.get(id);
      return vm === undefined || (vm.state !== 'PENDING' && placeOf(vm)?.hid !== host);
    }),
  );
}

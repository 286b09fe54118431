import { planPlacement } from '../domain/placement.js';
import type { Host } from '../schemas/host.js';
import type { Vm } from '../schemas/vm.js';
import type { Reservation } from '../store/hosts.js';
import type { Store } from '../store/store.js';
import { placeOf, type VmMove } from '../store/vms.js';

/** Other workers may take what a plan counted on; after so many plans the rest waits for capacity. */
const plans = 8;

/**
 * Gives PENDING VMs a host: a plan over a snapshot, one guarded update a host, and a new plan for what did not fit any
 * more; then PENDING → PROLOG for those that have a reservation. The rest stays PENDING with its reason. Said again, it
 * goes on with the reservations that an earlier try has left.
 */
export async function placeVms(store: Store, vms: readonly Vm[]): Promise<void> {
  const waiting = vms.filter((vm) => vm.state === 'PENDING');
  if (waiting.length === 0) return;
  const ids = waiting.map((vm) => vm._id);
  let reserved = await store.hosts.reservationsOf(ids);
  let reasons = new Map<number, string>();
  for (let round = 0; round < plans; round++) {
    const having = new Set(reserved.map(({ vm }) => vm));
    const lacking = waiting.filter((vm) => !having.has(vm._id));
    if (lacking.length === 0) break;
    const capacities = new Map(lacking.map((vm) => [vm._id, vm.capacity]));
    const plan = planPlacement(
      await store.hosts.snapshot(),
      lacking.map((vm) => ({ vm: vm._id, capacity: vm.capacity })),
    );
    reasons = new Map(plan.unplaced.map(({ vm, reason }) => [vm, reason]));
    if (plan.placed.length === 0) break;
    const wishes = plan.placed.flatMap(({ vm, host }): Reservation[] => {
      const capacity = capacities.get(vm);
      return capacity ? [{ vm, host, capacity }] : [];
    });
    const granted = await store.hosts.reserve(wishes);
    reserved = [...reserved, ...granted];
  }
  await assign(store, waiting, reserved);
  await dropSurplus(store, ids);
  await store.vms.setPendingReasons(reasons);
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

async function assign(store: Store, waiting: readonly Vm[], reserved: readonly Reservation[]): Promise<void> {
  const hosts = new Map((await store.hosts.byIds(reserved.map(({ host }) => host))).map((host) => [host._id, host]));
  const hostOf = new Map<number, Host>();
  for (const { vm, host } of reserved) {
    const found = hosts.get(host);
    if (found && !hostOf.has(vm)) hostOf.set(vm, found);
  }
  await store.vms.transition(
    waiting.flatMap((vm): VmMove[] => {
      const host = hostOf.get(vm._id);
      return host ? [{ vm, event: 'place', set: { reason: null, history: [...vm.history, stay(vm, host)] } }] : [];
    }),
  );
}

const stay = (vm: Vm, host: Host): Vm['history'][number] => ({
  seq: vm.history.length,
  hid: host._id,
  hostname: host.name,
  vm_mad: host.vm_mad,
  epoch: vm.epoch,
  stime: new Date(),
  etime: null,
  reason: 'none',
});

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

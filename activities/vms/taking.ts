import type { Store } from '../../store/store.js';
import type { VmMove } from '../../store/vms/vm-transitions.js';
import type { WorkVm } from '../../store/vms/work-vms.js';

/**
 * Takes what is free or was left by operations that have ended; returns the VMs as they are then. A step may be so late that
 * its own operation has ended meanwhile, and let go of its VMs: that is looked at when they are taken, for whoever ends it
 * later finds them. Then it takes nothing, and returns none.
 */
export async function takeVms(store: Store, op: string, vms: readonly WorkVm[]): Promise<WorkVm[]> {
  if (vms.length === 0) return [];
  const holders = new Set(vms.flatMap((vm) => (vm.hold && vm.hold.op !== op ? [vm.hold.op] : [])));
  const ended = holders.size === 0 ? holders : await store.operations.ended([...holders]);
  // Those that were in the middle of a step say so first.
  for (const holder of ended) await store.releases.finish(holder);
  const taken = (await store.vms.take(op, vms, ended)).filter((vm) => vm.state !== 'DONE');
  const held = taken.filter((vm) => vm.hold?.op === op);
  if (held.length === 0 || !(await store.operations.ended([op])).has(op)) return taken;
  const before = new Map(vms.map((vm) => [vm._id, vm.hold?.op]));
  await store.vms.letGo(held.filter((vm) => before.get(vm._id) !== op));
  return [];
}

/** VMs that failed go back to PROLOG in their place, under the epoch that their new hold has. */
export async function retryVms(store: Store, vms: readonly WorkVm[]): Promise<void> {
  await store.vms.transition(
    vms.map((vm): VmMove => {
      const history = vm.history.map((stay, at) =>
        at === vm.history.length - 1 ? { ...stay, epoch: vm.epoch } : stay,
      );
      return { vm, event: 'retry', set: { reason: null, history } };
    }),
  );
}

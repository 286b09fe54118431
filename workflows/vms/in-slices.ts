import { ApplicationFailure } from '@temporalio/workflow';
import type { BatchOutcome } from '../../activities/vms/each-vm.js';
import { after, breaker, brokenBy, nextSlice, unbroken } from '../../domain/vms/breaker.js';
import type { BatchStep } from './vm-batches.js';

/** What became of VMs that were booted, as batches tell. */
export function outcomes() {
  const ran = new Map<number, boolean>();
  return {
    hear({ done, failed }: Pick<BatchOutcome, 'done' | 'failed'>): void {
      for (const vm of done) ran.set(vm, true);
      for (const { vm } of failed) ran.set(vm, false);
    },
    of: (vms: readonly number[]): (boolean | undefined)[] => vms.map((vm) => ran.get(vm)),
  };
}

/**
 * Boots VMs of one role slice by slice, for as often as it is called; throws when too many in a row have failed. Slices go in
 * batches of their own: of one that is shared a role may go on before it is told what became of its VMs.
 */
export function inSlices(boot: BatchStep, came: Pick<ReturnType<typeof outcomes>, 'of'>) {
  let streak = unbroken;
  return async (role: string, vms: readonly number[]): Promise<void> => {
    for (let left = vms; left.length > 0; ) {
      const slice = left.slice(0, nextSlice(streak));
      left = left.slice(slice.length);
      await boot(role, slice, { alone: true });
      streak = after(streak, came.of(slice));
      // Also behind the last one: what still waits for room would fail as these did.
      const why = brokenBy(streak);
      if (why !== null) throw ApplicationFailure.nonRetryable(why, 'vm_failed');
    }
  };
}

/** As runs do that began before slices: the first few, then all others unless all of the first have failed. */
export function inTwo(boot: BatchStep, came: Pick<ReturnType<typeof outcomes>, 'of'>) {
  let streak = unbroken;
  return async (role: string, vms: readonly number[]): Promise<void> => {
    for (const some of [vms.slice(0, breaker), vms.slice(breaker)]) {
      const why = streak.running === 0 ? brokenBy(streak) : null;
      if (some.length > 0 && why !== null) throw ApplicationFailure.nonRetryable(why, 'vm_failed');
      await boot(role, some);
      streak = after(streak, came.of(some));
    }
  };
}

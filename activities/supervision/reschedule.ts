import { log } from '@temporalio/activity';
import { problemOf } from '../../domain/problems.js';
import type { StepPorts } from '../ports.js';
import { hasPlaceElsewhere } from '../vms/moving.js';

/** VMs that are looked at in one tick, and when one that found no host, or whose migration failed, is looked at again. */
const most = 50;
const pause = 30_000;

/**
 * Has VMs migrated that somebody has marked for it, where another host takes them. Those that none takes wait; those that are refused,
 * too: a mark is a wish. The next time is written down first, so that one that keeps failing does so no oftener.
 */
export async function reschedule({
  store,
  settings,
  migrateMarked,
}: Pick<StepPorts, 'store' | 'settings' | 'migrateMarked'>): Promise<void> {
  if (!migrateMarked) return;
  const now = new Date();
  for (const vm of await store.resched.due(now, most)) {
    await store.resched.later(vm._id, new Date(now.getTime() + pause));
    if (!vm.resched || !(await hasPlaceElsewhere(store, vm, settings.placement))) continue;
    const key = `resched ${vm._id} ${vm.resched.next.getTime()}`;
    try {
      await migrateMarked({ vm: vm._id, by: vm.resched.by, key });
    } catch (error) {
      if (!problemOf(error)) throw error;
      log.info('a VM that is to change its host is not migrated', { vm: vm._id, error });
    }
  }
}

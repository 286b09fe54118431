import { log } from '@temporalio/activity';
import { restartOf } from '../../domain/failover/restarts.js';
import { problemOf } from '../../domain/problems.js';
import { placeOf } from '../../domain/vms/stays.js';
import type { Host } from '../../schemas/hosts/host.js';
import { eachApart } from '../operations/each-apart.js';
import type { StepPorts } from '../ports.js';

const atOnce = 10;

/**
 * Has VMs started again whose guests have just been seen crashed, on hosts whose policy says how often; those of which that is enough are given
 * up, and say so. What is refused is tried again at the next poll.
 */
export async function beginRestarts(
  { store, restartCrashed }: Pick<StepPorts, 'store' | 'restartCrashed'>,
  hosts: readonly Pick<Host, '_id' | 'ha'>[],
  crashed: readonly number[],
): Promise<void> {
  const most = new Map(hosts.flatMap(({ _id, ha }) => (ha ? [[_id, ha.restarts] as const] : [])));
  if (!restartCrashed || crashed.length === 0 || most.size === 0) return;
  const now = new Date();
  const failures = await eachApart(await store.restarts.crashed(crashed), atOnce, async (vm) => {
    const verdict = restartOf(vm, most.get(placeOf(vm)?.hid ?? -1) ?? 0, now);
    if (verdict.do === 'restart') await restartCrashed({ vm: vm._id, epoch: vm.epoch });
    else if (verdict.do === 'give_up') await store.restarts.giveUp(vm, verdict.why);
  });
  for (const { item: vm, error } of failures)
    log.warn('a VM whose guest has crashed was not started again', {
      ...{ vm: vm._id, error: problemOf(error)?.message ?? error },
    });
}

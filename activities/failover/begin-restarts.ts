import { log } from '@temporalio/activity';
import { failoverWish, rolesBeforeOf } from '../../domain/failover/lost-vm.js';
import { firstOf, restartOf } from '../../domain/failover/restarts.js';
import { problemOf } from '../../domain/problems.js';
import { placeOf } from '../../domain/vms/stays.js';
import type { Host } from '../../schemas/hosts/host.js';
import { eachApart } from '../operations/each-apart.js';
import type { StepPorts } from '../ports.js';

const atOnce = 10;

/** VMs that are UNKNOWN although their hosts answer: their guests have crashed, or their hosts were started anew. */
export type DownVms = { crashed: number[]; anew: number[] };

/**
 * Has VMs started again whose guests have just been seen crashed, on hosts whose policy says how often; those of which that is enough are given
 * up, and say so. Those that hosts with a policy have lost as they were started anew are started there again, those first that others of their
 * service stand on. What is refused is tried again at the next poll.
 */
export async function beginRestarts(
  { store, restartDown }: Pick<StepPorts, 'store' | 'restartDown'>,
  hosts: readonly Pick<Host, '_id' | 'ha' | 'operation'>[],
  { crashed, anew }: DownVms,
): Promise<void> {
  const most = new Map(hosts.flatMap(({ _id, ha }) => (ha ? [[_id, ha.restarts] as const] : [])));
  if (!restartDown || crashed.length + anew.length === 0 || most.size === 0) return;
  const now = new Date();
  const failures = await eachApart(await store.restarts.crashed(crashed), atOnce, async (vm) => {
    const verdict = restartOf(vm, most.get(placeOf(vm)?.hid ?? -1) ?? 0, now);
    if (verdict.do === 'restart') await restartDown({ vm: vm._id, epoch: vm.epoch, crashed: true });
    else if (verdict.do === 'give_up') await store.restarts.giveUp(vm, verdict.why);
  });
  // A failover that is at work on a host sees to what comes back with it itself.
  const free = new Set(hosts.flatMap(({ _id, ha, operation }) => (ha && !operation ? [_id] : [])));
  const lost = (await store.restarts.crashed(anew)).filter(
    (vm) => free.has(placeOf(vm)?.hid ?? -1) && failoverWish(vm.user_template) !== 'none',
  );
  const services = [...new Set(lost.flatMap(({ service }) => service?.id ?? []))];
  const [roles, starting] = await Promise.all([store.failovers.rolesOf(services), store.restarts.starting(services)]);
  const first = firstOf(lost, rolesBeforeOf(roles), starting);
  failures.push(
    ...(await eachApart(
      first,
      atOnce,
      async (vm) => void (await restartDown({ vm: vm._id, epoch: vm.epoch, crashed: false })),
    )),
  );
  for (const { item: vm, error } of failures)
    log.warn('a VM that is down was not started again', {
      ...{ vm: vm._id, error: problemOf(error)?.message ?? error },
    });
}

import { log } from '@temporalio/activity';
import { brakeOn, isDue } from '../../domain/failover/due.js';
import { problemOf } from '../../domain/problems.js';
import { eachApart } from '../operations/each-apart.js';
import type { StepPorts } from '../ports.js';

const atOnce = 10;

/**
 * Begins the failovers that are due among hosts that have just missed a poll, but where more of a cluster have failed than fail by themselves.
 * What is refused is due at the next poll, too.
 */
export async function beginFailovers(
  { store, failOver }: Pick<StepPorts, 'store' | 'failOver'>,
  silent: readonly number[],
): Promise<void> {
  if (!failOver || silent.length === 0) return;
  const due = (await store.hosts.byIds(silent)).filter(isDue);
  if (due.length === 0) return;
  const all = await store.hosts.all();
  const failures = await eachApart(due, atOnce, async (host) => {
    const brake = brakeOn(host, all);
    if (brake !== null) log.warn('no failover begins by itself', { host: host._id, why: brake });
    else if (host.silent_since) await failOver({ host: host._id, silence: host.silent_since });
  });
  for (const { item: host, error } of failures)
    log.warn('a failover did not begin', { host: host._id, error: problemOf(error)?.message ?? error });
}

import { Context } from '@temporalio/activity';
import type { Engine } from '../../adapters/engine/port.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import type { BatchWatch } from './each-vm.js';

/** How often a batch says which roles it is through with, in milliseconds. */
const pause = 1_000;

/**
 * Tells the run which roles a batch is through with while it still has VMs of others: a slow VM then holds up none but its
 * own role. A batch that is over within a second says nothing, for its end says all; neither does one of a single role.
 * What is told is written down already; what is not told is heard from the batch's end.
 */
export function tellSettled(engine: Pick<Engine, 'signalSettled'>, batch: number | undefined): BatchWatch | undefined {
  if (batch === undefined) return undefined;
  const { workflowExecution, attempt } = Context.current().info;
  const left = new Map<string, Set<number>>();
  const untold = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  function tell(): void {
    const roles = [...untold];
    if (roles.length === 0 || left.size === 0 || !workflowExecution) return;
    untold.clear();
    const { workflowId, runId: run } = workflowExecution;
    engine.signalSettled(workflowId, { run, batch: batch ?? 0, roles }).catch(() => undefined);
  }

  return {
    begin(all, done) {
      for (const { _id, service } of all) {
        const role = service?.role ?? '';
        left.set(role, (left.get(role) ?? new Set()).add(_id));
      }
      settle(done);
      // What an earlier try has left is told by the second: the first may have died before it said so.
      if (attempt > 2) untold.clear();
      timer = setInterval(tell, pause).unref();
    },
    settled: settle,
    end() {
      clearInterval(timer);
      // One that is tried again has VMs left that could not be reached.
      tell();
    },
  };

  function settle(vms: readonly WorkVm[]): void {
    for (const { _id, service } of vms) {
      const role = service?.role ?? '';
      const its = left.get(role);
      if (!its?.delete(_id) || its.size > 0) continue;
      left.delete(role);
      untold.add(role);
    }
  }
}

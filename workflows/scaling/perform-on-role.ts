import { ApplicationFailure, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { PerformingPlan } from '../../activities/scaling/performing.js';
import { portionsOf } from '../../domain/portions.js';
import { asking, local } from '../activity-options.js';
import { type OperationInput, runOperation } from '../operations/operation.js';
import { renewing, roomForMore } from '../signals.js';

/** VMs that one step asks: it is over soon, and a cancel is heeded between two. */
const most = 50;

/** Does something to VMs of a role, slice by slice, each an operation of the VM's own; what else is at work on the role goes on. */
export async function performOnRole(input: OperationInput): Promise<void> {
  const { op } = input;
  await runOperation({ op }, local.beginPerforming, (plan: PerformingPlan) =>
    renewing(input, async () => {
      const { action, period, wait, slices } = plan;
      if (wait > 0) await sleep(wait);
      for (const [at, slice] of slices.entries()) {
        if (at > 0 && period > 0) await sleep(`${period}s`);
        await roomForMore();
        setCurrentDetails(`${action}: slice ${at + 1} of ${slices.length}`);
        for (const portion of portionsOf(slice, most)) await ask(portion);
      }
      const refused = await local.judgePerforming({ op });
      if (refused !== null) throw ApplicationFailure.nonRetryable(refused, 'vm_failed');

      async function ask(vms: number[]): Promise<void> {
        const summary = `${action} ${vms.length === 1 ? `VM ${vms[0]}` : `${vms.length} VMs`}`;
        const stop = await asking.performOnVms.executeWithOptions({ summary }, [{ op, vms }]);
        if (stop !== null) throw ApplicationFailure.nonRetryable(stop, 'taken');
      }
    }),
  );
}

import { ApplicationFailure, setCurrentDetails } from '@temporalio/workflow';
import { compute, local } from '../activity-options.js';
import { attempt, type OperationInput, runOperation } from '../operations/operation.js';

/** Does one action of what failed of a VM, or skips it, as a person has answered. The VM stays where it failed. */
export async function debugVm({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginDebugging, async ({ vm }) => {
    const plan = await local.takeForDebugging({ op, vm });
    if (plan.do === 'done') return;
    if (plan.do === 'refused') throw ApplicationFailure.nonRetryable(plan.why, 'taken');
    const { verb, disk } = plan;
    const summary = `${disk === undefined ? verb : `make disk ${disk} of`} VM ${vm} by itself`;
    setCurrentDetails(summary);
    const failure = await attempt(() =>
      compute.debugVms.executeWithOptions({ summary }, [{ op, vms: [vm], verb, ...(disk !== undefined && { disk }) }]),
    );
    const why = await local.debugFailure({ op, vm, failure });
    if (why !== null) throw ApplicationFailure.nonRetryable(why, 'vm_failed');
  });
}

import { ApplicationFailure, setCurrentDetails } from '@temporalio/workflow';
import { compute, local } from '../activity-options.js';
import { attempt, failureWith, type OperationInput, runOperation } from '../operations/operation.js';

/** Switches one VM off or over: powers it off, reboots, suspends, stops or undeploys it. It is resumed by a deployment. */
export async function performOnVm({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginVmSwitch, async ({ vm, action, verb, hard, snapshot }) => {
    if (!(await local.takeForSwitch({ op, vm })))
      throw ApplicationFailure.nonRetryable(`another operation has VM ${vm} now`, 'taken');
    const summary = `${action} VM ${vm}`;
    setCurrentDetails(summary);
    const failure = await attempt(() =>
      compute.switchVms.executeWithOptions({ summary }, [{ op, vms: [vm], verb, hard, ...(snapshot && { snapshot }) }]),
    );
    // Asked in any case: one that is to stop ends here, and not as what its last try came to.
    const reason = await local.verbFailure({ op, vm, verb, ...(snapshot && { snapshot }) });
    if (reason !== null) throw ApplicationFailure.nonRetryable(failureWith(failure, reason), 'vm_failed');
  });
}

import { ApplicationFailure, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { compute, local } from './activity-options.js';
import { attempt, type OperationInput, Parked, runOperation } from './operation.js';
import { capacityAppeared, listenFor } from './signals.js';

/** Deploys one VM, by the steps that services use. One that fits nowhere keeps no run open: its operation waits. */
export async function deployVm({ op }: OperationInput): Promise<void> {
  // A signal for a run that is about to park needs a handler; parking looks again by itself.
  listenFor(capacityAppeared);

  await runOperation({ op }, local.beginVmDeployment, async ({ vm }) => {
    const placement = await local.placeVm({ op, vm });
    if (placement === 'wait') {
      await local.park({ op, vm, run: workflowInfo().firstExecutionRunId });
      throw new Parked();
    }
    setCurrentDetails(`VM ${vm} boots`);
    const failure = await attempt(() =>
      compute.bootVms.executeWithOptions({ summary: `boot VM ${vm}` }, [{ op, vms: [vm] }]),
    );
    const reason = failure ?? (await local.vmFailure({ vm }));
    if (reason !== null) throw ApplicationFailure.nonRetryable(reason, 'vm_failed');
    setCurrentDetails(`VM ${vm} runs`);
  });
}

import { ApplicationFailure, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { compute, local } from '../activity-options.js';
import { attempt, failureWith, type OperationInput, Parked, runOperation } from '../operations/operation.js';
import { listenForCapacity } from '../signals.js';
import { booted } from './booted.js';

/** Deploys one VM, by the steps that services use; one that is recreated is ended first. One that fits nowhere keeps no run open: its operation waits. */
export async function deployVm({ op }: OperationInput): Promise<void> {
  // A signal for a run that is about to park needs a handler; parking looks again by itself.
  listenForCapacity();

  await runOperation({ op }, local.beginVmDeployment, async ({ vm, clear, host, held }) => {
    if (held) return;
    if (clear && (await local.takeForClearing({ op, vm }))) {
      setCurrentDetails(`what there is of VM ${vm} goes`);
      const left = await attempt(() =>
        compute.clearVms.executeWithOptions({ summary: `end what there is of VM ${vm}` }, [{ op, vms: [vm] }]),
      );
      const failure = left ?? (await local.vmFailure({ vm }));
      if (failure !== null) throw ApplicationFailure.nonRetryable(failure, 'vm_failed');
    }
    const placement = await local.placeVm({ op, vm, ...(host !== undefined && { host }) });
    // Who has named a host does not wait for another.
    if (placement === 'wait' && host !== undefined)
      throw ApplicationFailure.nonRetryable(
        `host ${host} does not take VM ${vm}: ${await local.whyWaits({ vm })}`,
        'vm_failed',
      );
    if (placement === 'wait') {
      await local.park({ op, vm, run: workflowInfo().firstExecutionRunId });
      throw new Parked();
    }
    if (placement === 'restore') {
      setCurrentDetails(`VM ${vm} goes on from what was saved`);
      const summary = `resume VM ${vm} from what was saved`;
      const failed = await attempt(() => compute.restoreVms.executeWithOptions({ summary }, [{ op, vms: [vm] }]));
      // Asked in any case: one that is to stop ends here, and not as what its last try came to.
      const why = await local.verbFailure({ vm, verb: 'restore' });
      if (why !== null) throw ApplicationFailure.nonRetryable(failureWith(failed, why), 'vm_failed');
      return;
    }
    setCurrentDetails(`VM ${vm} boots`);
    const failure = await attempt(() => booted({ op, vms: [vm] }, `VM ${vm}`));
    const reason = failure ?? (await local.vmFailure({ vm }));
    if (reason !== null) throw ApplicationFailure.nonRetryable(reason, 'vm_failed');
    setCurrentDetails(`VM ${vm} runs`);
  });
}

import { ApplicationFailure, patched } from '@temporalio/workflow';
import { compute, local } from '../activity-options.js';
import { attempted, type OperationInput, runOperation } from '../operations/operation.js';

/** How often a datastore is asked for what is said to be gone from it, and how long each time: eight seconds where it refuses, a minute where it hangs. */
const patience = {
  startToCloseTimeout: '10s',
  retry: { initialInterval: '250ms', backoffCoefficient: 2, maximumAttempts: 6 },
} as const;

/** Somebody says how a step on a VM that hangs came out: it is written, unless the VM's host shows that it is not so. */
export async function recoverVm({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginClaim, async ({ vm, event, disks, believed }) => {
    if (event !== null && patched('claims-are-compared')) {
      const lie = await compute.compareClaim({ vm, event });
      if (lie !== null) throw ApplicationFailure.nonRetryable(lie, 'wrong_state');
    }
    const said = event !== null && (await local.claimVm({ op, vm, event }));
    if (!said)
      throw ApplicationFailure.nonRetryable(`VM ${vm} is not as it was when this was said of it.`, 'wrong_state');
    if (!disks) return;
    const summary = `remove the disks of VM ${vm}`;
    const failure = await attempted(() =>
      compute.destroyVms.executeWithOptions({ summary, ...(believed && patience) }, [{ op, vms: [vm], hard: true }]),
    );
    // What answers has said what there is; of what does not, whoever has said this knows better than anybody here.
    if (believed && failure?.unanswered && (await local.claimVm({ op, vm, event: 'done' }))) return;
    const reason = failure?.detail ?? (await local.vmFailure({ vm }));
    if (reason !== null) throw ApplicationFailure.nonRetryable(reason, 'vm_failed');
  });
}

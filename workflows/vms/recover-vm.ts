import { ApplicationFailure, patched } from '@temporalio/workflow';
import { compute, local } from '../activity-options.js';
import { attempt, type OperationInput, runOperation } from '../operations/operation.js';

/** Somebody says how a step on a VM that hangs came out: it is written, unless the VM's host shows that it is not so. */
export async function recoverVm({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginClaim, async ({ vm, event, disks }) => {
    if (event !== null && patched('claims-are-compared')) {
      const lie = await compute.compareClaim({ vm, event });
      if (lie !== null) throw ApplicationFailure.nonRetryable(lie, 'wrong_state');
    }
    const said = event !== null && (await local.claimVm({ op, vm, event }));
    if (!said)
      throw ApplicationFailure.nonRetryable(`VM ${vm} is not as it was when this was said of it.`, 'wrong_state');
    if (!disks) return;
    const failure = await attempt(() =>
      compute.destroyVms.executeWithOptions({ summary: `remove the disks of VM ${vm}` }, [
        { op, vms: [vm], hard: true },
      ]),
    );
    const reason = failure ?? (await local.vmFailure({ vm }));
    if (reason !== null) throw ApplicationFailure.nonRetryable(reason, 'vm_failed');
  });
}

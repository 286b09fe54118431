import { ApplicationFailure, patched } from '@temporalio/workflow';
import { compute, local } from '../activity-options.js';
import { type OperationInput, runOperation } from '../operations/operation.js';

/** Somebody says how a step on a VM that hangs came out: it is written, unless the VM's host shows that it is not so. */
export async function recoverVm({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginClaim, async ({ vm, event }) => {
    if (event !== null && patched('claims-are-compared')) {
      const lie = await compute.compareClaim({ vm, event });
      if (lie !== null) throw ApplicationFailure.nonRetryable(lie, 'wrong_state');
    }
    const said = event !== null && (await local.claimVm({ op, vm, event }));
    if (!said)
      throw ApplicationFailure.nonRetryable(`VM ${vm} is not as it was when this was said of it.`, 'wrong_state');
  });
}

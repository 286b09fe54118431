import { ApplicationFailure } from '@temporalio/workflow';
import { local } from '../activity-options.js';
import { type OperationInput, runOperation } from '../operations/operation.js';

/** Somebody says how a step on a VM that hangs came out: it is written, and nobody is asked. */
export async function recoverVm({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginClaim, async ({ vm, event }) => {
    const said = event !== null && (await local.claimVm({ op, vm, event }));
    if (!said)
      throw ApplicationFailure.nonRetryable(`VM ${vm} is not as it was when this was said of it.`, 'wrong_state');
  });
}

import { workflowInfo } from '@temporalio/workflow';
import { local } from '../../workflows/activity-options.js';
import type { OperationInput } from '../../workflows/operations/operation.js';

export * from '../../workflows/index.js';

/** A workflow with a bug outside of everything that catches: what it throws is nobody's vocabulary. */
export async function deployService({ op }: OperationInput): Promise<void> {
  await local.beginDeployment({ op, run: workflowInfo().firstExecutionRunId });
  throw new TypeError('an unplanned error');
}

import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import { local } from '../../../workflows/activity-options.js';
import type { OperationInput } from '../../../workflows/operations/operation.js';

export * from '../../../workflows/index.js';

/** Larger than the engine takes of one payload; of several in one message. */
const large = 'x'.repeat(2_500_000);
const several = ['x', 'x', 'x', 'x'].map((letter) => letter.repeat(1_500_000));

const { bootVms } = proxyActivities<{ bootVms: (input: unknown) => Promise<void> }>({
  taskQueue: 'compute',
  startToCloseTimeout: '30s',
});

/** Its result cannot be written down. */
export async function undeployService(): Promise<string> {
  return large;
}

export async function deployVm(): Promise<string> {
  return large;
}

/** What it asks for at once cannot be sent. */
export async function deployService({ op }: OperationInput): Promise<void> {
  await local.beginDeployment({ op, run: workflowInfo().firstExecutionRunId });
  await Promise.all(several.map((padding) => bootVms({ padding })));
}

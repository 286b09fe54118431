import type { WorkflowExecutionDescription } from '@temporalio/client';
import { optionalTsToDate } from '@temporalio/common/lib/time.js';
import type { FailingTask } from '../../domain/operations/failing-task.js';
import type { PendingStep } from '../../domain/operations/steps.js';
import type { OperationError } from '../../schemas/operations/operation.js';
import type { Pending } from './port.js';

type Raw = WorkflowExecutionDescription['raw'];
type RawStep = NonNullable<Raw['pendingActivities']>[number];
type RawFailure = NonNullable<RawStep['lastFailure']>;

/** temporal.api.enums.v1.PendingActivityState and PendingWorkflowTaskState: it waits for a worker, or for its next try. */
const scheduled = 1;

/** What each kind of time-out says of a try (temporal.api.enums.v1.TimeoutType), for people. */
const timeouts: Readonly<Record<number, string>> = {
  1: 'the try took too long',
  2: 'no worker took it in time',
  3: 'its time ran out',
  4: 'its worker stopped answering',
};

/** What a run is at, from Temporal's description of it. */
export function pendingOf(
  { raw, memo, runId, status }: WorkflowExecutionDescription,
  failing: FailingTask | null,
): Pending {
  const op = memo?.op;
  const task = raw.pendingWorkflowTask;
  return {
    op: typeof op === 'string' ? op : null,
    isOpen: status.name === 'RUNNING' || status.name === 'PAUSED',
    // One that fails waits for its next try, and not for a worker.
    queuedSince: task?.state === scheduled && !failing ? (optionalTsToDate(task.scheduledTime) ?? null) : null,
    failing,
    steps: (raw.pendingActivities ?? []).map((step) => stepOf(step, runId)),
  };
}

function stepOf(step: RawStep, run: string): PendingStep {
  const next = optionalTsToDate(step.nextAttemptScheduleTime) ?? null;
  const isQueued = step.state === scheduled;
  return {
    id: `${run}/${step.activityId}`,
    name: step.activityType?.name ?? 'unknown',
    // The engine counts the try that it is about to make.
    tried: Math.max(0, (step.attempt ?? 1) - (isQueued ? 1 : 0)),
    error: step.lastFailure ? errorOf(step.lastFailure) : null,
    nextTryAt: isQueued ? next : null,
    queuedSince: isQueued && next === null ? (optionalTsToDate(step.scheduledTime) ?? null) : null,
    givesUpAt: optionalTsToDate(step.expirationTime) ?? null,
  };
}

function errorOf({ message, applicationFailureInfo, timeoutFailureInfo }: RawFailure): OperationError {
  const timeout = timeoutFailureInfo && timeouts[timeoutFailureInfo.timeoutType ?? 0];
  return { code: applicationFailureInfo?.type ?? 'internal', detail: timeout ?? message ?? 'it failed without a word' };
}

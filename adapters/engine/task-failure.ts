import type { Connection, WorkflowExecutionDescription } from '@temporalio/client';
import { optionalTsToDate } from '@temporalio/common/lib/time.js';
import type { FailingTask, TaskFault } from '../../domain/operations/failing-task.js';

type Events = NonNullable<
  NonNullable<
    Awaited<ReturnType<Connection['workflowService']['getWorkflowExecutionHistoryReverse']>>['history']
  >['events']
>;

/** temporal.api.enums.v1.EventType: what a run begins with, and how its tasks end. */
const runStarted = 1;
const taskCompleted = 7;
const taskFailed = 9;

/** temporal.api.enums.v1.WorkflowTaskFailedCause */
const causes: Readonly<Record<number, TaskFault>> = {
  24: 'other_way',
  36: 'too_large',
  37: 'too_large',
  40: 'too_large',
};
/**
 * Those that come and go: a worker or a server makes way, new events came in between, or so much is pending that the
 * next has to wait until something of it is done.
 */
const passing = [0, 1, 13, 17, 18, 20, 26, 27, 28, 29, 31, 33, 38, 39];

/** Events that are looked at: the first try of a series is written down, and each that comes after news. */
export const looked = 50;

/** How often the task that a run is at has begun. */
export const triesOf = ({ raw }: WorkflowExecutionDescription): number => raw.pendingWorkflowTask?.attempt ?? 0;

/**
 * Why the task that a run is at fails, from its last events, newest first. null: it does not, or was only not done in time,
 * which says nothing of the run.
 */
export function failingTaskOf(events: Events, tries: number): FailingTask | null {
  const end = events.findIndex(({ eventType }) => eventType === taskCompleted || eventType === runStarted);
  const failed = events.slice(0, end === -1 ? events.length : end).filter(({ eventType }) => eventType === taskFailed);
  const [newest, first] = [failed[0], failed.at(-1)];
  const since = optionalTsToDate(first?.eventTime);
  const task = newest?.workflowTaskFailedEventAttributes;
  if (!task || !since) return null;
  const cause = task.cause ?? 0;
  return {
    // The one that is at work has not failed yet.
    tried: Math.max(failed.length, tries - 1),
    since,
    cause: causes[cause] ?? 'broken',
    detail: task.failure?.message ?? '',
    passes: passing.includes(cause),
  };
}

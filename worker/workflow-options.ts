import type { WorkerOptions } from '@temporalio/worker';

/** An option that the SDK takes and does not list among its own: test/replay says when it takes it no more. */
type Untold = { isolateExecutionTimeout: string };

/** How a worker runs workflows. */
export const workflowOptions = (workflowBundle: { codePath: string }): Partial<WorkerOptions & Untold> => ({
  workflowBundle,
  // A plain Error would leave a run open for ever, deaf to cancel; one that cannot be replayed is run again from documents.
  workflowFailureErrorTypes: { '*': ['Error', 'NondeterminismError'] },
  // How long a task waits for the worker that has the run in its memory before any may have it: what the death of that
  // worker costs. A worker that is merely busy for longer loses the task to another, which replays the run.
  stickyQueueScheduleToStartTimeout: '2s',
  // They share one thread: of forty at once (the default) each takes longer than a task may, and is given out again.
  maxConcurrentWorkflowTaskExecutions: 10,
  // A task that takes longer than this ends the process: V8 stops in the midst of a microtask, and Node then finds its
  // stack of async hooks corrupted (nodejs/node#38503). On a busy machine the replay of a long history may take longer
  // than the 5 s of the SDK; and no workflow of ours has an endless loop to be stopped.
  isolateExecutionTimeout: '5m',
  maxCachedWorkflows: 500,
});

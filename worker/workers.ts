import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { activityInterceptor } from '../activities/interceptor.js';
import type { StepPorts } from '../activities/ports.js';
import type { StepLog } from '../activities/step-log.js';
import { computeSteps, orchestrationSteps, tickSteps } from '../activities/steps.js';
import { taskQueues } from '../adapters/engine/names.js';
import { deploymentName, namespaces } from '../schemas/config.js';

export type WorkerSettings = {
  connection: NativeConnection;
  ports: StepPorts;
  /** One a process; whoever makes it flushes it at the end. */
  stepLog: StepLog;
  /** The workflow bundle, and the hash of it that names this version of the workflows. */
  bundle: { codePath: string };
  buildId: string;
  queues: readonly (keyof typeof taskQueues)[];
};

/** An option that the SDK takes and does not list among its own. */
type Untold = { isolateExecutionTimeout: string };

/** The workers of one process, one a task queue. They poll once they are run. */
export async function createWorkers({ queues, ...settings }: WorkerSettings): Promise<Worker[]> {
  const options = workerOptions(settings);
  return Promise.all(queues.map((queue) => Worker.create(options[queue]())));
}

/** What a worker of each task queue is made of. */
export function workerOptions({
  connection,
  ports,
  stepLog,
  bundle,
  buildId,
}: Omit<WorkerSettings, 'queues'>): Record<keyof typeof taskQueues, () => WorkerOptions> {
  const shared: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    interceptors: { activity: [(context) => ({ inbound: activityInterceptor(context, stepLog) })] },
    // A cancel reaches a step only in the answer to a heartbeat.
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
    shutdownGraceTime: '5s',
    shutdownForceTime: '9s',
  };
  const versioned: Partial<WorkerOptions> = {
    workerDeploymentOptions: {
      useWorkerVersioning: true,
      version: { deploymentName, buildId },
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  };
  // A plain Error would leave a run open for ever, deaf to cancel; one that cannot be replayed is run again from documents.
  const workflows: Partial<WorkerOptions & Untold> = {
    workflowBundle: bundle,
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
  };
  return {
    orchestration: () => ({
      ...shared,
      ...versioned,
      ...workflows,
      namespace: namespaces.operations,
      taskQueue: taskQueues.orchestration,
      activities: orchestrationSteps(ports),
    }),
    compute: () => ({
      ...shared,
      ...versioned,
      namespace: namespaces.operations,
      taskQueue: taskQueues.compute,
      activities: computeSteps(ports),
      maxConcurrentActivityTaskExecutions: 40,
    }),
    ticks: () => ({
      ...shared,
      ...versioned,
      ...workflows,
      namespace: namespaces.ticks,
      taskQueue: taskQueues.ticks,
      activities: tickSteps(ports),
      maxCachedWorkflows: 20,
    }),
  };
}

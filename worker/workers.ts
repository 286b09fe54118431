import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { activityInterceptor } from '../activities/operations/interceptor.js';
import type { StepLog } from '../activities/operations/step-log.js';
import { StepTurns } from '../activities/operations/step-turns.js';
import type { StepPorts } from '../activities/ports.js';
import { computeSteps, orchestrationSteps, storageSteps, tickSteps } from '../activities/steps.js';
import type { Namespaces } from '../adapters/engine/access.js';
import { taskQueues } from '../adapters/engine/names.js';
import { partyOf } from '../domain/operations/lanes.js';
import { namespaces as defaultNamespaces, deploymentName } from '../schemas/config.js';
import { workflowOptions } from './workflow-options.js';

export type WorkerSettings = {
  connection: NativeConnection;
  /** Absent: those that Arcus makes. */
  namespaces?: Namespaces;
  ports: StepPorts;
  /** One a process; whoever makes it flushes it at the end. */
  stepLog: StepLog;
  /** The workflow bundle, and the hash of it that names this version of the workflows. */
  bundle: { codePath: string };
  buildId: string;
  queues: readonly Exclude<keyof typeof taskQueues, 'shared'>[];
};

/** The workers of one process, one a task queue. They poll once they are run. */
export async function createWorkers({ queues, ...settings }: WorkerSettings): Promise<Worker[]> {
  const options = workerOptions(settings);
  const lanes = queues.flatMap((queue) =>
    queue === 'orchestration' ? (['orchestration', 'shared'] as const) : [queue],
  );
  return Promise.all(lanes.map((queue) => Worker.create(options[queue]())));
}

/**
 * Workflow tasks at a time, and polls for them. A poll keeps the place of a task while it waits: as many polls as places, of
 * which most are for runs that are here already, and a few long tasks leave none in which a new run could begin.
 */
const workflowTasks = (most: number, polls: number): Partial<WorkerOptions> => ({
  maxConcurrentWorkflowTaskExecutions: most,
  workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: polls },
  nonStickyToStickyPollRatio: 0.5,
});

/** What a worker of each task queue is made of. */
export function workerOptions({
  connection,
  namespaces = defaultNamespaces,
  ports,
  stepLog,
  bundle,
  buildId,
}: Omit<WorkerSettings, 'queues'>): Record<keyof typeof taskQueues, () => WorkerOptions> {
  const turns = new StepTurns(async (op) => partyOf(await ports.store.operations.asker(op)));
  const shared: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    interceptors: { activity: [(context) => ({ inbound: activityInterceptor(context, stepLog, turns) })] },
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
  const orchestration = (): Omit<WorkerOptions, 'taskQueue'> => ({
    ...shared,
    ...versioned,
    ...workflowOptions(bundle),
    namespace: namespaces.operations,
    activities: orchestrationSteps(ports),
  });
  return {
    orchestration: () => ({
      ...orchestration(),
      ...workflowTasks(12, 4),
      taskQueue: taskQueues.orchestration,
    }),
    // A run that has steps to do keeps its place. What is beyond waits in the server, where users take turns.
    shared: () => ({ ...orchestration(), ...workflowTasks(4, 2), taskQueue: taskQueues.shared }),
    compute: () => ({
      ...shared,
      ...versioned,
      namespace: namespaces.operations,
      taskQueue: taskQueues.compute,
      activities: computeSteps(ports),
      maxConcurrentActivityTaskExecutions: 40,
    }),
    // Each streams and hashes: a few fill a disk and a core.
    storage: () => ({
      ...shared,
      ...versioned,
      namespace: namespaces.operations,
      taskQueue: taskQueues.storage,
      activities: storageSteps(ports),
      maxConcurrentActivityTaskExecutions: 24,
    }),
    ticks: () => ({
      ...shared,
      ...versioned,
      ...workflowOptions(bundle),
      namespace: namespaces.ticks,
      taskQueue: taskQueues.ticks,
      activities: tickSteps(ports),
      maxCachedWorkflows: 20,
    }),
  };
}

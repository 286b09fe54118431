import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { activityInterceptor } from '../activities/interceptor.js';
import type { StepPorts } from '../activities/ports.js';
import type { StepLog } from '../activities/step-log.js';
import { computeSteps, orchestrationSteps, tickSteps } from '../activities/steps.js';
import type { Namespaces } from '../adapters/engine/access.js';
import { taskQueues } from '../adapters/engine/names.js';
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
  queues: readonly (keyof typeof taskQueues)[];
};

/** The workers of one process, one a task queue. They poll once they are run. */
export async function createWorkers({ queues, ...settings }: WorkerSettings): Promise<Worker[]> {
  const options = workerOptions(settings);
  return Promise.all(queues.map((queue) => Worker.create(options[queue]())));
}

/** What a worker of each task queue is made of. */
export function workerOptions({
  connection,
  namespaces = defaultNamespaces,
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
  return {
    orchestration: () => ({
      ...shared,
      ...versioned,
      ...workflowOptions(bundle),
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
      ...workflowOptions(bundle),
      namespace: namespaces.ticks,
      taskQueue: taskQueues.ticks,
      activities: tickSteps(ports),
      maxCachedWorkflows: 20,
    }),
  };
}

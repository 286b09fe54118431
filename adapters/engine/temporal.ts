import { setTimeout as sleep } from 'node:timers/promises';
import {
  Client,
  Connection,
  isGrpcServiceError,
  ScheduleOverlapPolicy,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import {
  ApplicationFailure,
  defaultPayloadConverter,
  defineSearchAttributeKey,
  type Priority,
  type SearchAttributePair,
  SearchAttributeType,
} from '@temporalio/common';
import { type FailingTask, faultText } from '../../domain/operations/failing-task.js';
import { nameOf, ofRole } from '../../domain/operations/names.js';
import { Problem } from '../../domain/problems.js';
import type { OperatedKind } from '../../schemas/kinds.js';
import type { Operation, ResourceRef } from '../../schemas/operations/operation.js';
import { operations as described, takesAway } from '../../schemas/operations.js';
import { clientConnection, namespacesOf, type TemporalAccess } from './access.js';
import { placementWorkflowId, scheduleIds, taskQueues } from './names.js';
import { pendingOf } from './pending.js';
import type { Engine, Run } from './port.js';
import { createSignalPace } from './signal-pace.js';
import { failingTaskOf, looked, triesOf } from './task-failure.js';

/** Custom search attributes: typed, on every workflow of an operation. */
export const searchAttributes = {
  ArcusService: defineSearchAttributeKey('ArcusService', SearchAttributeType.INT),
  ArcusRole: defineSearchAttributeKey('ArcusRole', SearchAttributeType.KEYWORD),
  ArcusVm: defineSearchAttributeKey('ArcusVm', SearchAttributeType.INT),
  ArcusHost: defineSearchAttributeKey('ArcusHost', SearchAttributeType.INT),
  ArcusZone: defineSearchAttributeKey('ArcusZone', SearchAttributeType.KEYWORD),
  ArcusOwner: defineSearchAttributeKey('ArcusOwner', SearchAttributeType.KEYWORD),
  ArcusOperation: defineSearchAttributeKey('ArcusOperation', SearchAttributeType.KEYWORD),
} as const;

/** What an operator reads in the Temporal UI's list. */
export const summaryOf = ({ kind, resource, resource_name, role }: Operation): string =>
  `${described[kind].verb} ${ofRole(role)}${nameOf(resource)} (${resource_name})`;

/** Under which attribute the id of a resource is found; a zone is named on every run. */
const idAttribute = {
  service: searchAttributes.ArcusService,
  vm: searchAttributes.ArcusVm,
  // Temporal's development server takes three of integers. Its workflow ID, `image-7`, says as much.
  image: null,
  app: null,
  host: searchAttributes.ArcusHost,
  zone: null,
} as const satisfies Record<OperatedKind, typeof searchAttributes.ArcusVm | null>;

const attributesOf = (resource: ResourceRef, operation: Operation): SearchAttributePair[] => [
  { key: searchAttributes.ArcusOperation, value: operation._id },
  { key: searchAttributes.ArcusOwner, value: operation.requester.name },
  { key: searchAttributes.ArcusZone, value: '0' },
  ...(operation.role === undefined ? [] : [{ key: searchAttributes.ArcusRole, value: operation.role }]),
  ...[idAttribute[resource.type]].flatMap((key) => (key === null ? [] : [{ key, value: resource.id }])),
];

/**
 * Of those that wait for a worker in one queue, users have the next in turns, and what takes away comes before all else. Steps
 * of a run have this from it.
 */
const priorityOf = ({ kind, requester }: Operation): Priority => ({
  fairnessKey: `user-${requester.id}`,
  ...(takesAway(kind) && { priorityKey: 2 }),
});

export type TemporalEngine = Engine & {
  close(): Promise<void>;
  reachable(): Promise<boolean>;
  /** Calls wait for Temporal no more, nor do later ones: for who must end soon. What was accepted begins without them. */
  abandon(): void;
};

/** How long somebody who only looks waits for Temporal, in milliseconds. */
const glance = 1_000;

/** The engine over a Temporal server; connects when first used, so that a process can start without it. */
export function temporalEngine(access: TemporalAccess): TemporalEngine {
  const connection = Connection.lazy({ ...clientConnection(access), connectTimeout: '2s' });
  const namespaces = namespacesOf(access);
  const operations = new Client({ connection, namespace: namespaces.operations });
  const ticks = new Client({ connection, namespace: namespaces.ticks });
  const pace = createSignalPace();
  /** How to end the waits of the calls in progress. The client’s own signals end none that is still connecting. */
  const waits = new Set<(reason: Error) => void>();
  let abandoned: Error | undefined;

  /** Asked only where a task was tried more than once: one that is done says nothing. */
  const failing = async (description: WorkflowExecutionDescription): Promise<FailingTask | null> => {
    const tries = triesOf(description);
    if (tries < 2) return null;
    const { workflowId, runId } = description;
    const { history } = await connection.workflowService.getWorkflowExecutionHistoryReverse({
      namespace: namespaces.operations,
      execution: { workflowId, runId },
      maximumPageSize: looked,
    });
    return failingTaskOf(history?.events ?? [], tries);
  };
  const described = async <T>(
    workflowId: string,
    read: (description: WorkflowExecutionDescription, failing: FailingTask | null) => T,
  ) => {
    try {
      const description = await operations.workflow.getHandle(workflowId).describe();
      return read(description, await failing(description));
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  };
  const run = (workflowId: string): Promise<Run | null> => described(workflowId, runOf);

  /** Every call is bounded, in milliseconds: a request must not hang because the engine does. */
  const call = async <T>(what: string, work: () => Promise<T>, bound = 3_000): Promise<T> => {
    let giveUp: (reason: Error) => void = () => {};
    try {
      if (abandoned) throw abandoned;
      const givenUp = new Promise<never>((_, reject) => {
        giveUp = reject;
      });
      waits.add(giveUp);
      return await Promise.race([givenUp, connection.withDeadline(Date.now() + bound, work)]);
    } catch (error) {
      if (error instanceof Problem) throw error;
      throw new Problem('backend_unavailable', `Temporal could not ${what}.`, { cause: error });
    } finally {
      waits.delete(giveUp);
    }
  };

  const ignoreGone = (error: unknown): void => {
    const gone =
      error instanceof WorkflowNotFoundError || (isGrpcServiceError(error) && /already completed/.test(error.message));
    if (!gone) throw error;
  };

  const start = (operation: Operation): Promise<'started' | 'occupied'> =>
    call(`start operation ${operation._id}`, async () => {
      try {
        await operations.workflow.start(operation.kind, {
          workflowId: operation.workflow_id,
          taskQueue: operation.lane === 'shared' ? taskQueues.shared : taskQueues.orchestration,
          priority: priorityOf(operation),
          args: [{ op: operation._id }],
          memo: { op: operation._id },
          workflowIdConflictPolicy: 'FAIL',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          // What a worker costs that dies in the middle of a task. With 3 s, tasks on a crowded processor ran out of time.
          workflowTaskTimeout: '5s',
          typedSearchAttributes: attributesOf(operation.resource, operation),
          staticSummary: summaryOf(operation),
        });
        return 'started';
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        const present = await run(operation.workflow_id);
        return present?.op === operation._id ? 'started' : 'occupied';
      }
    });
  const latestRun = (workflowId: string) => call(`describe ${workflowId}`, () => run(workflowId));

  return {
    start,
    latestRun,
    pendingSteps: (workflowId) => call(`describe ${workflowId}`, () => described(workflowId, pendingOf), glance),
    async startNext(operation) {
      for (const until = Date.now() + 2_000; Date.now() < until; await sleep(50)) {
        if ((await latestRun(operation.workflow_id))?.status === 'open') continue;
        await start(operation);
        return;
      }
    },
    openRuns: (page) =>
      call('list the open runs', async () => {
        const { executions, nextPageToken } = await connection.workflowService.listWorkflowExecutions({
          namespace: namespaces.operations,
          query: `ExecutionStatus = "Running" AND WorkflowId != "${placementWorkflowId}"`,
          pageSize: 500,
          ...(page !== null && { nextPageToken: Buffer.from(page, 'base64') }),
        });
        const runs = executions.flatMap(({ execution, searchAttributes: attributes }) => {
          const named = attributes?.indexedFields?.[searchAttributes.ArcusOperation.name];
          const op: unknown = named && defaultPayloadConverter.fromPayload(named);
          const workflowId = execution?.workflowId ?? '';
          return workflowId === '' ? [] : [{ workflowId, op: typeof op === 'string' ? op : null }];
        });
        return { runs, next: nextPageToken.length === 0 ? null : Buffer.from(nextPageToken).toString('base64') };
      }),
    failureOf: (workflowId, runId) =>
      call(`read the result of ${workflowId}`, async () => {
        try {
          await operations.workflow.getHandle(workflowId, runId, { followRuns: false }).result();
          return { type: 'none', message: 'it did not fail' };
        } catch (error) {
          if (!(error instanceof WorkflowFailedError)) throw error;
          const { cause } = error;
          return {
            type: cause instanceof ApplicationFailure ? (cause.type ?? 'Error') : (cause?.name ?? 'Error'),
            message: spoken[cause?.message ?? ''] ?? cause?.message ?? error.message,
          };
        }
      }),
    cancel: (workflowId, { firstRunId }) =>
      call(`cancel ${workflowId}`, async () => {
        await operations.workflow
          .getHandle(workflowId, undefined, { firstExecutionRunId: firstRunId })
          .cancel()
          .catch(ignoreGone);
      }),
    terminate: (workflowId, { firstRunId }, reason) =>
      call(`terminate ${workflowId}`, async () => {
        await operations.workflow
          .getHandle(workflowId, undefined, { firstExecutionRunId: firstRunId })
          .terminate(reason)
          .catch(ignoreGone);
      }),
    signal: (workflowId, signal, vms) =>
      pace(`${workflowId}/${signal}`, vms, (named) =>
        call(`signal ${workflowId}`, async () => {
          await operations.workflow
            .getHandle(workflowId)
            .signal(signal, ...(named ? [named] : []))
            .catch(ignoreGone);
        }),
      ),
    signalSettled: (workflowId, settled) =>
      call(`signal ${workflowId}`, async () => {
        await operations.workflow.getHandle(workflowId).signal('rolesSettled', settled).catch(ignoreGone);
      }),
    signalPlacement: () =>
      pace(placementWorkflowId, undefined, () =>
        call('signal placement', async () => {
          await operations.workflow.signalWithStart('placement', {
            workflowId: placementWorkflowId,
            taskQueue: taskQueues.orchestration,
            signal: 'capacityAppeared',
            staticSummary: 'place the VMs that wait for capacity',
          });
        }),
      ),
    handOver: (op) =>
      call(`hand over to ${op}`, async () => {
        await ticks.workflow.start('handOver', {
          workflowId: `hand-over-${op}`,
          taskQueue: taskQueues.ticks,
          args: [{ op }],
          workflowIdConflictPolicy: 'USE_EXISTING',
          workflowRunTimeout: '5m',
          staticSummary: `make way for operation ${op}`,
        });
      }),
    monitorNow: () =>
      call('trigger the monitoring of hosts', () =>
        ticks.schedule.getHandle(scheduleIds.monitorHosts).trigger(ScheduleOverlapPolicy.ALLOW_ALL),
      ),
    nextMonitoring: () =>
      call(
        'describe the monitoring of hosts',
        async () => {
          const { info, state } = await ticks.schedule.getHandle(scheduleIds.monitorHosts).describe();
          return state.paused ? null : (info.nextActionTimes[0] ?? null);
        },
        glance,
      ),
    async reachable() {
      return call('answer', () => connection.workflowService.getSystemInfo({})).then(
        () => true,
        () => false,
      );
    },
    abandon() {
      abandoned = new Error('this process ends');
      for (const giveUp of waits) giveUp(abandoned);
    },
    close: () => connection.close(),
  };
}

/** What Temporal's server says when it terminates a run itself. */
const spoken: Readonly<Record<string, string>> = {
  GrpcMessageTooLarge: faultText({ cause: 'too_large', detail: '' }),
};

const statuses: Partial<Record<WorkflowExecutionDescription['status']['name'], Run['status']>> = {
  RUNNING: 'open',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed_out',
  CONTINUED_AS_NEW: 'open',
  PAUSED: 'open',
};

function runOf(description: WorkflowExecutionDescription, failing: FailingTask | null): Run {
  const op = description.memo?.op;
  return {
    op: typeof op === 'string' ? op : null,
    runId: description.runId,
    firstRunId: description.raw.workflowExecutionInfo?.firstRunId ?? description.runId,
    status: statuses[description.status.name] ?? 'open',
    failing,
  };
}

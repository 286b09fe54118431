import type { WorkflowHandle } from '@temporalio/client';
import { Client, Connection } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { z } from 'zod';
import type { Cluster } from './cluster.js';

type Event = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number];

/** One run of a chain: a run that goes on as a new one names that. */
export type History = { runId: string; events: Event[] };

const LocalActivity = z.object({ activity_type: z.string() });

/** Works with a client of the cluster's Temporal, in the namespace of operations. */
export async function withTemporal<T>(cluster: Cluster, work: (client: Client) => Promise<T>): Promise<T> {
  const { address, namespaces } = cluster.temporal;
  const connection = await Connection.connect({ address });
  try {
    return await work(new Client({ connection, namespace: namespaces.operations }));
  } finally {
    await connection.close();
  }
}

/** The histories of a run and of those as which it went on, oldest first. */
export async function historiesOf(client: Client, workflowId: string, firstRunId: string): Promise<History[]> {
  const histories: History[] = [];
  for (let runId: string | null | undefined = firstRunId; runId; ) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    histories.push({ runId, events: events ?? [] });
    runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  return histories;
}

/** What a local step answered, each time that it was done. */
export const answersOf = (step: string, { events }: History): unknown[] =>
  events.flatMap(({ markerRecordedEventAttributes: marker }) => {
    const [data, result] = [marker?.details?.data, marker?.details?.result];
    const isIt = LocalActivity.safeParse(decoded(data?.payloads?.[0])).data?.activity_type === step;
    return isIt ? [decoded(result?.payloads?.[0])] : [];
  });

const decoded = (payload: Payload | null | undefined): unknown =>
  payload ? defaultPayloadConverter.fromPayload(payload) : undefined;

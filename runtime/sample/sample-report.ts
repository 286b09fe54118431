import { z } from 'zod';
import { OperationResource } from '../../schemas/operations/operation.js';
import type { ServiceResource } from '../../schemas/services/service.js';
import type { Home } from '../home/home.js';
import { type Screen, watchService } from '../processes/watch-service.js';
import { type ApiClient, Refusal } from './api-client.js';
import { declineSample, ensureSample } from './sample.js';

/** Longest time for which the start waits for the sample to come up, in milliseconds; it goes on without anybody watching. */
const patience = 120_000;

/** The sample service as it is, and the Temporal UI's page of its workflow. */
export type PresentedService = { service: ServiceResource; workflowUrl: string | null };

const WorkflowOf = z.object({ items: z.array(OperationResource) });

async function workflowUrl(api: ApiClient, id: number): Promise<string | null> {
  try {
    const { items } = await api.get(`/operations?resource_type=service&resource_id=${id}&limit=1`, WorkflowOf);
    return items[0]?.workflow.url ?? null;
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** Makes the sample when it is wanted and has not been made, and shows its service coming up. Null when there is none. */
export async function presentSample(
  api: ApiClient,
  home: Home,
  wanted: boolean,
  screen: Screen,
): Promise<PresentedService | null> {
  if (!wanted) declineSample(home.sample);
  const id = await ensureSample(api, home.sample);
  if (id === null) return null;
  try {
    const service = await watchService(api, id, screen, patience);
    return { service, workflowUrl: await workflowUrl(api, id) };
  } catch (error) {
    // It is the operator's to delete.
    if (error instanceof Refusal) return null;
    throw error;
  }
}

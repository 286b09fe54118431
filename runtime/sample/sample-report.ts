import type { Client } from '../../client/client.js';
import { collections } from '../../client/collections.js';
import { Refusal } from '../../client/errors.js';
import type { ServiceResource } from '../../schemas/services/service.js';
import type { Home } from '../home/home.js';
import { type Screen, watchService } from '../processes/watch-service.js';
import { declineSample, ensureSample, type SampleCloud } from './sample.js';

/** Longest time for which the start waits for the sample to come up, in milliseconds; it goes on without anybody watching. Real guests take theirs. */
const patience = { simulated: 120_000, libvirt: 600_000 } as const;

/** The sample service as it is, and the Temporal UI's page of its workflow. */
export type PresentedService = { service: ServiceResource; workflowUrl: string | null };

async function workflowUrl(api: Client, id: number): Promise<string | null> {
  try {
    const query = { resource_type: 'service', resource_id: String(id) };
    const [last] = await api.all(collections.operation, { query, most: 1 });
    return last?.value.workflow.url ?? null;
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** Makes the sample when it is wanted and has not been made, and shows its service coming up. Null when there is none. */
export async function presentSample(
  api: Client,
  home: Home,
  { wanted, cloud }: { wanted: boolean; cloud: SampleCloud },
  screen: Screen,
): Promise<PresentedService | null> {
  if (!wanted) declineSample(home.sample);
  const id = await ensureSample(api, home.sample, cloud);
  if (id === null) return null;
  try {
    const service = await watchService(api, id, screen, patience[cloud.hypervisor]);
    return { service, workflowUrl: await workflowUrl(api, id) };
  } catch (error) {
    // It is the operator's to delete.
    if (error instanceof Refusal) return null;
    throw error;
  }
}

import { ConsistencyCheckResource } from '../../schemas/consistency/consistency.js';
import type { Cluster } from '../support/cluster.js';

/** What Arcus's own check finds, asked for as an administrator does: it is compared with ours, which shares no code with it. */
export async function askFsck({ client }: Pick<Cluster, 'client'>): Promise<string[]> {
  const { id } = await client.accepted('POST', '/consistency-checks', { repair: false });
  const { state } = await client.awaitOperation(id, 'succeeded', 'failed', 'cancelled');
  const { findings } = await client.ask(ConsistencyCheckResource, 'GET', `/consistency-checks/${id}`);
  return [
    ...(state === 'succeeded' ? [] : [`the consistency check is ${state}`]),
    ...findings.map(({ code, resource, detail }) => `fsck: ${code} ${resource.type} ${resource.id}: ${detail}`),
  ];
}

import type { Credentials } from './credentials.js';
import { ensureNamespaces } from './prepare-temporal.js';

/** Makes what Arcus needs in its servers, unless it is there: run at every start, and by a job of its own in a cluster. */
export async function prepare(
  { ARCUS_TEMPORAL_ADDRESS, ARCUS_MONGODB_URI }: { ARCUS_TEMPORAL_ADDRESS: string; ARCUS_MONGODB_URI: string },
  credentials: Credentials,
): Promise<void> {
  await ensureNamespaces(ARCUS_TEMPORAL_ADDRESS);
  void ARCUS_MONGODB_URI;
  void credentials;
}

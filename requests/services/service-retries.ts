import type { RetriesOn, Retry } from '../operations/retrying.js';
import { recoverServiceAgain, repairServiceAgain } from './service-recovery.js';

const recovered: Retry<'deployService' | 'undeployService'> = async (context, caller, { resource: { id } }, asked) => {
  // What failed may run again since a moment ago.
  await context.store.health.refresh([id]);
  return recoverServiceAgain(context, caller, id, asked);
};

/** Of what has a service, or some of its roles. */
export const serviceRetries = {
  deployService: recovered,
  undeployService: recovered,
  repairService: (context, caller, { resource: { id } }, asked) => repairServiceAgain(context, caller, id, asked),
} satisfies Partial<RetriesOn<'service'>>;

import { z } from 'zod';
import { Timestamp } from '../common/common.js';

/** The same words as in domain/scaling. */
const Verdict = z
  .enum([
    ...(['scales', 'outbid', 'at_limit', 'cooldown', 'stabilizing', 'refused'] as const),
    ...(['false', 'counting', 'unknown', 'no_change', 'paused', 'waits'] as const),
  ])
  .describe(
    'scales: it has the role scaled. It would, but: outbid by another policy, at a limit of the role, in cooldown, not wished for throughout its window (stabilizing), refused. It does not: false, counting its periods, of unknown values, no change, paused, or the role is not to be scaled now (waits)',
  );

/** What an elasticity policy has come to, and why. */
export const PolicySaid = z.object({
  at: Timestamp,
  verdict: Verdict,
  why: z.string(),
  found: z.string().nullable().describe('The expression or target with what was found, as CPU[95.3] > 90'),
  operation: z.string().nullable().describe('The scaling that it has begun'),
});
export type PolicySaid = z.infer<typeof PolicySaid>;

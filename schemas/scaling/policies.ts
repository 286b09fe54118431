import { z } from 'zod';
import { Timestamp } from '../common/common.js';
import { limits } from '../common/limits.js';
import { ElasticityPolicy } from '../services/service-template.js';

const most = limits.vmsOfService.most;

/** What people replace of a role of a service that is there. */
export const RolePolicies = z.strictObject({
  elasticity_policies: z
    .array(ElasticityPolicy)
    .max(limits.policies.most)
    .describe('All policies that the role is to have from then on'),
  min_vms: z.int().min(0).max(most).optional().describe('Least VMs of the role; absent: as before'),
  max_vms: z.int().min(0).max(most).optional().describe('Most VMs of the role; absent: as before'),
});
export type RolePolicies = z.infer<typeof RolePolicies>;

export const PausePolicy = z.strictObject({
  until: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('When it resumes by itself; absent: when somebody resumes it'),
});
export type PausePolicy = z.infer<typeof PausePolicy>;

/** The same words as in domain/scaling. */
const Verdict = z
  .enum([
    ...(['scales', 'outbid', 'at_limit', 'cooldown', 'stabilizing', 'refused'] as const),
    ...(['false', 'counting', 'unknown', 'no_change', 'paused', 'waits'] as const),
  ])
  .describe(
    'scales: it has the role scaled. It would, but: outbid by another policy, at a limit of the role, in cooldown, not wished for throughout its window (stabilizing), refused. It does not: false, counting its periods, of unknown values, no change, paused, or the role is not to be scaled now (waits)',
  );

const Said = z.object({
  at: Timestamp,
  verdict: Verdict,
  why: z.string(),
  found: z.string().nullable().describe('The expression or target with what was found, as CPU[95.3] > 90'),
  operation: z.string().nullable().describe('The scaling that it has begun'),
});

const Log = z.array(Said).describe('Newest last, 20 at most; what is said again and again stands there once');

export const PolicyResource = z.object({
  policy: z.int().describe('Its place in the list, from 0'),
  definition: ElasticityPolicy,
  paused: z.string().nullable().describe('That it is paused, and until when; null: it is not'),
  true_evals: z.int().describe('Periods in a row in which it held'),
  periods: z.int().describe('How many it takes'),
  last_eval: Timestamp.nullable().describe('When its expression was evaluated last'),
  last: Said.nullable().describe('What it has come to last'),
  log: Log,
});

export const RolePoliciesResource = z
  .object({
    role: z.string(),
    cardinality: z.int(),
    min_vms: z.int().nullable(),
    max_vms: z.int().nullable(),
    waits: z.string().nullable().describe('Why no policy is asked now; null: they are'),
    policies: z.array(PolicyResource),
    least: z.object({ last: Said.nullable(), log: Log }).describe('What was done to keep up min_vms'),
  })
  .meta({ id: 'RolePolicies' });
export type RolePoliciesResource = z.infer<typeof RolePoliciesResource>;

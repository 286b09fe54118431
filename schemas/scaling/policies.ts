import { z } from 'zod';
import { Timestamp } from '../common/common.js';
import { limits } from '../common/limits.js';
import { PolicySaid } from '../services/policy-said.js';
import { ElasticityPolicy } from '../services/service-template.js';

const most = limits.vmsOfService.most;

/** Within which policies of either kind keep a role. */
export const RoleBounds = {
  min_vms: z.int().min(0).max(most).optional().describe('Least VMs of the role; absent: as before'),
  max_vms: z.int().min(0).max(most).optional().describe('Most VMs of the role; absent: as before'),
};

/** What people replace of a role of a service that is there. */
export const RolePolicies = z.strictObject({
  elasticity_policies: z
    .array(ElasticityPolicy)
    .max(limits.policies.most)
    .describe('All policies that the role is to have from then on'),
  ...RoleBounds,
});
export type RolePolicies = z.infer<typeof RolePolicies>;

export const PausePolicy = z.strictObject({
  until: z.iso
    .datetime({ offset: true, error: 'must be a time such as 2026-12-01T06:00:00Z' })
    .optional()
    .describe('When it resumes by itself; absent: when somebody resumes it'),
});
export type PausePolicy = z.infer<typeof PausePolicy>;

const Log = z.array(PolicySaid).describe('Newest last, 20 at most; what is said again and again stands there once');

export const PolicyResource = z.object({
  policy: z.int().describe('Its place in the list, from 0'),
  definition: ElasticityPolicy,
  paused: z.string().nullable().describe('That it is paused, and until when; null: it is not'),
  true_evals: z.int().describe('Periods in a row in which it held'),
  periods: z.int().describe('How many it takes'),
  last_eval: Timestamp.nullable().describe('When its expression was evaluated last'),
  last: PolicySaid.nullable().describe('What it has come to last'),
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
    least: z.object({ last: PolicySaid.nullable(), log: Log }).describe('What was done to keep up min_vms'),
  })
  .meta({ id: 'RolePolicies' });
export type RolePoliciesResource = z.infer<typeof RolePoliciesResource>;

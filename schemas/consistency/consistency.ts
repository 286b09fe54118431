import { z } from 'zod';
import { type ObjectId, Timestamp } from '../common/common.js';
import type { ListFields } from '../common/list.js';
import { OperationState } from '../operations/operation.js';

export const CheckConsistency = z.strictObject({
  repair: z
    .boolean()
    .default(false)
    .describe('true: repair what can be repaired without risk; false: only report what is found'),
});
export type CheckConsistency = z.infer<typeof CheckConsistency>;

/** Everything that a check can find; domain/consistency/flaws.ts says what each is, and what repairing it does. */
export const FindingCode = z.enum([
  'service_abandoned',
  'service_operation_stale',
  'service_wanted_stale',
  'service_hold_stale',
  'service_done_with_vms',
  'service_operation_owner_differs',
  'service_network_missing',
  'role_operation_stale',
  'role_state_wrong',
  'role_incomplete',
  'role_surplus',
  'role_number_twice',
  'vm_abandoned',
  'vm_operation_stale',
  'vm_wanted_stale',
  'vm_hold_stale',
  'vm_waits_for_nothing',
  'vm_without_service',
  'vm_owner_differs',
  'vm_operation_owner_differs',
  'vm_without_host',
  'vm_done_on_host',
  'vm_not_reserved',
  'vm_lease_stale',
  'nic_lease_missing',
  'nic_lease_taken',
  'reservation_orphaned',
  'reservation_differs',
  'host_operation_stale',
  'host_sums_wrong',
  'host_overcommitted',
  'host_unreachable',
  'domain_orphaned',
  'domain_doubtful',
  'domain_elsewhere',
  'domain_missing',
  'domain_stopped',
  'domain_older',
  'domain_newer',
  'image_abandoned',
  'image_operation_stale',
  'image_wanted_stale',
  'image_clone_stale',
  'image_state_wrong',
  'image_use_stale',
  'image_use_missing',
  'image_without_bytes',
  'image_bytes_orphaned',
  'staging_orphaned',
  'staging_left',
  'copy_missing',
  'copy_orphaned',
  'copy_left',
  'disk_left',
  'disk_orphaned',
  'disk_missing',
  'context_left',
  'context_orphaned',
  'datastore_strange_names',
  'datastore_unreachable',
  'image_app_stale',
  'app_abandoned',
  'app_operation_stale',
  'app_wanted_stale',
  'app_export_stale',
  'app_without_bytes',
  'app_bytes_orphaned',
  'market_unreachable',
  'operation_without_run',
  'operation_forgotten',
  'run_without_operation',
  'counter_behind',
  'lease_orphaned',
  'network_without_service',
  'quota_drift',
  'owner_missing',
]);
export type FindingCode = z.infer<typeof FindingCode>;

export const FindingResource = z.object({
  type: z.enum([
    'service',
    'vm',
    'host',
    'image',
    'datastore',
    'market',
    'app',
    'operation',
    'run',
    'counter',
    'quota',
    'network',
    'user',
    'group',
  ]),
  id: z
    .union([z.int(), z.string()])
    .describe(
      'Integer id; of operations the ULID, of runs the workflow ID, of counters the name of the pool, of quotas `user/<id>` or `group/<id>`',
    ),
});
export type FindingResource = z.infer<typeof FindingResource>;

/**
 * candidate: seen once, to be looked at again (never shown); found: seen again, unchanged, a moment later; repaired;
 * gone: when it was to be repaired, what had been seen was not there any more; failed: repairing it did not work.
 */
export const FindingOutcome = z.enum(['candidate', 'found', 'repaired', 'gone', 'failed']);
export type FindingOutcome = z.infer<typeof FindingOutcome>;

export const ConsistencyFinding = z.object({
  code: FindingCode,
  resource: FindingResource,
  detail: z.string().describe('What does not fit, in a sentence'),
  repair: z.string().nullable().describe('What repairing it does; null: there is no safe repair'),
  advice: z.string().nullable().describe('What a person can do where there is no safe repair'),
  outcome: FindingOutcome.exclude(['candidate']).describe(
    'found: it is there; repaired; gone: it went by itself before it was repaired; failed: repairing it did not work',
  ),
  reason: z.string().nullable().describe('Why repairing it failed, or what else is to be said'),
});
export type ConsistencyFinding = z.infer<typeof ConsistencyFinding>;

/** How many of each kind a check has looked at. */
export const Compared = z.object({
  services: z.int(),
  vms: z.int(),
  hosts: z.int(),
  operations: z.int().describe('Those that have not ended'),
  runs: z.int().describe('Open ones, in Temporal'),
  domains: z.int().describe('On every host that could be reached'),
  images: z.int(),
  datastores: z.int().describe('Those that have answered'),
  markets: z.int().describe('Marketplaces that have answered'),
});
export type Compared = z.infer<typeof Compared>;

/** Findings that one report shows at most. */
export const mostFindings = 1_000;

const Check = z.object({
  id: z.string().describe('ULID: that of its operation'),
  state: OperationState,
  repair: z.boolean().describe('Whether it repairs what it finds'),
  doing: z.string().nullable().describe('What it is doing now'),
  compared: Compared,
  found: z.int().describe('How many findings there are, shown or not'),
  left: z.int().describe('How many of them are still there'),
  created_at: Timestamp,
  started_at: Timestamp.nullable(),
  ended_at: Timestamp.nullable(),
});

/** What lists of checks can be filtered and sorted by. */
export const checkFields = {
  id: { kind: 'ulid', path: '_id', sorts: true },
  repair: { kind: 'boolean', path: 'repair' },
  created_at: { kind: 'time', path: 'created_at' },
} as const satisfies ListFields;

/** A check in a list: without its findings. */
export const ConsistencyCheckSummary = Check.meta({ id: 'ConsistencyCheckSummary' });
export type ConsistencyCheckSummary = z.infer<typeof ConsistencyCheckSummary>;

export const ConsistencyCheckResource = Check.extend({
  findings: z.array(ConsistencyFinding).describe(`The first ${mostFindings}; \`found\` counts all`),
}).meta({ id: 'ConsistencyCheck' });
export type ConsistencyCheckResource = z.infer<typeof ConsistencyCheckResource>;

/** A check as stored, under the id of its operation, whose state is that of the check. Kept 30 days. */
export type ConsistencyCheckRecord = {
  _id: string;
  repair: boolean;
  doing: string | null;
  compared: Compared;
  created_at: Date;
};

/** The id of a zone is that of one Arcus; what works on the whole of it is excluded here. */
export type Zone = { _id: z.infer<typeof ObjectId>; operation: string | null };

import { z } from 'zod';
import { ObjectId, ObjectName, type Ownership, OwnershipResource, Timestamp } from '../common/common.js';
import { type Firing, FiringResource } from '../common/firing.js';
import { limits } from '../common/limits.js';
import { type ListFields, namedFields } from '../common/list.js';
import { MonitoringResource } from '../hosts/metrics.js';
import type { Amounts, VmSize } from '../identity/amounts.js';
import { VmLcmState, VmState } from '../vms/vm.js';
import { PolicySaid } from './policy-said.js';
import { NetworkChoice, type ServiceNetwork, ServiceNetworkResource } from './service-network.js';
import {
  ElasticityPolicy,
  RoleTemplate,
  ScheduledPolicy,
  ServiceTemplateBody,
  ShutdownAction,
} from './service-template.js';

/** OneFlow's service and role states in the order of their numbers, 0 to 10 (guide 1.3.3); then HOLD, which came with 6.4. */
export const ServiceState = z.enum([
  'PENDING',
  'DEPLOYING',
  'RUNNING',
  'UNDEPLOYING',
  'WARNING',
  'DONE',
  'FAILED_UNDEPLOYING',
  'FAILED_DEPLOYING',
  'SCALING',
  'FAILED_SCALING',
  'COOLDOWN',
  'HOLD',
]);
export type ServiceState = z.infer<typeof ServiceState>;

export const InstantiateService = z.strictObject({
  merge_template: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Merged over the template, then validated again'),
  merge: z
    .enum(['shallow', 'deep'])
    .optional()
    .describe(
      'shallow: each member replaces that of the template, as in OneFlow 5.0; deep: roles are matched by name, objects merged; absent: shallow',
    ),
  networks: z
    .record(z.string().max(limits.attributeName.most), NetworkChoice)
    .optional()
    .meta({ maxProperties: limits.serviceNetworks.most })
    .describe('Which its networks are, by the names that the template has for them; over those of `networks_values`'),
  inputs: z
    .record(z.string().max(2 * limits.attributeName.most), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .meta({ maxProperties: limits.customValues.most })
    .describe(
      'Values of what else it asks for, by name; of a role by its name and that of the input, such as `db/SIZE`',
    ),
});
export type InstantiateService = z.infer<typeof InstantiateService>;

/** What people can change of a service, whole. */
export const ServiceEdit = z.strictObject({ name: ObjectName });
export type ServiceEdit = z.infer<typeof ServiceEdit>;

/** A merge patch of that. */
export const UpdateService = z.strictObject({ name: ObjectName.optional() });

export const UndeployService = z.strictObject({
  hard: z
    .boolean()
    .optional()
    .describe('true: terminate-hard every VM; false: terminate; absent: as role, service and configuration say'),
});
export type UndeployService = z.infer<typeof UndeployService>;

export const RecoverService = z.strictObject({
  role: z
    .string()
    .max(limits.name.most)
    .optional()
    .describe(
      'The role whose scaling has failed, that is in WARNING, or that rests; absent: the first whose scaling has failed or that rests, or all that has failed',
    ),
  give_up: z
    .boolean()
    .optional()
    .describe('true: of a role whose scaling has failed, what runs is what it is to have from now on'),
});
export type RecoverService = z.infer<typeof RecoverService>;

export const ReleaseService = z.strictObject({
  role: z.string().max(limits.name.most).optional().describe('The role that is on hold; absent: all that are'),
});
export type ReleaseService = z.infer<typeof ReleaseService>;

export type LogEntry = { timestamp: Date; severity: 'I' | 'E'; message: string };

/** A role of a service as stored: its template plus what happens to it. */
export type Role = z.infer<typeof RoleTemplate> & {
  state: ServiceState;
  /** Why the role is in this state, or null. */
  reason: string | null;
  /** The next VM number; numbers are never reused. */
  last_vmname: number;
  /** The highest numbered step done: one at or below it changes nothing. */
  mark: { op: string; step: number } | null;
  /** The operation admitted on this role, and not on all of the service, not ended; absent, as null: none. */
  operation?: string | null;
  /** So many VMs beyond the cardinality are still charged: they are to go, and have not gone yet. Absent: none. */
  surplus?: number;
  /** It goes once it has no VMs; these of them are protected, and go all the same. Absent: it stays. */
  removing?: number[];
  /** Until then policies rest, and people scale it only by force. */
  cooldown_until?: Date;
  /** When its last scaling has come to what was wished for; absent: none has. */
  scaled_at?: Date;
  /** The VM that was terminated last of those whose end has lowered the cardinality. */
  lowered?: {
    vm: number;
    by: string;
    at: Date;
    /** The last few of those before it, the newest first, and how many there were before these. */
    earlier?: { vm: number; by: string }[];
    more?: number;
  };
};

/** The service template as instantiated, without its roles. */
export const ServiceBody = ServiceTemplateBody.omit({ roles: true });
export type ServiceBody = z.infer<typeof ServiceBody>;

/** What is kept of one scheduled policy of a role. `print`: of what it says, so that another one in its place begins anew. */
export type ScheduleEntry = {
  role: string;
  policy: number;
  print: string;
  /** When it is due; null: never again. */
  next_at: Date | null;
  last: Firing | null;
};

/** What is kept of all of them. It is written whole, by whoever has read the version that there is. */
export type Schedule = {
  version: number;
  /** When one of them is to be looked at; null: never. */
  due_at: Date | null;
  /** On whose clocks those are that name no zone. */
  zone: string;
  of: ScheduleEntry[];
};

/** A service as stored. Its nodes are the VM documents that carry its id: nothing is kept twice. */
export type Service = Ownership & {
  _id: number;
  name: string;
  template_id: number;
  /** Which of the template it was made of; absent: nobody wrote it down. */
  template_revision?: number;
  state: ServiceState;
  roles: Role[];
  body: ServiceBody;
  /** Newest last, 50 at most. */
  log: LogEntry[];
  /** The operation admitted, not ended. */
  operation: string | null;
  /** The operation that pre-empts: while it is set, no work on a role may start. */
  wanted: string | null;
  /** By role name: who works on the role now, a fencing token. */
  holds: Record<string, { op: string; epoch: number }>;
  epoch: number;
  /** Rises each time that its health is written. */
  health?: number | null;
  created_at: Date;
  ended_at: Date | null;
  /** What its user and group are charged for it, its VMs among it, until it is DONE. Absent: nothing. */
  charge?: Amounts;
  /** By role name, what each of its VMs reserves: as it was charged, whatever has become of the VM template. */
  capacities?: Record<string, VmSize>;
  /** Those that its template asks for; absent: none. */
  networks?: ServiceNetwork[];
  /** Rises with each try to make or remove them. */
  network_changes?: number;
  /** Absent: no role has scheduled policies. */
  schedule?: Schedule;
  /** Its owner, group or bits have changed, and not all of its VMs have them yet; absent: they have. */
  giving?: { since: Date };
};

export const NodeResource = z.object({
  vm_id: ObjectId,
  name: z.string(),
  state: VmState,
  lcm_state: VmLcmState,
  ready: z.boolean(),
  host: z.string().nullable(),
  reason: z.string().nullable(),
  created_at: Timestamp,
  monitoring: MonitoringResource.nullable().describe(
    'What it uses; null: it was not asked for (`?monitoring=true`), it does not run, or nothing was heard of it for a minute',
  ),
});
export type NodeResource = z.infer<typeof NodeResource>;

export const ScheduledPolicyResource = ScheduledPolicy.extend({
  next_at: Timestamp.nullable().describe('When it is due; null: not again'),
  last: FiringResource.nullable().describe('What became of it when it was due last'),
});
export type ScheduledPolicyResource = z.infer<typeof ScheduledPolicyResource>;

export const ElasticityPolicyResource = ElasticityPolicy.extend({
  true_evals: z.int().describe('Periods in a row in which it held'),
  last_eval: Timestamp.nullable().describe('When its expression was evaluated last'),
  last: PolicySaid.nullable().describe('What it has come to last'),
});
export type ElasticityPolicyResource = z.infer<typeof ElasticityPolicyResource>;

export const RoleResource = RoleTemplate.extend({
  elasticity_policies: z.array(ElasticityPolicyResource).optional(),
  scheduled_policies: z.array(ScheduledPolicyResource).optional(),
  state: ServiceState,
  reason: z.string().nullable(),
  last_vmname: z.int(),
  operation: z.string().nullable().describe('The operation that has this role, and not all of the service'),
  cooldown_until: Timestamp.nullable().describe('Until when the role rests after a scaling'),
  nodes: z.array(NodeResource),
}).meta({ id: 'Role' });

export const ServiceResource = OwnershipResource.extend({
  id: ObjectId,
  name: z.string(),
  template_id: ObjectId,
  template_revision: z.int().nullable().describe('The revision of the template that it was made of'),
  state: ServiceState,
  deployment: z.enum(['none', 'straight']),
  ready_status_gate: z.boolean(),
  shutdown_action: ShutdownAction.nullable(),
  roles: z.array(RoleResource),
  virtual_networks: z.array(ServiceNetworkResource).describe('Those that its template asks for'),
  log: z.array(z.object({ timestamp: Timestamp, severity: z.enum(['I', 'E']), message: z.string() })),
  operation: z.string().nullable().describe('The operation that is at work on all of it'),
  created_at: Timestamp,
  ended_at: Timestamp.nullable(),
})
  .loose()
  .meta({ id: 'Service' });
export type ServiceResource = z.infer<typeof ServiceResource>;

/** What lists of services can be filtered and sorted by. */
export const serviceFields = {
  ...namedFields,
  state: { kind: ServiceState.options, path: 'state' },
  template_id: { kind: 'integer', path: 'template_id' },
  ended_at: { kind: 'time', path: 'ended_at', nullable: true },
} as const satisfies ListFields;

/** A service in a list: roles without their nodes. */
export const ServiceSummary = OwnershipResource.extend({
  id: ObjectId,
  name: z.string(),
  template_id: ObjectId,
  state: ServiceState,
  roles: z.array(z.object({ name: z.string(), state: ServiceState, cardinality: z.int() })),
  operation: z.string().nullable(),
  created_at: Timestamp,
  ended_at: Timestamp.nullable(),
}).meta({ id: 'ServiceSummary' });
export type ServiceSummary = z.infer<typeof ServiceSummary>;

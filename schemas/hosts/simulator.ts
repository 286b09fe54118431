import { z } from 'zod';
import { Capacity } from '../common/capacity.js';
import { ObjectId, ObjectName, Timestamp } from '../common/common.js';
import { DomainChange, DomainDevices } from '../operations/vm-devices.js';
import { DomainState } from './domain-state.js';
import { counterNames, eachCounter, Metrics } from './metrics.js';

/**
 * What the simulated hypervisor and its clients say to each other. Times in milliseconds, CPU in hundredths of a core, memory
 * in MB; what a domain uses in OpenNebula's units.
 */

const Milliseconds = z.int().min(0).max(86_400_000);

/** Where the simulated hypervisor keeps what is stopped: a host that has nothing to run VMs with. */
export const simulatedStorage = 'arcus-sim-storage';

/** How long something takes: always the same, or between two bounds, chosen per VM and epoch by the seed. */
export const Span = z.union([
  Milliseconds,
  z
    .strictObject({ min: Milliseconds, max: Milliseconds })
    .refine(({ min, max }) => min <= max, 'min must not be above max'),
]);
export type Span = z.infer<typeof Span>;

const Epoch = z.int().min(0);
const Percent = z.number().min(0).max(100);

export const DomainLabels = z.strictObject({
  vm: ObjectId,
  service: ObjectId.optional(),
  role: z.string().max(256).optional(),
});

/** Whose call it is, and whose the domain that it makes: each installation has VM ids of its own. Absent: nobody's. */
const Installation = z.string().min(1).max(64);

/** Every call names the capacity of its host: it makes the host known, and lets its changes follow. */
export const DeployCall = z.strictObject({
  installation: Installation.optional(),
  vm: ObjectId,
  domain: ObjectName,
  epoch: Epoch,
  host: Capacity,
  capacity: Capacity,
  labels: DomainLabels,
  devices: DomainDevices.optional(),
  adopted: z.literal(true).optional(),
});
export type DeployCall = z.infer<typeof DeployCall>;

export const DestroyCall = z.strictObject({
  installation: Installation.optional(),
  vm: ObjectId,
  domain: ObjectName,
  epoch: Epoch,
  host: Capacity,
  hard: z.boolean(),
});
export type DestroyCall = z.infer<typeof DestroyCall>;

/** A call that switches a VM, and makes and removes nothing. One that asks a guest is as that of a destroy: it may be hard. */
export const SwitchCall = DestroyCall.omit({ hard: true });
export type SwitchCall = z.infer<typeof SwitchCall>;

/** A domain that changes its host, and the host that takes it, which this makes known, too. */
export const MoveCall = SwitchCall.extend({ to: Capacity.extend({ name: ObjectName }) });
export type MoveCall = z.infer<typeof MoveCall>;

/** A domain of which a device is changed. */
export const ChangeCall = SwitchCall.extend({ change: DomainChange });
export type ChangeCall = z.infer<typeof ChangeCall>;
/** A snapshot of a domain, by its number. */
export const SnapshotCall = SwitchCall.extend({
  snapshot: z.strictObject({ id: ObjectId, name: z.string().max(256) }),
});
export type SnapshotCall = z.infer<typeof SnapshotCall>;

/** A domain of somebody else, by its deploy id, which becomes that of this VM, unless it is not this installation's any more. */
export const AdoptCall = SwitchCall.extend({
  deploy_id: z.string().min(1).max(256),
  from: Installation.nullable(),
});
export type AdoptCall = z.infer<typeof AdoptCall>;

export const ProbeCall = z.strictObject({ installation: Installation.optional(), host: Capacity });
export type ProbeCall = z.infer<typeof ProbeCall>;

/**
 * What became of a call. `created`, `replaced`: a domain was made; `started`: one that had stopped was started again;
 * `stopping`: it is shutting down; `moved`: it is on the other host; `changed`: it has, or has not any more, the device that was named;
 * `kept`, `reverted`, `dropped`: of a snapshot; `adopted`, `disowned`: it is this VM's now, or again whose it was; `exists`: it was so already.
 */
export const CallOutcome = z.enum([
  'created',
  'replaced',
  'exists',
  'started',
  'destroyed',
  'leaving',
  'absent',
  'stopped',
  'stopping',
  'rebooted',
  'suspended',
  'resumed',
  'moved',
  'changed',
  'kept',
  'reverted',
  'dropped',
  'adopted',
  'disowned',
  'refused_state',
  'refused_stale',
  'refused_duplicate',
  'refused_capacity',
  'fault',
]);
export type CallOutcome = z.infer<typeof CallOutcome>;

export const DeployAnswer = z.object({ deploy_id: z.string(), epoch: Epoch });
export type DeployAnswer = z.infer<typeof DeployAnswer>;
export const DestroyAnswer = z.object({ outcome: CallOutcome });
export type DestroyAnswer = z.infer<typeof DestroyAnswer>;

export const SwitchAnswer = z.object({ outcome: CallOutcome });
export type SwitchAnswer = z.infer<typeof SwitchAnswer>;

export const AdoptAnswer = SwitchAnswer.extend({ state: DomainState });
export type AdoptAnswer = z.infer<typeof AdoptAnswer>;

export const SimulatedDomain = Metrics.extend({
  installation: z.string().describe('Whose it is; empty: nobody’s'),
  capacity: Capacity,
  vm: ObjectId,
  domain: z.string(),
  deploy_id: z.string(),
  epoch: Epoch,
  heard: Epoch.describe('The highest epoch that the host has heard of for the VM'),
  state: DomainState,
  devices: DomainDevices.optional(),
});
export type SimulatedDomain = z.infer<typeof SimulatedDomain>;

/** `uptime`: in milliseconds; absent: as of a simulator of before. */
export const ProbeAnswer = z.object({
  total: Capacity,
  domains: z.array(SimulatedDomain),
  uptime: z.number().optional(),
});
export type ProbeAnswer = z.infer<typeof ProbeAnswer>;

/** Those that change a device of a domain. */
export const DeviceCallName = z.enum([
  ...(['attachNic', 'detachNic', 'attachDisk', 'detachDisk'] as const),
  ...(['resizeDisk', 'snapshotDisk', 'revertDisk', 'dropSnapshot'] as const),
]);

/** The calls that change a VM. */
export const CallName = z.enum([
  ...(['deploy', 'destroy', 'poweroff', 'reboot', 'suspend', 'resume', 'migrate', 'move', 'adopt', 'disown'] as const),
  ...DeviceCallName.options,
  ...(['snapshotCreate', 'snapshotRevert', 'snapshotDelete'] as const),
]);
export type CallName = z.infer<typeof CallName>;

/** One call as journalled. */
export const JournalEntry = z.object({
  n: z.int().describe('Rises; not every number is a call'),
  time: Timestamp,
  call: CallName,
  host: z.string(),
  installation: z.string().optional(),
  vm: ObjectId,
  domain: z.string(),
  epoch: Epoch,
  outcome: CallOutcome,
  fault: z
    .string()
    .nullable()
    .describe('The injected fault that met the call; with another outcome, its answer was lost'),
  detail: z.string().nullable(),
  to: z.string().optional().describe('The host that was to take the domain'),
});
export type JournalEntry = z.infer<typeof JournalEntry>;

export const JournalQuery = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(10_000).default(1000),
  vm: z.coerce.number().int().min(0).optional(),
  host: z.string().optional(),
});
export type JournalQuery = z.infer<typeof JournalQuery>;

/** `next_after` is null on the last page. */
export const JournalPage = z.object({ items: z.array(JournalEntry), next_after: z.int().nullable() });
export type JournalPage = z.infer<typeof JournalPage>;

const Timing = z.strictObject({ boot_ms: Span.optional(), shutdown_ms: Span.optional() });

/** A role's times come before its host's, and those before the general ones. Only a shutdown that is not hard takes time. */
export const SimulatorSettings = z.strictObject({
  boot_ms: Span,
  shutdown_ms: Span,
  seed: z.int(),
  hosts: z.record(z.string(), Timing),
  roles: z.record(z.string(), Timing),
});
export type SimulatorSettings = z.infer<typeof SimulatorSettings>;
export const UpdateSimulatorSettings = SimulatorSettings.partial();

const Count = z.int().min(0);

/**
 * Scripted use, in per cent of what the VM has, and what its counters show, for every VM that matches all that
 * is named.
 */
export const PutLoad = z
  .strictObject({
    host: ObjectName.optional(),
    service: ObjectId.optional(),
    role: z.string().max(256).optional(),
    vm: ObjectId.optional(),
    cpu_percent: Percent.optional(),
    memory_percent: Percent.optional(),
    ...eachCounter(() => Count.optional()),
    for_seconds: z.number().positive().max(31_536_000).optional(),
  })
  .refine(
    (rule) => (['cpu_percent', 'memory_percent', ...counterNames] as const).some((name) => rule[name] !== undefined),
    `cpu_percent, memory_percent or one of ${counterNames.join(', ')} must be given`,
  );
export type PutLoad = z.infer<typeof PutLoad>;

export const LoadRule = z.object({
  id: z.int(),
  host: z.string().nullable(),
  service: ObjectId.nullable(),
  role: z.string().nullable(),
  vm: ObjectId.nullable(),
  cpu_percent: Percent.nullable(),
  memory_percent: Percent.nullable(),
  // Rules of before have none, or not all of them.
  ...eachCounter(() => Count.nullable().default(null)),
  until: Timestamp.nullable(),
});
export type LoadRule = z.infer<typeof LoadRule>;

/** Faults of a host. What is not named is healthy: `{}` heals it. */
export const Faults = z.strictObject({
  latency_ms: Milliseconds.default(0).describe('Every call takes this much longer'),
  error_rate: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Share of calls that fail; the same calls each time, by seed'),
  error_when: z
    .enum(['before', 'after', 'either'])
    .default('either')
    .describe('Whether a failing call did nothing, or its work and only the answer is lost'),
  seed: z.int().default(1),
  deploy_error: z
    .strictObject({
      times: z.int().min(1).optional().describe('How many deploys fail; absent: all'),
      retryable: z.boolean().default(true),
      detail: z.string().min(1).max(500).default('No space left on device'),
    })
    .nullable()
    .default(null),
  hang: z.boolean().default(false).describe('Calls are not answered until it is healed'),
  dead: z.boolean().default(false).describe('Calls fail and its domains stop'),
});
export type Faults = z.infer<typeof Faults>;

export const PutFaults = Faults.extend({
  revive: z
    .enum(['stopped', 'running'])
    .default('stopped')
    .describe('How the domains of a dead host are when it comes back'),
  lose: z.array(ObjectId).max(100_000).default([]).describe('VMs that vanish now, without a trace'),
});
export type PutFaults = z.infer<typeof PutFaults>;

/** A guest that stops by itself, crashes, or is running again. */
export const PutDomainState = z.strictObject({ state: z.enum(['running', 'stopped', 'failed']) });

export const SimulatedHost = z.object({
  name: z.string(),
  cpu: z.int(),
  memory: z.int(),
  used: Capacity,
  probes: z.int().describe('Probes answered since this process began'),
  waiting: z.int().describe('Calls that wait for a boot, a shutdown, latency, or the end of a hang'),
  faults: Faults,
  domains: z.int(),
});
export type SimulatedHost = z.infer<typeof SimulatedHost>;
export const SimulatedHosts = z.object({ items: z.array(SimulatedHost) });
export const LoadRules = z.object({ items: z.array(LoadRule) });

/** Every refusal, and what it means to a client: a `refused` will be refused again, an `unavailable` is worth another try. */
export const simulatorRefusals = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  stale_epoch: 409,
  refused: 409,
  body_too_large: 413,
  unavailable: 503,
  internal: 500,
} as const;
export type SimulatorRefusalCode = keyof typeof simulatorRefusals;

export const RefusalBody = z.object({
  code: z.enum([
    'invalid_request',
    'unauthorized',
    'forbidden',
    'not_found',
    'method_not_allowed',
    'stale_epoch',
    'refused',
    'body_too_large',
    'unavailable',
    'internal',
  ]),
  detail: z.string(),
});

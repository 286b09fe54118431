import { z } from 'zod';
import { ObjectId, type Ownership, Timestamp } from '../common/common.js';
import type { ListFields } from '../common/list.js';
import { operatedKinds } from '../kinds.js';
import { operationKinds } from '../operations.js';

/** Every operation, each the workflow type of the same name. */
export const OperationKind = z.enum(operationKinds);
export type OperationKind = z.infer<typeof OperationKind>;

/**
 * accepted: admitted, its run not begun; running: a run has claimed it; waiting: no run is open, it goes on when what it
 * waits for comes (capacity); waiting_for_you: no run is open, it goes on when a person has answered its question;
 * succeeded, failed, cancelled: ended.
 */
export const OperationState = z.enum([
  'accepted',
  'running',
  'waiting',
  'waiting_for_you',
  'succeeded',
  'failed',
  'cancelled',
]);
export type OperationState = z.infer<typeof OperationState>;

export const OperationError = z.object({
  code: z.string().describe('Stable code, the last part of the problem type'),
  detail: z.string(),
});
export type OperationError = z.infer<typeof OperationError>;

/** What an operation is about. A zone is one Arcus, this one zone 0. */
export const ResourceRef = z.object({ type: z.enum(operatedKinds), id: ObjectId });
export type ResourceRef = z.infer<typeof ResourceRef>;

export const DeployServiceInput = z.object({});
export const UndeployServiceInput = z.object({
  hard: z.boolean().nullable().describe('null: as each role says'),
  remove: z.boolean().describe('true: delete the service document at the end'),
});
export const RepairServiceInput = z.object({});
export const DeployVmInput = z.object({
  recreate: z.boolean().optional().describe('true: what there is of it is ended first'),
});
export const RecoverVmInput = z.object({ claim: z.enum(['success', 'failure']) });
export const TerminateVmInput = z.object({ hard: z.boolean() });
export const CheckConsistencyInput = z.object({ repair: z.boolean() });
export type OperationInputs = {
  deployService: z.infer<typeof DeployServiceInput>;
  undeployService: z.infer<typeof UndeployServiceInput>;
  repairService: z.infer<typeof RepairServiceInput>;
  deployVm: z.infer<typeof DeployVmInput>;
  terminateVm: z.infer<typeof TerminateVmInput>;
  recoverVm: z.infer<typeof RecoverVmInput>;
  checkConsistency: z.infer<typeof CheckConsistencyInput>;
};

/** What a person may answer when a role's failure policy waits for one; each answer is a new run of the operation. */
export const Answer = z
  .enum(['retry', 'skip', 'give_up'])
  .describe(
    'retry: try the failed VMs again; skip: go on without them, with the cardinality that runs; give_up: end the operation as failed',
  );
export type Answer = z.infer<typeof Answer>;

export const AnswerOperation = z.strictObject({ answer: Answer });
export type AnswerOperation = z.infer<typeof AnswerOperation>;

/**
 * Where an operation's runs wait for a worker. own: with the first few of every user; shared: with all that is beyond that,
 * where users take turns.
 */
export type Lane = 'own' | 'shared';

export type Person = { id: number; name: string };

/** An operation as stored: the document that comes before its workflow. */
export type Operation<K extends OperationKind = OperationKind> = Ownership & {
  /** ULID */
  _id: string;
  kind: K;
  resource: ResourceRef;
  /** Name of the resource when admitted: it may be gone when somebody reads this. */
  resource_name: string;
  workflow_id: string;
  input: OperationInputs[K];
  requester: { id: number; name: string };
  /** Given by the client in Idempotency-Key; unique per requester. */
  idempotency_key: string | null;
  /** Hash of what was asked for: the same key with another request is refused. */
  fingerprint: string;
  state: OperationState;
  /** First run id of the chain that claimed it; a cancel names it. */
  run_id: string | null;
  /** Absent: own. */
  lane?: Lane;
  /**
   * By run of the engine (a run that goes on as a new one has several), and by role: how far earlier runs of the operation
   * had come when that run began. Each try of its first step goes by what the first one has found.
   */
  begun?: Record<string, Record<string, number>>;
  /** How often it was run again because a run of it could not be replayed. */
  reruns?: number;
  waiting_for: string | null;
  /** Of a running one, what it waits for by role. */
  waits?: Record<string, string | null>;
  error: OperationError | null;
  /** The service or VM template that the resource was made from: earlier runs of it say how long this one takes. */
  template_id: number | null;
  /** The failed operation that this one tries again. */
  retry_of: string | null;
  /** Who asked for its end, before it has come. Reconciliation repeats the cancel while it stands. */
  cancel_requested: { by: Person; at: Date } | null;
  /** What a person is asked while it is `waiting_for_you`. */
  question: { text: string; roles: string[]; asked_at: Date } | null;
  /** The last answer: the run that comes after it carries it out, for the roles of the question. */
  answer: { answer: Answer; roles: string[]; by: Person; at: Date } | null;
  created_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
  /** From when on it is forgotten by its age: since its end, or later, where it was kept for what it is about. */
  aged_from?: Date;
  /** VMs of its service are not all told of what it has come to; absent: they are. */
  releasing?: Releasing;
};

/**
 * What is left to do after an operation on a service has ended, or goes on as a new run: its VMs are let go of. `given_up`:
 * what those say that are in the middle of a step; null: they are left in it. `left`: what those say that have no host;
 * null: nothing.
 */
export type Releasing = { since: Date; given_up: string | null; left: string | null };

export const isUndeployment = (operation: Operation): operation is Operation<'undeployService'> =>
  operation.kind === 'undeployService';
export const isVmDeployment = (operation: Operation): operation is Operation<'deployVm'> =>
  operation.kind === 'deployVm';
export const isClaim = (operation: Operation): operation is Operation<'recoverVm'> => operation.kind === 'recoverVm';
export const isTermination = (operation: Operation): operation is Operation<'terminateVm'> =>
  operation.kind === 'terminateVm';
export const isCheck = (operation: Operation): operation is Operation<'checkConsistency'> =>
  operation.kind === 'checkConsistency';

/** What lists of operations can be filtered and sorted by. */
export const operationFields = {
  id: { kind: 'ulid', path: '_id', sorts: true },
  type: { kind: OperationKind.options, path: 'kind' },
  state: { kind: OperationState.options, path: 'state' },
  resource_type: { kind: ResourceRef.shape.type.options, path: 'resource.type' },
  resource_id: { kind: 'integer', path: 'resource.id' },
  resource_name: { kind: 'text', path: 'resource_name' },
  requester_id: { kind: 'integer', path: 'requester.id' },
  requester_name: { kind: 'text', path: 'requester.name' },
  created_at: { kind: 'time', path: 'created_at', sorts: true },
  ended_at: { kind: 'time', path: 'ended_at', nullable: true },
} as const satisfies ListFields;

export const OperationResource = z
  .object({
    id: z.string().describe('ULID'),
    type: OperationKind,
    state: OperationState,
    resource: ResourceRef.extend({ name: z.string(), href: z.string() }),
    requester: z.object({ id: ObjectId, name: z.string() }),
    waiting_for: z.string().nullable(),
    error: OperationError.nullable(),
    question: z
      .object({ text: z.string(), roles: z.array(z.string()), answers: z.array(Answer), asked_at: Timestamp })
      .nullable()
      .describe('What it asks you while it is waiting_for_you'),
    cancel_requested: z
      .object({ by: z.object({ id: ObjectId, name: z.string() }), at: Timestamp })
      .nullable()
      .describe('It was asked to stop and does so at the next safe point'),
    retry_of: z.string().nullable().describe('The operation that this one tries again'),
    workflow: z.object({
      id: z.string(),
      run_id: z.string().nullable(),
      url: z.string().nullable().describe('The run in the Temporal UI'),
    }),
    created_at: Timestamp,
    started_at: Timestamp.nullable(),
    ended_at: Timestamp.nullable(),
  })
  .meta({ id: 'Operation' });
export type OperationResource = z.infer<typeof OperationResource>;

/** One step of a run, as stored. Written beside the work, for those who look: the truth is in the documents it changes. */
export type Step = {
  /** `{op}/{run}/{activity}` */
  _id: string;
  op: string;
  /** Temporal's run id. */
  run: string;
  /** Name of the activity. */
  name: string;
  role: string | null;
  /** Of one that is about several roles: the first few, and how many more. */
  among?: { roles: string[]; more: number };
  /** VMs of its batch. */
  vms: number | null;
  /** It ran in its run's own worker, and the engine does not list it among what is pending. */
  local: boolean;
  attempts: number;
  /** running: also between two tries. */
  state: 'running' | 'done' | 'failed';
  started_at: Date;
  ended_at: Date | null;
  error: OperationError | null;
};

export const StepResource = z
  .object({
    name: z.string().describe('Name of the activity'),
    title: z.string().describe('The same in words, such as “boot 5 VMs of role web”'),
    role: z.string().nullable(),
    vms: z.int().nullable().describe('VMs of its batch'),
    attempts: z.int().describe('Tries so far; 1: the first'),
    state: z.enum(['running', 'done', 'failed']),
    started_at: Timestamp,
    ended_at: Timestamp.nullable(),
    error: OperationError.nullable().describe('Of the last try that failed'),
    next_retry_at: Timestamp.nullable().describe('When a step whose last try failed is tried again'),
  })
  .meta({ id: 'Step' });
export type StepResource = z.infer<typeof StepResource>;

/** Something that the caller may do now, ready to be sent or typed. */
export const NextAction = z
  .object({
    name: z
      .string()
      .describe('Stable name, such as cancel, retry, skip, give_up, undeploy, recover, delete, terminate'),
    description: z.string().describe('What it does, in a sentence'),
    method: z.enum(['POST', 'DELETE', 'PATCH']),
    href: z.string(),
    body: z.record(z.string(), z.unknown()).nullable(),
    command: z.string().describe('The same for the command line'),
  })
  .meta({ id: 'NextAction' });
export type NextAction = z.infer<typeof NextAction>;

/** One operation in full: what a list leaves out. */
export const OperationDetail = OperationResource.extend({
  steps: z.array(StepResource).describe('Of all its runs, oldest first; the last 200'),
  progress: z
    .object({
      done: z.int(),
      total: z.int(),
      unit: z.string().describe('What is counted: VMs'),
      roles: z.array(z.object({ name: z.string(), state: z.string(), done: z.int(), total: z.int() })),
    })
    .nullable(),
  eta: z
    .object({
      at: Timestamp.describe('When it should end'),
      typical_seconds: z.number().describe('Median of the earlier runs'),
      runs: z.int().describe('How many earlier runs of the same template that is taken from, 20 at most'),
    })
    .nullable()
    .describe('null: ended, waiting, overdue, or no earlier run of the same template'),
  actions: z.array(NextAction).describe('What you may do now'),
  asked_engine: z.boolean().describe('false: Temporal did not answer within a second; retries are then not shown'),
}).meta({ id: 'OperationDetail' });
export type OperationDetail = z.infer<typeof OperationDetail>;

/** Why a resource is as it is: what goes on, what failed, how often it was tried, when next, and what can be done. */
export const Why = z
  .object({
    text: z.string().describe('The answer in one paragraph'),
    resource: z.object({ type: z.string(), id: z.int(), name: z.string(), state: z.string() }),
    operation: z.string().nullable().describe('The operation that is at work, or the last one'),
    operation_state: OperationState.nullable(),
    waiting_for: z.string().nullable(),
    failures: z.array(
      z.object({
        what: z.string().describe('What failed, such as “VM 34 (db_0_(service_12))” or “boot 5 VMs of role web”'),
        detail: z.string().describe('Its own error'),
        attempts: z.int().nullable(),
        next_retry_at: Timestamp.nullable(),
      }),
    ),
    actions: z.array(NextAction),
    asked_engine: z.boolean().describe('false: Temporal did not answer within a second'),
  })
  .meta({ id: 'Why' });
export type Why = z.infer<typeof Why>;

import { z } from 'zod';
import { ObjectId, type Ownership, Timestamp } from './common.js';

/** Every operation, each the workflow type of the same name. */
export const OperationKind = z.enum(['deployService', 'undeployService', 'deployVm', 'terminateVm']);
export type OperationKind = z.infer<typeof OperationKind>;

/**
 * accepted: admitted, its run not begun; running: a run has claimed it; waiting: no run is open, it goes on when what it
 * waits for comes (capacity); succeeded, failed, cancelled: ended.
 */
export const OperationState = z.enum(['accepted', 'running', 'waiting', 'succeeded', 'failed', 'cancelled']);
export type OperationState = z.infer<typeof OperationState>;

export const OperationError = z.object({
  code: z.string().describe('Stable code, the last part of the problem type'),
  detail: z.string(),
});
export type OperationError = z.infer<typeof OperationError>;

/** What an operation is about. */
export const ResourceRef = z.object({ type: z.enum(['service', 'vm']), id: ObjectId });
export type ResourceRef = z.infer<typeof ResourceRef>;

export const DeployServiceInput = z.object({});
export const UndeployServiceInput = z.object({
  hard: z.boolean().nullable().describe('null: as each role says'),
  remove: z.boolean().describe('true: delete the service document at the end'),
});
export const DeployVmInput = z.object({});
export const TerminateVmInput = z.object({ hard: z.boolean() });
export type OperationInputs = {
  deployService: z.infer<typeof DeployServiceInput>;
  undeployService: z.infer<typeof UndeployServiceInput>;
  deployVm: z.infer<typeof DeployVmInput>;
  terminateVm: z.infer<typeof TerminateVmInput>;
};

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
  waiting_for: string | null;
  error: OperationError | null;
  created_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
};

export const isUndeployment = (operation: Operation): operation is Operation<'undeployService'> =>
  operation.kind === 'undeployService';
export const isTermination = (operation: Operation): operation is Operation<'terminateVm'> =>
  operation.kind === 'terminateVm';

export const OperationResource = z
  .object({
    id: z.string().describe('ULID'),
    type: OperationKind,
    state: OperationState,
    resource: ResourceRef.extend({ name: z.string(), href: z.string() }),
    requester: z.object({ id: ObjectId, name: z.string() }),
    waiting_for: z.string().nullable(),
    error: OperationError.nullable(),
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

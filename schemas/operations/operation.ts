import { z } from 'zod';
import { ObjectId, type Ownership } from '../common/common.js';
import { operatedKinds } from '../kinds.js';
import { operationKinds } from '../operations.js';
import type { FailedOver } from './failed-over.js';
import type { Flushed } from './flushed.js';
import type { OperationInputs } from './inputs.js';
import type { Answer } from './question.js';
import type { Performed } from './vm-action.js';

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
  /** Of a service, the role that it is about, and no other; absent: it is about all of it. */
  role?: string;
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
  /** What whoever asked for it was told then of what comes of it; absent: nothing. */
  warnings?: string[];
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
  /** Of an action on VMs: what it has come to, by their ids. */
  performed?: Record<string, Performed>;
  /** Of a flush: what it has come to, by the ids of the VMs that it found on the host. */
  flushed?: Record<string, Flushed>;
  /** Of a failover: what it has come to, by the ids of the VMs that it found on the host. */
  failed_over?: Record<string, FailedOver>;
  /** Of a failover: its host was off. */
  host_off?: boolean;
  /** Of one that moves bytes: how far it is. */
  moved?: Moved;
  /** Of one on what is in a cluster, that: rules give rights by it. */
  cluster_id?: number;
  /** VMs of its service are not all told of what it has come to; absent: they are. */
  releasing?: Releasing;
};

/** Bytes that were moved, in all and since a phase began. `total` is null where nobody knows it. */
export type Moved = {
  phase: 'fetch' | 'check' | 'unpack' | 'copy';
  done: number;
  total: number | null;
  at: Date;
  since: { done: number; at: Date };
};

/**
 * What is left to do after an operation on a service has ended, or goes on as a new run: its VMs are let go of. `given_up`:
 * what those say that are in the middle of a step; null: they are left in it. `left`: what those say that have no host;
 * null: nothing.
 */
export type Releasing = { since: Date; given_up: string | null; left: string | null };

export const isUndeployment = (operation: Operation): operation is Operation<'undeployService'> =>
  operation.kind === 'undeployService';
export const isScaling = (operation: Operation): operation is Operation<'scaleRole'> => operation.kind === 'scaleRole';
export const isPerformance = (operation: Operation): operation is Operation<'performOnRole'> =>
  operation.kind === 'performOnRole';
export const isVmDeployment = (operation: Operation): operation is Operation<'deployVm'> =>
  operation.kind === 'deployVm';
export const isClaim = (operation: Operation): operation is Operation<'recoverVm'> => operation.kind === 'recoverVm';
export const isTermination = (operation: Operation): operation is Operation<'terminateVm'> =>
  operation.kind === 'terminateVm';
export const isSwitch = (operation: Operation): operation is Operation<'performOnVm'> =>
  operation.kind === 'performOnVm';
export const isMigration = (operation: Operation): operation is Operation<'migrateVm'> =>
  operation.kind === 'migrateVm';
export const isFailover = (operation: Operation): operation is Operation<'failoverHost'> =>
  operation.kind === 'failoverHost';
export const isFencingTest = (operation: Operation): operation is Operation<'testFencing'> =>
  operation.kind === 'testFencing';
export const isFlush = (operation: Operation): operation is Operation<'flushHost'> => operation.kind === 'flushHost';
export const isDeviceChange = (operation: Operation): operation is Operation<'changeDevices'> =>
  operation.kind === 'changeDevices';
export const isDiskSave = (operation: Operation): operation is Operation<'saveDisk'> => operation.kind === 'saveDisk';
export const isDiskRestore = (operation: Operation): operation is Operation<'restoreDisk'> =>
  operation.kind === 'restoreDisk';
export const isDebugging = (operation: Operation): operation is Operation<'debugVm'> => operation.kind === 'debugVm';
export const isResizing = (operation: Operation): operation is Operation<'resizeImage'> =>
  operation.kind === 'resizeImage';
export const isSnapshotChange = (operation: Operation): operation is Operation<'snapshotImage'> =>
  operation.kind === 'snapshotImage';
export const isExport = (operation: Operation): operation is Operation<'exportApp'> => operation.kind === 'exportApp';
export const isPublication = (operation: Operation): operation is Operation<'publishApp'> =>
  operation.kind === 'publishApp';
/** The images that an operation makes or removes: what it is about, or what it makes of disks, or of an app, in their order. */
export const imagesOf = (operation: Operation): number[] =>
  isDiskSave(operation)
    ? [operation.input, ...(operation.input.also ?? [])].map(({ image }) => image)
    : isExport(operation)
      ? operation.input.images
      : [operation.resource.id];
export const isCheck = (operation: Operation): operation is Operation<'checkConsistency'> =>
  operation.kind === 'checkConsistency';

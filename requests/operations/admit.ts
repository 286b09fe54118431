import { createHash } from 'node:crypto';
import { ulid } from 'ulid';
import type { Caller } from '../../domain/identity/caller.js';
import { isSameOwnership } from '../../domain/identity/ownership.js';
import type { Right } from '../../domain/identity/permissions.js';
import { laneOf, ownLane } from '../../domain/operations/lanes.js';
import { nameOf, runIdOf } from '../../domain/operations/names.js';
import type { Problem } from '../../domain/problems.js';
import type { Ownership } from '../../schemas/common/common.js';
import type { Amounts } from '../../schemas/identity/amounts.js';
import { administrators } from '../../schemas/identity/group.js';
import type { OperationInputs } from '../../schemas/operations/inputs.js';
import type { Operation, OperationKind } from '../../schemas/operations/operation.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import { type operations, takesAway } from '../../schemas/operations.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import { demand, operationSubject } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { operationResource } from './operation-resource.js';

/** An operation that is to be admitted. */
export type Wish<K extends OperationKind> = {
  kind: K;
  resource: { type: (typeof operations)[K]['on']; id: number };
  /** Of what is in a cluster, that. */
  cluster?: number;
  /** Of a service, the role that the operation has alone. */
  role?: string;
  name: string;
  /** Whose the resource is, as it was when the caller was found to have `right` on it; absent: MANAGE. */
  owner: Ownership;
  right?: Right;
  /** What the resource was made from, for telling from earlier runs how long this one takes. */
  template?: number;
  /** The operation that this one tries again. */
  retryOf?: string;
  input: OperationInputs[K];
  /** What the client asked for and of what, for telling a repeated request from another one with its key. */
  request: unknown;
  /** VM templates that the resource names from then on: those who write the same go one after the other. */
  vmTemplates?: readonly number[];
  /** What the owner's quotas are charged in the same transaction; the claim writes it into the resource. */
  charge?: Amounts;
  /** What comes of it that whoever asks may not expect. */
  warnings?: readonly string[];
  /**
   * The guarded write on the resource, in the transaction of admission; returns whose the resource is then, or null: the
   * guard did not match.
   */
  claim: (op: string, transaction: Transaction) => Promise<Ownership | null>;
  refusal: () => Promise<Problem>;
};

/** What a client has asked for: the request, for telling a repeated one by its key, and the operation that it tries again. */
export type Asked = { request: unknown; retryOf?: string; admission: Admission };

/** The operation that is wished for, as it is written. */
async function operationOf<K extends OperationKind>(
  { store }: Pick<OperationsContext, 'store'>,
  caller: Caller,
  wish: Wish<K>,
  idempotencyKey: string | undefined,
): Promise<Operation<K>> {
  const { kind, resource, cluster, role, name, owner, template, retryOf, input, request, warnings = [] } = wish;
  const _id = ulid();
  return {
    _id,
    kind,
    resource,
    ...(role !== undefined && { role }),
    ...(cluster !== undefined && { cluster_id: cluster }),
    resource_name: name,
    workflow_id: runIdOf(kind, resource, { role, input, op: _id }),
    input,
    requester: { id: caller.id, name: caller.name },
    uid: owner.uid,
    gid: owner.gid,
    permissions: owner.permissions,
    idempotency_key: idempotencyKey ?? null,
    fingerprint: fingerprintOf(request),
    state: 'accepted',
    run_id: null,
    ...(warnings.length > 0 && { warnings: [...warnings] }),
    waiting_for: null,
    error: null,
    template_id: template ?? null,
    retry_of: retryOf ?? null,
    cancel_requested: null,
    question: null,
    answer: null,
    lane: laneOf(await store.operations.openOf(caller.id, takesAway(kind), ownLane)),
    created_at: new Date(),
    started_at: null,
    ended_at: null,
  };
}

/** The claim of an operation, and what it is charged, in the transaction of its admission; null: the guard did not match. */
async function claimed<K extends OperationKind>(
  { store }: Pick<OperationsContext, 'store'>,
  caller: Caller,
  { kind, resource, cluster, owner, right = 'manage', charge, claim }: Wish<K>,
  op: string,
  transaction: Transaction,
): Promise<Ownership | null> {
  const now = await claim(op, transaction);
  if (!now) return null;
  // It has been given away, or its bits were changed, since it was read.
  if (!isSameOwnership(now, owner))
    demand(
      caller,
      operationSubject({ ...now, resource, ...(cluster !== undefined && { cluster_id: cluster }) }),
      right,
      nameOf(resource),
    );
  if (charge) await store.quotas.charge(chargedOwner(owner, caller), charge, transaction);
  // What takes away is never refused: it is how there come to be fewer.
  if (!takesAway(kind))
    await store.quotas.demandRoom({ uid: caller.id, uname: caller.name }, 'operations', transaction);
  return now;
}

/** Has a run of an operation that is admitted begin. What cannot be started now is accepted all the same: reconciliation starts it. */
async function start({ engine, onDelayed }: OperationsContext, operation: Operation): Promise<void> {
  try {
    // Occupied: by a run that this operation pre-empts, or by one that has ended its operation and is about to close.
    if ((await engine.start(operation)) === 'occupied') await engine.handOver(operation._id);
  } catch (error) {
    onDelayed(`operation ${operation._id} is accepted and starts when Temporal answers`, error);
  }
}

/**
 * Admits an operation (its document and its claim on the resource, in one transaction), has it started, and answers.
 * What cannot be started now is accepted all the same: reconciliation starts it. Whoever may USE or MANAGE the resource may
 * do so with the operation: it has the same owner, group and permission bits.
 */
export async function admit<K extends OperationKind>(
  context: OperationsContext,
  caller: Caller,
  { idempotencyKey, also }: Admission,
  wish: Wish<K>,
): Promise<OperationResource> {
  const { store, settings } = context;
  const { owner, vmTemplates, charge, refusal } = wish;
  const write = async () => {
    const operation = await operationOf(context, caller, wish, idempotencyKey);
    return store.operations.admit(
      operation,
      async (transaction) => {
        if (also && !(await also(operation._id, transaction))) return null;
        return claimed(context, caller, wish, operation._id, transaction);
      },
      refusal,
    );
  };
  const requester = { uid: caller.id, gid: administrators };
  const inTurn = vmTemplates ? () => store.references.inTurn('vm_template', vmTemplates, write) : write;
  const admitted = await store.quotas.inTurn([...(charge ? [owner] : []), requester], inTurn);
  if (!admitted.repeated) await start(context, admitted.operation);
  return operationResource(admitted.operation, settings);
}

/**
 * Admits an operation together with other writes, in their transaction: with all of them, or not at all. Returns what has it started,
 * which is for after the transaction; whoever dies before leaves that to reconciliation.
 */
export async function admitIn<K extends OperationKind>(
  context: OperationsContext,
  caller: Caller,
  wish: Wish<K>,
  transaction: Transaction,
): Promise<() => Promise<void>> {
  const operation = await operationOf(context, caller, wish, undefined);
  const admitted = await context.store.operations.admitIn(
    operation,
    (within) => claimed(context, caller, wish, operation._id, within),
    transaction,
  );
  if (!admitted) throw await wish.refusal();
  return () => start(context, admitted);
}

/** The operation that an earlier request with this key started, if there is one. */
export async function repeatedRequest(
  { store, settings }: OperationsContext,
  caller: Caller,
  { idempotencyKey }: Admission,
  request: unknown,
): Promise<OperationResource | undefined> {
  const earlier = await store.operations.repeated({
    requester: { id: caller.id, name: caller.name },
    idempotency_key: idempotencyKey ?? null,
    fingerprint: fingerprintOf(request),
  });
  return earlier && operationResource(earlier, settings);
}

/** With the name that the caller's is, for a refusal. */
const chargedOwner = ({ uid, gid }: { uid: number; gid: number }, caller: Caller) => ({
  uid,
  gid,
  ...(uid === caller.id && { uname: caller.name }),
});

const fingerprintOf = (request: unknown): string => createHash('sha256').update(JSON.stringify(request)).digest('hex');

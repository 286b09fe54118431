import { createHash } from 'node:crypto';
import type { ClientSession } from 'mongoose';
import { ulid } from 'ulid';
import type { Caller } from '../domain/caller.js';
import { workflowIdOf } from '../domain/names.js';
import type { Problem } from '../domain/problems.js';
import { defaultPermissions } from '../schemas/common.js';
import type {
  Operation,
  OperationInputs,
  OperationKind,
  OperationResource,
  ResourceRef,
} from '../schemas/operation.js';
import type { Amounts } from '../schemas/quota.js';
import type { Admission, OperationsContext } from './context.js';
import { operationResource } from './resources.js';

type Wish<K extends OperationKind> = {
  kind: K;
  resource: ResourceRef;
  name: string;
  owner: { uid: number; gid: number };
  /** What the resource was made from, for telling from earlier runs how long this one takes. */
  template?: number;
  /** The operation that this one tries again. */
  retryOf?: string;
  input: OperationInputs[K];
  /** What the client asked for and of what, for telling a repeated request from another one with its key. */
  request: unknown;
  /** What the owner's quotas are charged in the same transaction; the claim writes it into the resource. */
  charge?: Amounts;
  /** The guarded write on the resource, in the transaction of admission; false: the guard did not match. */
  claim: (op: string, session: ClientSession) => Promise<boolean>;
  refusal: () => Promise<Problem>;
};

/**
 * Admits an operation (its document and its claim on the resource, in one transaction), has it started, and answers.
 * What cannot be started now is accepted all the same: reconciliation starts it.
 */
export async function admit<K extends OperationKind>(
  { store, engine, settings, onDelayed }: OperationsContext,
  caller: Caller,
  { idempotencyKey }: Admission,
  { kind, resource, name, owner, template, retryOf, input, request, charge, claim, refusal }: Wish<K>,
): Promise<OperationResource> {
  const operation: Operation<K> = {
    _id: ulid(),
    kind,
    resource,
    resource_name: name,
    workflow_id: workflowIdOf(resource),
    input,
    requester: { id: caller.id, name: caller.name },
    uid: owner.uid,
    gid: owner.gid,
    permissions: defaultPermissions,
    idempotency_key: idempotencyKey ?? null,
    fingerprint: fingerprintOf(request),
    state: 'accepted',
    run_id: null,
    waiting_for: null,
    error: null,
    template_id: template ?? null,
    retry_of: retryOf ?? null,
    cancel_requested: null,
    question: null,
    answer: null,
    created_at: new Date(),
    started_at: null,
    ended_at: null,
  };
  const write = () =>
    store.operations.admit(
      operation,
      async (session) => {
        if (!(await claim(operation._id, session))) return false;
        if (charge) await store.quotas.charge(chargedOwner(owner, caller), charge, session);
        return true;
      },
      refusal,
    );
  const admitted = await (charge ? store.quotas.inTurn(owner, write) : write());
  if (!admitted.repeated)
    await start(admitted.operation).catch((error: unknown) =>
      onDelayed(`operation ${operation._id} is accepted and starts when Temporal answers`, error),
    );
  return operationResource(admitted.operation, settings.temporalUiUrl);

  async function start(accepted: Operation): Promise<void> {
    // Occupied: by a run that this operation pre-empts, or by one that has ended its operation and is about to close.
    if ((await engine.start(accepted)) === 'occupied') await engine.handOver(accepted._id);
  }
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
  return earlier && operationResource(earlier, settings.temporalUiUrl);
}

/** With the name that the caller's is, for a refusal. */
const chargedOwner = ({ uid, gid }: { uid: number; gid: number }, caller: Caller) => ({
  uid,
  gid,
  ...(uid === caller.id && { uname: caller.name }),
});

const fingerprintOf = (request: unknown): string => createHash('sha256').update(JSON.stringify(request)).digest('hex');

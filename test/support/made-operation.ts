import { workflowIdOf } from '../../domain/operations/names.js';
import { defaultPermissions } from '../../schemas/common/common.js';
import type { Operation, OperationKind } from '../../schemas/operations/operation.js';

type Said<K extends OperationKind> = Pick<Operation<K>, '_id' | 'kind' | 'resource' | 'input'>;

/** An operation made by hand: oneadmin's, and as admission leaves it, but for what is said. */
export function madeOperation<K extends OperationKind>(said: Said<K> & Partial<Operation<K>>): Operation<K> {
  const { type, id } = said.resource;
  return {
    resource_name: `${type} ${id}`,
    workflow_id: workflowIdOf(said.resource),
    requester: { id: 0, name: 'oneadmin' },
    ...{ uid: 0, gid: 0, permissions: defaultPermissions },
    idempotency_key: null,
    fingerprint: '',
    state: 'accepted',
    run_id: null,
    waiting_for: null,
    error: null,
    template_id: null,
    retry_of: null,
    cancel_requested: null,
    question: null,
    answer: null,
    created_at: new Date(),
    started_at: null,
    ended_at: null,
    ...said,
  };
}

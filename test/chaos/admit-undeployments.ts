import { ulid } from 'ulid';
import { z } from 'zod';
import { Problem } from '../../domain/problems.js';
import { defaultPermissions } from '../../schemas/common.js';
import type { Operation } from '../../schemas/operation.js';
import { race } from './racer.js';

/** Admits an undeployment as a request for one does; answers the roles that it sees held once it is admitted. */
await race(z.object({ service: z.int() }), async (store, { service: id }) => {
  const operation: Operation<'undeployService'> = {
    _id: ulid(),
    kind: 'undeployService',
    resource: { type: 'service', id },
    resource_name: 'raced',
    workflow_id: `service-${id}`,
    input: { hard: null, remove: false },
    requester: { id: 0, name: 'oneadmin' },
    uid: 0,
    gid: 0,
    permissions: defaultPermissions,
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
  };
  await store.operations.admit(
    operation,
    (session) => store.services.admitPreempting(id, operation._id, [], session),
    async () => new Problem('operation_in_progress', `service ${id} is wanted already`),
  );
  const seen = await store.services.find(id);
  return Object.keys(seen?.holds ?? {});
});

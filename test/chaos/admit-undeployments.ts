import { ulid } from 'ulid';
import { z } from 'zod';
import { Problem } from '../../domain/problems.js';
import { madeOperation } from '../support/made-operation.js';
import { race } from './racer.js';

/** Admits an undeployment as a request for one does; answers the roles that it sees held once it is admitted. */
await race(z.object({ service: z.int() }), async (store, { service: id }) => {
  const operation = madeOperation({
    _id: ulid(),
    kind: 'undeployService',
    resource: { type: 'service', id },
    input: { hard: null, remove: false },
  });
  await store.operations.admit(
    operation,
    (session) => store.services.admitPreempting(id, operation._id, { over: [], message: '' }, session),
    async () => new Problem('operation_in_progress', `service ${id} is wanted already`),
  );
  const seen = await store.services.find(id);
  return Object.keys(seen?.holds ?? {});
});

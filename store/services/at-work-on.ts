import type { Connection } from 'mongoose';
import type { Operation } from '../../schemas/operations/operation.js';
import type { Service } from '../../schemas/services/service.js';

/** What is at work on a service; `roles`: those that an operation has alone, or with others, and the ID under which that runs. */
export type AtWorkOn = Pick<Service, '_id' | 'operation'> & {
  roles: { name: string; operation: string; run: string | null }[];
};

/** What is at work on these services: on all of each, and on roles of it. */
export async function atWorkOn(connection: Connection, ids: readonly number[]): Promise<AtWorkOn[]> {
  const found = await connection
    .collection<AtWorkOn>('services')
    .find(
      { _id: { $in: [...ids] } },
      {
        projection: {
          operation: 1,
          roles: {
            $map: {
              input: { $filter: { input: '$roles', cond: { $eq: [{ $type: '$$this.operation' }, 'string'] } } },
              in: { name: '$$this.name', operation: '$$this.operation' },
            },
          },
        },
      },
    )
    .toArray();
  const ops = [...new Set(found.flatMap(({ roles }) => roles.map(({ operation }) => operation)))];
  if (ops.length === 0) return found;
  const operations = await connection
    .collection<Operation>('operations')
    .find<Pick<Operation, '_id' | 'workflow_id'>>({ _id: { $in: ops } }, { projection: { workflow_id: 1 } })
    .toArray();
  const runs = new Map(operations.map(({ _id, workflow_id }) => [_id, workflow_id]));
  return found.map(({ roles, ...service }) => ({
    ...service,
    roles: roles.map((role) => ({ ...role, run: runs.get(role.operation) ?? null })),
  }));
}

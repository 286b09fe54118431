import type { Model } from 'mongoose';
import type { Ownership } from '../../schemas/common/common.js';
import type { OperationInputs } from '../../schemas/operations/inputs.js';
import { isUndeployment, type Operation, type ResourceRef } from '../../schemas/operations/operation.js';
import { type Transaction, within } from '../mongo/transaction.js';

/** What operations on resources have been, and whose they are. */
export interface OperationsOn {
  /** The newest operation that has a resource; on a role of a service, the newest on that role or on all of the service. */
  lastOf(resource: ResourceRef, role?: string): Promise<Operation | null>;
  /** By VM, the newest of those that have switched it. */
  lastSwitches(vms: readonly number[]): Promise<Map<number, Operation<'performOnVm'>>>;
  /** What the last undeployment of a service was asked to do; null: there was none. */
  lastUndeployment(service: number): Promise<OperationInputs['undeployService'] | null>;
  /** Gives all operations on these resources to whom the resources belong. Returns whether that has changed any. */
  give(
    type: ResourceRef['type'],
    ids: readonly number[],
    owner: Ownership | Omit<Ownership, 'permissions'>,
    transaction: Transaction,
  ): Promise<boolean>;
  /** Of operations on a host that has come into another cluster. */
  setCluster(host: number, cluster: number, transaction: Transaction): Promise<unknown>;
}

export const operationsOn = (operations: Model<Operation>): OperationsOn => ({
  lastOf: ({ type, id }, role) =>
    operations
      .findOne({
        ...{ 'resource.type': type, 'resource.id': id },
        kind: { $ne: 'performOnRole' },
        ...(role !== undefined && { role: { $in: [null, role] }, 'input.roles': { $in: [null, role] } }),
      })
      .sort({ _id: -1 })
      .lean<Operation>()
      .exec(),
  lastSwitches: (vms) => lastSwitches(operations, vms),
  async lastUndeployment(service) {
    const last = await operations
      .findOne({ 'resource.type': 'service', 'resource.id': service, kind: 'undeployService' })
      .sort({ _id: -1 })
      .lean<Operation>()
      .exec();
    return last && isUndeployment(last) ? last.input : null;
  },
  async give(type, ids, owner, transaction) {
    const theirs = { 'resource.type': type, 'resource.id': { $in: [...ids] } };
    return (await operations.updateMany(theirs, { $set: owner }, within(transaction))).modifiedCount > 0;
  },
  setCluster: (host, cluster, transaction) =>
    operations
      .updateMany(
        { 'resource.type': 'host', 'resource.id': host },
        { $set: { cluster_id: cluster } },
        within(transaction),
      )
      .exec(),
});

async function lastSwitches(
  operations: Model<Operation>,
  vms: readonly number[],
): Promise<Map<number, Operation<'performOnVm'>>> {
  const found = await operations
    .aggregate<{ _id: number; last: Operation<'performOnVm'> }>([
      {
        $match: {
          'resource.type': 'vm',
          'resource.id': { $in: [...vms] },
          kind: 'performOnVm',
          state: 'succeeded',
        },
      },
      { $sort: { _id: -1 } },
      { $group: { _id: '$resource.id', last: { $first: '$$ROOT' } } },
    ])
    .exec();
  return new Map(found.map(({ _id, last }) => [_id, last]));
}

import type { Connection } from 'mongoose';
import type { Ownership } from '../../schemas/common/common.js';
import type { Service } from '../../schemas/services/service.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { QuotaStore } from '../identity/quotas.js';
import { ownershipFields } from '../mongo/model.js';
import { sessionOf, type Transaction, within, withTransaction } from '../mongo/transaction.js';
import type { OperationStore } from '../operations/operations.js';
import type { VmStore } from '../vms/vms.js';
import type { ServiceStore } from './services.js';

/** VMs that are given away by one transaction, and how many operations on them, unless a single VM has more. */
export const givenAtOnce = { vms: 500, operations: 2_000 } as const;

/** Thrown in a transaction that has to wait until all VMs of a service have its owner. */
export class BeingGiven extends Error {
  constructor(readonly service: number) {
    super(`service ${service} is being given away`);
  }
}

type Stores = { operations: OperationStore; services: ServiceStore; vms: VmStore; quotas: QuotaStore };
type Given = Ownership & Pick<Service, 'giving'>;

/**
 * How the VMs of a service, and their operations, come to have its owner, group and bits. A service has thousands of VMs:
 * no transaction writes them all. Where they are few, that does which gives the service. Else it says in the service that
 * they are to follow, and they do in portions, each VM together with its operations.
 */
export function createGivings(connection: Connection, { operations, services, vms, quotas }: Stores) {
  const countOperations = (ids: readonly number[], transaction?: Transaction): Promise<number> =>
    operations.model
      .countDocuments(
        { 'resource.type': 'vm', 'resource.id': { $in: [...ids] } },
        { limit: givenAtOnce.operations + 1, ...within(transaction) },
      )
      .exec();

  /** As many of the first of these as one transaction gives; one at least. */
  async function portionOf(ids: readonly number[], transaction?: Transaction): Promise<readonly number[]> {
    let some = ids.slice(0, givenAtOnce.vms);
    while (some.length > 1 && (await countOperations(some, transaction)) > givenAtOnce.operations)
      some = some.slice(0, Math.ceil(some.length / 2));
    return some;
  }

  async function give(ids: readonly number[], owner: Ownership, transaction: Transaction): Promise<void> {
    // What a VM has beyond what the service is charged for it. That the new owner may have the service was asked.
    const charged = await vms.model
      .find({ _id: { $in: [...ids] }, charge: { $exists: true } }, { uid: 1, gid: 1, charge: 1 })
      .session(sessionOf(transaction))
      .lean<Pick<Vm, 'uid' | 'gid' | 'charge'>[]>()
      .exec();
    for (const vm of charged) if (vm.charge) await quotas.moveUnchecked(vm, owner, vm.charge, transaction);
    await vms.model.updateMany({ _id: { $in: [...ids] } }, { $set: owner }, within(transaction));
    await operations.give('vm', ids, owner, transaction);
  }

  /** Whoever was frozen finds that it is over, or gives what others have given already. */
  const givePortion = (service: number, since: Date, ids: readonly number[]): Promise<boolean> =>
    withTransaction(connection, async (transaction) => {
      const found = await services.model
        .findOne({ _id: service, 'giving.since': since }, ownershipFields)
        .session(sessionOf(transaction))
        .lean<Ownership>()
        .exec();
      if (!found) return false;
      const { uid, gid, permissions } = found;
      await give(ids, { uid, gid, permissions }, transaction);
      return true;
    });

  return {
    /** Within the transaction that gives a service away: its VMs follow in it, or are to follow after it. */
    async follow(service: number, owner: Ownership, ids: readonly number[], transaction: Transaction): Promise<void> {
      if ((await portionOf(ids, transaction)).length === ids.length) await give(ids, owner, transaction);
      else
        await services.model.updateOne(
          { _id: service },
          { $set: { giving: { since: new Date() } } },
          within(transaction),
        );
    },

    /**
     * For a transaction that changes whose a VM of a service is, or its bits: in order with what gives the service away.
     * Throws BeingGiven where that goes on.
     */
    async inOrder(service: number, transaction: Transaction): Promise<void> {
      const found = await services.model
        .findOneAndUpdate(
          { _id: service },
          { $inc: { owner_changes: 1 } },
          { ...within(transaction), projection: { giving: 1 } },
        )
        .lean<Pick<Service, 'giving'>>()
        .exec();
      if (found?.giving) throw new BeingGiven(service);
    },

    /** Gives the VMs of a service that do not have its owner yet. Said again, or by several at once, it goes on. */
    async finish(service: number): Promise<void> {
      const found = await services.model.findById(service, { giving: 1 }).lean<Given>().exec();
      if (!found?.giving) return;
      const { since } = found.giving;
      const nodes = await vms.model
        .find({ 'service.id': service }, { _id: 1 })
        .hint('by_service')
        .lean<Pick<Vm, '_id'>[]>()
        .exec();
      for (let left: readonly number[] = nodes.map(({ _id }) => _id); left.length > 0; ) {
        const some = await portionOf(left);
        if (!(await givePortion(service, since, some))) return;
        left = left.slice(some.length);
      }
      await services.model.updateOne({ _id: service, 'giving.since': since }, { $unset: { giving: '' } });
    },

    /** Services of which VMs are still to follow, those first that have waited longest. */
    async unfinished(limit: number): Promise<number[]> {
      const found = await services.model
        .find({ 'giving.since': { $exists: true } }, { _id: 1 })
        .hint('giving')
        .sort({ 'giving.since': 1 })
        .limit(limit)
        .lean<Pick<Service, '_id'>[]>()
        .exec();
      return found.map(({ _id }) => _id);
    },
  };
}
export type Givings = ReturnType<typeof createGivings>;

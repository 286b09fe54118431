import type { Connection, Model } from 'mongoose';
import { brief, longest } from '../../domain/brief.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { type Transaction, within } from '../mongo/transaction.js';

/** What is written beside VMs for whoever asks why they are not further. */
export function createVmReasons(connection: Connection, vms: Model<Vm>) {
  return {
    /** Says why VMs that are still PENDING have no host: as one, where many have the same reason. */
    async setPendingReasons(reasons: ReadonlyMap<number, string>): Promise<void> {
      if (reasons.size === 0) return;
      const alike = new Map<string, number[]>();
      for (const [id, reason] of reasons) {
        const its = alike.get(reason);
        if (its) its.push(id);
        else alike.set(reason, [id]);
      }
      await connection.collection<Vm>('vms').bulkWrite(
        [...alike].map(([text, ids]) => {
          const reason = brief(text, longest.vm);
          const filter = { _id: { $in: ids }, state: 'PENDING' as const, reason: { $ne: reason } };
          return { updateMany: { filter, update: { $set: { reason } } } };
        }),
        { ordered: false },
      );
    },

    /** Says of a VM without a host that the operation on it which looked for one has ended, unless another holds it. */
    leave: (id: number, op: string, reason: string, transaction: Transaction) =>
      vms.updateOne(
        {
          ...{ _id: id, operation: { $in: [null, op] }, state: 'PENDING' },
          $or: [{ hold: null }, { 'hold.op': op }],
        },
        { $set: { reason } },
        within(transaction),
      ),

    /** An operation has begun that will look for a host for those of a service that have none: they are not left any more. */
    lookAgain: (service: number) =>
      vms.updateMany(
        { 'service.id': service, state: 'PENDING', hold: null },
        { $set: { reason: null } },
        { hint: 'by_service' },
      ),

    /** The last error of a step that is tried again, for whoever asks why. */
    setReason: (ids: readonly number[], op: string, reason: string) =>
      vms.updateMany({ _id: { $in: ids }, 'hold.op': op }, { $set: { reason: brief(reason, longest.vm) } }),
  };
}
export type VmReasons = ReturnType<typeof createVmReasons>;

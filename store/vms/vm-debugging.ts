import type { Connection, Model } from 'mongoose';
import type { Vm } from '../../schemas/vms/vm.js';
import type { Debugging } from '../../schemas/vms/vm-debugging.js';
import { type Transaction, within, withTransaction } from '../mongo/transaction.js';
import { guardOf } from './vm-guards.js';
import type { VmHoldings } from './vm-holdings.js';
import { type WorkVm, workFields } from './work-vms.js';

/** What is written of VMs that failed while somebody goes through that, action by action: they stay as they are. */
export function createVmDebugging(connection: Connection, vms: Model<Vm>, holdings: VmHoldings) {
  return {
    /**
     * The operation that is at work on a VM takes it, anew if it has it, and writes how far it is, in one update: whoever looks, or dies
     * here, finds neither without the other. Returns the VM; null: it is not as it was read, or somebody else is to have it.
     */
    takeToDebug: (op: string, vm: WorkVm, { session, done, failed }: Debugging): Promise<WorkVm | null> =>
      vms
        .findOneAndUpdate(
          { _id: vm._id, ...guardOf(vm), operation: op, wanted: null },
          [
            {
              $set: {
                epoch: { $add: ['$epoch', 1] },
                hold: { op, epoch: { $add: ['$epoch', 1] }, attempt: 0 },
                debugging: {
                  session,
                  epoch: { $add: ['$epoch', 1] },
                  done: { $literal: done },
                  failed: { $literal: failed },
                },
              },
            },
          ],
          { updatePipeline: true, returnDocument: 'after', projection: workFields },
        )
        .lean<WorkVm>()
        .exec(),

    /** What an action came to, and what its host has of it then. Returns whether it is written: the VM was as it was read. */
    async noteDebugging(
      vm: WorkVm,
      set: Partial<Pick<Vm, 'debugging' | 'deploy_id' | 'device_change' | 'history' | 'stored'>>,
    ): Promise<boolean> {
      const write = async (transaction?: Transaction): Promise<boolean> =>
        (await vms.updateOne({ _id: vm._id, ...guardOf(vm) }, { $set: set }, within(transaction))).matchedCount === 1;
      if (set.device_change === undefined) return write();
      return withTransaction(connection, async (transaction) => {
        const isWritten = await write(transaction);
        if (isWritten) await holdings.releaseOthers(vms, vm._id, transaction);
        return isWritten;
      });
    },
  };
}
export type VmDebugging = ReturnType<typeof createVmDebugging>;

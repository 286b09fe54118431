import type { Connection, Model } from 'mongoose';
import { storedVmState, type VmStateName } from '../../domain/vms/vm-states.js';
import type { Ownership } from '../../schemas/common/common.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { ownershipFields } from '../mongo/model.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { newOwnerOf } from './new-owner.js';

/**
 * How operations come to have a VM: guarded writes, each in the transaction that writes the operation down. They return whose
 * the VM is; null: the guard did not match.
 */
export function createVmAdmissions(connection: Connection, vms: Model<Vm>) {
  async function admit(
    id: number,
    guard: Record<string, unknown>,
    set: Partial<Vm>,
    transaction: Transaction,
  ): Promise<Ownership | null> {
    const vm = await vms
      .findOneAndUpdate(
        { _id: id, ...guard },
        { $set: set },
        { ...within(transaction), projection: { ...ownershipFields, service: 1 } },
      )
      .lean<Ownership & Pick<Vm, 'service'>>()
      .exec();
    return (vm?.service && (await newOwnerOf(connection, vm.service.id, transaction))) ?? vm;
  }

  return {
    /**
     * An operation that finds the VM in nobody's hands, in one of these states; `between`: two hosts, it may be, too;
     * `epoch`: nobody has taken it since.
     */
    admitExclusive: (
      id: number,
      op: string,
      { states, between = false, epoch }: { states: readonly VmStateName[]; between?: boolean; epoch?: number },
      transaction: Transaction,
    ) =>
      admit(
        id,
        {
          ...{ operation: null, wanted: null, hold: null, $or: states.map(storedVmState) },
          ...(!between && { moving: null }),
          ...(epoch !== undefined && { epoch }),
        },
        { operation: op },
        transaction,
      ),

    /** A termination, whatever is going on. `over`: those that it outbids. */
    admitTermination: (id: number, op: string, over: readonly string[], transaction: Transaction) =>
      admit(id, { state: { $ne: 'DONE' }, wanted: { $in: [null, ...over] } }, { wanted: op }, transaction),

    /** A termination of a VM that an operation holds, and lets go of for it: it is left behind on its host. */
    admitLeftBehind: (id: number, op: string, holder: string, transaction: Transaction) =>
      admit(
        id,
        { 'hold.op': holder, wanted: null, state: { $ne: 'DONE' } },
        { wanted: op, left_behind: op, hold: null },
        transaction,
      ),

    /** The operation that was to have the VM next is at work on it now. */
    async beginWanted(id: number, op: string): Promise<void> {
      await vms.updateOne({ _id: id, wanted: op }, { $set: { operation: op } });
    },
  };
}
export type VmAdmissions = ReturnType<typeof createVmAdmissions>;

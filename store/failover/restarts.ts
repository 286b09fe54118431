import { brief, longest } from '../../domain/brief.js';
import { restartedAt } from '../../domain/failover/restarts.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { type Transaction, within } from '../mongo/transaction.js';
import type { VmStore } from '../vms/vms.js';

/** A VM that is UNKNOWN, under this epoch. */
const unknown = ({ _id, epoch }: Pick<Vm, '_id' | 'epoch'>) => ({
  ...{ _id, epoch, state: 'ACTIVE' as const, lcm_state: 'UNKNOWN' as const },
});

/** What is kept of VMs whose guests crash and are started again. */
export const createRestarts = (vms: VmStore) => ({
  /** VMs whose guests have crashed, as they are now. */
  crashed: (ids: readonly number[]) =>
    vms.model
      .find(
        { _id: { $in: [...ids] }, state: 'ACTIVE', lcm_state: 'UNKNOWN', hold: null, operation: null, wanted: null },
        { epoch: 1, restarts: 1, history: { $slice: -1 } },
      )
      .lean<Pick<Vm, '_id' | 'epoch' | 'restarts' | 'history'>[]>()
      .exec(),

  /** Admission of one more, in its transaction. false: something was done with it since it was looked at. */
  async note(seen: Pick<Vm, '_id' | 'epoch' | 'restarts'>, now: Date, transaction: Transaction): Promise<boolean> {
    const restarts = restartedAt(seen.restarts, now);
    const { matchedCount } = await vms.model.updateOne(unknown(seen), { $set: { restarts } }, within(transaction));
    return matchedCount > 0;
  },

  /** It is not started again by itself, and says why. */
  async giveUp(seen: Pick<Vm, '_id' | 'epoch'>, why: string): Promise<void> {
    const given = { 'restarts.given_up': seen.epoch, reason: brief(why, longest.vm) };
    await vms.model.updateOne({ ...unknown(seen), operation: null, hold: null }, { $set: given }).exec();
  },
});
export type RestartStore = ReturnType<typeof createRestarts>;

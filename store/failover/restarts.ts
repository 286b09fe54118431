import { brief, longest } from '../../domain/brief.js';
import { restartedAt } from '../../domain/failover/restarts.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { type Transaction, within } from '../mongo/transaction.js';
import type { VmStore } from '../vms/vms.js';

/** A VM that is UNKNOWN, under this epoch. */
const unknown = ({ _id, epoch }: Pick<Vm, '_id' | 'epoch'>) => ({
  ...{ _id, epoch, state: 'ACTIVE' as const, lcm_state: 'UNKNOWN' as const },
});

/** A VM that is UNKNOWN although its host answers. */
export type DownVm = Pick<Vm, '_id' | 'epoch' | 'restarts' | 'history' | 'service'> & {
  user_template: { FAILOVER?: unknown };
};

/** What is kept of VMs whose guests crash and are started again. */
export const createRestarts = (vms: VmStore) => ({
  /** VMs whose guests have crashed, as they are now. */
  crashed: (ids: readonly number[]) =>
    vms.model
      .find(
        { _id: { $in: [...ids] }, state: 'ACTIVE', lcm_state: 'UNKNOWN', hold: null, operation: null, wanted: null },
        { epoch: 1, restarts: 1, history: { $slice: -1 }, service: 1, 'user_template.FAILOVER': 1 },
      )
      .lean<DownVm[]>()
      .exec(),

  /** Of VMs of these services that are on their way to run, the roles: `service/role`. */
  async starting(services: readonly number[]): Promise<ReadonlySet<string>> {
    if (services.length === 0) return new Set();
    const found = await vms.model
      .find(
        {
          ...{ 'service.id': { $in: [...services] }, state: 'ACTIVE', operation: { $ne: null } },
          lcm_state: { $in: ['UNKNOWN', 'PROLOG', 'BOOT'] },
        },
        { service: 1 },
      )
      .lean<Pick<Vm, 'service'>[]>()
      .exec();
    return new Set(found.flatMap(({ service }) => (service ? [`${service.id}/${service.role}`] : [])));
  },

  /** Admission of one more, in its transaction, which counts if a time is given. false: something was done with it since it was looked at. */
  async note(
    seen: Pick<Vm, '_id' | 'epoch' | 'restarts'>,
    counted: Date | null,
    transaction: Transaction,
  ): Promise<boolean> {
    const restarts = counted ? restartedAt(seen.restarts, counted) : (seen.restarts ?? null);
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

import type { Connection } from 'mongoose';
import type { Vm } from '../../schemas/vms/vm.js';
import type { VmSchedule, VmScheduleEntry } from '../../schemas/vms/vm-schedules.js';
import { type Transaction, within } from '../mongo/transaction.js';

/** A VM with scheduled actions, as it is looked at when one is due. */
export type ScheduledVm = Pick<Vm, '_id' | 'state'> & { schedule: VmSchedule };

/** Guard and write of a schedule that goes by the version that was read, for who writes more of the VM with it. */
export const scheduleWrite = (schedule: VmSchedule) => ({
  guard: { 'schedule.version': schedule.version - 1 },
  set: { schedule },
});
export type ScheduleWrite = ReturnType<typeof scheduleWrite>;

/** A scheduled action that is due. `key`: the same one at the same time; `after`: the schedule once an operation, or a write (null), does it. */
export type DueAction = {
  vm: number;
  /** What is to be done, and who has asked for it. */
  entry: VmScheduleEntry;
  due_at: Date;
  key: string;
  after: (operation: string | null) => VmSchedule;
};

/** When scheduled actions of VMs are due: it stands in the VM, so that it comes and goes with it. */
export function createVmSchedules(connection: Connection) {
  const vms = () => connection.collection<Vm>('vms');

  return {
    /** Some of the VMs of which an action is due, those that are so for longest first; `but`: none of these. */
    due: (now: Date, most: number, but: readonly number[] = []): Promise<ScheduledVm[]> =>
      vms()
        .find<ScheduledVm>(
          { 'schedule.due_at': { $gt: new Date(0), $lte: now }, _id: { $nin: [...but] } },
          { projection: { state: 1, schedule: 1 }, hint: 'due' },
        )
        .sort({ 'schedule.due_at': 1 })
        .limit(most)
        .toArray(),

    /** Guarded by the version that was read: false, somebody else has looked. */
    async write(vm: number, schedule: VmSchedule, transaction: Transaction | null = null): Promise<boolean> {
      const { guard, set } = scheduleWrite(schedule);
      const { matchedCount } = await vms().updateOne({ _id: vm, ...guard }, { $set: set }, within(transaction));
      return matchedCount > 0;
    },

    /** In the transaction of an edit, which nobody else's comes between. */
    async set(vm: number, schedule: VmSchedule, transaction: Transaction): Promise<void> {
      await vms().updateOne({ _id: vm }, { $set: { schedule } }, within(transaction));
    },
  };
}

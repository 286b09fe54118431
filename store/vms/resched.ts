import { storedVmState } from '../../domain/vms/vm-states.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { ScheduleWrite } from './vm-schedules.js';
import type { VmStore } from './vms.js';
import { type WorkVm, workFields } from './work-vms.js';

/** VMs that are to change their hosts, marked as such by somebody. */
export function createResched({ model }: VmStore) {
  return {
    /** `by` null: it stays where it is. null: it is not like that any more. */
    mark: (id: number, by: number | null, also?: ScheduleWrite): Promise<Vm | null> =>
      model
        .findOneAndUpdate(
          {
            _id: id,
            ...(by !== null && { $or: [storedVmState('ACTIVE/RUNNING'), storedVmState('ACTIVE/UNKNOWN')] }),
            ...also?.guard,
          },
          { $set: { resched: by === null ? null : { by, next: new Date() }, ...also?.set } },
          { returnDocument: 'after' },
        )
        .lean<Vm>()
        .exec(),

    /** Those that run, at which nobody works, and whose next try is due. */
    due: (now: Date, most: number): Promise<WorkVm[]> =>
      model
        .find(
          {
            'resched.next': { $lte: now },
            ...storedVmState('ACTIVE/RUNNING'),
            ...{ operation: null, wanted: null, hold: null, moving: null },
          },
          workFields,
        )
        .hint('to_be_moved')
        .sort({ 'resched.next': 1 })
        .limit(most)
        .lean<WorkVm[]>()
        .exec(),

    /** The next try, of one that is marked still. */
    async later(id: number, next: Date): Promise<void> {
      await model.updateOne({ _id: id, 'resched.next': { $exists: true } }, { $set: { 'resched.next': next } });
    },
  };
}

import type { Connection, Model } from 'mongoose';
import type { VmEvent } from '../../domain/vms/vm-events.js';
import { logLine } from '../../domain/vms/vm-log.js';
import type { DiskRestored, Vm } from '../../schemas/vms/vm.js';
import { holdFilter, writeChanges } from './vm-guards.js';
import { stateAfter } from './vm-transitions.js';
import { readAtOnce, type WorkVm, workFields } from './work-vms.js';

/** How operations come to hold VMs, and let go of them. */
export function createVmHolds(connection: Connection, vms: Model<Vm>) {
  return {
    /**
     * Takes the hold on VMs for an operation and raises their epoch, each in one update. Free ones and those whose
     * holder is among `endedHolders` are taken, unless another operation is about to end them; those that the operation
     * holds already stay as they are. Returns the VMs as they are then.
     */
    async take(op: string, seen: readonly WorkVm[], endedHolders: ReadonlySet<string>): Promise<WorkVm[]> {
      const ids = seen.map((vm) => vm._id);
      const { matchedCount } = await vms.updateMany(
        {
          _id: { $in: ids },
          state: { $ne: 'DONE' },
          wanted: { $in: [null, op] },
          $or: [{ hold: null }, { 'hold.op': { $in: [...endedHolders] } }],
        },
        [{ $set: { epoch: { $add: ['$epoch', 1] }, hold: { op, epoch: { $add: ['$epoch', 1] }, attempt: 0 } } }],
        { updatePipeline: true },
      );
      if (matchedCount === 0 && seen.every((vm) => vm.hold?.op === op)) return [...seen];
      return vms
        .find({ _id: { $in: ids } }, workFields)
        .sort({ _id: 1 })
        .batchSize(readAtOnce)
        .lean<WorkVm[]>()
        .exec();
    },

    /**
     * A hold that an operation has, anew: for its next step. What the steps before still do is of an older epoch then. Returns the VM;
     * null: it does not have it, or somebody else is to have it next.
     */
    renew: (op: string, id: number): Promise<WorkVm | null> =>
      vms
        .findOneAndUpdate(
          { _id: id, 'hold.op': op, wanted: { $in: [null, op] } },
          [{ $set: { epoch: { $add: ['$epoch', 1] }, hold: { op, epoch: { $add: ['$epoch', 1] }, attempt: 0 } } }],
          { updatePipeline: true, returnDocument: 'after', projection: workFields },
        )
        .lean<WorkVm>()
        .exec(),

    /** A disk of a VM is as an image was: said by who holds it under this epoch. false: somebody else does by now. */
    async diskRestored({ _id, epoch }: Pick<Vm, '_id' | 'epoch'>, disk_restored: DiskRestored): Promise<boolean> {
      const held = { _id, epoch, 'hold.op': disk_restored.op };
      return (await vms.updateOne(held, { $set: { disk_restored } })).matchedCount > 0;
    },

    /** Gives up holds, each as it was seen. */
    async letGo(held: readonly Pick<Vm, '_id' | 'hold'>[]): Promise<void> {
      for (const { _id, hold } of held) await vms.updateOne({ _id, ...holdFilter({ hold }) }, { $set: { hold: null } });
    },

    /**
     * Takes a VM from a holder that has not let go in time: only from the exact hold that was seen, and only for who wants it still.
     * A step of an operation that has ended is late, and must not take it from whoever came after that.
     */
    seize: (op: string, { _id, hold }: Pick<Vm, '_id' | 'hold'>) =>
      vms.updateOne(
        { _id, wanted: op, state: { $ne: 'DONE' }, ...holdFilter({ hold }) },
        [{ $set: { epoch: { $add: ['$epoch', 1] }, hold: { op, epoch: { $add: ['$epoch', 1] }, attempt: 0 } } }],
        { updatePipeline: true },
      ),

    /**
     * A try of a batch says its number and moves its VMs into the state of work, in one guarded update each: what an
     * earlier try still does matches nothing any more. `event`: null for those that are at work already. Returns the VMs
     * as they are then, or null when one of them has changed since it was read: then all are to be read again.
     */
    async enter(
      held: readonly WorkVm[],
      attempt: number,
      event: (vm: WorkVm) => VmEvent | null,
    ): Promise<WorkVm[] | null> {
      if (held.length === 0) return [];
      const at = new Date();
      const entered = held.map((vm) => {
        const move = event(vm);
        return { vm, state: move === null ? { state: vm.state, lcm_state: vm.lcm_state } : stateAfter(vm, move) };
      });
      const matched = await writeChanges(
        connection,
        entered.map(({ vm, state }) => ({
          vm,
          $set: { ...state, 'hold.attempt': attempt },
          line: logLine(vm, state, { at, op: vm.hold?.op ?? null, reason: null }),
        })),
      );
      if (matched < held.length) return null;
      return entered.map(({ vm, state }) => ({ ...vm, ...state, hold: vm.hold && { ...vm.hold, attempt } }));
    },
  };
}
export type VmHolds = ReturnType<typeof createVmHolds>;

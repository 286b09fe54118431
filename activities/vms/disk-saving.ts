import { brief, longest } from '../../domain/brief.js';
import { retired } from '../../domain/vms/backups.js';
import { planSave } from '../../domain/vms/disk-saves.js';
import { abandonment } from '../../domain/vms/vm-events.js';
import type { OperationInputs } from '../../schemas/operations/inputs.js';
import { isDiskSave } from '../../schemas/operations/operation.js';
import { begin, type StepInput } from '../operations/begin.js';
import type { StepPorts } from '../ports.js';
import { takeVms } from './taking.js';
import type { VmInput } from './vm-operations.js';

/** The steps of saving disks of a VM that touch MongoDB alone: the bytes are those of images (activities/storage/images.ts). */
export const diskSavingActivities = ({ store, retireBackup }: Pick<StepPorts, 'store' | 'retireBackup'>) => ({
  beginDiskSave: (input: StepInput) =>
    begin(store, input, async (operation): Promise<({ vm: number } & OperationInputs['saveDisk']) | null> => {
      const vm = await store.vms.find(operation.resource.id);
      if (vm?.operation !== operation._id || vm.wanted !== null || !isDiskSave(operation)) return null;
      return { vm: vm._id, ...operation.input };
    }),

  /** Takes the VM, and says that a disk of it is being saved: until `endSaving` nobody switches it. Resolves with why not; null: it is so. */
  async holdForSaving({ op, vm: id }: VmInput): Promise<string | null> {
    const operation = await store.operations.find(op);
    const [vm] = (await takeVms(store, op, await store.vms.byIds([id]))).filter(({ hold }) => hold?.op === op);
    if (!vm || !operation || !isDiskSave(operation)) return `another operation has VM ${id} now`;
    for (const { disk } of [operation.input, ...(operation.input.also ?? [])]) {
      const plan = planSave(vm, disk, operation.input.snapshot);
      if ('why' in plan) return plan.why;
    }
    const written = await store.vms.transition([{ vm, event: 'save_disk' }]);
    return written.has(id) ? null : `another operation has VM ${id} now`;
  },

  /** It is what it was before, if it is still ours. */
  async endSaving({ op, vm: id }: VmInput): Promise<void> {
    const [vm] = (await store.vms.byIds([id])).filter(({ hold }) => hold?.op === op);
    const event = vm && abandonment(vm);
    if (vm && event) await store.vms.transition([{ vm, event, release: true }]);
  },

  /** Has those images deleted that give way to what was saved now. What stays all the same is told with the operation. */
  async retireBackups({ op }: { op: string }): Promise<void> {
    const operation = await store.operations.find(op);
    const backup = operation && isDiskSave(operation) ? operation.input.backup : undefined;
    if (!operation || !backup || backup.keep === null || !retireBackup) return;
    const all = await store.images.backups(operation.resource.id, backup.schedule);
    const stay: string[] = [];
    for (const image of retired(all, backup.keep)) {
      const why = await retireBackup({ op, requester: operation.requester.id, image });
      if (why !== null)
        stay.push(brief(`Image ${image} stays, although newer ones have taken its place: ${why}`, longest.vm));
    }
    if (stay.length > 0) await store.operations.warn(op, stay);
  },
});

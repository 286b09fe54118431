import { Context } from '@temporalio/activity';
import { Problem } from '../../domain/problems.js';
import { planRestore } from '../../domain/vms/disk-restores.js';
import { mebi } from '../../schemas/common/mebi.js';
import type { OperationInputs } from '../../schemas/operations/inputs.js';
import { isDiskRestore, type Operation } from '../../schemas/operations/operation.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import { begin, type StepInput } from '../operations/begin.js';
import type { StepPorts } from '../ports.js';
import { givenUp, movedNotes } from '../storage/moved-notes.js';
import { takeVms } from './taking.js';
import type { VmInput } from './vm-operations.js';

const atWork = (vm: number): string => `another operation has VM ${vm} now`;

/** The steps of restoring a disk of a VM that touch MongoDB alone. */
export const diskRestoringActivities = ({ store }: Pick<StepPorts, 'store'>) => ({
  beginDiskRestore: (input: StepInput) =>
    begin(store, input, async (operation): Promise<({ vm: number } & OperationInputs['restoreDisk']) | null> => {
      const vm = await store.vms.find(operation.resource.id);
      if (vm?.operation !== operation._id || vm.wanted !== null || !isDiskRestore(operation)) return null;
      return { vm: vm._id, ...operation.input };
    }),

  /** Takes the VM, which stays off as long as it is held. Resolves with why not; null: it is so. */
  async holdForRestoring({ op, vm: id }: VmInput): Promise<string | null> {
    const [vm] = (await takeVms(store, op, await store.vms.byIds([id]))).filter(({ hold }) => hold?.op === op);
    return vm ? null : atWork(id);
  },
});

/** Those at datastores. Each try has an epoch of its own: what an older one still does is put in no disk's place. */
export const diskRestoringSteps = ({ store, storages }: Pick<StepPorts, 'store' | 'storages'>) => {
  async function taken(op: string): Promise<{ operation: Operation<'restoreDisk'>; vm: WorkVm | null }> {
    const operation = await store.operations.find(op);
    if (!operation || !isDiskRestore(operation)) throw new Problem('not_found', `There is no operation ${op}.`);
    return { operation, vm: await store.vms.renew(op, operation.resource.id) };
  }

  return {
    /** The disk is as the image is. Done again it is copied again, unless that is written down already. */
    async restoreDisk({ op }: { op: string }): Promise<void> {
      const { operation, vm } = await taken(op);
      const { disk, image: of } = operation.input;
      const image = await store.images.find(of);
      if (!vm) throw new Problem('taken', atWork(operation.resource.id));
      if (vm.disk_restored?.op === op) return;
      if (!image) throw new Problem('not_found', `There is no image ${of} any more.`);
      const plan = planRestore(vm, disk, image, true);
      if ('why' in plan) throw new Problem(plan.code, plan.why);
      const { id: datastore, ds_mad } = plan.datastore;
      const notes = movedNotes(store, operation);
      try {
        await storages
          .of({ ds_mad })
          .restoreDisk(
            { vm: vm._id, disk, epoch: vm.epoch, datastore: { id: datastore, ds_mad } },
            { id: of, datastore: { id: image.datastore_id, ds_mad } },
            notes.progress,
            Context.current().cancellationSignal,
          );
        const restored = { op, disk, image: of, at: new Date() };
        if (!(await store.vms.diskRestored(vm, restored))) throw new Problem('taken', atWork(vm._id));
      } catch (error) {
        throw notes.isStuck(error) ? givenUp(error) : error;
      } finally {
        await notes.flush();
      }
    },

    /** After a try that did not come to its end: none of them changes the disk any more. */
    async settleRestore({ op }: { op: string }): Promise<void> {
      const { operation, vm } = await taken(op);
      const { disk } = operation.input;
      const its = vm?.disks?.find(({ disk_id }) => disk_id === disk);
      if (!vm?.datastore || !its) return;
      const { id, ds_mad } = vm.datastore;
      const claim = { vm: vm._id, disk, epoch: vm.epoch, datastore: { id, ds_mad } };
      await storages.of({ ds_mad }).growDisk(claim, its.size * mebi, Context.current().cancellationSignal);
    },
  };
};

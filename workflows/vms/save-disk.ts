import { ApplicationFailure, CancellationScope, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import { asking, emptying, local, storing } from '../activity-options.js';
import { type OperationInput, runOperation } from '../operations/operation.js';

type Saved = { disk: number; image: number };
/** Histories of before there were several, or backups, have neither. */
type Save = Saved & { vm: number; also?: Saved[]; backup?: { keep: number | null } };

/**
 * Makes images of what disks of a VM are, one after the other. The VM is what it was before as soon as the bytes are copied, or are not to be. Then older
 * ones give way, where they are to.
 */
export async function saveDisk({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginDiskSave, async (save: Save) => {
    const { vm, disk, image, also = [], backup } = save;
    const others = also.map((one) => ({ ...one, step: { op, image: one.image } }));
    const all = [{ disk, image, step: { op } }, ...others];
    try {
      await whileHeld(op, save, async () => {
        for (const one of all) {
          setCurrentDetails(`disk ${one.disk} of VM ${vm} is being saved as image ${one.image}`);
          await storing.fillImage.executeWithOptions({ summary: 'copy the bytes of the disk' }, [one.step]);
        }
      });
    } catch (error) {
      if (!isCancellation(error)) throw error;
      await CancellationScope.nonCancellable(async () => {
        for (const { step } of all)
          await emptying.emptyImage.executeWithOptions({ summary: 'remove what there is of the image' }, [step]);
      });
      throw error;
    }
    setCurrentDetails(all.map((one) => `disk ${one.disk} of VM ${vm} is image ${one.image}`).join(', '));
    if (backup && backup.keep !== null)
      await asking.retireBackups.executeWithOptions({ summary: 'have older images of it deleted' }, [{ op }]);
  });
}

async function whileHeld(op: string, { vm }: Save, work: () => Promise<void>): Promise<void> {
  try {
    const why = await local.holdForSaving({ op, vm });
    if (why !== null) throw ApplicationFailure.nonRetryable(why, 'vm_failed');
    await work();
  } finally {
    await CancellationScope.nonCancellable(() => local.endSaving({ op, vm }));
  }
}

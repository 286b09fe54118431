import { ApplicationFailure, CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import { emptying, local, storing } from '../activity-options.js';
import { attempt, type OperationInput, runOperation } from '../operations/operation.js';

/** Makes a disk of a VM what an image is. The disk is what it was until it is that; whatever goes wrong, it is one of both. */
export async function restoreDisk({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginDiskRestore, async ({ vm, disk, image }) => {
    setCurrentDetails(`disk ${disk} of VM ${vm} is being restored from image ${image}`);
    const why = await local.holdForRestoring({ op, vm });
    if (why !== null) throw ApplicationFailure.nonRetryable(why, 'vm_failed');
    try {
      const summary = 'copy the bytes of the image, and put them in the place of the disk';
      await storing.restoreDisk.executeWithOptions({ summary }, [{ op }]);
    } catch (error) {
      // That it cannot be seen to is no reason of its own: whoever starts the VM sees to it, too.
      await CancellationScope.nonCancellable(() =>
        attempt(() =>
          emptying.settleRestore.executeWithOptions({ summary: 'see that the disk stays as it is' }, [{ op }]),
        ),
      );
      throw error;
    }
    setCurrentDetails(`disk ${disk} of VM ${vm} is as image ${image}`);
  });
}

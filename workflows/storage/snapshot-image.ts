import { CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import { local, resizing } from '../activity-options.js';
import { attempt, type OperationInput, runOperation } from '../operations/operation.js';

/** Reverts an image to a snapshot, deletes one, or leaves of all of them one, as the image. However that ends, the image is used again with those that it has. */
export async function snapshotImage({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginImage, async ({ name }) => {
    setCurrentDetails(`snapshots of image ${name} are being changed`);
    try {
      await resizing.changeSnapshots.executeWithOptions({ summary: 'change its snapshots' }, [{ op }]);
    } catch (error) {
      await CancellationScope.nonCancellable(() =>
        attempt(() => resizing.settleSnapshots.executeWithOptions({ summary: 'see which it has' }, [{ op }])),
      );
      throw error;
    }
    setCurrentDetails(`snapshots of image ${name} are changed`);
  });
}

import { CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import { local, resizing } from '../activity-options.js';
import { attempt, type OperationInput, runOperation } from '../operations/operation.js';

/** Makes an image larger. However that ends, it is used again as large as it is. */
export async function resizeImage({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginImage, async ({ name }) => {
    setCurrentDetails(`image ${name} is being resized`);
    try {
      await resizing.growImage.executeWithOptions({ summary: 'make it larger' }, [{ op }]);
    } catch (error) {
      await CancellationScope.nonCancellable(() =>
        attempt(() => resizing.measureImage.executeWithOptions({ summary: 'see how large it is' }, [{ op }])),
      );
      throw error;
    }
    setCurrentDetails(`image ${name} is larger`);
  });
}

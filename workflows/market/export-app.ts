import { CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import { emptying, local, storing } from '../activity-options.js';
import { type OperationInput, runOperation } from '../operations/operation.js';

/** Makes an image of an app. What fails, or is cancelled, leaves nothing of the image, nor of what came with it. */
export async function exportApp({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginExport, async ({ name }) => {
    setCurrentDetails(`image ${name} is being made of an app`);
    try {
      await storing.fillImage.executeWithOptions({ summary: 'bring in its bytes' }, [{ op }]);
    } catch (error) {
      await CancellationScope.nonCancellable(() =>
        emptying.emptyImage.executeWithOptions({ summary: 'remove what there is of it' }, [{ op }]),
      );
      throw error;
    }
    setCurrentDetails(`image ${name} is there`);
  });
}

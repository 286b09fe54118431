import { CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import { emptying, local, storing } from '../activity-options.js';
import { type OperationInput, runOperation } from '../operations/operation.js';

/** Makes the images of an app, one after the other. What fails, or is cancelled, leaves nothing of any, nor of what came with them. */
export async function exportApp({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginExport, async ({ name, images }) => {
    setCurrentDetails(`image ${name} is being made of an app`);
    try {
      for (const image of images)
        await storing.fillImage.executeWithOptions({ summary: `bring in the bytes of image ${image}` }, [
          { op, image },
        ]);
    } catch (error) {
      await CancellationScope.nonCancellable(() =>
        emptying.undoExport.executeWithOptions({ summary: 'remove what there is of them' }, [{ op }]),
      );
      throw error;
    }
    setCurrentDetails(`image ${name} is there`);
  });
}

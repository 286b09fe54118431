import { CancellationScope, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import { emptying, local, storing } from '../activity-options.js';
import { type OperationInput, runOperation } from '../operations/operation.js';

/** Makes an image of a file, of an address, or an empty one. What was cancelled leaves nothing; what failed is gone on with. */
export const createImage = (input: OperationInput): Promise<void> => make(input, 'bring in its bytes');

/** Makes an image that is as another. */
export const cloneImage = (input: OperationInput): Promise<void> => make(input, 'copy its bytes');

async function make({ op }: OperationInput, summary: string): Promise<void> {
  await runOperation({ op }, local.beginImage, async ({ name }) => {
    setCurrentDetails(`image ${name} is being made`);
    try {
      await storing.fillImage.executeWithOptions({ summary }, [{ op }]);
    } catch (error) {
      if (!isCancellation(error)) throw error;
      await CancellationScope.nonCancellable(() =>
        emptying.emptyImage.executeWithOptions({ summary: 'remove what there is of it' }, [{ op }]),
      );
      throw error;
    }
    setCurrentDetails(`image ${name} is there`);
  });
}

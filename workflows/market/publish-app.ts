import { CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import { emptying, local, storing } from '../activity-options.js';
import { type OperationInput, runOperation } from '../operations/operation.js';

/** Publishes an app of an image. What fails, or is cancelled, leaves nothing in the marketplace. */
export async function publishApp({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginPublication, async ({ name }) => {
    setCurrentDetails(`app ${name} is being published`);
    try {
      await storing.publishBytes.executeWithOptions({ summary: 'send its bytes' }, [{ op }]);
    } catch (error) {
      await CancellationScope.nonCancellable(() =>
        emptying.emptyApp.executeWithOptions({ summary: 'remove what there is of it' }, [{ op }]),
      );
      throw error;
    }
    setCurrentDetails(`app ${name} is there`);
  });
}

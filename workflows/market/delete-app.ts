import { emptying, local } from '../activity-options.js';
import { type OperationInput, runOperation } from '../operations/operation.js';

/** Removes an app, and what there is of it in its marketplace. */
export async function deleteApp({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginAppDeletion, async ({ gone }) => {
    if (gone) return;
    await emptying.emptyApp.executeWithOptions({ summary: 'remove what there is of it' }, [{ op }]);
  });
}

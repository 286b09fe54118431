import { emptying, local } from '../activity-options.js';
import { type OperationInput, runOperation } from '../operations/operation.js';

/** Removes an image, and what there is of it in its datastore. */
export async function deleteImage({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginImageDeletion, async ({ gone }) => {
    if (gone) return;
    await emptying.emptyImage.executeWithOptions({ summary: 'remove what there is of it' }, [{ op }]);
  });
}

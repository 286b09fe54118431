import type { Operation } from '../../schemas/operations/operation.js';
import type { Transaction } from '../mongo/transaction.js';
import type { Settle, Settles } from '../operations/ending.js';
import type { Outcome } from '../operations/operations.js';
import { settleSaved } from '../storage/image-endings.js';
import type { ImageStore } from '../storage/images.js';
import type { AppStore } from './apps.js';

type Stores = { apps: AppStore; images: ImageStore };

/**
 * What becomes of an app when the operation on it ends, in the transaction that ends it: what could not be published is in ERROR and says why, what was cancelled is gone where
 * nothing of it is left, what was removed is gone. The image that it was made of is let go of.
 */
export const appEndings = ({ apps, images }: Stores): Settles<'app'> => ({
  async publishApp(operation, claimed, transaction) {
    for (const image of operation.input.images) await images.endPublishing(image, operation.resource.id, transaction);
    return { outcome: await settlePublished(apps, operation, claimed, transaction), releasing: null };
  },
  async deleteApp({ _id: op, resource: { id } }, claimed, transaction) {
    // One that never began leaves what it found.
    await apps.unwant(id, op, transaction);
    const app = await apps.find(id, transaction);
    if (app?.operation === op) {
      if (claimed.state === 'succeeded') await apps.remove(id, transaction);
      else
        await apps.letGo(
          id,
          op,
          { state: 'ERROR', reason: `it could not be removed: ${claimed.error.detail}` },
          transaction,
        );
    }
    return { outcome: claimed, releasing: null };
  },
});

async function settlePublished(
  apps: AppStore,
  { _id: op, resource: { id } }: Operation<'publishApp'>,
  claimed: Outcome,
  transaction: Transaction,
): Promise<Outcome> {
  const app = await apps.find(id, transaction);
  // What another operation has by now is that one's.
  if (app?.operation !== op) return claimed;
  // A cancel that came when it was there already came too late.
  if (app.state !== 'LOCKED') {
    await apps.letGo(id, op, { reason: null }, transaction);
    return claimed.state === 'cancelled' && app.state === 'READY' ? { state: 'succeeded' } : claimed;
  }
  if (claimed.state === 'succeeded') {
    const lost = 'its bytes are not there although its operation has ended';
    await apps.letGo(id, op, { state: 'ERROR', reason: lost }, transaction);
    return { state: 'failed', error: { code: 'internal', detail: lost } };
  }
  if (app.wanted !== null) {
    // Its steps have given way to the deletion; the cancel that says so may be on its way yet.
    await apps.letGo(id, op, { reason: null }, transaction);
    return { state: 'cancelled', error: { code: 'cancelled', detail: 'cancelled' } };
  }
  if (claimed.state === 'cancelled' && (app.epoch === 0 || app.emptied === op)) await apps.remove(id, transaction);
  else await apps.letGo(id, op, { state: 'ERROR', reason: claimed.error.detail }, transaction);
  return claimed;
}

/**
 * Of an export: where its images are not all there, nothing that was made with them is, and those that are not go where nothing of them is left in their datastores. The app may
 * be deleted again.
 */
export const exportEnding =
  ({ apps, images, vmTemplates, serviceTemplates }: Stores & Templates): Settle<'exportApp'> =>
  async (operation, claimed, transaction) => {
    const { app, vm_templates, service_template } = operation.input;
    await apps.endExport(app, operation._id, transaction);
    const outcome = await settleSaved(images, operation, claimed, transaction);
    if (outcome.state !== 'succeeded') {
      if (service_template !== null) await serviceTemplates.remove(service_template, transaction);
      for (const template of vm_templates) await vmTemplates.remove(template, transaction);
    }
    return { outcome, releasing: null };
  };

type Removes = { remove: (id: number, transaction: Transaction) => Promise<unknown> };
type Templates = { vmTemplates: Removes; serviceTemplates: Removes };

import type { Caller } from '../../domain/identity/caller.js';
import { problemOf } from '../../domain/problems.js';
import type { Datastore } from '../../schemas/storage/datastore.js';
import type { ImageCopy } from '../../schemas/storage/image-copy.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';

/** Milliseconds for a datastore to remove one. */
const patience = 20_000;

/**
 * Nothing is left in a datastore of what was brought there of images, as far as no VM needs it. What one has that is disabled and does not answer stays where it is, and is
 * forgotten: its machine may be gone for good. Asked again it goes on.
 */
export async function dropCopies(context: OperationsContext, caller: Caller, id: number): Promise<void> {
  const { store } = context;
  const datastore = authorised(caller, 'datastore', await store.datastores.find(id), 'admin', id);
  for (const copy of await store.imageCopies.inDatastores([id])) await drop(context, datastore, copy);
}

async function drop({ store, storages }: OperationsContext, { state }: Datastore, seen: ImageCopy): Promise<void> {
  const holder = { step: `removal of datastore ${seen.datastore_id}`, attempt: 1 };
  const copy = await store.copyClaims.end(seen, { holder, isUnfit: false });
  if (!copy) return;
  const { image: id, datastore_id, ds_mad, epoch } = copy;
  const claim = { id, epoch, datastore: { id: datastore_id, ds_mad } };
  try {
    await storages.of(copy).remove(claim, AbortSignal.timeout(patience));
  } catch (error) {
    if (state !== 'DISABLED' || problemOf(error)?.code === 'taken') throw error;
  }
  await store.imageCopies.forget(copy);
}

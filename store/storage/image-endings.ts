import type { Operation } from '../../schemas/operations/operation.js';
import { isCloning } from '../../schemas/operations/operation.js';
import type { Image } from '../../schemas/storage/image.js';
import type { Transaction } from '../mongo/transaction.js';
import type { Outcome } from '../operations/operations.js';
import type { ImageStore } from './images.js';

/**
 * What becomes of an image when an operation on it ends, in the transaction that ends it: what could not be made is in ERROR and says why, what was
 * cancelled is gone where nothing of it is left, what was removed is gone. One that a deletion wants is that one's. Returns the outcome by what
 * is found there.
 */
export async function settleImage(
  images: ImageStore,
  operation: Operation,
  claimed: Outcome,
  transaction: Transaction,
): Promise<Outcome> {
  const { _id: op, kind, resource } = operation;
  const { id } = resource;
  if (isCloning(operation)) await images.endClone(operation.input.of, id, transaction);
  const image = await images.find(id, transaction);
  if (!image) return claimed;
  const reason = claimed.state === 'succeeded' ? null : claimed.error.detail;
  if (kind === 'deleteImage') {
    // One that never began leaves what it found.
    await images.unwant(id, op, transaction);
    if (image.operation !== op) return claimed;
    if (claimed.state === 'succeeded') await images.remove(image, transaction);
    else await images.letGo(id, op, { state: 'ERROR', reason: `it could not be removed: ${reason}` }, transaction);
    return claimed;
  }
  if (image.operation !== op) return claimed;
  // A cancel that came when it was there already came too late.
  if (image.state !== 'LOCKED') {
    await images.letGo(id, op, { reason: null }, transaction);
    return claimed.state === 'cancelled' && image.state === 'READY' ? { state: 'succeeded' } : claimed;
  }
  if (claimed.state === 'succeeded') {
    const lost = 'its bytes are not there although its operation has ended';
    await images.letGo(id, op, { state: 'ERROR', reason: lost }, transaction);
    return { state: 'failed', error: { code: 'internal', detail: lost } };
  }
  if (image.wanted !== null) {
    // Its steps have given way to the deletion; the cancel that says so may be on its way yet.
    await images.letGo(id, op, { reason: null }, transaction);
    return { state: 'cancelled', error: { code: 'cancelled', detail: 'cancelled' } };
  }
  if (claimed.state === 'cancelled' && isEmpty(image, op)) await images.remove(image, transaction);
  else await images.letGo(id, op, { state: 'ERROR', reason }, transaction);
  return claimed;
}

/** No try has begun, or its operation has removed what there was of it. */
const isEmpty = ({ epoch, emptied }: Image, op: string): boolean => epoch === 0 || emptied === op;

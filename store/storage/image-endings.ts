import { mebi } from '../../schemas/common/mebi.js';
import type { Operation } from '../../schemas/operations/operation.js';
import { imagesOf } from '../../schemas/operations/operation.js';
import type { OperationOn } from '../../schemas/operations.js';
import type { Image } from '../../schemas/storage/image.js';
import type { Transaction } from '../mongo/transaction.js';
import type { Settlement, Settles } from '../operations/ending.js';
import type { Outcome } from '../operations/operations.js';
import type { ImageStore } from './images.js';

/** Who works on images: those that are about one, and what makes some of the disks of a VM. */
type Kind = OperationOn<'image'> | 'saveDisk';
/** Those that make several. */
type Several = 'saveDisk' | 'exportApp';
type End = [claimed: Outcome, transaction: Transaction];
/** Of one image that is there. */
type SettleOne<K extends Kind> = (
  images: ImageStore,
  image: Image,
  operation: Operation<K>,
  ...end: End
) => Promise<Outcome>;

const settlesOne: { readonly [K in Kind]: SettleOne<K> } = {
  createImage: whereIts(settleMade),
  cloneImage: whereIts(settleMade),
  exportApp: whereIts(settleExported),
  saveDisk: whereIts(settleMade),
  resizeImage: whereIts(settleResized),
  snapshotImage: whereIts(async (images, image, operation, claimed, transaction) =>
    (await images.restore(image, operation._id, transaction))
      ? claimed
      : settleMade(images, image, operation, claimed, transaction),
  ),
  deleteImage: settleDeleted,
};

/**
 * What becomes of an image when the operation on it ends, in the transaction that ends it: what could not be made is in ERROR and says why, what was
 * cancelled, or was not sent whole, is gone where nothing of it is left, what was removed is gone. One that a deletion wants is that one's. Returns the outcome by what
 * is found there.
 */
export function imageEndings(images: ImageStore): Omit<Settles<'image'>, 'exportApp'> {
  const settle = async <K extends OperationOn<'image'>>(operation: Operation<K>, ...end: End): Promise<Settlement> => ({
    outcome: await settleOne(images, operation.resource.id, operation, ...end),
    releasing: null,
  });
  return {
    createImage: settle,
    cloneImage: async (operation, claimed, transaction) => {
      await images.endClone(operation.input.of, operation.resource.id, transaction);
      return settle(operation, claimed, transaction);
    },
    resizeImage: settle,
    snapshotImage: settle,
    deleteImage: settle,
  };
}

/** The same of images that are made of disks, or of an app; the first that did not come to be says how it ended. */
export async function settleSaved<K extends Several>(
  images: ImageStore,
  operation: Operation<K>,
  claimed: Outcome,
  transaction: Transaction,
): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (const id of imagesOf(operation)) outcomes.push(await settleOne(images, id, operation, claimed, transaction));
  return outcomes.find(({ state }) => state !== 'succeeded') ?? outcomes[0] ?? claimed;
}

async function settleOne<K extends Kind>(
  images: ImageStore,
  id: number,
  operation: Operation<K>,
  claimed: Outcome,
  transaction: Transaction,
): Promise<Outcome> {
  const image = await images.find(id, transaction);
  return image ? settlesOne[operation.kind](images, image, operation, claimed, transaction) : claimed;
}

/** What another operation has by now is that one's. */
function whereIts<K extends Kind>(settle: SettleOne<K>): SettleOne<K> {
  return async (images, image, operation, claimed, transaction) =>
    image.operation === operation._id ? settle(images, image, operation, claimed, transaction) : claimed;
}

async function settleDeleted(
  images: ImageStore,
  image: Image,
  { _id: op }: Operation<'deleteImage'>,
  ...[claimed, transaction]: End
): Promise<Outcome> {
  const { _id: id } = image;
  // One that never began leaves what it found.
  await images.unwant(id, op, transaction);
  if (image.operation !== op) return claimed;
  if (claimed.state === 'succeeded') await images.remove(image, transaction);
  else {
    const reason = `it could not be removed: ${claimed.error.detail}`;
    await images.letGo(id, op, { state: 'ERROR', reason }, transaction);
  }
  return claimed;
}

async function settleResized(
  images: ImageStore,
  image: Image,
  operation: Operation<'resizeImage'>,
  ...[claimed, transaction]: End
): Promise<Outcome> {
  const { _id: op, input } = operation;
  if (await images.restore(image, op, transaction)) return claimed;
  if (image.state !== 'READY') return settleMade(images, image, operation, claimed, transaction);
  await images.letGo(image._id, op, { reason: null }, transaction);
  // A cancel that came when it was as large as that already came too late.
  return (image.virtual_size ?? 0) >= input.size_mb * mebi ? { state: 'succeeded' } : claimed;
}

async function settleMade(
  images: ImageStore,
  image: Image,
  { _id: op }: Pick<Operation, '_id'>,
  ...[claimed, transaction]: End
): Promise<Outcome> {
  const { _id: id } = image;
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
  const leavesNothing = claimed.state === 'cancelled' || claimed.error.code === 'upload_expired';
  if (leavesNothing && isEmpty(image, op)) await images.remove(image, transaction);
  else await images.letGo(id, op, { state: 'ERROR', reason: claimed.error.detail }, transaction);
  return claimed;
}

/** As what is made otherwise, but that it is gone, too, when it could not be made: it comes with other things, and is undone with them. */
async function settleExported(
  images: ImageStore,
  image: Image,
  operation: Operation<'exportApp'>,
  ...[claimed, transaction]: End
): Promise<Outcome> {
  const isUndone = image.state === 'LOCKED' && claimed.state === 'failed' && image.wanted === null;
  if (!isUndone || !isEmpty(image, operation._id)) return settleMade(images, image, operation, claimed, transaction);
  await images.remove(image, transaction);
  return claimed;
}

/** No try has begun, or its operation has removed what there was of it. */
const isEmpty = ({ epoch, emptied }: Image, op: string): boolean => epoch === 0 || emptied === op;

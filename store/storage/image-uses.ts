import { usableStates } from '../../domain/storage/image-use.js';
import type { Image } from '../../schemas/storage/image.js';
import { ChoiceLost } from '../mongo/choice-lost.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';
import { createTurns } from '../mongo/turns.js';
import { unmade } from './image-admissions.js';
import type { ImageStore } from './images.js';

/** VMs that are about to use an image, as they have found it. `persistent`: null: as a file, which is the same whether it is or not. */
export type ImageUse = {
  image: number;
  datastore: number;
  persistent: Image['persistent'] | null;
  vms: readonly number[];
};

/**
 * Which VMs use which image: written in the transaction that writes the VM which has a disk of it, and in the one in which that is DONE. Whoever removes or
 * edits an image writes it, too: of two that meet, one goes again, and sees what the other has done.
 */
export function createImageUses({ model: images }: Pick<ImageStore, 'model'>) {
  /** What an image is as soon as these do not use it any more. */
  const without = (vms: readonly number[]) => [
    { $set: { vms: { $setDifference: ['$vms', [...vms]] } } },
    {
      $set: {
        state: {
          $cond: [
            { $and: [{ $in: ['$state', ['USED', 'USED_PERS']] }, { $eq: ['$vms', []] }] },
            // Others may still be made of it.
            { $cond: [unmade, 'READY', 'CLONE'] },
            '$state',
          ],
        },
      },
    },
  ];

  /** Images that a VM uses. */
  const usedBy = async (vm: number, transaction: Transaction): Promise<number[]> =>
    (
      await images.find({ vms: vm }, { _id: 1 }).session(sessionOf(transaction)).lean<Pick<Image, '_id'>[]>().exec()
    ).map(({ _id }) => _id);

  return {
    /** Those of this process that write the same image go one after the other. */
    inTurn: createTurns(),

    /** All or none. Throws ChoiceLost where one of them may not be used so any more. */
    async take(uses: readonly ImageUse[], transaction: Transaction): Promise<void> {
      for (const { image, persistent, datastore, vms } of uses) {
        const free: Record<string, unknown> = persistent
          ? { state: 'READY', vms: [] }
          : { state: { $in: usableStates } };
        const taken =
          persistent && vms.length > 1
            ? null
            : await images.updateOne(
                {
                  _id: image,
                  datastore_id: datastore,
                  ...(persistent !== null && { persistent }),
                  wanted: null,
                  ...free,
                },
                [{ $set: { vms: { $setUnion: ['$vms', [...vms]] }, state: persistent ? 'USED_PERS' : 'USED' } }],
                { ...within(transaction), updatePipeline: true },
              );
        if (taken?.matchedCount !== 1) throw new ChoiceLost(`image ${image} is not as it was`);
      }
    },

    /** These VMs use none any more. */
    release: (vms: readonly number[], transaction: Transaction) =>
      images.updateMany({ vms: { $in: [...vms] } }, without(vms), { ...within(transaction), updatePipeline: true }),
    /** A VM uses none any more but these. Returns which it did. */
    async releaseOthers(vm: number, kept: readonly number[], transaction: Transaction): Promise<number[]> {
      const gone = (await usedBy(vm, transaction)).filter((image) => !kept.includes(image));
      if (gone.length > 0)
        await images.updateMany({ vms: vm, _id: { $in: gone } }, without([vm]), {
          ...within(transaction),
          updatePipeline: true,
        });
      return gone;
    },
    usedBy,
    /** Whether any of these VMs uses one. */
    anyOf: async (vms: readonly number[]): Promise<boolean> =>
      (await images.exists({ vms: { $in: [...vms] } }).exec()) !== null,
  };
}
export type ImageUses = ReturnType<typeof createImageUses>;

import { Context } from '@temporalio/activity';
import { Problem } from '../../domain/problems.js';
import { changesOf, snapshotsAfter } from '../../domain/storage/image-snapshots.js';
import { isSnapshotChange, type Operation } from '../../schemas/operations/operation.js';
import type { Image } from '../../schemas/storage/image.js';
import type { StepPorts } from '../ports.js';
import { claimOf, takenImage } from './image-claim.js';

/** Steps that change snapshots of images. Whatever becomes of that, the image may be used again, and has those that its datastore has. */
export const imageSnapshotSteps = ({ store, storages }: Pick<StepPorts, 'store' | 'storages'>) => {
  async function taken(op: string): Promise<{ operation: Operation<'snapshotImage'>; image: Image | null }> {
    const operation = await store.operations.find(op);
    if (!operation || !isSnapshotChange(operation)) throw new Problem('not_found', `There is no operation ${op}.`);
    return { operation, image: await store.images.claim(operation.resource.id, op) };
  }

  async function write(image: Image, op: string, there: readonly number[], current?: number): Promise<void> {
    const before = image.snapshots ?? { snapshots: [], current: null, snapshot_ids: 0 };
    const by = { op, epoch: image.epoch };
    if (!(await store.images.snapshotted(image._id, by, snapshotsAfter(before, there, current))))
      throw new Problem('taken', takenImage(image._id));
  }

  return {
    /** As was asked for. One that is not LOCKED any more is so already. */
    async changeSnapshots({ op }: { op: string }): Promise<void> {
      const { operation, image } = await taken(op);
      if (!image || image.wanted !== null) throw new Problem('taken', takenImage(operation.resource.id));
      if (image.state !== 'LOCKED') return;
      const { cancellationSignal: signal } = Context.current();
      const { input } = operation;
      const storage = storages.of(image);
      let there = await storage.snapshotImage(claimOf(image), null, signal);
      for (const change of changesOf(input, there)) there = await storage.snapshotImage(claimOf(image), change, signal);
      await write(image, op, there, input.action === 'snapshot-revert' ? input.snapshot : undefined);
    },

    /** After a try that did not come to its end. */
    async settleSnapshots({ op }: { op: string }): Promise<void> {
      const { image } = await taken(op);
      if (image?.state !== 'LOCKED') return;
      await write(
        image,
        op,
        await storages.of(image).snapshotImage(claimOf(image), null, Context.current().cancellationSignal),
      );
    },
  };
};

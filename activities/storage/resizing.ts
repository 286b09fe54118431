import { Context } from '@temporalio/activity';
import type { KeptImage } from '../../adapters/storage/port.js';
import { Problem, problemOf, problems } from '../../domain/problems.js';
import { mebi } from '../../schemas/common/mebi.js';
import { isResizing } from '../../schemas/operations/operation.js';
import type { Image } from '../../schemas/storage/image.js';
import type { StepPorts } from '../ports.js';
import { claimOf, takenImage } from './image-claim.js';

/** Steps that make images larger. Whatever becomes of that, the image is again what it was, and as large as it is found to be. */
export const resizingSteps = ({ store, storages }: Pick<StepPorts, 'store' | 'storages'>) => {
  async function ofOperation(op: string): Promise<{ id: number; size_mb: number }> {
    const operation = await store.operations.find(op);
    if (!operation || !isResizing(operation)) throw new Problem('not_found', `There is no operation ${op}.`);
    return { id: operation.resource.id, size_mb: operation.input.size_mb };
  }

  async function write({ _id: id, epoch, published }: Image, op: string, kept: KeptImage): Promise<void> {
    if (!(await store.images.made(id, { op, epoch }, { ...kept, published })))
      throw new Problem('taken', takenImage(id));
  }

  async function measure(image: Image, op: string, signal: AbortSignal): Promise<void> {
    const kept = await storages.of(image).find(claimOf(image), signal);
    if (kept) await write(image, op, kept);
  }

  return {
    /** As large as was asked for. One that is not LOCKED any more is so already. */
    async growImage({ op }: { op: string }): Promise<void> {
      const { id, size_mb } = await ofOperation(op);
      const image = await store.images.claim(id, op);
      if (!image || image.wanted !== null) throw new Problem('taken', takenImage(id));
      if (image.state !== 'LOCKED') return;
      const { cancellationSignal: signal } = Context.current();
      try {
        await write(image, op, await storages.of(image).resize(claimOf(image), size_mb * mebi, signal));
      } catch (error) {
        const problem = problemOf(error);
        if (problem && !problems[problem.code].retryable && problem.code !== 'taken') await measure(image, op, signal);
        throw error;
      }
    },

    /** As large as it is, after a try that did not come to its end. */
    async measureImage({ op }: { op: string }): Promise<void> {
      const { id } = await ofOperation(op);
      const image = await store.images.claim(id, op);
      if (image?.state === 'LOCKED') await measure(image, op, Context.current().cancellationSignal);
    },
  };
};

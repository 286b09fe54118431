import { ApplicationFailure, Context } from '@temporalio/activity';
import type { ImageClaim, KeptImage, OnProgress, Progress } from '../../adapters/storage/port.js';
import { Problem, problemOf, problems } from '../../domain/problems.js';
import { isFurther, stuckAfter } from '../../domain/storage/image-progress.js';
import type { Operation } from '../../schemas/operations/operation.js';
import { type Image, imageTypes } from '../../schemas/storage/image.js';
import { type Begun, begin, type StepInput, supersede } from '../operations/begin.js';
import type { StepPorts } from '../ports.js';

/** Milliseconds between two notes of how far it is. */
const noted = 1_000;

const mebi = 2 ** 20;

/** Short steps of operations on images, on our own database. */
export const imageActivities = ({ store }: Pick<StepPorts, 'store'>) => ({
  /** Claims the operation that makes an image. */
  beginImage: (input: StepInput): Promise<Begun<{ name: string }>> =>
    begin(store, input, async ({ _id, resource }) => {
      const image = await store.images.find(resource.id);
      return image?.operation === _id && image.wanted === null ? { name: image.name } : null;
    }),

  /** Claims a deletion, and takes the image from whoever had it. `gone`: it is not there any more. */
  beginImageDeletion: (input: StepInput): Promise<Begun<{ gone: boolean }>> =>
    begin(store, input, async ({ _id, resource: { id } }) => {
      const seen = await store.images.find(id);
      await supersede(store, _id, [seen?.operation ?? null]);
      return { gone: (await store.images.takeOver(id, _id)) === null };
    }),
});

/** Steps that move the bytes of images. Each try has an epoch of its own: what an older one still does counts for nothing. */
export const imageSteps = ({ store, storages, bringIn }: Pick<StepPorts, 'store' | 'storages' | 'bringIn'>) => {
  const claimOf = ({ _id: id, datastore_id, ds_mad, epoch }: Image): ImageClaim => ({
    ...{ id, epoch, datastore: { id: datastore_id, ds_mad } },
  });

  async function make(image: Image, onProgress: OnProgress, signal: AbortSignal): Promise<KeptImage> {
    const { origin, wish, type } = image;
    const storage = storages.of(image);
    const claim = claimOf(image);
    if ('image' in origin) {
      const from = await store.images.find(origin.image);
      if (!from) throw new Problem('not_found', `There is no image ${origin.image} any more.`);
      return storage.copy(claim, claimOf(from), onProgress, signal);
    }
    if ('empty' in origin) {
      const { format, size_mb } = origin.empty;
      return storage.createEmpty(claim, { format, size: size_mb * mebi }, signal);
    }
    const most = (await store.images.room(image)) * mebi;
    const { content } = imageTypes[type];
    return bringIn(
      storage,
      claim,
      {
        ...{ from: origin, content, sha256: wish.sha256, md5: wish.md5 },
        ...{ mostBytes: most, mostVirtual: most, mostPublished: most },
      },
      onProgress,
      signal,
    );
  }

  return {
    /** Makes the bytes of an image, or goes on with that, and writes down what it is. One that is READY is so already. */
    async fillImage({ op }: { op: string }): Promise<void> {
      const { operation, id } = await ofOperation(op);
      const image = await store.images.claim(id, op);
      if (!image || image.wanted !== null) throw new Problem('taken', `Somebody else has taken image ${id}.`);
      if (image.state !== 'LOCKED') return;
      const notes = notesOf(operation);
      try {
        const kept = await make(image, notes.progress, Context.current().cancellationSignal);
        if (!(await store.images.made(id, { op, epoch: image.epoch }, kept)))
          throw new Problem('taken', `Somebody else has taken image ${id}.`);
      } catch (error) {
        const end = notes.isStuck(error) ? givenUp(error) : error;
        const isUnfit = isOf(unfit, error);
        if (isUnfit || end !== error || isOf(closed, error))
          await settleArrived(image, op, isUnfit).catch((fault: unknown) => {
            // The same comes to the same once the datastore answers; where it does not, what failed is what is told.
            if (!isUnfit || notes.isStuck(fault)) return;
            throw fault;
          });
        throw end;
      } finally {
        await notes.flush();
      }
    },

    /** Nothing of an image is left in its datastore. */
    async emptyImage({ op }: { op: string }): Promise<void> {
      const { id } = await ofOperation(op);
      const image = await store.images.claim(id, op);
      if (!image) return;
      await storages.of(image).remove(claimOf(image), Context.current().cancellationSignal);
      await store.images.emptied(id, { op, epoch: image.epoch });
    },
  };

  /** What will not be taken, whoever tries, goes; the rest stays for whoever tries again, and is charged as far as there is room. */
  async function settleArrived({ _id: id, epoch }: Image, op: string, isUnfit: boolean): Promise<void> {
    const { cancellationSignal: signal } = Context.current();
    const image = await store.images.claimAgain(id, { op, epoch });
    if (!image) throw new Problem('taken', `Somebody else has taken image ${id}.`);
    const storage = storages.of(image);
    const stays = async (): Promise<boolean | null> => {
      const { bytes } = await storage.staged(claimOf(image), signal);
      return store.images.arrived(id, { op, epoch: image.epoch }, Math.ceil(bytes / mebi));
    };
    if (isUnfit || (await stays()) === false) await storage.remove(claimOf(image), signal);
  }

  async function ofOperation(op: string): Promise<{ operation: Operation; id: number }> {
    const operation = await store.operations.find(op);
    if (!operation) throw new Problem('not_found', `There is no operation ${op}.`);
    return { operation, id: operation.resource.id };
  }

  /** How far it is, told to the engine and to people, now and then. */
  function notesOf({ _id: op, moved, started_at }: Operation) {
    let last = moved?.at.getTime() ?? started_at?.getTime() ?? Date.now();
    let furthest: Pick<Progress, 'phase' | 'done'> | null = moved ?? null;
    let at = 0;
    let writing: Promise<unknown> = Promise.resolve();
    let latest: Progress | null = null;
    const write = (progress: Progress): void => {
      Context.current().heartbeat(progress);
      if (!isFurther(progress, furthest)) return;
      furthest = progress;
      last = Date.now();
      writing = store.operations.moved(op, progress).catch(() => undefined);
    };
    return {
      progress(progress: Progress): void {
        latest = progress;
        const now = Date.now();
        if (now - at < noted) return;
        at = now;
        write(progress);
      },
      isStuck: (error: unknown): boolean => {
        const problem = problemOf(error);
        return problem !== undefined && problems[problem.code].retryable && Date.now() - last > stuckAfter;
      },
      async flush(): Promise<void> {
        if (latest) write(latest);
        await writing;
      },
    };
  }
};

/** Of the bytes themselves; and of where they come from, which may be opened again. */
const unfit: ReadonlySet<string> = new Set(['image_refused', 'datastore_full', 'quota_exceeded']);
const closed: ReadonlySet<string> = new Set(['source_refused']);
const isOf = (codes: ReadonlySet<string>, error: unknown): boolean => codes.has(problemOf(error)?.code ?? '');

const givenUp = (error: unknown): ApplicationFailure => {
  const problem = problemOf(error);
  return ApplicationFailure.create({
    type: problem?.code ?? 'internal',
    message: `${problem?.message ?? 'it failed'} (for ${stuckAfter / 60_000} min)`,
    nonRetryable: true,
  });
};

import { Context } from '@temporalio/activity';
import type { StoredApp } from '../../adapters/market/port.js';
import { Problem } from '../../domain/problems.js';
import type { App, AppPart } from '../../schemas/market/app.js';
import type { Marketplace } from '../../schemas/market/marketplace.js';
import { imagesOf, isPublication, type Operation } from '../../schemas/operations/operation.js';
import type { Image } from '../../schemas/storage/image.js';
import { type Begun, begin, type StepInput, supersede } from '../operations/begin.js';
import type { StepPorts } from '../ports.js';
import { claimOf } from '../storage/image-claim.js';
import { givenUp, movedNotes } from '../storage/moved-notes.js';

/** Short steps of operations on apps, on our own database. */
export const publishingActivities = ({ store }: Pick<StepPorts, 'store'>) => ({
  /** Claims the operation that publishes an app. */
  beginPublication: (input: StepInput): Promise<Begun<{ name: string }>> =>
    begin(store, input, async ({ _id, resource }) => {
      const app = await store.apps.find(resource.id);
      return app?.operation !== _id || app.wanted !== null ? null : { name: app.name };
    }),

  /** Claims a deletion, and takes the app from whoever had it. `gone`: it is not there any more. */
  beginAppDeletion: (input: StepInput): Promise<Begun<{ gone: boolean }>> =>
    begin(store, input, async ({ _id, resource: { id } }) => {
      const seen = await store.apps.find(id);
      await supersede(store, _id, [seen?.operation ?? null]);
      return { gone: (await store.apps.takeOver(id, _id)) === null };
    }),

  /** Claims the operation that makes images of an app. */
  beginExport: (input: StepInput): Promise<Begun<{ name: string; images: number[] }>> =>
    begin(store, input, async (operation) => {
      const images = await store.images.byIds(imagesOf(operation));
      const isOurs = images.every(({ operation: op, wanted }) => op === operation._id && wanted === null);
      const [first] = images;
      return first && isOurs ? { name: first.name, images: images.map(({ _id }) => _id) } : null;
    }),
});

/** Steps that move the bytes of apps. Each try has an epoch of its own: what an older one still does counts for nothing. */
export const publishingSteps = ({ store, storages, markets }: Pick<StepPorts, 'store' | 'storages' | 'markets'>) => {
  return {
    /** Sends the bytes of its images to a marketplace, or goes on with that, and writes down what they sum up to. What is READY is so already. */
    async publishBytes({ op }: { op: string }): Promise<void> {
      const operation = await operationOf(op);
      const { id } = operation.resource;
      const app = await store.apps.claim(id, op);
      if (!app || app.wanted !== null) throw new Problem('taken', takenApp(id));
      if (app.state !== 'LOCKED') return;
      const market = await marketOf(app);
      const by = { op, epoch: app.epoch };
      const guard = async (): Promise<void> => {
        if (!(await store.apps.isHis(id, by))) throw new Problem('taken', takenApp(id));
      };
      let before = 0;
      for (const [at, part] of app.parts.entries()) {
        const image = await imageOf(part.origin_id, id);
        const total = image.bytes ?? 0;
        if (part.bytes === null) {
          const notes = movedNotes(store, operation, before);
          const storage = storages.of(image);
          const claim = claimOf(image);
          const from = { total, read: (offset: number, signal: AbortSignal) => storage.read(claim, offset, signal) };
          try {
            const signal = Context.current().cancellationSignal;
            const stored = storedIn(app, part, market);
            const found = await markets.of(market).publish(stored, from, guard, notes.progress, signal);
            if (!(await store.apps.published(id, by, at, found))) throw new Problem('taken', takenApp(id));
          } catch (error) {
            throw notes.isStuck(error) ? givenUp(error) : error;
          } finally {
            await notes.flush();
          }
        }
        before += total;
      }
      if (!(await store.apps.ready(id, by))) throw new Problem('taken', takenApp(id));
    },

    /** Nothing of the images of an export is left in their datastores; what somebody else has by now, or uses, stays. */
    async undoExport({ op }: { op: string }): Promise<void> {
      const operation = await store.operations.find(op);
      if (!operation) throw new Problem('not_found', `There is no operation ${op}.`);
      const { cancellationSignal: signal } = Context.current();
      for (const id of imagesOf(operation)) {
        const image = await store.images.claimToUndo(id, op);
        if (!image) continue;
        await storages.of(image).remove(claimOf(image), signal);
        await store.images.emptied(id, { op, epoch: image.epoch });
      }
    },

    /** Nothing of an app is left in its marketplace. */
    async emptyApp({ op }: { op: string }): Promise<void> {
      const operation = await store.operations.find(op);
      if (!operation) throw new Problem('not_found', `There is no operation ${op}.`);
      const { id } = operation.resource;
      const app = await store.apps.claim(id, op);
      // One that is there already stays: a cancel came too late.
      if (!app || (isPublication(operation) && app.state !== 'LOCKED')) return;
      const market = await marketOf(app);
      for (const part of app.parts)
        await markets.of(market).remove(storedIn(app, part, market), Context.current().cancellationSignal);
      await store.apps.emptied(id, { op, epoch: app.epoch });
    },
  };

  async function operationOf(op: string): Promise<Operation<'publishApp'>> {
    const operation = await store.operations.find(op);
    if (operation && isPublication(operation)) return operation;
    throw new Problem('not_found', `There is no operation ${op} that publishes an app.`);
  }

  async function marketOf({ _id: id, market_id }: App): Promise<Marketplace> {
    const market = await store.marketplaces.find(market_id);
    if (!market) throw new Problem('not_found', `App ${id} is in no marketplace of ours.`);
    return market;
  }

  /** The image that a part is made of, which is held for the app. */
  async function imageOf(id: number, app: number): Promise<Image> {
    const image = await store.images.find(id);
    if (image?.apps?.includes(app) === true && image.bytes !== null) return image;
    throw new Problem('not_found', `Image ${id} is not there any more.`);
  }
};

function storedIn({ _id: id }: App, { key }: AppPart, { _id, market_mad }: Marketplace): StoredApp {
  if (key === null) throw new Problem('not_found', `App ${id} is in no marketplace of ours.`);
  return { id, key, market: { id: _id, market_mad } };
}

/** Somebody else has it, or a later try. */
const takenApp = (id: number): string => `Somebody else has taken app ${id}.`;

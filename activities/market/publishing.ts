import { Context } from '@temporalio/activity';
import type { StoredApp } from '../../adapters/market/port.js';
import { Problem } from '../../domain/problems.js';
import type { App } from '../../schemas/market/app.js';
import type { Marketplace } from '../../schemas/market/marketplace.js';
import { isPublication, type Operation } from '../../schemas/operations/operation.js';
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

  /** Claims the operation that makes an image of an app. */
  beginExport: (input: StepInput): Promise<Begun<{ name: string }>> =>
    begin(store, input, async ({ _id, resource }) => {
      const image = await store.images.find(resource.id);
      return image?.operation !== _id || image.wanted !== null ? null : { name: image.name };
    }),
});

/** Steps that move the bytes of apps. Each try has an epoch of its own: what an older one still does counts for nothing. */
export const publishingSteps = ({ store, storages, markets }: Pick<StepPorts, 'store' | 'storages' | 'markets'>) => {
  return {
    /** Sends the bytes of an image to a marketplace, or goes on with that, and writes down what they sum up to. What is READY is so already. */
    async publishBytes({ op }: { op: string }): Promise<void> {
      const operation = await operationOf(op);
      const { id } = operation.resource;
      const app = await store.apps.claim(id, op);
      if (!app || app.wanted !== null) throw new Problem('taken', takenApp(id));
      if (app.state !== 'LOCKED') return;
      const { market, stored } = await placeOf(app);
      const image = await store.images.find(operation.input.image);
      if (image?.apps?.includes(id) !== true || image.bytes === null)
        throw new Problem('not_found', `Image ${operation.input.image} is not there any more.`);
      const by = { op, epoch: app.epoch };
      const guard = async (): Promise<void> => {
        if (!(await store.apps.isHis(id, by))) throw new Problem('taken', takenApp(id));
      };
      const storage = storages.of(image);
      const claim = claimOf(image);
      const from = {
        total: image.bytes,
        read: (offset: number, signal: AbortSignal) => storage.read(claim, offset, signal),
      };
      const notes = movedNotes(store, operation);
      try {
        const signal = Context.current().cancellationSignal;
        const found = await markets.of(market).publish(stored, from, guard, notes.progress, signal);
        if (!(await store.apps.published(id, by, found))) throw new Problem('taken', takenApp(id));
      } catch (error) {
        throw notes.isStuck(error) ? givenUp(error) : error;
      } finally {
        await notes.flush();
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
      const { market, stored } = await placeOf(app);
      await markets.of(market).remove(stored, Context.current().cancellationSignal);
      await store.apps.emptied(id, { op, epoch: app.epoch });
    },
  };

  async function operationOf(op: string): Promise<Operation<'publishApp'>> {
    const operation = await store.operations.find(op);
    if (operation && isPublication(operation)) return operation;
    throw new Problem('not_found', `There is no operation ${op} that publishes an app.`);
  }

  async function placeOf({ _id: id, key, market_id }: App): Promise<{ market: Marketplace; stored: StoredApp }> {
    const market = await store.marketplaces.find(market_id);
    if (!market || key === null) throw new Problem('not_found', `App ${id} is in no marketplace of ours.`);
    return { market, stored: { id, key, market: { id: market_id, market_mad: market.market_mad } } };
  }
};

/** Somebody else has it, or a later try. */
const takenApp = (id: number): string => `Somebody else has taken app ${id}.`;

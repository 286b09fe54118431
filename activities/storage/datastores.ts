import { Context } from '@temporalio/activity';
import { problemOf } from '../../domain/problems.js';
import { abortedAfter } from '../../schemas/common/aborted-after.js';
import { mebi } from '../../schemas/common/mebi.js';
import type { Datastore } from '../../schemas/storage/datastore.js';
import type { DatastoreLook } from '../../store/storage/datastores.js';
import { eachApart } from '../operations/each-apart.js';
import type { StepPorts } from '../ports.js';
import { dropIdleCopies } from './image-copies.js';

/** Datastores that one look asks at most: those that have waited longest; the next look goes on. And how many side by side. */
const mostAsked = 200;
const atOnce = 10;
/** How long one may take to answer, in milliseconds. */
const patience = 10_000;

export const datastoreActivities = ({ store, storages }: Pick<StepPorts, 'store' | 'storages'>) => ({
  /**
   * Asks datastores how much room they have, and writes down what they said; one that does not answer says why. Then copies go that nobody needs.
   */
  async monitorDatastores(): Promise<{ looked: number; failed: number }> {
    const { cancellationSignal } = Context.current();
    const found = await store.datastores.byIds(await store.datastores.toMonitor(mostAsked));
    const looks: DatastoreLook[] = [];
    const look = async ({ _id: id, ds_mad }: Datastore): Promise<void> => {
      const signal = abortedAfter(cancellationSignal, patience);
      const { total, used, free } = await storages.of({ ds_mad }).capacity({ id, ds_mad }, signal);
      const megabytes = (bytes: number): number => Math.floor(bytes / mebi);
      looks.push({ id, capacity: { total: megabytes(total), used: megabytes(used), free: megabytes(free) } });
    };
    const failures = await eachApart(found, atOnce, look);
    cancellationSignal.throwIfAborted();
    for (const { item, error } of failures)
      looks.push({
        id: item._id,
        error: problemOf(error)?.message ?? `it did not answer within ${patience / 1_000} s`,
      });
    await store.datastores.looked(looks, new Date());
    await dropIdleCopies({ store, storages }, cancellationSignal);
    return { looked: looks.length, failed: failures.length };
  },
});

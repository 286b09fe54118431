import { Context } from '@temporalio/activity';
import type { MarketTarget } from '../../adapters/market/port.js';
import { planCatalogue } from '../../domain/market/catalogue-plan.js';
import { problemOf } from '../../domain/problems.js';
import { abortedAfter } from '../../schemas/common/aborted-after.js';
import { mebi } from '../../schemas/common/mebi.js';
import { kinds } from '../../schemas/kinds.js';
import type { Marketplace } from '../../schemas/market/marketplace.js';
import type { MarketLook } from '../../store/market/marketplaces.js';
import { eachApart } from '../operations/each-apart.js';
import type { StepPorts } from '../ports.js';

/** Marketplaces that one look asks at most: those that have waited longest; the next look goes on. And how many side by side. */
const mostAsked = 100;
const atOnce = 10;
/** How long one may take to answer, in milliseconds. */
const patience = 25_000;

export const marketActivities = ({ store, markets }: Pick<StepPorts, 'store' | 'markets'>) => {
  /** What is known of a catalogue becomes what it says now. One that is removed meanwhile has no apps. */
  async function follow(market: MarketTarget, signal: AbortSignal): Promise<void> {
    const { apps } = await markets.of(market).catalogue(market, signal);
    const plan = planCatalogue(await store.apps.ofCatalogue(market.id), apps);
    const ids = plan.insert.length === 0 ? [] : await store.counters.next(kinds.app.ids.pool, plan.insert.length);
    await store.apps.follow(market.id, plan, ids);
    if (!(await store.marketplaces.find(market.id)))
      await store.apps.follow(market.id, planCatalogue(await store.apps.ofCatalogue(market.id), []), []);
  }

  return {
    /** Asks marketplaces how much room they have, and which apps are in their catalogues; one that does not answer says why. */
    async monitorMarketplaces(): Promise<{ looked: number; failed: number }> {
      const { cancellationSignal } = Context.current();
      const found = await store.marketplaces.toMonitor(mostAsked);
      const looks: MarketLook[] = [];
      const look = async ({ _id: id, market_mad }: Marketplace): Promise<void> => {
        const signal = abortedAfter(cancellationSignal, patience);
        const capacity = await markets.of({ market_mad }).capacity({ id, market_mad }, signal);
        if (markets.of({ market_mad }).can.catalogue) await follow({ id, market_mad }, signal);
        looks.push({ id, capacity: capacity && inMegabytes(capacity) });
      };
      const failures = await eachApart(found, atOnce, look);
      cancellationSignal.throwIfAborted();
      for (const { item, error } of failures)
        looks.push({
          id: item._id,
          error: problemOf(error)?.message ?? `it did not answer within ${patience / 1_000} s`,
        });
      await store.marketplaces.looked(looks, new Date());
      return { looked: looks.length, failed: failures.length };
    },
  };
};

const inMegabytes = ({ total, used, free }: { total: number; used: number; free: number }) => ({
  ...{ total: Math.floor(total / mebi), used: Math.floor(used / mebi), free: Math.floor(free / mebi) },
});

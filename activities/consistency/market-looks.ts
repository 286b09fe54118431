import type { Flaw } from '../../domain/consistency/evidence.js';
import {
  judgeMarket,
  type LyingApps,
  namedByApps,
  type SeenApp,
  type SeenMarket,
} from '../../domain/consistency/judge-markets.js';
import { appOfKey } from '../../domain/market/app-key.js';
import { portionsOf } from '../../domain/portions.js';
import { problemOf } from '../../domain/problems.js';
import { abortedAfter } from '../../schemas/common/aborted-after.js';
import type { Marketplace } from '../../schemas/market/marketplace.js';
import type { Store } from '../../store/store.js';
import type { Look, LookPorts, Looks } from './consistency-looks.js';

/** Marketplaces that are asked side by side, and apps of a read. */
const size = { markets: 8, apps: 500 };
/** How long a marketplace may take to say what lies in it, in milliseconds. */
const patience = 60_000;

type Asked = Pick<Marketplace, '_id' | 'name' | 'market_mad' | 'state'>;

/** How marketplaces are looked at, by the documents of their apps and by what lies in them. */
export const marketLooks = (ports: LookPorts): Record<'markets', Looks> => ({
  markets: {
    page: async (after) => {
      const from = typeof after === 'number' ? after : null;
      const found = await ports.store.consistency.markets.page({ after: from, limit: size.markets });
      const next = found.length < size.markets ? null : (found.at(-1)?._id ?? null);
      return { ...(await lookAtMarkets(ports, found)), next };
    },
    again: async (ids) => {
      const flaws: Flaw[] = [];
      const markets = ids.filter((id) => typeof id === 'number');
      for (const some of portionsOf(markets, size.markets))
        flaws.push(...(await lookAtMarkets(ports, await ports.store.marketplaces.byIds(some))).flaws);
      return flaws;
    },
  },
});

async function lookAtMarkets(ports: LookPorts, found: readonly Asked[]): Promise<Omit<Look, 'next'>> {
  const looks = await Promise.all(found.map((market) => lookAt(ports, market)));
  return {
    flaws: looks.flatMap(({ flaws }) => flaws),
    compared: { markets: looks.filter(({ answered }) => answered).length },
  };
}

/** The marketplace is asked first: an app is written down before the first byte of it is there. Operations are read last. */
async function lookAt(ports: LookPorts, market: Asked): Promise<{ flaws: Flaw[]; answered: boolean }> {
  const heard = await ask(ports, market);
  const lying = heard !== null && 'lying' in heard ? heard.lying : null;
  const apps = await appsAround(ports.store, market._id, lying ?? []);
  const operations = await ports.store.consistency.reads.statesOf(namedByApps(apps));
  const { _id, name } = market;
  return { flaws: judgeMarket({ _id, name, heard }, { operations, apps }), answered: lying !== null };
}

/** Those that are in a marketplace, and those of another one whose keys are there: two may share a bucket. */
async function appsAround({ consistency: { markets } }: Store, market: number, lying: LyingApps): Promise<SeenApp[]> {
  const found = new Map<number, SeenApp>();
  for (let after = -1, more = true; more; ) {
    const page = await markets.inMarket(market, { after, limit: size.apps });
    for (const app of page) found.set(app._id, app);
    after = page.at(-1)?._id ?? after;
    more = page.length === size.apps;
  }
  const others = lying.flatMap(({ key }) => appOfKey(key) ?? []).filter((id) => !found.has(id));
  for (const some of portionsOf([...new Set(others)], size.apps))
    for (const app of await markets.byIds(some)) found.set(app._id, app);
  return [...found.values()];
}

/** One that is disabled, or has only a catalogue of others, is not asked. */
async function ask(
  { markets, signal }: LookPorts,
  { _id: id, market_mad, state }: Asked,
): Promise<SeenMarket['heard']> {
  const market = markets.of({ market_mad });
  if (state !== 'READY' || !market.can.publish) return null;
  const bounded = abortedAfter(signal, patience);
  try {
    return { lying: await market.inventory({ id, market_mad }, bounded) };
  } catch (error) {
    signal.throwIfAborted();
    return { error: problemOf(error)?.message ?? `it took longer than ${patience / 1_000} s to say what is in it` };
  }
}

import type { Config } from '../../schemas/config.js';
import type { OpenObject, Sources } from '../storage/sources/port.js';
import { httpMarket } from './http/http.js';
import { oneMarket } from './one/one.js';
import type { MarketPlaces } from './places.js';
import type { Markets } from './port.js';
import { s3Market } from './s3/s3.js';

type MarketConfig = Pick<Config, 'ARCUS_MARKET_DIRS' | 'ARCUS_PUBLIC_MARKETPLACE'>;

/** The adapter of each marketplace, and what opens apps that have no address of their own. A new kind is a line here. */
export function markets(
  config: MarketConfig,
  places: MarketPlaces,
  sources: Sources,
): Markets & { openObject: OpenObject } {
  const s3 = s3Market(places);
  const adapters = {
    http: httpMarket(places, config.ARCUS_MARKET_DIRS),
    s3,
    one: oneMarket(places, sources, config.ARCUS_PUBLIC_MARKETPLACE),
  };
  return { of: ({ market_mad }) => adapters[market_mad], openObject: s3.open };
}

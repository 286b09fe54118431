import type { StepPorts } from '../activities/ports.js';
import { markets } from '../adapters/market/markets.js';
import { marketPlaces } from '../adapters/market/places.js';
import type { Sealer } from '../adapters/process/sealer.js';
import { bringIn } from '../adapters/storage/bring-in.js';
import { connectionsBy } from '../adapters/storage/connections.js';
import { sources } from '../adapters/storage/sources/sources.js';
import { storages } from '../adapters/storage/storages.js';
import type { Config } from '../schemas/config.js';
import type { Store } from '../store/store.js';

/** Where the bytes of images and apps are, and where they come from, as this worker is set. */
export function imagePorts(
  config: Config,
  store: Pick<Store, 'datastores' | 'marketplaces'>,
  sealer: Sealer,
): Pick<StepPorts, 'storages' | 'markets' | 'bringIn'> {
  const { openObject, ...all } = markets(config, marketPlaces(store.marketplaces.find, sealer.open), sources(config));
  const from = sources(config, openObject);
  return {
    storages: storages(config, connectionsBy(store.datastores.find, sealer.open)),
    markets: all,
    bringIn: (storage, claim, wanted, onProgress, signal) =>
      bringIn({ storage, sources: from }, claim, wanted, onProgress, signal),
  };
}

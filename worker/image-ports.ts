import type { StepPorts } from '../activities/ports.js';
import type { Sealer } from '../adapters/process/sealer.js';
import { bringIn } from '../adapters/storage/bring-in.js';
import { connectionsBy } from '../adapters/storage/connections.js';
import { sources } from '../adapters/storage/sources/sources.js';
import { storages } from '../adapters/storage/storages.js';
import type { Config } from '../schemas/config.js';
import type { Store } from '../store/store.js';

/** Where the bytes of images are, and where they come from, as this worker is set. */
export function imagePorts(
  config: Config,
  store: Pick<Store, 'datastores'>,
  sealer: Sealer,
): Pick<StepPorts, 'storages' | 'bringIn'> {
  const from = sources(config);
  return {
    storages: storages(config, connectionsBy(store.datastores.find, sealer.open)),
    bringIn: (storage, claim, wanted, onProgress, signal) =>
      bringIn({ storage, sources: from }, claim, wanted, onProgress, signal),
  };
}

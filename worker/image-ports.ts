import type { StepPorts } from '../activities/ports.js';
import { bringIn } from '../adapters/storage/bring-in.js';
import { sources } from '../adapters/storage/sources/sources.js';
import { storages } from '../adapters/storage/storages.js';
import type { Config } from '../schemas/config.js';

/** Where the bytes of images are, and where they come from, as this worker is set. */
export function imagePorts(config: Config): Pick<StepPorts, 'storages' | 'bringIn'> {
  const from = sources(config);
  return {
    storages: storages(config),
    bringIn: (storage, claim, wanted, onProgress, signal) =>
      bringIn({ storage, sources: from }, claim, wanted, onProgress, signal),
  };
}

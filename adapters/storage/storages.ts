import { join, resolve } from 'node:path';
import type { Config } from '../../schemas/config.js';
import type { StorageKind } from '../../schemas/storage/stored.js';
import { fsStorage } from './fs/fs.js';
import type { Storage, Storages } from './port.js';
import { simulatedStorage } from './simulated/simulated.js';

type StorageConfig = Pick<Config, 'ARCUS_HOME' | 'ARCUS_DATASTORES'>;

/** The directory below which datastores lie. */
export const datastoresOf = ({ ARCUS_HOME: home, ARCUS_DATASTORES: base }: StorageConfig): string =>
  resolve(base ?? join(home, 'datastores'));

/** A new kind is a line here. */
const adapters: { [K in StorageKind]: (base: string) => Storage<K> } = {
  fs: fsStorage,
  simulated: simulatedStorage,
};

/** The adapter of each datastore. */
export function storages(config: StorageConfig): Storages {
  const base = datastoresOf(config);
  const made = new Map<StorageKind, Storage>();
  return {
    of({ ds_mad }) {
      const adapter = made.get(ds_mad) ?? adapters[ds_mad](base);
      made.set(ds_mad, adapter);
      return adapter;
    },
  };
}

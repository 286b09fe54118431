import { join, resolve } from 'node:path';
import type { Config } from '../../schemas/config.js';
import type { StorageKind } from '../../schemas/storage/stored.js';
import { fsStorage } from './fs/fs.js';
import type { Storage, Storages } from './port.js';
import type { S3Connections } from './s3/connection.js';
import { s3Storage } from './s3/s3.js';
import { simulatedStorage } from './simulated/simulated.js';
import type { SshConnections } from './ssh/connection.js';
import { sshStorage } from './ssh/ssh.js';

type StorageConfig = Pick<Config, 'ARCUS_HOME' | 'ARCUS_DATASTORES'>;

/** The directory below which datastores lie. */
export const datastoresOf = ({ ARCUS_HOME: home, ARCUS_DATASTORES: base }: StorageConfig): string =>
  resolve(base ?? join(home, 'datastores'));

/** How datastores are reached that are not here. */
export type Connections = { s3: S3Connections; ssh: SshConnections };
type Given = { base: string; home: string; connections: Connections };

/** A new kind is a line here. */
const adapters: { [K in StorageKind]: (given: Given) => Storage<K> } = {
  fs: ({ base }) => fsStorage(base),
  simulated: ({ base }) => simulatedStorage(base),
  s3: ({ base, connections }) => s3Storage(base, connections.s3),
  ssh: ({ home, connections }) => sshStorage(home, connections.ssh),
};

/** The adapter of each datastore. */
export function storages(config: StorageConfig, connections: Connections): Storages {
  const given = { base: datastoresOf(config), home: resolve(config.ARCUS_HOME), connections };
  const made = new Map<StorageKind, Storage>();
  return {
    of({ ds_mad }) {
      const adapter = made.get(ds_mad) ?? adapters[ds_mad](given);
      made.set(ds_mad, adapter);
      return adapter;
    },
  };
}

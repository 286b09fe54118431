import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storages } from '../../adapters/storage/storages.js';
import type { StorageKind } from '../../schemas/storage/stored.js';
import { type StorageWorld, storageContract } from './storage-contract.js';

function worldOf(ds_mad: StorageKind): StorageWorld {
  const base = mkdtempSync(join(tmpdir(), 'arcus-storage-'));
  let last = 100_000;
  return {
    storage: storages({ ARCUS_HOME: base, ARCUS_DATASTORES: base }).of({ ds_mad }),
    base,
    newDatastore: () => ({ id: ++last, ds_mad }),
    close: () => rmSync(base, { recursive: true, force: true }),
  };
}

storageContract('fs', () => worldOf('fs'));
storageContract('simulated', () => worldOf('simulated'));

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storages } from '../../adapters/storage/storages.js';
import { StorageKind } from '../../schemas/storage/stored.js';
import { allHere } from '../support/no-storages.js';
import { contextContract } from './context-contract.js';
import { diskContract } from './disk-contract.js';
import { type StorageWorld, storageContract } from './storage-contract.js';

function worldOf(ds_mad: StorageKind): StorageWorld {
  const base = mkdtempSync(join(tmpdir(), 'arcus-storage-'));
  let last = 100_000;
  return {
    storage: storages({ ARCUS_HOME: base, ARCUS_DATASTORES: base }, allHere).of({ ds_mad }),
    base,
    newDatastore: () => ({ id: ++last, ds_mad }),
    close: () => rmSync(base, { recursive: true, force: true }),
  };
}

// Those elsewhere need a server: s3-storage, ssh-storage.
for (const kind of StorageKind.exclude(['s3', 'ssh']).options) {
  storageContract(kind, () => worldOf(kind));
  diskContract(kind, () => worldOf(kind));
  contextContract(kind, () => worldOf(kind));
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { sshStorage } from '../../adapters/storage/ssh/ssh.js';
import { Sshd } from '../support/sshd.js';
import { contextContract } from './context-contract.js';
import { diskContract } from './disk-contract.js';
import { type StorageWorld, storageContract } from './storage-contract.js';

let server: Sshd;
beforeAll(async () => {
  server = await Sshd.start();
});
afterAll(() => server?.stop());

let last = 100_000;
function worldOf(): StorageWorld {
  const base = mkdtempSync(join(tmpdir(), 'arcus-ssh-storage-'));
  const connection = server.connection({ directory: base });
  return {
    storage: sshStorage(base, async () => connection),
    base,
    newDatastore: () => ({ id: ++last, ds_mad: 'ssh' }),
    close: () => rmSync(base, { recursive: true, force: true }),
  };
}

// Each program is a session of its own there: what takes nothing elsewhere takes a minute.
storageContract('ssh', worldOf, 4);
diskContract('ssh', worldOf, 4);
contextContract('ssh', worldOf);

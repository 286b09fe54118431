import { createSealer } from '../../adapters/process/sealer.js';
import type { Storages } from '../../adapters/storage/port.js';
import type { Connections } from '../../adapters/storage/storages.js';

const nowhere = async (): Promise<never> => {
  throw new Error('a datastore elsewhere was asked for where none is');
};
/** None is in S3 or on another machine. */
export const allHere: Connections = { s3: nowhere, ssh: nowhere };

/** Datastores that nobody asks for. */
export const noStorages: Storages = {
  of: () => {
    throw new Error('a datastore was asked for where none is');
  },
};

/** There are no keys yet, and none can be made: not even by root. */
export const noSealer = createSealer({ ARCUS_HOME: '/proc/nonexistent', ARCUS_SECRETS_KEY_FILE: undefined });

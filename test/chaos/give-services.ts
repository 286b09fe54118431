import { z } from 'zod';
import { Problem } from '../../domain/problems.js';
import { createOperations } from '../../requests/operations.js';
import { createDirectory, type MongodbDirectory } from '../../store/identity/mongodb-directory.js';
import { idleEngine } from '../support/idle-engine.js';
import { noSealer, noStorages } from '../support/no-storages.js';
import { race } from './racer.js';

const oneadmin = { id: 0, name: 'oneadmin', gid: 0, groups: [0], rules: [] };
let directory: MongodbDirectory | undefined;

/** Gives a service away, or shares it with its group; answers whether that was possible. */
await race(z.object({ service: z.int(), uid: z.int().nullable() }), async (store, { service, uid }) => {
  directory ??= createDirectory(store.connection);
  const { service: services } = createOperations({
    ...{
      store,
      directory,
      engine: idleEngine,
      settings: { temporalUiUrl: undefined, failedLogins: 10 },
      storages: noStorages,
      sealer: noSealer,
    },
    onDelayed: () => {},
  }).ownership;
  try {
    if (uid === null) await services.chmod(oneadmin, service, { octet: '640' });
    else await services.chown(oneadmin, service, { uid });
    return true;
  } catch (error) {
    if (error instanceof Problem && error.code === 'operation_in_progress') return false;
    throw error;
  }
});

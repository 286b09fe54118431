import { z } from 'zod';
import { deploymentActivities } from '../../activities/services/deployment.js';
import { createOperations } from '../../requests/operations.js';
import { createDirectory, type MongodbDirectory } from '../../store/identity/mongodb-directory.js';
import { idleEngine } from '../support/idle-engine.js';
import { noSealer, noStorages } from '../support/no-storages.js';
import { race } from './racer.js';

const oneadmin = { id: 0, name: 'oneadmin', gid: 0, groups: [0], rules: [] };
const admission = { requestId: 'race' };
let directory: MongodbDirectory | undefined;

/**
 * Terminates a VM of a service, or recovers that: admits the deployment, makes VMs of a role as its run does, and ends it.
 * Answers whose the operation was when it was admitted.
 */
await race(z.object({ service: z.int(), role: z.string().nullable(), vm: z.int() }), async (store, task) => {
  const { service, role, vm } = task;
  directory ??= createDirectory(store.connection);
  const operations = createOperations({
    ...{
      store,
      directory,
      engine: idleEngine,
      settings: { temporalUiUrl: undefined, failedLogins: 10 },
      storages: noStorages,
      sealer: noSealer,
    },
    onDelayed: () => {},
  });
  const { id: op } =
    role === null
      ? await operations.vms.terminate(oneadmin, vm, { hard: false }, admission)
      : await operations.services.recover(oneadmin, service, {}, admission);
  const uid = (await store.operations.find(op))?.uid;
  if (role === null) return uid;
  await store.operations.claim(op, 'a-run');
  await store.services.begin(service, op, 'deploy');
  const settings = { vmNameTemplate: '$ROLE_NAME-$VM_NUMBER', shutdownAction: 'terminate' } as const;
  await deploymentActivities({ store, settings, directory }).startRoles({ op, service, roles: [{ role, step: 1 }] });
  await store.endings.end(op, { state: 'failed', error: { code: 'roles_failed', detail: 'that was all' } });
  return uid;
});

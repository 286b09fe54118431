import { z } from 'zod';
import { problemOf } from '../../domain/problems.js';
import { createOperations } from '../../requests/operations.js';
import { createDirectory, type MongodbDirectory } from '../../store/identity/mongodb-directory.js';
import { idleEngine } from '../support/idle-engine.js';
import { noSealer, noStorages } from '../support/no-storages.js';
import { race } from './racer.js';

/** Administrators, each with a turn of its own: those of one wait for each other. */
const administrator = (id: number) => ({ id, name: `admin-${id}`, gid: 0, groups: [0], rules: [] });
const admission = { requestId: 'race' };
let directory: MongodbDirectory | undefined;

const Ask = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('scale'), service: z.int(), role: z.string(), cardinality: z.int() }),
  z.object({ ask: z.literal('undeploy'), service: z.int() }),
  z.object({ ask: z.literal('recover'), service: z.int() }),
  z.object({ ask: z.literal('end'), vm: z.int() }),
]);

/** Asks something of a service as a request does, or ends a VM of it that is on its way out; answers how that came out. */
await race(Ask, async (store, task) => {
  const caller = administrator(task.ask === 'end' ? 0 : 1_000 + task.service);
  directory ??= createDirectory(store.connection);
  const { scaling, services } = createOperations({
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
  try {
    switch (task.ask) {
      case 'scale': {
        const { service, role, cardinality } = task;
        return (await scaling.scale(caller, service, role, { cardinality }, admission)).id;
      }
      case 'undeploy':
        return (await services.undeploy(caller, task.service, {}, admission)).id;
      case 'recover':
        return (await services.recover(caller, task.service, {}, admission)).id;
      case 'end': {
        const vm = await store.vms.find(task.vm);
        if (vm) await store.vms.transition([{ vm, event: 'done', release: true }]);
        return 'ended';
      }
    }
  } catch (error) {
    const problem = problemOf(error);
    if (!problem) throw error;
    return problem.code;
  }
});

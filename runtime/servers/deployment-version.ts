import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { clientConnection, namespacesOf, type TemporalAccess } from '../../adapters/engine/access.js';
import { built } from '../../adapters/process/checkout.js';
import { deploymentName } from '../../schemas/config.js';
import { Obstacle, reasonOf } from '../processes/obstacle.js';

/** The version of the worker deployment that `dist/` holds: written by the build. */
export const builtVersion = (): string => readFileSync(built('build-id'), 'utf8').trim();

async function setCurrent(connection: Connection, namespace: string, buildId: string): Promise<void> {
  await connection.workflowService.setWorkerDeploymentCurrentVersion({
    namespace,
    deploymentName,
    buildId,
    identity: 'arcus-runtime',
    // Queues that only the version before served must not keep this one from being current: nothing would run at all.
    ignoreMissingTaskQueues: true,
  });
}

/**
 * Makes a version current in every namespace, so that its workers get tasks. It is known to Temporal only once a worker of
 * it polls: tried again until then, for `patience` milliseconds.
 */
export async function makeVersionCurrent(access: TemporalAccess, buildId: string, patience: number): Promise<void> {
  const connection = await Connection.connect(clientConnection(access));
  try {
    const until = Date.now() + patience;
    for (const namespace of Object.values(namespacesOf(access))) {
      for (;;) {
        try {
          await setCurrent(connection, namespace, buildId);
          break;
        } catch (error) {
          if (Date.now() > until)
            throw new Obstacle(`version ${buildId} of the workers cannot be made current: ${reasonOf(error)}`);
          await sleep(200);
        }
      }
    }
  } finally {
    await connection.close();
  }
}

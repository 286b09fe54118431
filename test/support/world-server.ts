import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { inject } from 'vitest';
import type { Namespaces } from '../../adapters/engine/access.js';
import { searchAttributes } from '../../adapters/engine/temporal.js';
import { built } from '../../adapters/process/checkout.js';
import { choosePort } from '../../runtime/processes/ports.js';
import { makeVersionCurrent } from '../../runtime/servers/deployment-version.js';
import { ensureNamespaces } from '../../runtime/servers/prepare-temporal.js';
import { startTemporal } from '../../runtime/servers/temporal-server.js';
import { namespaces } from '../../schemas/config.js';
import { ownTemporal, timeSkippingServer } from './servers.js';

/** What a world has of Temporal, its own alone: its workers, and what it skips, disturb nobody else. */
export type WorldServer = {
  address: string;
  namespaces: Namespaces;
  connection: NativeConnection;
  /** Lets the worker's version have tasks, once it polls. */
  welcome: () => Promise<void>;
  /** Time passes at once where nothing is at work, until the promise settles. */
  skipping: <T>(during: Promise<T>) => Promise<T>;
  stop: () => Promise<void>;
};

// Failures are what these tests are about: a worker's warnings of each would bury the report.
Runtime.install({ logger: new DefaultLogger('ERROR') });

export const builtBundle = { codePath: built('workflow-bundle.js') };
export const builtVersion = (): string => readFileSync(built('build-id'), 'utf8').trim();

/** For sequences, failures and long timers. It knows no schedules, search attributes or versions. */
export async function timeSkipping(): Promise<WorldServer> {
  const environment = await TestWorkflowEnvironment.createTimeSkipping({ server: timeSkippingServer() });
  const { testService, operatorService } = environment.connection;
  if (!testService) throw new Error('the server does not skip time');
  // It cannot look for search attributes, yet refuses those that it was not told of: once, for all its namespaces.
  const known = Object.values(searchAttributes).map(({ name, type }) => [name, type === 'INT' ? 3 : 2]);
  const searchAttributesByName = Object.fromEntries(known);
  await operatorService.addSearchAttributes({
    namespace: namespaces.operations,
    searchAttributes: searchAttributesByName,
  });
  return {
    address: environment.address,
    namespaces,
    connection: environment.nativeConnection,
    welcome: async () => {},
    skipping: async (during) => {
      await testService.unlockTimeSkipping({});
      try {
        return await during;
      } finally {
        await testService.lockTimeSkipping({});
      }
    },
    stop: () => environment.teardown(),
  };
}

/** The server that operators have, as all of the run share it: namespaces of one's own. Its time passes as it does for them. */
export async function development(): Promise<WorldServer> {
  const { address, namespaces: own } = await ownTemporal('world');
  const connection = await NativeConnection.connect({ address });
  return developmentAt({ address, namespaces: own, connection, stop: () => connection.close() });
}

/** The same as a process of one's own: for what floods it, and for histories, in which the names of its namespaces stand. */
export async function wholeDevelopment(): Promise<WorldServer> {
  const [port, uiPort] = [await choosePort(), await choosePort()];
  const directory = mkdtempSync(join(tmpdir(), 'arcus-test-'));
  const server = await startTemporal({ binary: inject('temporalPath'), directory, port, uiPort });
  const { address } = server;
  const client = await Connection.connect({ address });
  await ensureNamespaces(client);
  await client.close();
  const connection = await NativeConnection.connect({ address });
  const stop = async () => {
    await connection.close();
    await server.stop();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  return developmentAt({ address, namespaces, connection, stop });
}

const developmentAt = (part: Omit<WorldServer, 'welcome' | 'skipping'>): WorldServer => ({
  ...part,
  welcome: () => makeVersionCurrent(part, builtVersion(), 300_000),
  skipping: (during) => during,
});

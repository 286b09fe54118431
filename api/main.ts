import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import mongoose from 'mongoose';
import type { Logger } from 'pino';
import { createIdentity, type Identity } from '../operations/identity.js';
import { createOperations } from '../operations/operations.js';
import { namespaces } from '../schemas/config.js';
import { createStore } from '../store/store.js';
import { createUserStore } from '../store/users.js';
import { createApp } from './app.js';
import type { Probes } from './health.js';
import { createLogger } from './log.js';
import { createMetrics } from './metrics.js';
import { close, listen } from './serve.js';
import { readSettings, type Settings } from './settings.js';
import { readVersion } from './version.js';

/** Time from the signal to the end of the process, whatever hangs. */
const longestDrain = 10_000;

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const logger = createLogger(settings.ARCUS_LOG_LEVEL);
  const mongodb = await connectMongodb(settings);
  // Lazy: the API starts and accepts operations when Temporal is not there; they begin when it is.
  const connection = Connection.lazy({ address: settings.ARCUS_TEMPORAL_ADDRESS });
  const temporal = new Client({ connection, namespace: namespaces.operations });

  const identity = createIdentity({ users: createUserStore(mongodb) });
  await greetOneadmin(identity, settings.ARCUS_HOME);
  const operations = createOperations({ store: createStore(mongodb), temporal });

  let draining = false;
  const app = createApp({
    operations,
    identity,
    probes: probesOf(mongodb, connection),
    metrics: createMetrics(),
    logger,
    version: readVersion(),
    isDraining: () => draining,
  });
  const server = await listen(app, settings.ARCUS_PORT, settings.ARCUS_LISTEN);
  logger.info({ address: server.address() }, 'listening');

  const drain = async (signal: string) => {
    if (draining) return;
    draining = true;
    logger.info({ signal }, 'draining');
    setTimeout(() => process.exit(1), longestDrain).unref();
    await close(server);
    await operations.drain();
    await Promise.allSettled([mongodb.close(), connection.close()]);
    logger.info('ended');
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      drain(signal).catch((error: unknown) => fail(logger, error));
    });
  }
}

async function connectMongodb({ ARCUS_MONGODB_URI }: Settings): Promise<mongoose.Connection> {
  const connection = mongoose.createConnection(ARCUS_MONGODB_URI, {
    bufferCommands: false,
    autoIndex: false,
    serverSelectionTimeoutMS: 5_000,
  });
  try {
    return await connection.asPromise();
  } catch (cause) {
    throw new Error('MongoDB does not answer at ARCUS_MONGODB_URI.', { cause });
  }
}

/** The home's file makes the first user; without one (several api processes, one bootstrap) somebody else has. */
async function greetOneadmin(identity: Identity, home: string): Promise<void> {
  const text = await readFile(join(home, 'auth'), 'utf8').catch(() => '');
  const [, password] = /^oneadmin:(.+)$/m.exec(text) ?? [];
  if (password !== undefined) await identity.ensureOneadmin(password);
}

function probesOf(mongodb: mongoose.Connection, temporal: Connection): Probes {
  return {
    mongodb: async (signal) => {
      const answer = await mongodb.getClient().db().command({ hello: 1 }, { signal });
      if (answer.isWritablePrimary !== true) throw new Error('MongoDB has no primary');
    },
    temporal: async (signal) => {
      await temporal.withAbortSignal(signal, () => temporal.workflowService.getSystemInfo({}));
    },
  };
}

function fail(logger: Pick<Logger, 'fatal'>, error: unknown): void {
  logger.fatal({ err: error }, error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(`arcus: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});

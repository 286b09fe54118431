import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import type { Express } from 'express';
import type { Connection as MongodbConnection } from 'mongoose';
import { pino } from 'pino';
import request from 'supertest';
import { inject } from 'vitest';
import type { Engine } from '../../adapters/engine/port.js';
import { temporalEngine } from '../../adapters/engine/temporal.js';
import { createMetrics } from '../../api/http/metrics.js';
import { apiRoot } from '../../api/native/route.js';
import { ensureOneadmin } from '../../requests/identity/first-user.js';
import { createIdentity } from '../../requests/identity/identity.js';
import { createOperations } from '../../requests/operations.js';
import { choosePort } from '../../runtime/processes/ports.js';
import { ensureNamespaces } from '../../runtime/servers/prepare-temporal.js';
import { startTemporal } from '../../runtime/servers/temporal-server.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { createDirectory, type MongodbDirectory } from '../../store/identity/mongodb-directory.js';
import { connectMongodb, pingMongodb } from '../../store/mongo/connection.js';
import { createStore, type Store } from '../../store/store.js';
import { addUser } from '../support/people.js';
import { ownDatabaseUri } from '../support/servers.js';
import { type AppParts, createApp } from './native-app.js';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The real app over a MongoDB database and a Temporal of its own, without workers: what is accepted stays accepted. */
export type World = {
  app: Express;
  /** What the app is made of: what another face is made of, too. */
  parts: AppParts;
  store: Store;
  directory: MongodbDirectory;
  mongodb: MongodbConnection;
  /** Where the servers are, for a process that is to serve the same. */
  addresses: { mongodb: string; temporal: string };
  /** A request of a user, whose password is his name unless another secret is given; paths are below /api/v1. */
  ask: (who: string, method: Method, path: string, body?: object, secret?: string) => request.Test;
  /** A request with a token. */
  bearer: (token: string, method: Method, path: string, body?: object) => request.Test;
  /** Everything that is stored, but for the counters, which may have gaps. */
  contents: () => Promise<Record<string, unknown[]>>;
  stop: () => Promise<void>;
};

const nowhere = '127.0.0.1:1';

/**
 * `withTemporal: false`: nothing listens where Temporal should be, unless there is another engine in its place. `log`: is
 * given the lines of the log.
 */
export async function createWorld({
  withTemporal,
  engine: other,
  beside,
  log,
}: {
  withTemporal: boolean;
  engine?: Engine;
  /** One whose database and Temporal this shares, as a second api process does; that is to be stopped after this. */
  beside?: World;
  log?: string[];
}): Promise<World> {
  const temporal = withTemporal ? await ownTemporal() : undefined;
  const uri = beside?.addresses.mongodb ?? ownDatabaseUri('api');
  if (!beside) await makeIndexes(uri);
  const mongodb = await connectMongodb(uri);
  const directory = createDirectory(mongodb);
  const store = createStore(mongodb);
  const identity = createIdentity({ directory, failedLogins: 10 });
  await ensureOneadmin(directory, 'oneadmin');
  if (!beside) for (const name of ['alice', 'bob']) await addUser(directory, name);
  const temporalAddress = temporal?.address ?? beside?.addresses.temporal ?? nowhere;
  const engine = temporalEngine({ address: temporalAddress });
  const parts: AppParts = {
    operations: createOperations({
      store,
      directory,
      engine: other ?? engine,
      settings: { temporalUiUrl: 'http://temporal.test', failedLogins: 10 },
      onDelayed: () => {},
    }),
    identity,
    probes: {
      mongodb: () => pingMongodb(mongodb),
      temporal: async () => {
        if (!(await engine.reachable())) throw new Error('no Temporal');
      },
    },
    metrics: createMetrics(),
    logger: log ? pino({ level: 'trace' }, { write: (line: string) => log.push(line) }) : pino({ level: 'silent' }),
    version: '0.0.0',
    isDraining: () => false,
  };
  const app = createApp(parts);
  return {
    app,
    parts,
    store,
    directory,
    mongodb,
    addresses: { mongodb: uri, temporal: temporalAddress },
    ask: (who, method, path, body, secret = who) => {
      const asked = request(app)
        [method](apiRoot + path)
        .auth(who, secret);
      return body === undefined ? asked : asked.send(body);
    },
    bearer: (token, method, path, body) => {
      const asked = request(app)
        [method](apiRoot + path)
        .set('Authorization', `Bearer ${token}`);
      return body === undefined ? asked : asked.send(body);
    },
    contents: async () => {
      const database = mongodb.getClient().db(mongodb.name);
      const names = (await database.listCollections().toArray())
        .map(({ name }) => name)
        // Ids that were tried, and who has signed in from where: neither is what anybody asked for. Those of MongoDB itself are not ours.
        .filter((n) => n !== 'counters' && n !== 'known_logins' && !n.startsWith('system.'));
      const read = await Promise.all(
        names
          .sort()
          .map(async (name) => [name, await database.collection(name).find().sort({ _id: 1 }).toArray()] as const),
      );
      return Object.fromEntries(read);
    },
    stop: async () => {
      // Without a server the client's retries are pending, and one that fires after the close throws.
      if (temporalAddress !== nowhere) await engine.close();
      if (!beside) await mongodb.dropDatabase();
      await mongodb.close();
      await temporal?.stop();
    },
  };
}

async function makeIndexes(uri: string): Promise<void> {
  const connection = await connectMongodb(uri);
  await bootstrapStore(connection);
  await connection.close();
}

async function ownTemporal(): Promise<{ address: string; stop: () => Promise<void> }> {
  const [port, uiPort] = [await choosePort(), await choosePort()];
  const directory = mkdtempSync(join(tmpdir(), 'arcus-test-'));
  const server = await startTemporal({ binary: inject('temporalPath'), directory, port, uiPort });
  const connection = await Connection.connect({ address: server.address });
  await ensureNamespaces(connection);
  await connection.close();
  return {
    address: server.address,
    stop: async () => {
      await server.stop();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Express } from 'express';
import type { Connection as MongodbConnection } from 'mongoose';
import { pino } from 'pino';
import request from 'supertest';
import { z } from 'zod';
import type { Engine } from '../../adapters/engine/port.js';
import { temporalEngine } from '../../adapters/engine/temporal.js';
import type { Screens } from '../../adapters/hypervisor/screens.js';
import { createSealer, type Sealer } from '../../adapters/process/sealer.js';
import { connectionsBy } from '../../adapters/storage/connections.js';
import { storages } from '../../adapters/storage/storages.js';
import { createMetrics } from '../../api/http/metrics.js';
import { close, listen } from '../../api/http/serve.js';
import { problemRefusal } from '../../api/native/problem-refusal.js';
import { apiRoot } from '../../api/native/route.js';
import { ensureOneadmin } from '../../requests/identity/first-user.js';
import { createIdentity } from '../../requests/identity/identity.js';
import { createOperations } from '../../requests/operations.js';
import { namespaces } from '../../schemas/config.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { createDirectory, type MongodbDirectory } from '../../store/identity/mongodb-directory.js';
import { connectMongodb, pingMongodb } from '../../store/mongo/connection.js';
import { createStore, type Store } from '../../store/store.js';
import { addUser } from '../support/people.js';
import { type OwnTemporal, ownDatabaseUri, ownTemporal } from '../support/servers.js';
import { type AppParts, createApp } from './native-app.js';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The real app over a database and a part of Temporal of its own, without workers: what is accepted stays accepted. */
export type World = {
  app: Express;
  /** The app, listening: one that does not is made to for each request, which costs more than many of them. */
  server: Server;
  /** What the app is made of: what another face is made of, too. */
  parts: AppParts;
  store: Store;
  directory: MongodbDirectory;
  /** With its keys below `home`, as the datastores are. */
  sealer: Sealer;
  home: string;
  mongodb: MongodbConnection;
  /** Where the servers are, for a process that is to serve the same. */
  addresses: { mongodb: string; temporal: OwnTemporal };
  /** A request of a user, whose password is his name unless another secret is given; paths are below /api/v1. */
  ask: (who: string, method: Method, path: string, body?: object, secret?: string) => request.Test;
  /** A request with a token. */
  bearer: (token: string, method: Method, path: string, body?: object) => request.Test;
  /**
   * What is stored, as a digest of each collection that the server makes. Without the counters, which may have gaps, and the
   * traces of who has signed in from where.
   */
  digests: () => Promise<Record<string, string>>;
  stop: () => Promise<void>;
};

const Digests = z.record(z.string(), z.string());

const nowhere: OwnTemporal = { address: '127.0.0.1:1', namespaces };

/**
 * `withTemporal: false`: nothing listens where Temporal should be, unless there is another engine in its place. `log`: is
 * given the lines of the log.
 */
export async function createWorld({
  withTemporal,
  engine: other,
  beside,
  log,
  screens,
}: {
  withTemporal: boolean;
  engine?: Engine;
  /** One whose database and Temporal this shares, as a second api process does; that is to be stopped after this. */
  beside?: World;
  log?: string[];
  /** Of guests; absent: none is reached. */
  screens?: Screens;
}): Promise<World> {
  const temporal = withTemporal ? await ownTemporal('api') : (beside?.addresses.temporal ?? nowhere);
  const uri = beside?.addresses.mongodb ?? ownDatabaseUri('api');
  if (!beside) await makeIndexes(uri);
  const mongodb = await connectMongodb(uri);
  const directory = createDirectory(mongodb);
  const store = createStore(mongodb);
  const identity = createIdentity({ directory, failedLogins: 10 });
  await ensureOneadmin(directory, 'oneadmin');
  if (!beside) for (const name of ['alice', 'bob']) await addUser(directory, name);
  const engine = temporalEngine(temporal);
  const home = mkdtempSync(join(tmpdir(), 'arcus-api-'));
  const sealer = createSealer({ ARCUS_HOME: home, ARCUS_SECRETS_KEY_FILE: undefined });
  const parts: AppParts = {
    operations: createOperations({
      store,
      directory,
      engine: other ?? engine,
      storages: storages(
        { ARCUS_HOME: home, ARCUS_DATASTORES: undefined },
        connectionsBy(store.datastores.find, sealer.open),
      ),
      sealer,
      ...(screens && { screens }),
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
  const server = await listen(app, { port: 0, address: '127.0.0.1', refusalOf: problemRefusal });
  return {
    app,
    server,
    parts,
    store,
    directory,
    sealer,
    home,
    mongodb,
    addresses: { mongodb: uri, temporal },
    ask: (who, method, path, body, secret = who) => {
      const asked = request(server)
        [method](apiRoot + path)
        .auth(who, secret);
      return body === undefined ? asked : asked.send(body);
    },
    bearer: (token, method, path, body) => {
      const asked = request(server)
        [method](apiRoot + path)
        .set('Authorization', `Bearer ${token}`);
      return body === undefined ? asked : asked.send(body);
    },
    digests: async () => {
      const { collections } = await mongodb.getClient().db(mongodb.name).command({ dbHash: 1 });
      const { counters: _drawn, known_logins: _known, ...compared } = Digests.parse(collections);
      return compared;
    },
    stop: async () => {
      // Without a server the client's retries are pending, and one that fires after the close throws.
      await close(server);
      if (temporal !== nowhere) await engine.close();
      if (!beside) await mongodb.dropDatabase();
      await mongodb.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function makeIndexes(uri: string): Promise<void> {
  const connection = await connectMongodb(uri);
  await bootstrapStore(connection);
  await connection.close();
}

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { z } from 'zod';
import { awaitReady } from './await-ready.js';
import { type Child, type ChildCommand, Children } from './children.js';

export type MongoSettings = {
  /** Path of mongod. */
  binary: string;
  /** Directory of its data and log; made when missing. */
  directory: string;
  port: number;
};

/** A running server: `uri` names no database, `databaseUri` does. */
export type MongoServer = {
  uri: string;
  databaseUri: (name: string) => string;
  pid: number;
  stop: () => Promise<void>;
};

const replicaSet = 'rs0';

/**
 * Seconds that a transaction may stay open. Ours take milliseconds; that of a process which was killed stays until then, and
 * whoever wants what it has written waits for it. MongoDB's default is a minute.
 */
const transactionLifetime = 5;

/** Its configuration as the server keeps it; what is not named is kept as it is. */
const ReplicaSet = z.looseObject({ version: z.number(), members: z.array(z.looseObject({ host: z.string() })) });

/** The address of one database of a server that this machine runs. */
export const mongoUri = (port: number, database = ''): string =>
  `mongodb://127.0.0.1:${port}/${database}?replicaSet=${replicaSet}`;

/** The command that runs a replica set's only member, with its data in `directory`. */
export function mongoCommand({ binary, directory, port }: MongoSettings, log: string): ChildCommand {
  const data = join(directory, 'data');
  mkdirSync(data, { recursive: true });
  return {
    name: 'MongoDB',
    command: binary,
    args: [
      ...['--dbpath', data, '--port', String(port), '--bind_ip', '127.0.0.1', '--replSet', replicaSet],
      ...['--wiredTigerCacheSizeGB', '0.5', '--quiet'],
      ...['--setParameter', `transactionLifetimeLimitSeconds=${transactionLifetime}`],
      // Up to 200 MB of diagnostics for the vendor; that they cannot be written (the disk is full) ends the server.
      ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
      ...(process.platform === 'win32' ? [] : ['--nounixsocket']),
    ],
    log,
  };
}

type Client = InstanceType<typeof mongoose.mongo.MongoClient>;

async function withClient<T>(uri: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new mongoose.mongo.MongoClient(uri, { serverSelectionTimeoutMS: 2_000, connectTimeoutMS: 2_000 });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Throws unless a primary answers at the address. Returns the server's version. */
export function probeMongo(uri: string): Promise<string> {
  return withClient(uri, async (client) => {
    const hello = await client.db('admin').command({ hello: 1 });
    if (hello.isWritablePrimary !== true) throw new Error('no primary yet');
    const { version } = await client.db('admin').command({ buildInfo: 1 });
    return String(version);
  });
}

/** Makes the server the primary of a replica set of one, under the port that it has now. May be called again. */
async function ensurePrimary(port: number): Promise<void> {
  await withClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, async (client) => {
    const admin = client.db('admin');
    const host = `127.0.0.1:${port}`;
    const stored = await client.db('local').collection('system.replset').findOne({});
    if (stored === null) {
      await admin.command({ replSetInitiate: { _id: replicaSet, members: [{ _id: 0, host }] } });
    } else {
      const { version, members, ...rest } = ReplicaSet.parse(stored);
      const [member] = members;
      if (member?.host !== host)
        await admin.command({
          replSetReconfig: { ...rest, version: version + 1, members: [{ ...member, host }] },
          force: true,
        });
    }
    const hello = await admin.command({ hello: 1 });
    if (hello.isWritablePrimary !== true) throw new Error('no primary yet');
  });
}

/** Waits until the child takes writes. */
export function awaitMongo(child: Child, log: string, port: number): Promise<void> {
  return awaitReady(child, log, 60_000, () => ensurePrimary(port));
}

/** Starts a replica set of one and waits until it takes writes. It ends with this process, however that ends. */
export async function startMongo(settings: MongoSettings): Promise<MongoServer> {
  mkdirSync(settings.directory, { recursive: true });
  const children = new Children(join(settings.directory, 'children.json'));
  const log = join(settings.directory, 'mongod.log');
  const child = children.start(mongoCommand(settings, log));
  const stop = async () => {
    await children.end(child, 15_000);
    children.release();
  };
  try {
    await awaitMongo(child, log, settings.port);
  } catch (error) {
    await stop();
    throw error;
  }
  const databaseUri = (name: string) => mongoUri(settings.port, name);
  return { uri: mongoUri(settings.port), databaseUri, pid: child.pid, stop };
}

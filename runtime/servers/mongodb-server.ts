import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Child, type ChildCommand, Children } from '../processes/children.js';
import { awaitReady } from './await-ready.js';
import type { MongodData } from './mongod-lines.js';
import {
  ensureUser,
  type MongoAccess,
  mongoAccess,
  mongoUri,
  type Roles,
  replicaSet,
  rolesOfArcus,
  systemUri,
  withMongo,
} from './mongodb-access.js';

export type MongoSettings = {
  /** Path of mongod. */
  binary: string;
  /** Directory of its data and log; made when missing. */
  directory: string;
  port: number;
  /** Directory of its key and of Arcus's password; absent: `directory`. Members of one replica set share it. */
  secrets?: string;
  /** What else mongod is told. */
  more?: readonly string[];
};

/** A running server: `uri` names no database, `databaseUri` does. */
export type MongoServer = {
  access: MongoAccess;
  uri: string;
  databaseUri: (name: string) => string;
  pid: number;
  stop: () => Promise<void>;
};

/**
 * Seconds that a transaction may stay open. Ours take milliseconds; that of a process which was killed stays until then, and
 * whoever wants what it has written waits for it. MongoDB's default is a minute.
 */
const transactionLifetime = 5;

/** Its configuration as the server keeps it; what is not named is kept as it is. */
const ReplicaSet = z.looseObject({ version: z.number(), members: z.array(z.looseObject({ host: z.string() })) });

/** What lets its users in; made when it is missing. */
export const accessOf = ({ directory, secrets = directory, port }: MongoSettings): MongoAccess =>
  mongoAccess(secrets, port);

/**
 * The command that runs a replica set's only member, with its data in `directory`. It lets nobody in without credentials,
 * not even before there is a user: what has to be done then is done with the key. Data from the time when everybody was let
 * in need no change for that.
 */
export function mongoCommand(settings: MongoSettings, log: string): ChildCommand {
  const { binary, directory, port } = settings;
  const data = join(directory, 'data');
  mkdirSync(data, { recursive: true });
  return {
    name: 'MongoDB',
    command: binary,
    args: [
      ...['--dbpath', data, '--port', String(port), '--bind_ip', '127.0.0.1', '--replSet', replicaSet],
      ...['--keyFile', accessOf(settings).keyFile, '--setParameter', 'enableLocalhostAuthBypass=false'],
      // CVE-2025-14847: with compression, whoever reaches the port of an older build reads its memory, credentials or not.
      ...['--networkMessageCompressors', 'disabled'],
      ...['--wiredTigerCacheSizeGB', '0.5', '--quiet'],
      ...['--setParameter', `transactionLifetimeLimitSeconds=${transactionLifetime}`],
      // Up to 200 MB of diagnostics for the vendor; that they cannot be written (the disk is full) ends the server.
      ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
      ...(process.platform === 'win32' ? [] : ['--nounixsocket']),
      ...(settings.more ?? []),
    ],
    log,
  };
}

/** Throws unless a primary answers at the address. Returns the server's version. */
export function probeMongo(uri: string): Promise<string> {
  return withMongo(uri, async (client) => {
    const hello = await client.db('admin').command({ hello: 1 });
    if (hello.isWritablePrimary !== true) throw new Error('no primary yet');
    const { version } = await client.db('admin').command({ buildInfo: 1 });
    return String(version);
  });
}

/** Makes the server the primary of a replica set of one, under the port that it has now, with Arcus's user. May be called again. */
async function ensurePrimary(access: MongoAccess, roles: Roles): Promise<void> {
  await withMongo(systemUri(access, '', true), async (client) => {
    const admin = client.db('admin');
    const host = `127.0.0.1:${access.port}`;
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
    await ensureUser(client, access, roles);
  });
}

const Compatibility = z.object({ featureCompatibilityVersion: z.object({ version: z.string() }) });

/** The version of the server that runs, and the one whose form its data have. */
export const servedData = (access: MongoAccess): Promise<MongodData> =>
  withMongo(systemUri(access), async (client) => {
    const admin = client.db('admin');
    const { version } = await admin.command({ buildInfo: 1 });
    const form = Compatibility.parse(await admin.command({ getParameter: 1, featureCompatibilityVersion: 1 }));
    return { version: String(version), compatibility: form.featureCompatibilityVersion.version };
  });

/** Gives the data the form of this version; older servers do not open them any more. May be called again. */
export const raiseData = (access: MongoAccess, version: string): Promise<unknown> =>
  withMongo(systemUri(access), (client) =>
    client.db('admin').command({ setFeatureCompatibilityVersion: version, confirm: true }),
  );

/** Waits until the child takes Arcus's writes. */
export function awaitMongo(child: Child, log: string, access: MongoAccess, roles = rolesOfArcus): Promise<void> {
  return awaitReady(child, log, 60_000, () => ensurePrimary(access, roles));
}

/** Starts a replica set of one and waits until it takes writes. It ends with this process, however that ends. */
export async function startMongo(settings: MongoSettings, roles = rolesOfArcus): Promise<MongoServer> {
  mkdirSync(settings.directory, { recursive: true });
  const children = new Children(join(settings.directory, 'children.json'));
  const log = join(settings.directory, 'mongod.log');
  const access = accessOf(settings);
  const child = children.start(mongoCommand(settings, log));
  const stop = async () => {
    await children.end(child, 15_000);
    children.release();
  };
  try {
    await awaitMongo(child, log, access, roles);
  } catch (error) {
    await stop();
    throw error;
  }
  const databaseUri = (name: string) => mongoUri(access, name);
  return { access, uri: mongoUri(access), databaseUri, pid: child.pid, stop };
}

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { makeDirectory } from '../home/make-directory.js';
import { ensureSecret, randomSecret } from '../home/secret-file.js';

const { MongoClient } = mongoose.mongo;
type Client = InstanceType<typeof MongoClient>;

/** What it takes to be let in by a mongod that this machine runs. */
export type MongoAccess = {
  port: number;
  /** Of Arcus's own user, which may do what it needs. */
  password: string;
  /** What members of the replica set know each other by. Whoever has it may do everything. */
  key: string;
  keyFile: string;
};

export const replicaSet = 'rs0';

/** Databases in which Arcus reads and writes, and nothing else: its own, and the one by which it is seen that commits go on. */
const databases = ['arcus', 'arcus_watch'];

export type Roles = readonly { role: string; db: string }[];

/**
 * What Arcus may do. Readers and writers make indexes and collections, too; for how long a time series is kept is changed by
 * administrators of its database alone.
 */
export const rolesOfArcus: Roles = [
  ...databases.map((db) => ({ role: 'readWrite', db })),
  { role: 'dbAdmin', db: 'arcus' },
];

const user = 'arcus';

/**
 * The key and the password in a directory, made once. Both can be lost: no data hangs on them, and the next start gives the
 * user the password that is there then.
 */
export function mongoAccess(directory: string, port: number): MongoAccess {
  makeDirectory(directory);
  const keyFile = join(directory, 'key');
  // In the letters of base64: a key in others is refused.
  const key = ensureSecret(keyFile, () => randomBytes(48).toString('base64'));
  return { port, key, keyFile, password: ensureSecret(join(directory, 'password'), randomSecret) };
}

/** The address of one database, for Arcus's own user. It holds the password: never in arguments, never in a log. */
export const mongoUri = ({ port, password }: Pick<MongoAccess, 'port' | 'password'>, database = ''): string =>
  `mongodb://${user}:${password}@127.0.0.1:${port}/${database}?replicaSet=${replicaSet}&authSource=admin`;

/**
 * The same for who may do everything, as a member of the replica set: for what is done before there is a user, and to the
 * server itself. `directly`: to this one, whether or not it is the primary of anything.
 */
export const systemUri = ({ port, key }: Pick<MongoAccess, 'port' | 'key'>, database = '', directly = false): string =>
  `mongodb://__system:${encodeURIComponent(key)}@127.0.0.1:${port}/${database}?${
    directly ? 'directConnection=true' : `replicaSet=${replicaSet}`
  }&authSource=local&authMechanism=SCRAM-SHA-256`;

/** Calls `work` with a connection that gives up soon. */
export async function withMongo<T>(uri: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 2_000, connectTimeoutMS: 2_000 });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Makes Arcus's user, or gives the one that is there this password and these roles. May be called again. */
export async function ensureUser(client: Client, { password }: MongoAccess, roles: Roles): Promise<void> {
  const admin = client.db('admin');
  const wished = { pwd: password, roles, mechanisms: ['SCRAM-SHA-256'], writeConcern: { w: 'majority' } };
  const { users } = await admin.command({ usersInfo: { user, db: 'admin' } });
  await admin.command(
    Array.isArray(users) && users.length > 0 ? { updateUser: user, ...wished } : { createUser: user, ...wished },
  );
}

import { Client, Connection } from '@temporalio/client';
import { prepareSchedules } from '../adapters/engine/schedules.js';
import { ensureOneadmin } from '../operations/first-user.js';
import { namespaces } from '../schemas/config.js';
import { bootstrapStore } from '../store/bootstrap.js';
import { connectMongodb } from '../store/connection.js';
import type { Credentials } from './credentials.js';
import { ensureNamespaces } from './prepare-temporal.js';

type Servers = { ARCUS_TEMPORAL_ADDRESS: string; ARCUS_MONGODB_URI: string };

/**
 * Makes what Arcus needs in its servers, unless it is there: namespaces, search attributes and schedules in Temporal; collections,
 * indexes and the administrator in MongoDB. Run at every start, and by a job of its own in a cluster.
 */
export async function prepare(servers: Servers, credentials: Credentials): Promise<void> {
  await Promise.all([
    prepareTemporal(servers.ARCUS_TEMPORAL_ADDRESS),
    prepareMongodb(servers.ARCUS_MONGODB_URI, credentials),
  ]);
}

async function prepareTemporal(address: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await ensureNamespaces(connection);
    await prepareSchedules(new Client({ connection, namespace: namespaces.ticks }));
  } finally {
    await connection.close();
  }
}

async function prepareMongodb(uri: string, { password }: Credentials): Promise<void> {
  const connection = await connectMongodb(uri);
  try {
    await ensureOneadmin(await bootstrapStore(connection), password);
  } finally {
    await connection.close();
  }
}

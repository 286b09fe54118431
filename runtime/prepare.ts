import { Client, Connection } from '@temporalio/client';
import { clientConnection, namespacesOf, type TemporalSettings, temporalAccess } from '../adapters/engine/access.js';
import { prepareSchedules } from '../adapters/engine/schedules.js';
import { pollEvery } from '../domain/hosts/polls.js';
import { ensureOneadmin } from '../requests/identity/first-user.js';
import { bootstrapStore } from '../store/bootstrap.js';
import { connectMongodb } from '../store/mongo/connection.js';
import type { Credentials } from './servers/credentials.js';
import { ensureNamespaces } from './servers/prepare-temporal.js';

type Servers = TemporalSettings & {
  ARCUS_MONGODB_URI: string;
  ARCUS_KEEP_METRICS?: number;
  ARCUS_ELASTICITY_INTERVAL?: number;
  ARCUS_MONITORING_INTERVAL?: number;
};

/**
 * Makes what Arcus needs in its servers, unless it is there: namespaces, search attributes and schedules in Temporal; collections,
 * indexes and the administrator in MongoDB. Run at every start, and by a job of its own in a cluster.
 */
export async function prepare(servers: Servers, credentials: Credentials): Promise<void> {
  await Promise.all([prepareTemporal(servers), prepareMongodb(servers, credentials)]);
}

async function prepareTemporal(servers: Servers): Promise<void> {
  const access = temporalAccess(servers);
  const connection = await Connection.connect(clientConnection(access));
  try {
    const namespaces = namespacesOf(access);
    await ensureNamespaces(connection, namespaces);
    await prepareSchedules(new Client({ connection, namespace: namespaces.ticks }), {
      elasticity: servers.ARCUS_ELASTICITY_INTERVAL ?? 10,
      monitoring: pollEvery({ monitoringInterval: servers.ARCUS_MONITORING_INTERVAL }),
    });
  } finally {
    await connection.close();
  }
}

async function prepareMongodb(servers: Servers, { password }: Credentials): Promise<void> {
  const connection = await connectMongodb(servers.ARCUS_MONGODB_URI);
  try {
    const directory = await bootstrapStore(connection, { keepMetrics: servers.ARCUS_KEEP_METRICS });
    await ensureOneadmin(directory, password);
  } finally {
    await connection.close();
  }
}

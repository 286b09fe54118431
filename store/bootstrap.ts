import type { Connection } from 'mongoose';
import { createStore } from './store.js';

/** Makes collections and indexes, unless they are there. Before that, unique keys do not hold: run it before any worker. */
export async function bootstrapStore(connection: Connection): Promise<void> {
  const { hosts, clusters, counters } = createStore(connection);
  for (const model of Object.values(connection.models)) {
    await model.createCollection();
    await model.createIndexes();
  }
  await hosts.countVms();
  await clusters.ensureDefault();
  // As in OpenNebula, whose own clusters have the ids below.
  await counters.beginAt('cluster', 100);
}

import type { Connection } from 'mongoose';
import { createDirectory, type Directory } from './directory.js';
import { createStore } from './store.js';

/**
 * Makes collections and indexes, unless they are there, and what is always there. Before that, unique keys do not hold:
 * run it before any worker. Returns the directory, for whoever goes on to make the first user.
 */
export async function bootstrapStore(connection: Connection): Promise<Directory> {
  const { hosts, clusters, counters } = createStore(connection);
  const directory = createDirectory(connection);
  for (const model of Object.values(connection.models)) {
    await model.createCollection();
    await model.createIndexes();
  }
  await hosts.countVms();
  await clusters.ensureDefault();
  // As in OpenNebula, whose own clusters have the ids below.
  await counters.beginAt('cluster', 100);
  await directory.groups.ensureDefaults();
  await directory.users.complete();
  return directory;
}

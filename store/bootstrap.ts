import type { Connection, Model } from 'mongoose';
import { pools } from '../schemas/kinds.js';
import { createDirectory, type MongodbDirectory } from './identity/mongodb-directory.js';
import { createStore } from './store.js';

/** How long samples are kept when nobody says, in hours. */
export const keptHours = 6;

/**
 * Makes collections and indexes, unless they are there, and what is always there. Before that, unique keys do not hold:
 * run it before any worker. `keepMetrics`: for how many hours samples are kept. Returns the directory, for whoever goes on to
 * make the first user.
 */
export async function bootstrapStore(
  connection: Connection,
  { keepMetrics = keptHours }: { keepMetrics?: number | undefined } = {},
): Promise<MongodbDirectory> {
  const { hosts, clusters, datastores, securityGroups, marketplaces, counters, installation, metrics, toldValues } =
    createStore(connection);
  const directory = createDirectory(connection);
  await Promise.all([
    ...Object.values(connection.models).map(bringAbout),
    ...[metrics, toldValues].map((series) => series.ensure(keepMetrics)),
  ]);
  await hosts.countVms();
  await clusters.ensureDefault();
  await datastores.ensureDefaults();
  await securityGroups.ensureDefault();
  await marketplaces.ensurePublic();
  await installation.id();
  for (const { pool, first } of pools) if (first > 0) await counters.beginAt(pool, first);
  await directory.groups.ensureDefaults();
  await directory.users.complete();
  await Promise.all([directory.users.noteLooks(), directory.groups.noteLooks()]);
  return directory;
}

/** All its indexes by one command, which makes the collection too: each by itself costs as much as all of them. */
async function bringAbout(model: Model<unknown>): Promise<void> {
  const indexes = model.schema.indexes().map(([fields, { unique, ...options }]) => ({
    // As the driver has it, which knows no words for a direction and none for a refusal.
    key: new Map(Object.entries(fields).map(([path, direction]) => [path, direction === -1 ? -1 : 1] as const)),
    ...options,
    ...(unique && { unique: true }),
  }));
  await (indexes.length > 0 ? model.collection.createIndexes(indexes) : model.createCollection());
}

import { type Connection, mongo } from 'mongoose';
import { z } from 'zod';

/** What the server says when a collection is there already, and of what its user may not do. */
const namespaceExists = 48;
const unauthorized = 13;

const Options = z.object({ expireAfterSeconds: z.number() });
const isRefused = (error: unknown, code: number): boolean =>
  error instanceof mongo.MongoServerError && error.code === code;

/** A collection that keeps samples by their time, `at`, and forgets them after so many hours. Samples lie together by `metaField`. */
export async function ensureTimeSeries(
  connection: Connection,
  { collection, metaField }: { collection: string; metaField: string },
  hours: number,
): Promise<void> {
  const expireAfterSeconds = hours * 3_600;
  const db = connection.getClient().db(connection.name);
  try {
    await db.createCollection(collection, {
      timeseries: { timeField: 'at', metaField, granularity: 'seconds' },
      expireAfterSeconds,
    });
  } catch (error) {
    if (!isRefused(error, namespaceExists)) throw error;
    await keepFor(db, collection, expireAfterSeconds);
  }
  await connection.collection(collection).createIndex({ at: 1 });
}

/** To change what is there takes more than to read and write: the role dbAdmin, and it is not asked for where nothing changes. */
async function keepFor(db: mongo.Db, collection: string, expireAfterSeconds: number): Promise<void> {
  const [present] = await db.listCollections({ name: collection }, { nameOnly: false }).toArray();
  if (Options.safeParse(present?.options).data?.expireAfterSeconds === expireAfterSeconds) return;
  try {
    await db.command({ collMod: collection, expireAfterSeconds });
  } catch (cause) {
    if (!isRefused(cause, unauthorized)) throw cause;
    const todo = 'give its user the role dbAdmin on its database, or set it back';
    throw new Error(`MongoDB does not let ARCUS_KEEP_METRICS be changed: ${todo}.`, { cause });
  }
}

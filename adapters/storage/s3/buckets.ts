import { type Bucket, openBucket } from './bucket.js';
import type { S3Connection, S3Connections } from './connection.js';

/** The bucket of each datastore, opened once, and anew when it is reached otherwise. */
export function bucketsOf(connections: S3Connections) {
  const opened = new Map<number, { said: string; bucket: Promise<Bucket> }>();
  return async (id: number): Promise<{ bucket: Bucket; connection: S3Connection }> => {
    const connection = await connections(id);
    const said = JSON.stringify(connection);
    let there = opened.get(id);
    if (there?.said !== said) {
      // Whoever uses the one before goes on with it.
      there = { said, bucket: openBucket(connection) };
      opened.set(id, there);
    }
    return { bucket: await there.bucket, connection };
  };
}

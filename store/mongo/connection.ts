import mongoose, { type Connection } from 'mongoose';
import { Problem } from '../../domain/problems.js';

/** A connection to a replica set. Nothing is buffered: when the server is away, calls fail instead of hanging. */
export async function connectMongodb(uri: string): Promise<Connection> {
  const connection = mongoose.createConnection(uri, {
    bufferCommands: false,
    autoIndex: false,
    autoCreate: false,
    serverSelectionTimeoutMS: 5_000,
    maxPoolSize: 50,
  });
  try {
    return await connection.asPromise();
  } catch (cause) {
    throw new Problem('database_unavailable', 'MongoDB does not answer.', { cause });
  }
}

/** Resolves when a primary takes writes; rejects otherwise, within two seconds. */
export async function pingMongodb(connection: Connection): Promise<void> {
  const answer = await connection.getClient().db('admin').command({ hello: 1 }, { timeoutMS: 2_000 });
  if (answer.isWritablePrimary !== true) throw new Problem('database_unavailable', 'MongoDB has no primary.');
}

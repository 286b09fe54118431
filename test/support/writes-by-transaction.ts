import type { Connection } from 'mongoose';
import { sentCommands } from './sent-commands.js';

const writes = ['insert', 'update', 'delete', 'findAndModify'];

/**
 * Runs it, and says how many documents of these collections each of its transactions has written, by what the driver has
 * sent and was answered. The connection has to monitor commands.
 */
export async function writesByTransaction(
  connection: Connection,
  collections: readonly string[],
  work: () => Promise<unknown>,
): Promise<number[]> {
  const written = new Map<string, number>();
  for (const { name, collection, transaction, documents } of await sentCommands(connection, work)) {
    if (transaction === null) continue;
    const counted = writes.includes(name) && collections.includes(collection) ? documents : 0;
    written.set(transaction, (written.get(transaction) ?? 0) + counted);
  }
  return [...written.values()];
}

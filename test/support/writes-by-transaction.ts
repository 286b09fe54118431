import type { Connection, mongo } from 'mongoose';
import { z } from 'zod';

const Counted = z.object({ n: z.int().optional(), lastErrorObject: z.object({ n: z.int() }).optional() });

/**
 * Runs it, and says how many documents of these collections each of its transactions has written, by what the driver has
 * sent and was answered. The connection has to monitor commands.
 */
export async function writesByTransaction(
  connection: Connection,
  collections: readonly string[],
  work: () => Promise<unknown>,
): Promise<number[]> {
  const client = connection.getClient();
  const written = new Map<string, number>();
  const sent = new Map<number, { transaction: string; isCounted: boolean }>();
  const onStart = ({ requestId, commandName, command }: mongo.CommandStartedEvent): void => {
    if (command.autocommit !== false) return;
    const transaction = `${JSON.stringify(command.lsid)} ${command.txnNumber}`;
    const isWrite = ['insert', 'update', 'delete', 'findAndModify'].includes(commandName);
    written.set(transaction, written.get(transaction) ?? 0);
    sent.set(requestId, { transaction, isCounted: isWrite && collections.includes(command[commandName]) });
  };
  const onAnswer = ({ requestId, reply }: mongo.CommandSucceededEvent): void => {
    const command = sent.get(requestId);
    const { n, lastErrorObject } = Counted.parse(reply);
    if (command?.isCounted)
      written.set(command.transaction, (written.get(command.transaction) ?? 0) + (n ?? lastErrorObject?.n ?? 0));
  };
  client.on('commandStarted', onStart).on('commandSucceeded', onAnswer);
  try {
    await work();
  } finally {
    client.off('commandStarted', onStart).off('commandSucceeded', onAnswer);
  }
  return [...written.values()];
}

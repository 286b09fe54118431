import type { Connection, mongo } from 'mongoose';
import { z } from 'zod';

/** A command that was answered well, in which transaction it was sent, and how many documents it has written or brought. */
export type SentCommand = { name: string; collection: string; transaction: string | null; documents: number };

const Answer = z.object({
  n: z.int().optional(),
  lastErrorObject: z.object({ n: z.int() }).optional(),
  cursor: z
    .object({ firstBatch: z.array(z.unknown()).optional(), nextBatch: z.array(z.unknown()).optional() })
    .optional(),
});

function documentsIn(reply: unknown): number {
  const { n, lastErrorObject, cursor } = Answer.parse(reply);
  return n ?? lastErrorObject?.n ?? (cursor?.firstBatch ?? cursor?.nextBatch ?? []).length;
}

/** Runs it, and says what the driver has sent meanwhile. The connection has to monitor commands. */
export async function sentCommands(connection: Connection, work: () => Promise<unknown>): Promise<SentCommand[]> {
  const client = connection.getClient();
  const begun = new Map<number, Omit<SentCommand, 'documents'>>();
  const sent: SentCommand[] = [];
  const onStart = ({ requestId, commandName: name, command }: mongo.CommandStartedEvent): void => {
    const transaction = command.autocommit === false ? `${JSON.stringify(command.lsid)} ${command.txnNumber}` : null;
    begun.set(requestId, { name, collection: String(command[name]), transaction });
  };
  const onAnswer = ({ requestId, reply }: mongo.CommandSucceededEvent): void => {
    const command = begun.get(requestId);
    if (command) sent.push({ ...command, documents: documentsIn(reply) });
  };
  client.on('commandStarted', onStart).on('commandSucceeded', onAnswer);
  try {
    await work();
  } finally {
    client.off('commandStarted', onStart).off('commandSucceeded', onAnswer);
  }
  return sent;
}

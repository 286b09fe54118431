import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { inject } from 'vitest';
import { mongoUri } from '../../runtime/servers/mongodb-access.js';
import { ensureNamespace } from '../../runtime/servers/prepare-temporal.js';

/** A name that no other test file has, in this run or in another that shares the servers. */
export const ownName = (subject: string): string => `${subject}-${randomBytes(4).toString('hex')}`;

/** The address of a database of one's own on the run's MongoDB (a replica set of one: transactions and change streams work). */
export const ownDatabaseUri = (subject: string): string => mongoUri(inject('mongodb'), ownName(subject));

/** host:port of the run's Temporal development server. */
export const temporalAddress = (): string => inject('temporalAddress');

/** Path of the time-skipping server, for `TestWorkflowEnvironment.createTimeSkipping({ server: { executable: … } })`. */
export const timeSkippingServer = () =>
  ({ executable: { type: 'existing-path', path: inject('temporalTestServerPath') } }) as const;

/** A connection to the run's Temporal and a namespace of one's own there, with Arcus's search attributes. The caller closes it. */
export async function ownNamespace(subject: string): Promise<{ connection: Connection; namespace: string }> {
  const connection = await Connection.connect({ address: temporalAddress() });
  const namespace = ownName(subject);
  await ensureNamespace(connection, namespace, 1);
  return { connection, namespace };
}

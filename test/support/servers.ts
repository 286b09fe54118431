import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { inject } from 'vitest';
import type { Namespaces } from '../../adapters/engine/access.js';
import { mongoUri } from '../../runtime/servers/mongodb-access.js';
import { ensureNamespace, ensureNamespaces } from '../../runtime/servers/prepare-temporal.js';

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

/** Where the run's Temporal is, with the two namespaces of Arcus in it that are one's own: what else is there is not seen. */
export type OwnTemporal = { address: string; namespaces: Namespaces };

/** Both namespaces of one's own. Whoever kills, stops or forgets a Temporal has a server of his own instead. */
export async function ownTemporal(subject: string): Promise<OwnTemporal> {
  const address = temporalAddress();
  const name = ownName(subject);
  const namespaces = { operations: name, ticks: `${name}-ticks` };
  const connection = await Connection.connect({ address });
  try {
    await ensureNamespaces(connection, namespaces);
  } finally {
    await connection.close();
  }
  return { address, namespaces };
}

/** What a process needs in its environment. */
export const temporalSettings = ({ address, namespaces }: OwnTemporal) => ({
  ARCUS_TEMPORAL_ADDRESS: address,
  ARCUS_TEMPORAL_NAMESPACE: namespaces.operations,
  ARCUS_TEMPORAL_TICKS_NAMESPACE: namespaces.ticks,
});

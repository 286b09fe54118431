import type { SshConnection } from '../../adapters/storage/ssh/connection.js';
import type { Connections } from '../../adapters/storage/storages.js';
import { allHere } from './no-storages.js';

/** The name of a variable by which a program of a test is told how all its datastores are reached that are on another machine. */
export const connectionVariable = 'ARCUS_TEST_SSH';

export const connectionGiven = (connection: SshConnection): Record<string, string> => ({
  [connectionVariable]: JSON.stringify(connection),
});

/** None is elsewhere, unless that says so. */
export function connectionsGiven(): Connections {
  const text = process.env[connectionVariable];
  if (text === undefined) return allHere;
  const connection: SshConnection = JSON.parse(text);
  return { ...allHere, ssh: async () => connection };
}

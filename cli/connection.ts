import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { Complaint } from './complaint.js';

/** Where the server is and who asks. */
export type Connection = { endpoint: URL; credentials: { name: string; password: string } };

type Environment = Readonly<Record<string, string | undefined>>;

/** Kept by `npm start` in the home. */
const KeptPorts = z.object({ api: z.int().min(1).max(65_535) });

const defaultPort = 9869;

/**
 * From the option, the environment (ARCUS_ENDPOINT, ARCUS_AUTH) or the home of an Arcus on this machine (ARCUS_HOME), in
 * this order. Throws a Complaint that says what is missing.
 */
export function connectionOf(environment: Environment, endpointOption: string | undefined): Connection {
  const home = environment.ARCUS_HOME || join(homedir(), '.arcus');
  return {
    endpoint: endpointOf(
      endpointOption ?? environment.ARCUS_ENDPOINT ?? `http://127.0.0.1:${portOf(environment, home)}`,
    ),
    credentials: credentialsOf(environment.ARCUS_AUTH || join(home, 'auth')),
  };
}

function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '') return url;
  throw new Complaint(
    'usage',
    `${JSON.stringify(text)} is not an address of a server, such as http://127.0.0.1:9869.`,
    {
      next: 'Correct --endpoint or ARCUS_ENDPOINT.',
    },
  );
}

function portOf(environment: Environment, home: string): number {
  const given = Number(environment.ARCUS_PORT ?? 0);
  if (Number.isInteger(given) && given > 0) return given;
  try {
    return KeptPorts.parse(JSON.parse(readFileSync(join(home, 'ports.json'), 'utf8'))).api;
  } catch {
    return defaultPort;
  }
}

/** `name:password`, or the path of a file that holds it. */
function credentialsOf(value: string): Connection['credentials'] {
  const isFile = existsSync(value) && statSync(value).isFile();
  const [, name, password] = /^([^:\s]+):(\S.*?)\s*$/.exec(isFile ? contentsOf(value) : value) ?? [];
  if (name !== undefined && password !== undefined) return { name, password };
  throw new Complaint(
    'not_allowed',
    isFile ? `${value} does not hold name:password.` : `There are no credentials: ${value} does not exist.`,
    { next: 'Set ARCUS_AUTH to name:password or to a file that holds it, or ARCUS_HOME to the home of your Arcus.' },
  );
}

function contentsOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Complaint('not_allowed', `The file ${file} with the credentials cannot be read.`, {
      cause,
      next: 'Make it readable to you, or set ARCUS_AUTH to name:password.',
    });
  }
}

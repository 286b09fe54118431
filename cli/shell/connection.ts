import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Credentials } from '../../client/message.js';
import type { Trust } from '../../client/node/trusting-fetch.js';
import { keptTls } from '../../runtime/servers/kept-tls.js';
import { Complaint } from './complaint.js';
import { type ContextFile, contextPath, readContexts, type ServerContext } from './context-file.js';
import type { Environment } from './environment.js';

/** Where the server is and who asks. `typed`: the credentials come from nowhere but the keyboard. */
export type Connection = { endpoint: URL; credentials: Credentials; typed?: boolean; trust?: Trust | undefined };

/** A value and where it was found, in words. */
export type Found<T> = { value: T; from: string };

/** The options that say where the server is. */
export type ConnectionOptions = { endpoint?: string | undefined; context?: string | undefined };

/** Where everything comes from; reading the credentials may throw. */
export type Origins = {
  context: Found<string> | null;
  endpoint: Found<string>;
  credentials: () => Found<Credentials>;
  /** A file with authorities that the context has for this server. */
  ca: string | undefined;
};

/** Kept by `npm start` in the home. */
const KeptPorts = z.object({ api: z.int().min(1).max(65_535) });

const defaultPort = 9869;

/** The server and the credentials by `originsOf`. Throws a Complaint that says what is missing. */
export function connectionOf(environment: Environment, options: ConnectionOptions): Connection {
  const { endpoint, credentials, ca } = originsOf(environment, options);
  const url = endpointOf(endpoint.value);
  return { endpoint: url, credentials: credentials().value, trust: trustOf(environment, url, ca) };
}

/**
 * An option goes before the environment, that before the current context of the file, and that before the Arcus of this
 * machine. ARCUS_HOME is of the environment: who sets it means that Arcus, and there whoever has signed in by the current
 * context. The credentials of a current context go only to its own server, wherever an option or the environment points.
 */
export function originsOf(environment: Environment, { endpoint, context }: ConnectionOptions): Origins {
  const { ARCUS_ENDPOINT, ARCUS_AUTH, ARCUS_HOME, ARCUS_PORT } = environment;
  const named = namedContext(environment, context);
  const homeIsNamed = Boolean(ARCUS_HOME || ARCUS_PORT);
  const home = ARCUS_HOME || join(homedir(), '.arcus');
  const ofHome = named || !homeIsNamed ? null : contextOfHome(environment);
  const chosen =
    named ?? ofHome ?? (homeIsNamed || (ARCUS_ENDPOINT && ARCUS_AUTH) ? null : currentContext(environment));
  const local: Found<string> = {
    value: `http${keptTls(join(home, 'tls.json')) === undefined ? '' : 's'}://127.0.0.1:${portOf(environment, home)}`,
    from: localFrom(environment, home),
  };

  const where: Found<string> =
    endpoint !== undefined
      ? { value: endpoint, from: 'the option --endpoint' }
      : named && chosen
        ? { value: chosen.value.endpoint, from: chosen.from }
        : ARCUS_ENDPOINT
          ? { value: ARCUS_ENDPOINT, from: 'ARCUS_ENDPOINT of the environment' }
          : chosen && !ofHome
            ? { value: chosen.value.endpoint, from: chosen.from }
            : local;
  // A home may have come to another port since.
  const own = ofHome ? local.value : chosen?.value.endpoint;
  const fits = chosen !== null && (named !== null || sameServer(where.value, own ?? ''));
  const credentials = (): Found<Credentials> => {
    if (chosen && fits && (named || !ARCUS_AUTH)) return { value: credentialsIn(chosen.value), from: chosen.from };
    if (ARCUS_AUTH) return { value: credentialsOf(ARCUS_AUTH), from: 'ARCUS_AUTH of the environment' };
    const file = join(home, 'auth');
    return { value: credentialsOf(file), from: `the file ${file}` };
  };
  return {
    context: chosen && fits ? { value: chosen.name, from: chosen.chosenBy } : null,
    endpoint: where,
    credentials,
    ca: chosen !== null && sameServer(where.value, own ?? '') ? chosen.value.ca : undefined,
  };
}

/**
 * Whom to believe that it is this server: the authorities in the file ARCUS_CA, else in that of its context, beside the
 * known ones; and as the Arcus of this machine whoever has the certificate that it was started with.
 */
export function trustOf(
  { ARCUS_CA, ARCUS_HOME }: Environment,
  { hostname, protocol }: URL,
  ca?: string,
): Trust | undefined {
  if (protocol !== 'https:') return undefined;
  const pinned =
    hostname === '127.0.0.1' ? keptTls(join(ARCUS_HOME || join(homedir(), '.arcus'), 'tls.json')) : undefined;
  if (ARCUS_CA || ca) return { authorities: ARCUS_CA || ca || '' };
  return pinned === undefined ? undefined : { pinned };
}

type Chosen = { name: string; value: ServerContext; from: string; chosenBy: string };

function namedContext(environment: Environment, option: string | undefined): Chosen | null {
  if (option === undefined) return null;
  const path = contextPath(environment);
  return chosenFrom(readContexts(path), option, path, 'the option --context');
}

function currentContext(environment: Environment): Chosen | null {
  const path = contextPath(environment);
  const file = readContexts(path);
  return file.current === null ? null : chosenFrom(file, file.current, path, `the file ${path}`);
}

/** The current context, if it was made by signing in at the Arcus whose home is named. */
function contextOfHome(environment: Environment): Chosen | null {
  if (!environment.ARCUS_HOME || environment.ARCUS_PORT || environment.ARCUS_ENDPOINT) return null;
  try {
    const chosen = currentContext(environment);
    return chosen?.value.home === resolve(environment.ARCUS_HOME) ? chosen : null;
  } catch (error) {
    // Who names a home needs no file of contexts, nor that it is in order.
    if (error instanceof Complaint) return null;
    throw error;
  }
}

function chosenFrom({ contexts }: ContextFile, name: string, path: string, chosenBy: string): Chosen {
  const value = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (value) return { name, value, from: `context ${name} in ${path}`, chosenBy };
  const known = Object.keys(contexts);
  throw new Complaint('not_found', `There is no context called ${JSON.stringify(name)} in ${path}.`, {
    next: known.length > 0 ? `There are: ${known.join(', ')}.` : 'Make one with: arcus context create',
  });
}

const credentialsIn = (context: ServerContext): Credentials =>
  'token' in context ? { token: context.token } : { name: context.name, password: context.password };

const sameServer = (one: string, other: string): boolean =>
  URL.canParse(one) && URL.canParse(other) && new URL(one).origin === new URL(other).origin;

const localFrom = ({ ARCUS_HOME, ARCUS_PORT }: Environment, home: string): string =>
  ARCUS_PORT
    ? 'ARCUS_PORT of the environment'
    : ARCUS_HOME
      ? `ARCUS_HOME of the environment (${home})`
      : `the Arcus of this machine (${home})`;

/** The address of a server; throws a Complaint when it is none. */
export function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '') return url;
  throw new Complaint(
    'usage',
    `${JSON.stringify(text)} is not an address of a server, such as http://127.0.0.1:9869.`,
    { next: 'Correct --endpoint, ARCUS_ENDPOINT or the context.' },
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

export const isToken = (text: string): boolean => /^arcus_[^\s:]+$/.test(text);

/** A token, or a name and a password with a colon between; undefined for anything else. */
export function parsedCredentials(text: string): Credentials | undefined {
  const line = text.trim();
  if (isToken(line)) return { token: line };
  const [, name, password] = /^([^:\s]+):(\S.*)$/.exec(line) ?? [];
  return name !== undefined && password !== undefined ? { name, password } : undefined;
}

/** Credentials, or the path of a file that holds them. */
function credentialsOf(value: string): Credentials {
  const isFile = existsSync(value) && statSync(value).isFile();
  const credentials = parsedCredentials(isFile ? contentsOf(value) : value);
  if (credentials) return credentials;
  throw new Complaint('not_allowed', isFile ? `${value} holds neither name:password nor a token.` : missing(value), {
    next: 'Set ARCUS_AUTH to name:password, a token or a file that holds one, or ARCUS_HOME to the home of your Arcus.',
  });
}

/** What is given for a file may be a secret that is not well formed: only a path is repeated. */
const missing = (value: string): string =>
  value.includes('/')
    ? `There are no credentials: ${value} does not exist.`
    : 'ARCUS_AUTH is neither credentials nor a file.';

function contentsOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Complaint('not_allowed', `The file ${file} with the credentials cannot be read.`, {
      cause,
      next: 'Make it readable to you, or set ARCUS_AUTH to name:password or a token.',
    });
  }
}

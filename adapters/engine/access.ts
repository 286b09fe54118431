import { readFileSync } from 'node:fs';
import type { TLSConfig } from '@temporalio/client';
import { type Config, namespaces } from '../../schemas/config.js';

export type Namespaces = { operations: string; ticks: string };

/** Where a Temporal is, and what it asks of those who come. */
export type TemporalAccess = {
  /** host:port */
  address: string;
  /** Absent: not encrypted. */
  tls?: TLSConfig;
  /** The key that holds now: that of a file is read again, so that it can be replaced while Arcus runs. */
  apiKey?: () => string;
  /** Absent: those that Arcus makes. */
  namespaces?: Namespaces;
};

/** The settings about a Temporal of one's own, as far as they are given. */
export type TemporalSettings = { ARCUS_TEMPORAL_ADDRESS: string } & Partial<
  Pick<
    Config,
    | 'ARCUS_TEMPORAL_NAMESPACE'
    | 'ARCUS_TEMPORAL_TICKS_NAMESPACE'
    | 'ARCUS_TEMPORAL_TLS'
    | 'ARCUS_TEMPORAL_TLS_CA'
    | 'ARCUS_TEMPORAL_TLS_CERT'
    | 'ARCUS_TEMPORAL_TLS_KEY'
    | 'ARCUS_TEMPORAL_TLS_SERVER_NAME'
    | 'ARCUS_TEMPORAL_API_KEY'
    | 'ARCUS_TEMPORAL_API_KEY_FILE'
  >
>;

/** Milliseconds after which the file of a key is looked at again. */
const keyAge = 30_000;

export const namespacesOf = ({ namespaces: given = namespaces }: Pick<TemporalAccess, 'namespaces'>): Namespaces =>
  given;

/** What the SDK's connections take, of clients and, with the key of now, of workers. */
export const clientConnection = ({ address, tls, apiKey }: TemporalAccess) => ({
  address,
  ...(tls && { tls }),
  ...(apiKey && { apiKey }),
});

export const workerConnection = ({ address, tls, apiKey }: TemporalAccess) => ({
  address,
  ...(tls && { tls }),
  ...(apiKey && { apiKey: apiKey() }),
});

/** How to reach the Temporal that the settings name. Throws an Error that says which of them do not go together, or which file is missing. */
export function temporalAccess(settings: TemporalSettings): TemporalAccess {
  const {
    ARCUS_TEMPORAL_ADDRESS: address,
    ARCUS_TEMPORAL_NAMESPACE: operations = namespaces.operations,
    ARCUS_TEMPORAL_TICKS_NAMESPACE: ticks = namespaces.ticks,
  } = settings;
  if (operations === ticks)
    throw new Error('ARCUS_TEMPORAL_NAMESPACE and ARCUS_TEMPORAL_TICKS_NAMESPACE must be two namespaces');
  const tls = tlsOf(settings);
  const apiKey = apiKeyOf(settings);
  if (apiKey && !tls)
    throw new Error('an API key of Temporal is sent over TLS only: leave ARCUS_TEMPORAL_TLS out, or set it to on');
  return { address, namespaces: { operations, ticks }, ...(tls && { tls }), ...(apiKey && { apiKey }) };
}

function tlsOf(settings: TemporalSettings): TLSConfig | undefined {
  const {
    ARCUS_TEMPORAL_TLS: wish,
    ARCUS_TEMPORAL_TLS_CA: authority,
    ARCUS_TEMPORAL_TLS_CERT: certificate,
    ARCUS_TEMPORAL_TLS_KEY: key,
    ARCUS_TEMPORAL_TLS_SERVER_NAME: serverName,
    ARCUS_TEMPORAL_API_KEY: apiKey,
    ARCUS_TEMPORAL_API_KEY_FILE: apiKeyFile,
  } = settings;
  if ((certificate === undefined) !== (key === undefined))
    throw new Error('ARCUS_TEMPORAL_TLS_CERT and ARCUS_TEMPORAL_TLS_KEY go together: give both, or neither');
  const needed = [authority, certificate, serverName].some((setting) => setting !== undefined);
  if (wish === 'off' && needed)
    throw new Error('ARCUS_TEMPORAL_TLS is off, and other settings of TLS are given: leave out the one or the others');
  const implied = needed || apiKey !== undefined || apiKeyFile !== undefined;
  if (wish === 'off' || (wish === undefined && !implied)) return undefined;
  return {
    ...(serverName !== undefined && { serverNameOverride: serverName }),
    ...(authority !== undefined && { serverRootCACertificate: contentOf('ARCUS_TEMPORAL_TLS_CA', authority) }),
    ...(certificate !== undefined &&
      key !== undefined && {
        clientCertPair: {
          crt: contentOf('ARCUS_TEMPORAL_TLS_CERT', certificate),
          key: contentOf('ARCUS_TEMPORAL_TLS_KEY', key),
        },
      }),
  };
}

function apiKeyOf({
  ARCUS_TEMPORAL_API_KEY: given,
  ARCUS_TEMPORAL_API_KEY_FILE: file,
}: TemporalSettings): (() => string) | undefined {
  if (given !== undefined) return () => given;
  if (file === undefined) return undefined;
  const read = (): string => contentOf('ARCUS_TEMPORAL_API_KEY_FILE', file).toString('utf8').trim();
  let kept = read();
  let readAt = Date.now();
  return () => {
    if (Date.now() - readAt < keyAge) return kept;
    readAt = Date.now();
    try {
      kept = read();
    } catch {
      // It is being replaced: the one before holds until the next look.
    }
    return kept;
  };
}

function contentOf(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new Error(`${file}, which ${setting} names, cannot be read (${reason})`, { cause });
  }
}

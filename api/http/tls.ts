import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync, unwatchFile, watchFile } from 'node:fs';
import type { Server } from 'node:https';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';

/** Files with the certificate and its key, PEM. */
export type TlsFiles = { certificate: string; key: string };

/** Milliseconds between two looks at the files: by their state, which also sees what is renamed or linked anew. */
const betweenLooks = 5_000;

/** What the files hold, which fit each other. Throws an Error whose message is a sentence for the operator. */
export function readPair({ certificate, key }: TlsFiles): SecureContextOptions & { expires: Date } {
  const pair = { cert: contentsOf(certificate), key: contentsOf(key), minVersion: 'TLSv1.2' as const };
  try {
    createSecureContext(pair);
    return { ...pair, expires: new Date(new X509Certificate(pair.cert).validTo) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The certificate ${certificate} and the key ${key} are no pair that can be used: ${reason}.`, {
      cause,
    });
  }
}

function contentsOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Error(`The file ${file} cannot be read.`, { cause });
  }
}

/**
 * Takes a new pair as soon as both files have changed to one, for connections that come from then on. Of the two that are
 * written one after the other only the last fits: until it is there, and where a pair is broken, the old one stays, and a
 * warning says so. Returns how to stop looking.
 */
export function followPair(server: Pick<Server, 'setSecureContext'>, files: TlsFiles, logger: Logger): () => void {
  const paths = [files.certificate, files.key];
  let seen = paths.map(stateOf).join();
  const look = (): void => {
    const now = paths.map(stateOf).join();
    if (now === seen) return;
    seen = now;
    try {
      const { expires, ...pair } = readPair(files);
      server.setSecureContext(pair);
      logger.info({ expires }, 'the certificate was read anew');
    } catch (error) {
      logger.warn({ err: error }, 'the certificate and the key have changed and cannot be used: the old ones stay');
    }
  };
  for (const path of paths) watchFile(path, { interval: betweenLooks, persistent: false }, look);
  return () => {
    for (const path of paths) unwatchFile(path, look);
  };
}

function stateOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? [found.ino, found.size, found.mtimeMs, found.ctimeMs].join('-') : 'gone';
}

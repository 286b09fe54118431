import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const KeptTls = z.object({ certificate: z.string() });

/** Writes into the home by which certificate its API is known; without one, that it has none. */
export function keepTls(file: string, certificate: string | undefined): void {
  if (certificate === undefined) {
    rmSync(file, { force: true });
    return;
  }
  const part = `${file}.${process.pid}.part`;
  writeFileSync(part, `${JSON.stringify({ certificate })}\n`);
  renameSync(part, file);
}

/** The file with that certificate; undefined: the API of this home speaks plain HTTP. */
export function keptTls(file: string): string | undefined {
  try {
    return KeptTls.parse(JSON.parse(readFileSync(file, 'utf8'))).certificate;
  } catch {
    return undefined;
  }
}

export const withoutTls = (listen: string): string =>
  `the API listens on ${listen}, beyond this machine, without TLS: passwords and tokens can be read on the way. Set ARCUS_TLS_CERTIFICATE and ARCUS_TLS_KEY, or put a proxy with TLS before it`;

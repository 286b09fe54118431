import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createSecureServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { join } from 'node:path';
import { z } from 'zod';

/** Certificates of one authority: a server's for `name`, a client's, and one of somebody else for the same client. */
export function makeCertificates(directory: string, name: string) {
  const at = (file: string) => join(directory, file);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const authority = (of: string) =>
    openssl('req', '-x509', ...curve, '-keyout', at(`${of}.key`), '-out', at(`${of}.crt`), '-subj', `/CN=${of}`);
  const signed = (of: string, by: string, alternative: string) => {
    writeFileSync(at(`${of}.ext`), `subjectAltName=DNS:${alternative}\n`);
    openssl('req', ...curve, '-keyout', at(`${of}.key`), '-out', at(`${of}.csr`), '-subj', `/CN=${of}`);
    const ca = ['-CA', at(`${by}.crt`), '-CAkey', at(`${by}.key`), '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', '-in', at(`${of}.csr`), ...ca, '-extfile', at(`${of}.ext`), '-out', at(`${of}.crt`));
    return { certificate: at(`${of}.crt`), key: at(`${of}.key`) };
  };
  authority('authority');
  authority('stranger');
  return {
    authority: at('authority.crt'),
    server: signed('server', 'authority', name),
    client: signed('client', 'authority', 'client.test'),
    stranger: signed('other', 'stranger', 'client.test'),
  };
}

export type TlsProxy = {
  port: number;
  /** The API key that it takes from now on. */
  take: (apiKey: string) => void;
  /** How many calls it has refused for their key, and how many it has passed on. */
  counts: { refused: number; passed: number };
  stop: () => Promise<void>;
};

/**
 * What stands before a Temporal that checks who comes: TLS with a certificate of the client's, and a key in the header
 * `authorization`. What passes is given on to the development server as it is.
 */
export async function startTlsProxy(
  target: string,
  { authority, server: own }: ReturnType<typeof makeCertificates>,
  firstKey: string,
): Promise<TlsProxy> {
  let apiKey = firstKey;
  const counts = { refused: 0, passed: 0 };
  const upstream = connect(`http://${target}`);
  upstream.on('error', () => {});
  const server = createSecureServer({
    cert: readFileSync(own.certificate),
    key: readFileSync(own.key),
    ca: readFileSync(authority),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const pass = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
    counts.passed++;
    const onward = upstream.request({ ...headers, ':authority': target, ':scheme': 'http' }, { endStream: false });
    let trailers: IncomingHttpHeaders = {};
    onward.on('response', (answer, flags) => {
      // Without a body, what would be trailers are the headers: gRPC's short form of a refusal.
      const isShort = (flags & 1) === 1;
      if (!stream.destroyed) stream.respond(answer, isShort ? { endStream: true } : { waitForTrailers: true });
    });
    onward.on('trailers', (given) => {
      trailers = given;
    });
    stream.on('wantTrailers', () => stream.sendTrailers(withoutPseudo(trailers)));
    onward.on('error', () => stream.close());
    stream.on('error', () => onward.close());
    stream.on('close', () => onward.close());
    stream.pipe(onward);
    onward.pipe(stream);
  };
  server.on('stream', (stream, headers) => {
    if (headers.authorization === `Bearer ${apiKey}`) return pass(stream, headers);
    counts.refused++;
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '16', 'grpc-message': 'who are you' },
      { endStream: true },
    );
  });
  server.on('sessionError', () => {});
  const sessions = new Set<{ destroy: () => void }>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: z.object({ port: z.int() }).parse(server.address()).port,
    take: (key) => {
      apiKey = key;
    },
    counts,
    stop: async () => {
      for (const session of sessions) session.destroy();
      upstream.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const withoutPseudo = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':')));

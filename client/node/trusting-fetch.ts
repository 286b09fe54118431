import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { rootCertificates, TLSSocket } from 'node:tls';
import type { Sent, Transport } from '../transport.js';

/**
 * Whom to believe over TLS: a server with this very certificate, whatever name it has, as that of one's own Arcus on this
 * machine; or those that the authorities in a file vouch for, besides the known ones. Files are read at each connection.
 */
export type Trust = { pinned: string } | { authorities: string };

/** fetch, believing whom it is told to. Nothing is sent before the certificate has been looked at. */
export const fetchTrusting =
  (trust: Trust | undefined): Transport['fetch'] =>
  (url, init = {}) => {
    const to = new URL(url);
    return trust === undefined || to.protocol !== 'https:' ? fetch(url, init) : over(to, init, trust);
  };

function over(url: URL, { method = 'GET', headers = {}, body, signal }: Sent, trust: Trust): Promise<Response> {
  return new Promise((resolve, reject) => {
    const pinned = 'pinned' in trust ? leafIn(trust.pinned) : null;
    const sent = request(url, {
      ...{ method, headers, agent: false },
      ...(signal && { signal }),
      ...('authorities' in trust && { ca: [...rootCertificates, readFileSync(trust.authorities, 'utf8')] }),
      ...(pinned && { rejectUnauthorized: false }),
    });
    // A socket takes what is written once it is secure: headers wait until then, too.
    sent.on('socket', (socket) => {
      socket.once('secureConnect', () => {
        if (!pinned || !(socket instanceof TLSSocket)) return;
        if (socket.getPeerX509Certificate()?.fingerprint256 === pinned.fingerprint256) send();
        else sent.destroy(new Error('it shows another certificate than the one that is set'));
      });
    });
    const send = (): void => {
      sent.end(body ?? undefined);
    };
    if (!pinned) send();
    sent.once('error', reject);
    sent.once('response', (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.once('error', reject);
      answer.once('end', () => {
        const status = answer.statusCode ?? 500;
        const empty = status === 204 || status === 304;
        const told = new Headers();
        for (const [name, value] of Object.entries(answer.headers))
          if (value !== undefined) told.set(name, String(value));
        resolve(new Response(empty ? null : Buffer.concat(parts), { status, headers: told }));
      });
    });
  });
}

const leafIn = (file: string): X509Certificate => new X509Certificate(readFileSync(file));

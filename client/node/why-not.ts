import { connect } from 'node:tls';
import type { Why } from '../errors.js';

/** Milliseconds for a handshake: whoever waits has been told nothing yet. */
const patience = 3_000;

/** Of OpenSSL and Node.js: the server has shown a certificate, and it will not do. */
const distrust = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|another certificate/;
/** Of OpenSSL: what came in the place of a handshake was none. */
const noTls = /ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)|EPROTO|wrong version number/;
/** Of Node.js: somebody was there, and ended the connection or said what is no HTTP. */
const brokenOff = /UND_ERR_SOCKET|ECONNRESET|EPIPE|HPE_/;
/** Of Node.js: there was no connection, and nothing has been sent. */
const unconnected = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT/;

/** What has become of a request, by the error that Node.js threw. Whether a port speaks TLS is asked of it. */
export async function whyNot(endpoint: URL, cause: unknown): Promise<Why> {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : '';
  const words = inner instanceof Error ? inner.message : String(inner);
  const overTls = endpoint.protocol === 'https:';
  if (overTls && distrust.test(`${code} ${words}`)) return { reason: 'untrusted', words, mayHaveArrived: false };
  if (overTls && noTls.test(code)) return { reason: 'no_tls', words, mayHaveArrived: false };
  if (brokenOff.test(code)) {
    const isOther = !overTls && (await speaksTls(endpoint));
    return { reason: isOther ? 'tls' : 'broken_off', words, mayHaveArrived: !isOther };
  }
  return { reason: 'silent', words, mayHaveArrived: !unconnected.test(code) };
}

const speaksTls = ({ hostname, port }: URL): Promise<boolean> =>
  new Promise((resolve) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: Number(port || 80), rejectUnauthorized: false });
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(patience, end(false));
    socket.once('secureConnect', end(true));
    socket.once('error', end(false));
    socket.once('close', end(false));
  });

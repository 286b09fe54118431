import { connect } from 'node:tls';
import { Complaint } from './complaint.js';

/** Milliseconds for a handshake: whoever waits has been told nothing yet. */
const patience = 3_000;

/** Of OpenSSL: what came in the place of a handshake was none. */
const noTls = /ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)|EPROTO|wrong version number/;
/** Of Node.js: somebody was there, and ended the connection or said what is no HTTP. */
const brokenOff = /UND_ERR_SOCKET|ECONNRESET|EPIPE|HPE_/;

/**
 * What to say of a server that was asked over TLS and speaks plain HTTP, or the other way round; null: it is not that.
 * `code`: of the error that there was. Whether a port speaks TLS is asked of it.
 */
export async function otherProtocol(endpoint: URL, code: string): Promise<Complaint | null> {
  const at = (protocol: string): string => `${protocol}//${endpoint.host}`;
  const where = '--endpoint, ARCUS_ENDPOINT or the context';
  if (endpoint.protocol === 'https:' && noTls.test(code))
    return new Complaint('usage', `${endpoint.host} answers, but does not speak TLS.`, {
      next: `If it is to be asked in the clear, where others on the way can read passwords, name it ${at('http:')} in ${where}.`,
    });
  if (endpoint.protocol === 'http:' && brokenOff.test(code) && (await speaksTls(endpoint)))
    return new Complaint('usage', `${endpoint.host} speaks TLS, and was asked without.`, {
      next: `Name it ${at('https:')} in ${where}. What was sent has gone in the clear.`,
    });
  return null;
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

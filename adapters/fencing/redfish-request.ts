import { X509Certificate } from 'node:crypto';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { TLSSocket } from 'node:tls';
import { z } from 'zod';
import { Problem } from '../../domain/problems.js';
import type { FencingMethod } from '../../schemas/hosts/fencing.js';
import { saidBy } from './said.js';

/** Where a service of Redfish is, and who Arcus is there. */
export type RedfishAccess = Omit<Extract<FencingMethod, { kind: 'redfish' }>, 'password'> & { password: string };

/** Bytes of an answer that are read: a system of a hundred devices says some 20,000. */
const most = 1_048_576;
/** Milliseconds for which a BMC may be silent. */
const silence = 15_000;

const failed = (why: string): Problem => new Problem('not_fenced', why);

const Refusal = z.object({
  error: z.object({
    message: z.string().optional(),
    '@Message.ExtendedInfo': z.array(z.object({ Message: z.string().optional() })).optional(),
  }),
});

/** One request, as the user of the method; what it answers with, checked. Redirects are not followed: they would lead the password elsewhere. */
export async function askRedfish<T>(
  access: RedfishAccess,
  { method, path, body }: { method: 'GET' | 'POST'; path: string; body?: object },
  shape: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T> {
  const url = new URL(path, access.address);
  if (url.origin !== new URL(access.address).origin) throw failed(`it leads to ${url.host}, which is not asked`);
  const { status, text } = await answerTo(access, url, { method, body }, signal);
  if (status === 401 || status === 403)
    throw failed(`it does not let ${access.user} in, or do this (${status}): see its user and password`);
  const answer = parsed(text);
  if (status < 200 || status > 299) throw failed(`it answers ${path} with ${status}${refusalIn(answer, access)}`);
  const checked = shape.safeParse(answer);
  if (checked.success) return checked.data;
  throw failed(`what it answers ${path} with is not of Redfish: ${z.prettifyError(checked.error).split('\n')[0]}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusalIn(answer: unknown, { password, user }: RedfishAccess): string {
  const refusal = Refusal.safeParse(answer);
  if (!refusal.success) return '';
  const { message, '@Message.ExtendedInfo': info } = refusal.data.error;
  const words = saidBy(info?.[0]?.Message ?? message ?? '', [password, basic(user, password)]);
  return words === '' ? '' : `: ${words}`;
}

const basic = (user: string, password: string): string => Buffer.from(`${user}:${password}`).toString('base64');

/** Nothing is sent before the certificate was looked at. */
function answerTo(
  { user, password, certificate }: RedfishAccess,
  url: URL,
  { method, body }: { method: string; body: object | undefined },
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  const isTls = url.protocol === 'https:';
  const sentBody = body && JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(signal.aborted ? error : failed(wordsOf(error)));
    const sent = (isTls ? requestHttps : requestHttp)(url, {
      ...{ method, agent: false, signal, timeout: silence },
      headers: {
        ...{ authorization: `Basic ${basic(user, password)}`, accept: 'application/json', 'odata-version': '4.0' },
        ...(sentBody !== undefined && {
          ...{ 'content-type': 'application/json', 'content-length': Buffer.byteLength(sentBody) },
        }),
      },
      ...(isTls && certificate !== undefined && { ca: certificate, rejectUnauthorized: false }),
    });
    sent.once('timeout', () => sent.destroy(new Error(`it was silent for ${silence / 1_000} s`)));
    sent.once('error', fail);
    sent.once('response', (answer) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      answer.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes > most) sent.destroy(new Error(`it answers with more than ${most} bytes`));
        else parts.push(part);
      });
      answer.once('error', fail);
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
      );
    });
    if (!isTls || certificate === undefined) return void sent.end(sentBody);
    sent.once('socket', (socket) =>
      socket.once('secureConnect', () => {
        if (isTrusted(socket, certificate)) sent.end(sentBody);
        else sent.destroy(new Error('it shows another certificate than the one that is set, or vouched for by that'));
      }),
    );
  });
}

/** That very certificate, whatever name it has, or one that it vouches for, with the name that was asked for. */
function isTrusted(socket: unknown, certificate: string): boolean {
  if (!(socket instanceof TLSSocket)) return false;
  const shown = socket.getPeerX509Certificate()?.fingerprint256;
  return socket.authorized || shown === new X509Certificate(certificate).fingerprint256;
}

/** Those of the system, with the code that operators look for. */
function wordsOf(error: Error): string {
  const several = error instanceof AggregateError ? error.errors.filter((one) => one instanceof Error) : [];
  const words = several.length > 0 ? several.map(({ message }) => message).join('; ') : error.message;
  return `it could not be asked (${words})`;
}

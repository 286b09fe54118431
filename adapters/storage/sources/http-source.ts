import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Problem, problemOf } from '../../../domain/problems.js';
import { type HttpAnswer, judgeAnswer, validatorOf } from '../../../domain/storage/http-answer.js';
import { limits } from '../../../schemas/common/limits.js';
import { codeOf, thrown } from '../disk-fault.js';
import { checkHost, guardedLookup, type NetworkRules } from './guarded-lookup.js';
import type { SourceBytes, SourceOffset } from './port.js';

export type HttpRules = NetworkRules & {
  /** Milliseconds for which a server may be silent. */
  silence?: number;
};

const refused = (why: string, cause?: unknown): Problem => new Problem('source_refused', why, { cause });
const away = (why: string, cause?: unknown): Problem => new Problem('backend_unavailable', why, { cause });

/**
 * Opens what is at an address, at an offset where the server can and it is still the same. Redirects are followed by hand, each looked at as the first
 * one was. Addresses may have secrets in their paths: what goes wrong names the host alone.
 */
export async function openUrl(
  text: string,
  rules: HttpRules,
  from: SourceOffset,
  signal: AbortSignal,
): Promise<SourceBytes> {
  let url = checked(text, undefined);
  for (let hops = 0; hops <= limits.redirects.most; hops++) {
    const answer = await ask(url, rules, from, signal);
    const judged = judgeAnswer(answerOf(answer), from);
    if (judged.is === 'bytes') {
      const { offset, total } = judged;
      const bytes = bytesOf(answer, url.host, offset, total, rules, signal);
      const close = async () => void answer.destroy();
      return { offset, total, version: validatorOf(answerOf(answer)), bytes, close };
    }
    answer.destroy();
    if (judged.is === 'complete')
      return { offset: from.offset, total: from.offset, version: from.version, bytes: none(), close: async () => {} };
    if (judged.is === 'again') return openUrl(text, rules, { offset: 0, version: null }, signal);
    if (judged.is === 'away') throw away(`The server ${url.host} ${judged.why}.`);
    if (judged.is === 'refused') throw refused(`The server ${url.host} ${judged.why}.`);
    url = checked(judged.to, url);
  }
  throw refused(`The server ${url.host} leads on for more than ${limits.redirects.most} times.`);
}

async function* none(): AsyncGenerator<Uint8Array> {}

/** An address that may be asked, by what is written in it. */
function checked(text: string, before: URL | undefined): URL {
  const url = URL.canParse(text, before?.href) ? new URL(text, before?.href) : undefined;
  if (url === undefined) throw refused('The address of the source cannot be read.');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw refused('The source must be an address of http or https.');
  if (before?.protocol === 'https:' && url.protocol === 'http:')
    throw refused(`The server ${before.host} leads on to an address without TLS.`);
  if (url.username !== '' || url.password !== '')
    throw refused(
      'The address of the source has a name or a password in it, which everybody would see who sees the image.',
    );
  return url;
}

/** The answer to one request, its body not read. */
function ask(
  url: URL,
  rules: HttpRules,
  { offset, version }: SourceOffset,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  checkHost(url.hostname, rules);
  const going = offset > 0 && version !== null;
  const range = going ? { range: `bytes=${offset}-`, 'if-range': version } : {};
  const silence = rules.silence ?? limits.silence.most * 1_000;
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      // A connection of its own: one that was kept might be to an address that another rule had allowed.
      ...{ agent: false, signal, timeout: silence, lookup: guardedLookup(rules) },
      headers: { 'accept-encoding': 'identity', accept: '*/*', 'user-agent': 'arcus', ...range },
      maxHeaderSize: 32 * 1024,
    });
    request.on('timeout', () => request.destroy(away(`The server ${url.host} has been silent for too long.`)));
    request.on('error', (error) => reject(thrown(signal.aborted ? signal.reason : faultOf(error, url.host))));
    request.on('response', resolve);
    request.end();
  });
}

const answerOf = ({ statusCode, headers }: IncomingMessage): HttpAnswer => ({
  status: statusCode ?? 0,
  location: headers.location,
  etag: headers.etag,
  lastModified: headers['last-modified'],
  date: headers.date,
  contentLength: headers['content-length'],
  contentRange: headers['content-range'],
  contentEncoding: headers['content-encoding'],
  chunked: headers['transfer-encoding']?.toLowerCase().endsWith('chunked') ?? false,
});

async function* bytesOf(
  answer: IncomingMessage,
  host: string,
  offset: number,
  total: number | null,
  rules: HttpRules,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const silence = rules.silence ?? limits.silence.most * 1_000;
  let [at, before, began] = [offset, offset, Date.now()];
  answer.setTimeout(silence, () => answer.destroy(away(`The server ${host} has been silent for too long.`)));
  try {
    for await (const chunk of chunksOf(answer)) {
      signal.throwIfAborted();
      at += chunk.length;
      if (Date.now() - began >= silence) {
        if (at - before < limits.slowest.most) throw away(`The server ${host} sends less than anybody can wait for.`);
        [began, before] = [Date.now(), at];
      }
      yield chunk;
    }
  } catch (error) {
    throw thrown(signal.aborted ? signal.reason : faultOf(error, host));
  }
  if (total !== null && at !== total) throw away(`The server ${host} ended before what it had promised.`);
}

/** Without an encoding, what a message gives is bytes. */
async function* chunksOf(answer: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of answer) if (chunk instanceof Uint8Array) yield chunk;
}

/** What will not be otherwise when it is asked again; all else may. */
const lasting: Readonly<Record<string, string>> = {
  ENOTFOUND: 'is not known',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'has a certificate that nobody has signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'has a certificate of an authority that is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'has a certificate of an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'has a certificate of an authority that is not known here',
  CERT_HAS_EXPIRED: 'has a certificate that has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate of another name',
};

function faultOf(error: unknown, host: string): unknown {
  const known = problemOf(error);
  if (known !== undefined) return known;
  const code = codeOf(error);
  if (code === undefined) return error;
  const why = lasting[code];
  return why === undefined
    ? away(`The server ${host} does not answer, or broke off (${code}).`, error)
    : refused(`The server ${host} ${why}.`, error);
}

import { z } from 'zod';
import { fetchTrusting } from '../../runtime/servers/trusting-fetch.js';
import { pageOf } from '../../schemas/common/common.js';
import { ProblemBody } from '../../schemas/common/problem.js';
import { Complaint, type Exit } from './complaint.js';
import type { Connection } from './connection.js';
import { nextStep, sentenceOf } from './next-step.js';
import { otherProtocol } from './other-protocol.js';

/** An answer as it came, for `-o json`, and as this program understands it. `tag`: stands for what it shows. */
export type Answer<T> = { raw: unknown; value: T; tag?: string | undefined };

type Came = Omit<Answer<unknown>, 'value'>;

export type Body = { type: 'application/json' | 'text/plain'; text: string };

/** How one request differs from others. */
type Manner = {
  /** Ends it early; the reason of the signal is thrown as it is. */
  signal?: AbortSignal;
  /** Milliseconds in which an answer must come. */
  within?: number;
  /** Sent as Idempotency-Key: the same request under the same key is done once. */
  key?: string;
  /** Sent as If-Match, the tag of what was read: what has been changed since is not written over. */
  unchanged?: string | undefined;
};

export type ApiClient = ReturnType<typeof createApiClient>;

/** The native API, by its paths below /api/v1. Everything but a success throws a Complaint. */
export function createApiClient({ endpoint, credentials, typed = false, trust }: Connection) {
  const authorization =
    'token' in credentials
      ? `Bearer ${credentials.token}`
      : `Basic ${Buffer.from(`${credentials.name}:${credentials.password}`).toString('base64')}`;

  async function ask(method: string, path: string, body?: Body, manner: Manner = {}): Promise<Came> {
    const late = AbortSignal.timeout(manner.within ?? 60_000);
    const failed = async (cause: unknown): Promise<unknown> =>
      manner.signal?.aborted ? cause : unreachable(endpoint, cause);
    const response = await fetchTrusting(trust)(new URL(`/api/v1${path}`, endpoint), {
      method,
      headers: {
        authorization,
        accept: 'application/json, application/problem+json',
        // A proxy that compresses an answer weakens its tag, and a weak one matches nothing.
        'accept-encoding': 'identity',
        ...(body ? { 'content-type': body.type } : {}),
        ...(manner.key === undefined ? {} : { 'idempotency-key': manner.key }),
        ...(manner.unchanged === undefined ? {} : { 'if-match': manner.unchanged }),
      },
      ...(body ? { body: body.text } : {}),
      signal: manner.signal ? AbortSignal.any([late, manner.signal]) : late,
    }).catch(async (cause: unknown) => {
      throw await failed(cause);
    });
    const text = await response.text().catch(async (cause: unknown) => {
      throw await failed(cause);
    });
    if (!response.ok) throw refusal(response.status, text, { endpoint, method, path, typed });
    const tag = response.headers.get('etag') ?? undefined;
    return { raw: text === '' ? undefined : parsed(text, endpoint), tag };
  }

  async function get<S extends z.ZodType>(path: string, schema: S, manner?: Manner): Promise<Answer<z.output<S>>> {
    return understood(await ask('GET', path, undefined, manner), schema, endpoint);
  }

  return {
    endpoint,
    get,
    /** All items of a list, page by page, up to `most`. */
    list: async <S extends z.ZodType>(
      path: string,
      item: S,
      {
        query = {},
        most = Number.POSITIVE_INFINITY,
        ...manner
      }: { query?: Record<string, string>; most?: number } & Pick<Manner, 'signal' | 'within'> = {},
    ): Promise<Answer<z.output<S>>[]> => {
      const items: Answer<z.output<S>>[] = [];
      const Pages = pageOf(z.unknown());
      for (let cursor: string | null = ''; cursor !== null && items.length < most; ) {
        const limit = String(Math.min(1000, most - items.length));
        const parameters = new URLSearchParams({ ...query, limit, ...(cursor === '' ? {} : { cursor }) });
        const page: Answer<z.output<typeof Pages>> = await get(`${path}?${parameters.toString()}`, Pages, manner);
        items.push(...page.value.items.map((raw) => understood({ raw }, item, endpoint)));
        cursor = page.value.next_cursor;
      }
      return items;
    },
    send: async <S extends z.ZodType>(
      method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
      path: string,
      schema: S,
      body?: Body,
      manner?: Manner,
    ): Promise<Answer<z.output<S>>> => understood(await ask(method, path, body, manner), schema, endpoint),
  };
}

/** A value as the body of a request. */
export const json = (value: unknown): Body => ({ type: 'application/json', text: JSON.stringify(value) });

function understood<S extends z.ZodType>(came: Came, schema: S, endpoint: URL): Answer<z.output<S>> {
  const result = schema.safeParse(came.raw);
  if (result.success) return { ...came, value: result.data };
  throw new Complaint('failure', `What ${endpoint.origin} answered is not what this version of arcus expects.`, {
    findings: result.error.issues.map(({ path, message }) => ({ pointer: `/${path.join('/')}`, detail: message })),
    next: 'Is it an Arcus of the same version?',
  });
}

function parsed(text: string, endpoint: URL): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Complaint('failure', `${endpoint.origin} answers, but not as an Arcus does.`, {
      cause,
      next: 'Is it the address of an Arcus? Name another with --endpoint, ARCUS_ENDPOINT or a context.',
    });
  }
}

/** Of OpenSSL and Node: the server has shown a certificate, and it will not do. */
const distrust = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|another certificate/;

async function unreachable(endpoint: URL, cause: unknown): Promise<Complaint> {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : '';
  const words = inner instanceof Error ? inner.message : String(inner);
  if (endpoint.protocol === 'https:' && distrust.test(`${code} ${words}`))
    return new Complaint('unreachable', `The certificate of ${endpoint.origin} is not to be trusted: ${words}.`, {
      cause,
      next: 'Nothing was sent. If it comes from an authority of your own, name the file with that in ARCUS_CA, or by --ca where you sign in.',
    });
  const other = await otherProtocol(endpoint, code);
  if (other !== null) return other;
  const late = cause instanceof Error && cause.name === 'TimeoutError';
  return new Complaint('unreachable', `${late ? 'No answer in time from' : 'Nothing answers at'} ${endpoint.origin}.`, {
    cause,
    next: 'Is Arcus running? Start it with npm start, or name another with --endpoint, ARCUS_ENDPOINT or a context.',
  });
}

const exitOf: Record<number, Exit> = {
  400: 'usage',
  401: 'not_allowed',
  403: 'not_allowed',
  404: 'not_found',
  409: 'conflict',
  412: 'conflict',
  413: 'usage',
  415: 'usage',
  429: 'not_allowed',
  503: 'unreachable',
};

function refusal(
  status: number,
  text: string,
  asked: { endpoint: URL; method: string; path: string; typed: boolean },
): Complaint {
  const exit = exitOf[status] ?? 'failure';
  const problem = problemIn(text);
  if (problem)
    return new Complaint(exit, sentenceOf(problem, asked), {
      findings: problem.errors ?? [],
      next: nextStep(problem, asked),
      code: problem.type.slice(problem.type.lastIndexOf('/') + 1),
    });
  return new Complaint(exit, `${asked.endpoint.origin} answered ${status}, and not as an Arcus does.`, {
    next: 'Is it the address of an Arcus of the same version? Name another with --endpoint, ARCUS_ENDPOINT or a context.',
  });
}

function problemIn(text: string): ProblemBody | undefined {
  try {
    return ProblemBody.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

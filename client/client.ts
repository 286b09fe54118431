import { z } from 'zod';
import { pageOf } from '../schemas/common/common.js';
import { limits } from '../schemas/common/limits.js';
import { ProblemBody } from '../schemas/common/problem.js';
import { type Asked, type ClientError, Misunderstood, Refusal, Unreachable } from './errors.js';
import type { Again, EachManner, ReadManner, SendManner } from './manner.js';
import { authorizationOf, type Body, type Bytes, type Credentials } from './message.js';
import { repeated } from './repeated.js';
import { plainTransport, type Transport } from './transport.js';

/**
 * Where the server is, and who asks. `inWords` makes of what goes wrong what is thrown; absent: it is thrown as it is. `reading`: how what
 * is only read is asked for again, where whoever reads has neither a signal nor a time of his own; absent: it is not.
 */
export type Server = {
  endpoint: URL;
  credentials: Credentials;
  inWords?: (error: ClientError) => Error;
  reading?: Again | undefined;
};

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** An answer as it came and as this program understands it. `tag`: of the header ETag, stands for what it shows. */
export type Answer<T> = { raw: unknown; value: T; tag?: string | undefined };

/** Whatever a server has said to one request, success or not. */
export type Reply = { status: number; headers: Headers; text: string };

/** One page of a list; `next`: the cursor of the page after it, null on the last. */
export type PageOf<T> = { items: Answer<T>[]; next: string | null };

/** Which of a list, by names of the API such as `filter`; how many of them, and how many a page. */
export type ListManner = ReadManner & { query?: Record<string, string>; most?: number; perPage?: number };

export type Client = ReturnType<typeof createClient>;

const Raws = pageOf(z.unknown());
const usualTime = 60_000;

/**
 * The native API of one server, by its paths below /api/v1. Answers are read by the schema that is given with each
 * request; everything but a success is thrown, as Unreachable, Refusal or Misunderstood.
 */
export function createClient(
  { endpoint, credentials, inWords = (error) => error, reading }: Server,
  { fetch, whyNot }: Transport = plainTransport,
) {
  const authorization = authorizationOf(credentials);

  /**
   * Sends one request as it is, and returns whatever is answered: for those who want to see refusals as they are. Throws
   * Unreachable where no whole answer comes, and the reason of the signal that has ended it.
   */
  async function exchange(method: Method, path: string, body?: Body | Bytes, manner: EachManner = {}): Promise<Reply> {
    const { signal, within = usualTime, key, unchanged, headers } = manner;
    const late = AbortSignal.timeout(within);
    try {
      const response = await fetch(new URL(`/api/v1${path}`, endpoint), {
        method,
        headers: {
          authorization,
          accept: 'application/json, application/problem+json',
          // A proxy that compresses an answer weakens its tag, and a weak one matches nothing.
          'accept-encoding': 'identity',
          ...(body && { 'content-type': body.type }),
          ...(key !== undefined && { 'idempotency-key': key }),
          ...(unchanged !== undefined && { 'if-match': unchanged }),
          ...headers,
        },
        ...(body && { body: body.text }),
        signal: signal ? AbortSignal.any([late, signal]) : late,
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    } catch (cause) {
      signal?.throwIfAborted();
      const why = late.aborted
        ? ({ reason: 'late', words: `nothing in ${within} ms`, mayHaveArrived: true } as const)
        : await whyNot(endpoint, cause);
      throw new Unreachable({ endpoint, method, path }, why, cause);
    }
  }

  async function ask<S extends z.ZodType>(
    method: Method,
    path: string,
    schema: S,
    body?: Body,
    manner: SendManner | ReadManner = {},
  ): Promise<Answer<z.output<S>>> {
    const { again: own, ...each } = manner;
    const isPlain = method === 'GET' && each.signal === undefined && each.within === undefined;
    const again = own ?? (isPlain ? reading : undefined);
    const asked = { endpoint, method, path };
    const once = async () => understood(await exchange(method, path, body, each), schema, asked);
    try {
      return await (again ? repeated(once, again, manner.signal) : once());
    } catch (error) {
      throw isOfClient(error) ? inWords(error) : error;
    }
  }

  /** What is there. */
  const get = <S extends z.ZodType>(path: string, schema: S, manner?: ReadManner): Promise<Answer<z.output<S>>> =>
    ask('GET', path, schema, undefined, manner);

  /** A list, page by page; the next is asked for when the one before it has been looked at. */
  async function* pages<S extends z.ZodType>(
    path: string,
    item: S,
    { query = {}, most = Number.POSITIVE_INFINITY, perPage = limits.pageItems.most, ...manner }: ListManner = {},
  ): AsyncGenerator<PageOf<z.output<S>>, void, undefined> {
    let count = 0;
    for (let cursor: string | null = ''; cursor !== null && count < most; ) {
      const limit = String(Math.min(perPage, most - count));
      const parameters = new URLSearchParams({ ...query, limit, ...(cursor !== '' && { cursor }) });
      const before: string = cursor;
      // One that leads to itself would be followed for ever.
      const Page = pageOf(item).refine(({ next_cursor }) => next_cursor !== before, {
        path: ['next_cursor'],
        error: 'leads to the page that it is of',
      });
      const { value, raw }: Answer<z.output<typeof Page>> = await get(`${path}?${parameters.toString()}`, Page, manner);
      const raws = Raws.parse(raw).items;
      count += raws.length;
      cursor = value.next_cursor;
      yield { items: value.items.map((one, at) => ({ value: one, raw: raws[at] })), next: cursor };
    }
  }

  /** All items of a list, whatever pages they come in, up to `most`. */
  async function list<S extends z.ZodType>(path: string, item: S, manner?: ListManner): Promise<Answer<z.output<S>>[]> {
    const items: Answer<z.output<S>>[] = [];
    for await (const page of pages(path, item, manner)) items.push(...page.items);
    return items;
  }

  return {
    endpoint,
    exchange,
    get,
    pages,
    list,
    /** Has something made, changed, done or removed; what answers with nothing is of `z.undefined()`. */
    send: <S extends z.ZodType>(
      method: Exclude<Method, 'GET'>,
      path: string,
      schema: S,
      body?: Body,
      manner?: SendManner,
    ): Promise<Answer<z.output<S>>> => ask(method, path, schema, body, manner),
    /** One object of a collection, as the API shows it by itself. */
    show: <S extends z.ZodType>(
      { path, whole }: { path: string; whole: S },
      id: number | string,
      manner?: ReadManner,
    ) => get(`${path}/${encodeURIComponent(id)}`, whole, manner),
    /** All objects of a collection, as the API lists them. */
    all: <S extends z.ZodType>({ path, item }: { path: string; item: S }, manner?: ListManner) =>
      list(path, item, manner),
  };
}

/** The reason why a request was refused, from whatever was answered. */
export const refusalOf = (asked: Asked, { status, text }: Pick<Reply, 'status' | 'text'>): Refusal =>
  new Refusal(asked, status, problemIn(text));

const isOfClient = (error: unknown): error is ClientError =>
  error instanceof Unreachable || error instanceof Refusal || error instanceof Misunderstood;

function understood<S extends z.ZodType>(
  { status, headers, text }: Reply,
  schema: S,
  asked: Asked,
): Answer<z.output<S>> {
  if (status < 200 || status > 299) throw refusalOf(asked, { status, text });
  const raw = parsed(text, asked);
  const result = schema.safeParse(raw);
  if (result.success) return { raw, value: result.data, tag: headers.get('etag') ?? undefined };
  const findings = result.error.issues.map(({ path, message }) => ({ pointer: `/${path.join('/')}`, detail: message }));
  throw new Misunderstood(asked, findings, result.error);
}

function parsed(text: string, asked: Asked): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch (cause) {
    throw new Misunderstood(asked, [], cause);
  }
}

function problemIn(text: string): ProblemBody | null {
  try {
    return ProblemBody.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

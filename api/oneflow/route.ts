import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express, { type Request, type Response, type Router } from 'express';
import { z } from 'zod';
import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import type { Admission } from '../../requests/context.js';
import { limits } from '../../schemas/common/limits.js';
import { check } from '../http/findings.js';
import { invalid } from '../http/invalid.js';
import type { Metrics } from '../http/metrics.js';
import { readBody } from '../http/read-body.js';
import { callerOf, requestId } from '../http/request.js';
import { type Ways, waysOf } from './client-version.js';
import type { Document } from './documents.js';

/** A request as it came: who asks, in which way his client is answered, and what was sent, which is yet to be looked at. */
export type Asked = {
  caller: Caller;
  ways: Ways;
  admission: Admission;
  /** Absent: nothing, or null. */
  body: unknown;
  /** The number in the path, where it has one; 0 elsewhere. */
  id: number;
  /** The name of a role in the path; empty where it has none. */
  role: string;
  /** What `{n}` of the path is; empty where it has none. */
  n: string;
  /** Counts an operation that was accepted, by what was asked for, as the native API calls it. */
  accepted: (request: string) => void;
};

/** A document, a list of them page by page, a text, or nothing but the status. */
export type Answer =
  | { status: 200 | 201; document: Document }
  | { status: 200; pool: AsyncIterator<readonly Document[]> }
  | { status: 201; value: unknown }
  | { status: 204 };

export const done: Answer = { status: 204 };

type Row = {
  method: 'get' | 'post' | 'put' | 'delete';
  /** Parameters in braces: `{id}`, `{role}`, `{n}`. */
  path: string;
  answer: (asked: Asked) => Promise<Answer>;
};

export type Counting = Pick<Metrics, 'operationAccepted'>;

const readBytes = express.raw({ type: () => true, limit: limits.body.most });

/** Adds routes to a router. Clients send bodies under any Content-Type, and with GET, where they mean nothing. */
export function addRoutes(router: Router, metrics: Counting, rows: readonly Row[]): void {
  for (const { method, path, answer } of rows)
    router[method](
      path.replaceAll(/\{(\w+)\}/g, ':$1'),
      ...(method === 'get' ? [] : [readBytes]),
      async (request: Request, response: Response) => {
        request.template = path;
        await send(response, await answer({ ...askedOf(request), accepted: metrics.operationAccepted }));
      },
    );
}

function askedOf(request: Request): Omit<Asked, 'accepted'> {
  const { id, role, n } = request.params;
  const sent: unknown = request.body;
  return {
    caller: callerOf(request),
    ways: waysOf(request.headers['user-agent']),
    admission: { requestId: requestId(request) },
    body: request.method === 'GET' ? undefined : (readBody(sent, 'application/json', { comments: true }) ?? undefined),
    id: id === undefined ? 0 : idOf(id),
    role: typeof role === 'string' ? role : '',
    n: typeof n === 'string' ? n : '',
  };
}

/** What is no number is nothing's: OneFlow takes it for 0, which is somebody's. */
function idOf(text: string | string[]): number {
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text);
  throw new Problem('not_found', `There is no document ${JSON.stringify(text)}: ids are numbers.`);
}

async function send(response: Response, answer: Answer): Promise<void> {
  response.status(answer.status);
  if (answer.status === 204) response.end();
  else if ('pool' in answer) await sendPool(response, answer.pool);
  else response.type('json').send(pretty('document' in answer ? answer.document : answer.value));
}

const pretty = (value: unknown): string => JSON.stringify(value, null, 2);

/** All documents, of which no more than a page is in memory at a time. What fails before the first is refused as usual. */
async function sendPool(response: Response, pages: AsyncIterator<readonly Document[]>): Promise<void> {
  const first = await pages.next();
  response.type('json');
  await pipeline(Readable.from(poolText(first, pages)), response);
}

async function* poolText(
  first: IteratorResult<readonly Document[]>,
  pages: AsyncIterator<readonly Document[]>,
): AsyncGenerator<string> {
  let before = '';
  for (let page = first; !page.done; page = await pages.next())
    for (const { DOCUMENT } of page.value) {
      yield `${before === '' ? '{\n"DOCUMENT_POOL": {\n"DOCUMENT": [\n' : before}${pretty(DOCUMENT)}`;
      before = ',\n';
    }
  yield before === '' ? pretty({ DOCUMENT_POOL: {} }) : '\n]\n}\n}';
}

/** All pages of a list, made into documents. */
export async function* pagesOf<T>(
  list: (query: { limit: number; cursor?: string }) => Promise<{ items: readonly T[]; next_cursor: string | null }>,
  document: (item: T) => Document | null,
): AsyncGenerator<readonly Document[]> {
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const page = await list({ limit: limits.pageItems.most, ...(cursor !== undefined && { cursor }) });
    yield page.items.flatMap((item) => document(item) ?? []);
    cursor = page.next_cursor;
  }
}

/** What was sent as a schema gives it, or everything that is wrong with it. */
export function checked<S extends z.ZodType>(schema: S, sent: unknown): z.output<S> {
  const result = check(schema, sent);
  if (result.ok) return result.value;
  throw invalid(result.findings);
}

/** What was sent, as an object: any member may be in it. */
export const objectOf = (sent: unknown): Record<string, unknown> => checked(z.looseObject({}), sent ?? {});

/** What a text says as JSON; what is none is refused so. */
export function jsonOf(text: string, refusal: Problem): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusal;
  }
}

/** OneFlow's own words for what it does not do: 500 to its clients. */
export const refused = (sentence: string): Problem => new Problem('wrong_state', sentence);

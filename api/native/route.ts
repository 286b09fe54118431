import { z } from 'zod';
import type { Caller } from '../../domain/identity/caller.js';
import { Problem, type ProblemCode } from '../../domain/problems.js';
import type { Admission } from '../../requests/context.js';
import type { Operations } from '../../requests/operations.js';
import { type Precondition, unconditional } from '../../requests/precondition.js';
import type { Page } from '../../schemas/common/common.js';
import { OperationResource } from '../../schemas/operations/operation-resource.js';
import { check, checkQuery } from '../http/findings.js';
import { invalid } from '../http/invalid.js';
import { PathId } from '../http/path-id.js';
import type { BodySpec } from '../http/read-body.js';
import type { Example, ExampleOf } from './example.js';
import { chosen } from './list-query.js';
import type { Needs } from './needs.js';

/** Where every route of the native API begins. */
export const apiRoot = '/api/v1';

/** A request as it came: authenticated, its body read, nothing validated. */
export type Received = {
  caller: Caller;
  path: string;
  params: unknown;
  query: unknown;
  body: unknown;
  admission: Admission;
  precondition: Precondition;
  /** Shows the object that the request is about; absent: it is about none that is there yet. */
  current?: () => Promise<unknown>;
};

export type Reply = { status: number; body: unknown; headers: Record<string, string> };

/** What a route answers when all is well. */
export type Answer<R> = {
  status: 200 | 201 | 202 | 204;
  description: string;
  schema: z.ZodType | null;
  /** Headers of the answer, with what they say. */
  headers: Readonly<Record<string, string>>;
  /** It shows something, and has an ETag that stands for it. */
  tagged: boolean;
  reply(result: R, received: Received): Reply;
};

type Spec<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, R> = {
  /** OpenAPI operationId. */
  id: string;
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Below the root of the API, parameters in braces. */
  path: string;
  tag: string;
  summary: string;
  needs: Needs<Extract<keyof NoInfer<P>['shape'], string>>;
  description?: string;
  params: P;
  query: Q;
  body: BodySpec<B>;
  answer: Answer<R>;
  /** Beyond those that every route can give. */
  problems: readonly ProblemCode[];
  examples: readonly [ExampleOf<P, Q, B, NoInfer<R>>, ...ExampleOf<P, Q, B, NoInfer<R>>[]];
  handle(
    operations: Operations,
    request: {
      caller: Caller;
      params: z.output<P>;
      query: z.output<Q>;
      body: z.output<B>;
      admission: Admission;
      /** What If-Match asks for. Whoever edits an object compares in the very transaction that writes it. */
      precondition: Precondition;
    },
  ): Promise<R>;
};

/** One row of the table from which both the Express routes and the OpenAPI document are made. */
export type Route = Pick<
  Spec<z.ZodObject, z.ZodObject, z.ZodType, never>,
  'id' | 'method' | 'path' | 'tag' | 'summary' | 'needs' | 'description' | 'params' | 'query' | 'body' | 'problems'
> & {
  answer: Pick<Answer<never>, 'status' | 'description' | 'schema' | 'headers' | 'tagged'>;
  examples: readonly Example[];
  run(operations: Operations, received: Received): Promise<Reply>;
};

/** Makes a row: validates parameters, query and body, reports all that is wrong with them at once, and hands over typed values. */
export function route<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, R>(
  spec: Spec<P, Q, B, R>,
): Route {
  return {
    ...spec,
    run: async (operations, received) => {
      const params = check(spec.params, received.params);
      const query = checkQuery(spec.query, received.query);
      const sent = bodyOf(spec.body, received);
      const described = check(spec.body.described ?? z.unknown(), sent);
      const body = described.ok ? check(spec.body.schema, sent) : described;
      if (!params.ok || !query.ok || !body.ok) {
        throw invalid([...params.findings, ...query.findings, ...body.findings]);
      }
      const { caller, admission, precondition, current } = received;
      // What starts an operation is compared before its admission, whose own guards decide the rest, and what makes something
      // new of another thing before that is read. A repeated request has its answer already: it has itself changed what
      // it is about.
      const starts = [201, 202].includes(spec.answer.status) && precondition !== unconditional;
      if (starts && current && !(await operations.operations.isRepeated(caller, admission)))
        await precondition.demand(current);
      const request = { caller, admission, precondition, params: params.value, query: query.value, body: body.value };
      return spec.answer.reply(await spec.handle(operations, request), received);
    },
  };
}

function bodyOf(spec: BodySpec<z.ZodType>, { body }: Received): unknown {
  if (spec.taken !== 'never' && body !== undefined) return spec.understood ? spec.understood(body) : body;
  if (spec.taken === 'never') return body;
  if (spec.taken === 'optional') return {};
  throw new Problem('malformed_body', 'This request needs a body.');
}

export const shows = <R>(schema: z.ZodType<R>): Answer<R> => ({
  status: 200,
  description: 'The object',
  schema,
  headers: {},
  tagged: true,
  reply: (body) => ({ status: 200, body, headers: {} }),
});

/** A page of a list. `id` names it in the OpenAPI document. */
export const lists = <T extends z.ZodObject>(id: string, item: T): Answer<Page<z.output<T>>> => ({
  status: 200,
  description: 'A page of the list',
  schema: z
    .object({ items: z.array(z.union([item, chosenFrom(id, item)])), next_cursor: z.string().nullable() })
    .meta({ id }),
  headers: { Link: 'The next page, `rel="next"`; absent on the last one' },
  tagged: true,
  reply: ({ items, next_cursor }, { path, query }) => ({
    status: 200,
    body: { items: isRecord(query) ? chosen(items, query.fields) : items, next_cursor },
    headers: linkTo(path, query, next_cursor),
  }),
});

const chosenFrom = (page: string, item: z.ZodObject): z.ZodObject =>
  item.partial().meta({ id: page.replace(/Page$/, 'Choice'), description: 'What `fields` has asked for' });

export const creates = <R extends { id: number }>(schema: z.ZodType<R>): Answer<R> => ({
  status: 201,
  description: 'Created',
  schema,
  headers: { Location: 'Where the new object is' },
  tagged: true,
  reply: (body, { path }) => ({ status: 201, body, headers: { Location: `${path}/${body.id}` } }),
});

/** The work is written down and will end; it is not done yet. */
export const accepts: Answer<OperationResource> = {
  status: 202,
  description: 'Accepted: the operation is written down and will end; follow it at Location',
  schema: OperationResource,
  headers: { Location: 'Where the operation is' },
  tagged: false,
  reply: (body) => ({ status: 202, body, headers: { Location: `${apiRoot}/operations/${body.id}` } }),
};

export const removes: Answer<void> = {
  status: 204,
  description: 'Gone',
  schema: null,
  headers: {},
  tagged: false,
  reply: () => ({ status: 204, body: undefined, headers: {} }),
};

function linkTo(path: string, query: unknown, cursor: string | null): Record<string, string> {
  if (cursor === null) return {};
  const kept = Object.entries(isRecord(query) ? query : {}).filter(([name]) => name !== 'cursor');
  const parameters = new URLSearchParams(kept.map(([name, value]): [string, string] => [name, String(value)]));
  parameters.set('cursor', cursor);
  return { Link: `<${path}?${parameters.toString()}>; rel="next"` };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

export const ById = z.strictObject({ id: PathId });
export const NoQuery = z.strictObject({});
export const NoParams = z.strictObject({});

const nothing = z.strictObject({}).optional();
/** What somebody sends all the same may say nothing: it would not be heeded. Of a GET it means nothing, and is not read. */
export const noBody: BodySpec<typeof nothing> = { schema: nothing, taken: 'never', comments: false };

/** A JSON body. */
export const json = <B extends z.ZodType>(schema: B, taken: 'required' | 'optional' = 'required'): BodySpec<B> => ({
  schema,
  taken,
  comments: false,
});

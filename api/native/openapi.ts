import { OpenAPIRegistry, OpenApiGeneratorV31, type ResponseConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { isProblemCode, type ProblemCode, problems } from '../../domain/problems.js';
import { ProblemBody } from '../../schemas/common/problem.js';
import { TagList } from '../http/conditions.js';
import { IdempotencyKey } from '../http/idempotency-key.js';
import { needsInWords } from './needs-words.js';
import { answerExamples, bodyExamples, parameterExample, problemExamples } from './openapi-examples.js';
import { apiRoot, ById, noBody, type Route } from './route.js';
import { routeTable } from './route-table.js';
import { describedUploads } from './storage/uploads-described.js';

/** What any route can answer, whatever it does. */
const everywhere = [
  'invalid_request',
  'not_authenticated',
  'not_authorized',
  'address_too_long',
  'too_many_attempts',
  'internal',
  'database_unavailable',
] as const satisfies readonly ProblemCode[];
const withBody = [
  'malformed_body',
  'body_too_large',
  'unsupported_media_type',
] as const satisfies readonly ProblemCode[];

/** The OpenAPI 3.1 document of the native API, made from the table of routes. */
export function openApiDocument(version: string) {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'basic', {
    type: 'http',
    scheme: 'basic',
    description:
      'Name and password of a user, or a token in the place of the password; those of oneadmin are in the file `auth` of the home.',
  });
  registry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'A token that a user has made with `POST /tokens`.',
  });
  const codes = [...routeTable.map(codesOf), ...describedUploads.map(codesOfUpload)];
  const refusals = codes.flatMap((some) => problemAnswers(some).map((one) => [one.name, one] as const));
  for (const [name, refusal] of new Map(refusals))
    registry.registerComponent('responses', name, problemAnswer(refusal));
  for (const route of routeTable) registry.registerPath(pathOf(route));
  for (const upload of describedUploads) registry.registerPath(pathOfUpload(upload));
  const document = new OpenApiGeneratorV31([
    { type: 'schema', schema: ProblemBody },
    ...registry.definitions,
  ]).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Arcus',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: [
        'Runs applications made of many virtual machines. Names are snake_case, times RFC 3339 in UTC, memory in MB, ids integers.',
        'Long operations answer 202 with `Location`: follow the operation there. Send `Idempotency-Key` to make a repeated request harmless.',
        'What shows something has an `ETag`. Sent as `If-None-Match`, it saves an answer that you have (304); sent as `If-Match` with a change, the change is done only when nobody has changed the object meanwhile (412). `PATCH` is JSON merge patch (RFC 7396): null takes away, lists are replaced.',
        'Lists are paged: follow the `Link` header, or send `next_cursor` as `cursor`.',
        'Lists take `filter`, conditions that must all hold: `state=RUNNING|WARNING,name~web*,created_at>=2026-01-31`. They compare by `=`, `!=`, `~`, `!~` (`*` stands for any characters, `?` for one), `<`, `<=`, `>` and `>=`; `|` separates values of which one is enough; a value with `,`, `|` or a quote stands in double quotes. `sort=-created_at` sorts, `fields=id,name` leaves the other fields out.',
        'Refusals are `application/problem+json` (RFC 9457); the last part of `type` is a stable code, and `type` the address of a page that says what to do: `/problems` has all.',
        '`/healthz`, `/readyz`, `/metrics`, `/openapi.json`, `/problems` and `/docs` need no credentials.',
      ].join('\n\n'),
    },
    servers: [{ url: '/', description: 'this one' }],
    security: [{ basic: [] }, { bearer: [] }],
    tags: [...new Set(routeTable.map((route) => route.tag))].map((name) => ({ name })),
  });
  mend(document);
  for (const route of routeTable) showParameters(route, document.paths?.[apiRoot + route.path]?.[route.method]);
  return document;
}

/** The examples of a route, beside the parameters that they give. Ids are shown as what they are. */
function showParameters(route: Route, described: { parameters?: unknown[] } | undefined): void {
  for (const parameter of described?.parameters ?? []) {
    if (!isRecord(parameter)) continue;
    const { in: place, name, schema } = parameter;
    const example = parameterExample(route, String(place), String(name));
    if (example === undefined) continue;
    parameter.example = isRecord(schema) && schema.type === 'integer' ? Number(example) : example;
  }
}

/**
 * The generator takes a coerced number for nullable, though a parameter cannot be null; it leaves the flag of a Unicode
 * pattern in its text, where JSON Schema has none; and it does not say that integers are those that JavaScript can hold.
 */
function mend(at: unknown): void {
  if (Array.isArray(at)) {
    at.forEach(mend);
    return;
  }
  if (!isRecord(at)) return;
  const { schema, pattern, type, minimum, maximum } = at;
  if ('in' in at && isRecord(schema) && Array.isArray(schema.type)) {
    const types: unknown[] = schema.type;
    schema.type = types.find((type) => type !== 'null');
  }
  if ([type].flat().includes('integer')) {
    at.minimum = minimum ?? Number.MIN_SAFE_INTEGER;
    at.maximum = maximum ?? Number.MAX_SAFE_INTEGER;
  }
  if (typeof pattern === 'string') at.pattern = pattern.replace(/\/u$/, '');
  Object.values(at).forEach(mend);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Problems that any request can meet, or any with a body. */
export const problemsOf = (where: 'everywhere' | 'withBody'): readonly ProblemCode[] =>
  where === 'everywhere' ? everywhere : withBody;

/** What a route pays heed to beside parameters and body. */
export function headersOf(route: Route) {
  return {
    ...(route.answer.status === 202 ? { 'Idempotency-Key': IdempotencyKey.optional() } : {}),
    ...(isConditional(route)
      ? {
          'If-Match': TagList.optional().meta({
            description:
              'ETag of what you have read: if that has changed meanwhile, nothing is done (412). `*`: whatever it is now',
            examples: ['*'],
          }),
        }
      : {}),
    ...(shows(route)
      ? {
          'If-None-Match': TagList.optional().meta({
            description: 'ETag of what you have: if that is still so, 304 without a body',
            examples: ['"VFx3uZ1nq0cJm5T8aRk2wYp7Lb4"'],
          }),
        }
      : {}),
  };
}

function headersIn(route: Route) {
  const shape = headersOf(route);
  return Object.keys(shape).length > 0 ? { headers: z.object(shape) } : {};
}

/** It is about an object that is there, and does something to it. */
const isConditional = ({ method, path }: Route): boolean =>
  method !== 'get' && (method !== 'post' || path.includes('{'));

const shows = ({ method, answer }: Route): boolean => method === 'get' && answer.tagged;

/** In the order of the table of problems: the same set is then the same answer. */
const inOrder = (codes: readonly ProblemCode[]): ProblemCode[] => {
  const its = new Set<string>(codes);
  return Object.keys(problems)
    .filter(isProblemCode)
    .filter((code) => its.has(code));
};

const codesOf = (route: Route): ProblemCode[] =>
  inOrder([
    ...everywhere,
    ...(route.method === 'get' ? [] : withBody),
    ...(isConditional(route) ? (['precondition_failed'] as const) : []),
    ...route.problems,
  ]);

type Upload = (typeof describedUploads)[number];
const codesOfUpload = (upload: Upload): ProblemCode[] => inOrder([...everywhere, ...upload.problems]);

const headersAnswered = (headers: Readonly<Record<string, string>>, mayLack: string) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [
      name,
      { description, schema: { type: 'string' as const }, required: name !== mayLack },
    ]),
  );

const refusalsOf = (codes: readonly ProblemCode[]) =>
  Object.fromEntries(
    problemAnswers(codes).map(({ name, status }) => [status, { $ref: `#/components/responses/${name}` }]),
  );

function pathOfUpload(upload: Upload): Parameters<OpenAPIRegistry['registerPath']>[0] {
  const { id, method, path, summary, description, headers, takesBytes, answer } = upload;
  const bytes = { 'application/offset+octet-stream': { schema: { type: 'string' as const, format: 'binary' } } };
  return {
    ...{ method, path: apiRoot + path, operationId: id, tags: ['Images'], summary, description },
    request: {
      headers,
      ...(path === '/uploads' ? {} : { params: ById }),
      ...(takesBytes && { body: { required: true, content: bytes } }),
    },
    responses: {
      [answer.status]: {
        description: answer.description,
        headers: headersAnswered(answer.headers, 'Upload-Expires'),
        ...(answer.schema ? { content: { 'application/json': { schema: answer.schema } } } : {}),
      },
      ...refusalsOf(codesOfUpload(upload)),
    },
  };
}

function pathOf(route: Route): Parameters<OpenAPIRegistry['registerPath']>[0] {
  const takesBody = route.body !== noBody;
  const json = { schema: route.body.described ?? route.body.schema, ...bodyExamples(route, 'json') };
  const content = {
    ...Object.fromEntries((route.body.types ?? ['application/json']).map((type) => [type, json])),
    ...(route.body.text ? { 'text/plain': { schema: z.string(), ...bodyExamples(route, 'text') } } : {}),
  };
  return {
    method: route.method,
    path: apiRoot + route.path,
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    description: [
      ...(route.description === undefined ? [] : [route.description]),
      `Rights: ${needsInWords(route.needs)}.`,
    ].join('\n\n'),
    request: {
      params: route.params,
      query: route.query,
      ...headersIn(route),
      ...(takesBody ? { body: { required: route.body.taken === 'required', content } } : {}),
    },
    responses: {
      [route.answer.status]: answerOf(route),
      ...(shows(route) ? { 304: unchanged } : {}),
      ...refusalsOf(codesOf(route)),
    },
  };
}

const entityTag = {
  description: 'Stands for what is shown, as long as that is shown the same: for If-None-Match and If-Match',
  schema: { type: 'string' as const },
  required: true,
};

const unchanged = { description: 'Still what you have', headers: { ETag: entityTag } };

function answerOf(route: Route): ResponseConfig {
  const { answer } = route;
  const headers = headersAnswered(answer.headers, 'Link');
  return {
    description: answer.description,
    headers: { ...headers, ...(answer.tagged ? { ETag: entityTag } : {}) },
    ...(answer.schema ? { content: { 'application/json': { schema: answer.schema, ...answerExamples(route) } } } : {}),
  };
}

type SharedAnswer = { name: string; status: number; codes: readonly ProblemCode[] };

/** One answer for each status, naming the problems that share it. Many routes have the same: the document has each once. */
function problemAnswers(codes: readonly ProblemCode[]): SharedAnswer[] {
  const statuses = [...new Set(codes.map((code) => problems[code].status))].sort((one, other) => one - other);
  return statuses.map((status) => {
    const its = codes.filter((code) => problems[code].status === status);
    return { name: its.join('.'), status, codes: its };
  });
}

const problemAnswer = ({ codes }: SharedAnswer) => ({
  description: codes.map((code) => `${problems[code].title} (\`${code}\`)`).join('; '),
  content: {
    'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, ...problemExamples(codes) },
  },
});

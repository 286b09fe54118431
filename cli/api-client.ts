import { z } from 'zod';
import { pageOf } from '../schemas/common.js';
import { ProblemBody } from '../schemas/problem.js';
import { Complaint, type Exit } from './complaint.js';
import type { Connection } from './connection.js';

/** An answer as it came, for `-o json`, and as this program understands it. */
export type Answer<T> = { raw: unknown; value: T };

export type Body = { type: 'application/json' | 'text/plain'; text: string };

export type ApiClient = ReturnType<typeof createApiClient>;

/** The native API, by its paths below /api/v1. Everything but a success throws a Complaint. */
export function createApiClient({ endpoint, credentials }: Connection) {
  const authorization = `Basic ${Buffer.from(`${credentials.name}:${credentials.password}`).toString('base64')}`;

  async function ask(method: string, path: string, body?: Body): Promise<unknown> {
    const response = await fetch(new URL(`/api/v1${path}`, endpoint), {
      method,
      headers: {
        authorization,
        accept: 'application/json, application/problem+json',
        ...(body ? { 'content-type': body.type } : {}),
      },
      ...(body ? { body: body.text } : {}),
      signal: AbortSignal.timeout(60_000),
    }).catch((cause: unknown) => {
      throw unreachable(endpoint, cause);
    });
    const text = await response.text().catch((cause: unknown) => {
      throw unreachable(endpoint, cause);
    });
    if (!response.ok) throw refusal(response.status, text, endpoint);
    return text === '' ? undefined : parsed(text, endpoint);
  }

  async function get<S extends z.ZodType>(path: string, schema: S): Promise<Answer<z.output<S>>> {
    return understood(await ask('GET', path), schema, endpoint);
  }

  return {
    endpoint,
    get,
    /** All items of a list, page by page, up to `most`. */
    list: async <S extends z.ZodType>(
      path: string,
      item: S,
      { query = {}, most = Number.POSITIVE_INFINITY }: { query?: Record<string, string>; most?: number } = {},
    ): Promise<Answer<z.output<S>>[]> => {
      const items: Answer<z.output<S>>[] = [];
      const Pages = pageOf(z.unknown());
      for (let cursor: string | null = ''; cursor !== null && items.length < most; ) {
        const limit = String(Math.min(1000, most - items.length));
        const parameters = new URLSearchParams({ ...query, limit, ...(cursor === '' ? {} : { cursor }) });
        const page: Answer<z.output<typeof Pages>> = await get(`${path}?${parameters.toString()}`, Pages);
        items.push(...page.value.items.map((raw) => understood(raw, item, endpoint)));
        cursor = page.value.next_cursor;
      }
      return items;
    },
    send: async <S extends z.ZodType>(
      method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
      path: string,
      schema: S,
      body?: Body,
    ): Promise<Answer<z.output<S>>> => understood(await ask(method, path, body), schema, endpoint),
  };
}

/** A value as the body of a request. */
export const json = (value: unknown): Body => ({ type: 'application/json', text: JSON.stringify(value) });

function understood<S extends z.ZodType>(raw: unknown, schema: S, endpoint: URL): Answer<z.output<S>> {
  const result = schema.safeParse(raw);
  if (result.success) return { raw, value: result.data };
  throw new Complaint('failure', `What ${endpoint.origin} answered is not what this version of arcus expects.`, {
    findings: result.error.issues.map(({ path, message }) => ({ pointer: `/${path.join('/')}`, detail: message })),
    next: 'Is it an Arcus of the same version?',
  });
}

function parsed(text: string, endpoint: URL): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Complaint('failure', `${endpoint.origin} answers, but not as an Arcus does.`, { cause });
  }
}

function unreachable(endpoint: URL, cause: unknown): Complaint {
  const late = cause instanceof Error && cause.name === 'TimeoutError';
  return new Complaint(
    'unreachable',
    `${late ? 'No answer within a minute' : 'Nothing answers'} at ${endpoint.origin}.`,
    {
      cause,
      next: 'Is Arcus running? Start it with npm start, or name another with --endpoint or ARCUS_ENDPOINT.',
    },
  );
}

const exitOf: Record<number, Exit> = {
  400: 'usage',
  401: 'not_allowed',
  403: 'not_allowed',
  404: 'not_found',
  409: 'conflict',
  413: 'usage',
  415: 'usage',
  503: 'unreachable',
};

function refusal(status: number, text: string, endpoint: URL): Complaint {
  const exit = exitOf[status] ?? 'failure';
  const problem = problemIn(text);
  if (!problem) return new Complaint(exit, `${endpoint.origin} answered ${status}, and not as an Arcus does.`);
  return new Complaint(exit, problem.detail, { findings: findingsOf(problem), next: nextAfter(problem) });
}

function problemIn(text: string): ProblemBody | undefined {
  try {
    return ProblemBody.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** A single finding is what the sentence says already. */
const findingsOf = ({ errors = [], detail }: ProblemBody): ProblemBody['errors'] & object =>
  errors.length === 1 && errors.every((error) => detail.includes(error.detail)) ? [] : errors;

function nextAfter({ status, operation, request_id }: ProblemBody): string | undefined {
  if (operation !== undefined) return `Follow it with: arcus operation wait ${operation}`;
  if (status === 401) return 'Check ARCUS_AUTH, or the file auth in the home of your Arcus.';
  return status >= 500 ? `The log of the API has the reason under ${request_id}.` : undefined;
}

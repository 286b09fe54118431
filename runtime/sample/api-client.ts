import { z } from 'zod';
import type { Credentials } from '../servers/credentials.js';
import { type Fetch, fetchTrusting, type Trust } from '../servers/trusting-fetch.js';

const ProblemBody = z.object({ title: z.string(), detail: z.string().optional() });
const pageSize = 1_000;

/** A request that the API refused, in its own words. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** The few things that preparing the sample asks of the HTTP API: it uses what every client uses. */
export class ApiClient {
  readonly #base: string;
  readonly #authorization: string;
  readonly #fetch: Fetch;

  /** `base` is the address of the API without a path. */
  constructor(base: string, { name, password }: Credentials, trust?: Trust) {
    this.#base = base;
    this.#fetch = fetchTrusting(trust);
    this.#authorization = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
  }

  get<T extends z.ZodType>(path: string, shape: T): Promise<z.infer<T>> {
    return this.#request('GET', path, shape);
  }

  post<T extends z.ZodType>(path: string, body: object, shape: T, headers = {}): Promise<z.infer<T>> {
    return this.#request('POST', path, shape, body, headers);
  }

  /** All objects of a pool, page by page. */
  async list<T extends z.ZodType>(path: string, item: T): Promise<z.infer<T>[]> {
    const Page = z.object({ items: z.array(item), next_cursor: z.string().nullable() });
    const found: z.infer<T>[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query = new URLSearchParams({ limit: String(pageSize), ...(cursor === '' ? {} : { cursor }) });
      const page: z.infer<typeof Page> = await this.get(`${path}?${query.toString()}`, Page);
      found.push(...page.items);
      cursor = page.next_cursor;
    }
    return found;
  }

  async #request<T extends z.ZodType>(
    method: string,
    path: string,
    shape: T,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<z.infer<T>> {
    const response = await this.#fetch(`${this.#base}/api/v1${path}`, {
      method,
      headers: { authorization: this.#authorization, 'content-type': 'application/json', ...headers },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
    const answer: unknown = await response.json();
    if (response.ok) return shape.parse(answer);
    const problem = ProblemBody.safeParse(answer);
    const words = problem.success ? (problem.data.detail ?? problem.data.title) : `answered ${response.status}`;
    throw new Refusal(`${method} ${path}: ${words}`);
  }
}

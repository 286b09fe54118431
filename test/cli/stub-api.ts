import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the stub says to one request: an answer, or nothing but a lost connection, or no answer at all. */
export type Reply = { status?: number; body: unknown } | 'hang up' | 'silence';
export type Asked = { method: string; path: string; key: string | undefined; body: string; authorization?: string };

/** A server that says what a test has laid down, for what cannot be had from a real one on demand: the looks of answers. */
export type StubApi = {
  endpoint: string;
  /** Environment in which `arcus` asks it. */
  environment: Record<string, string>;
  /** Every request since the start, in order. */
  asked: Asked[];
  /** Replies to `GET /services/12`, with any query unless one is given, one after the other; the last one stays. */
  on: (request: string, ...replies: Reply[]) => void;
  stop: () => Promise<void>;
};

export async function startStubApi(): Promise<StubApi> {
  const scripts = new Map<string, Reply[]>();
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk;
    });
    request.on('end', () => {
      const method = request.method ?? '';
      const path = (request.url ?? '').replace('/api/v1', '');
      const key = request.headers['idempotency-key'];
      const { authorization } = request.headers;
      asked.push({
        method,
        path,
        key: typeof key === 'string' ? key : undefined,
        body,
        ...(authorization === undefined ? {} : { authorization }),
      });
      const script = scripts.get(`${method} ${path}`) ??
        scripts.get(`${method} ${path.split('?')[0]}`) ?? [problem(404, 'not_found', `There is no ${path}.`)];
      const reply = (script.length > 1 ? script.shift() : script[0]) ?? 'hang up';
      if (reply === 'hang up') request.socket.destroy();
      else if (reply !== 'silence')
        response.writeHead(reply.status ?? 200, { 'content-type': 'application/json' }).end(JSON.stringify(reply.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint,
    environment: { ARCUS_ENDPOINT: endpoint, ARCUS_AUTH: 'oneadmin:x' },
    asked,
    on: (request, ...replies) => scripts.set(request, replies),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const problem = (
  status: number,
  code: string,
  detail: string,
  errors?: { pointer: string; detail: string }[],
): Reply => ({
  status,
  body: {
    type: `/problems/${code}`,
    title: code,
    status,
    detail,
    instance: '/',
    request_id: 'r-1',
    ...(errors && { errors }),
  },
});

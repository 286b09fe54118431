import type { Server } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics } from '../../../api/http/metrics.js';
import { close, listen } from '../../../api/http/serve.js';
import { problemRefusal } from '../../../api/native/problem-refusal.js';
import { onlyOneadmin, unreachableOperations } from '../fake-operations.js';
import { createApp } from '../native-app.js';

const app = createApp({
  operations: unreachableOperations({
    hosts: { list: async () => ({ items: [], next_cursor: 'Mg' }) },
    services: {
      undeploy: async (_caller, _id, request) => {
        throw new Error(JSON.stringify(request));
      },
    },
  }),
  identity: onlyOneadmin,
  probes: { mongodb: async () => {}, temporal: async () => {} },
  metrics: createMetrics(),
  logger: pino({ level: 'silent' }),
  version: '0.0.0',
  isDraining: () => false,
});
let server: Server;
let port: number;
beforeAll(async () => {
  server = await listen(app, { port: 0, address: '127.0.0.1', refusalOf: problemRefusal });
  const address = server.address();
  port = typeof address === 'object' && address ? address.port : 0;
});
afterAll(() => close(server));

const authorization = `Basic ${Buffer.from('oneadmin:secret:with:colons').toString('base64')}`;
const ask = (method: string, path: string, { headers = {}, body }: { headers?: object; body?: string | Buffer } = {}) =>
  fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { authorization, ...headers },
    ...(body === undefined ? {} : { body }),
  });

/** Bytes as they are, past every client that would put them right. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(text));
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

describe('an address', () => {
  it.each(['/api/v1/hosts/', '/api/v1/hosts/0/', '/api/v1/hosts//?limit=1'])(
    'that ends in a slash is not there, and its like without it is named: %s',
    async (path) => {
      const response = await ask('GET', path);
      expect(response.status).toBe(404);
      const bare = path.split('?')[0]?.replace(/\/+$/, '');
      expect(await response.json()).toMatchObject({ detail: expect.stringContaining(`Ask for ${bare}.`) });
    },
  );

  it.each(['/API/v1/hosts', '/api/v1/Hosts', '/api/v1//hosts', '/api/v1', '/api/v1/'])(
    'is written in one way only: %s is not there',
    async (path) => expect((await ask('GET', path)).status).toBe(404),
  );

  it('may be as long as its longest valid query, and no longer', async () => {
    const long = await ask('GET', `/api/v1/hosts?filter=${encodeURIComponent(`name=${'😀'.repeat(490)}`)}`);
    expect(long.status).toBe(200);
    const longer = await ask('GET', `/api/v1/hosts?filter=${'x'.repeat(66_000)}`);
    expect(longer.status).toBe(414);
    expect(await longer.json()).toMatchObject({
      type: '/problems/address_too_long',
      detail: expect.stringMatching(/64 KiB/),
    });
  });
});

describe('what is no HTTP request', () => {
  it.each([
    [
      'headers without end',
      `GET /api/v1/hosts HTTP/1.1\r\nX: ${'x'.repeat(140_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    ['a first line without sense', 'HELLO\r\n\r\n', 400, 'invalid_request'],
    ['another protocol', '\u0016\u0003\u0001\u0000\r\n\r\n', 400, 'invalid_request'],
  ])('is answered by a problem: %s', async (_what, text, status, code) => {
    const answer = await raw(text);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} \\w`));
    expect(head).toContain('Content-Type: application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ status, type: `/problems/${code}`, request_id: expect.any(String) });
  });
});

describe('a method', () => {
  it('HEAD is answered as GET is, without the body', async () => {
    const [get, head] = [await ask('GET', '/api/v1/hosts'), await ask('HEAD', '/api/v1/hosts')];
    expect([head.status, await head.text()]).toEqual([200, '']);
    for (const name of ['content-type', 'content-length', 'link', 'cache-control'])
      expect(head.headers.get(name), name).toBe(get.headers.get(name));
    expect((await ask('HEAD', '/api/v1/hosts?limit=0')).status).toBe(400);
  });

  it('OPTIONS is answered with the methods of the address', async () => {
    const response = await ask('OPTIONS', '/api/v1/hosts/1');
    expect([response.status, response.headers.get('allow')]).toEqual([204, 'GET, PATCH, DELETE, HEAD, OPTIONS']);
  });

  it.each(['PUT', 'PROPFIND'])('%s is refused where it is not taken, with those that are', async (method) => {
    const response = await ask(method, '/api/v1/hosts');
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST, HEAD, OPTIONS']);
  });
});

describe('a parameter', () => {
  it.each([
    ['limit=1&limit=2', '/limit'],
    ['fields=id&fields=name', '/fields'],
    ['sort=id&sort=id', '/sort'],
    ['state=INIT&state=INIT', '/state'],
    ['verbose', '/verbose'],
    ['filter[name]=x', '/filter[name]'],
    ['__proto__=x', '/__proto__'],
  ])('that is unknown, or given twice, is refused: %s', async (query, pointer) => {
    const response = await ask('GET', `/api/v1/hosts?${query}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ pointer }] });
  });
});

describe('a body', () => {
  const undeploy = (headers: object, body?: string | Buffer) =>
    ask('POST', '/api/v1/services/1/undeploy', { headers, ...(body === undefined ? {} : { body }) });

  it.each([
    ['none', {}, undefined],
    ['none, though its type is given', { 'content-type': 'application/json' }, ''],
    ['JSON with a charset', { 'content-type': 'application/json; charset=UTF-8' }, '{}'],
    ['JSON with a charset in quotes', { 'content-type': 'Application/JSON;charset="utf-8"' }, '{}'],
    ['JSON, compressed', { 'content-type': 'application/json', 'content-encoding': 'gzip' }, gzipSync('{}')],
  ])('is taken where it may be left out: %s', async (_what, headers, body) => {
    // It reaches the operation, which fails here by what it was given.
    expect((await undeploy(headers, body)).status).toBe(500);
  });

  it.each([
    ['of no type', {}, '{}', 415],
    ['of two types', { 'content-type': 'application/json, text/plain' }, '{}', 415],
    ['in another charset', { 'content-type': 'application/json; charset=latin1' }, '{}', 415],
    ['compressed in another way', { 'content-type': 'application/json', 'content-encoding': 'compress' }, '{}', 415],
    ['that is null', { 'content-type': 'application/json' }, 'null', 400],
    ['that is a list', { 'content-type': 'application/json' }, '[]', 400],
    ['with the mark of UTF-16', { 'content-type': 'application/json' }, Buffer.from('\ufeff{}', 'utf16le'), 400],
  ])('is refused: one %s', async (_what, headers, body, status) => {
    const response = await undeploy({ 'content-type': '', ...headers }, body);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });
});

import { Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../api/http/metrics.js';
import { isProblemCode, Problem, problems } from '../../../domain/problems.js';
import { onlyOneadmin, unreachableOperations } from '../fake-operations.js';
import { type AppParts, createApp } from '../native-app.js';

const log: string[] = [];
const logger = pino(
  { level: 'info' },
  new Writable({
    write: (line, _encoding, done) => {
      log.push(String(line));
      done();
    },
  }),
);
const servers = { mongodb: true, temporal: true, draining: false };
const probe = (name: 'mongodb' | 'temporal') => async () => {
  if (!servers[name]) throw new Error('gone');
};
const parts: AppParts = {
  operations: unreachableOperations({
    hosts: {
      list: async () => {
        throw new Error('connect mongodb://user:hunter2@db');
      },
    },
  }),
  identity: onlyOneadmin,
  probes: { mongodb: probe('mongodb'), temporal: probe('temporal') },
  metrics: createMetrics(),
  logger,
  version: '0.0.0',
  isDraining: () => servers.draining,
};
const app = createApp(parts);

const asAdmin = ['oneadmin', 'secret:with:colons'] as const;
const post = (path: string, type: string, body: string | Buffer) =>
  request(app)
    .post(path)
    .auth(...asAdmin)
    .set('Content-Type', type)
    .serialize((sent) => sent)
    .send(body);

describe('who is asking', () => {
  it.each([
    ['no credentials', ''],
    ['another scheme', 'Bearer abc'],
    ['text that is not name:password', `Basic ${Buffer.from('oneadmin').toString('base64')}`],
    ['no name', `Basic ${Buffer.from(':x').toString('base64')}`],
    ['a wrong password', `Basic ${Buffer.from('oneadmin:wrong').toString('base64')}`],
  ])('refuses %s with 401 and says what to send', async (_what, header) => {
    const response = await request(app).get('/api/v1/hosts').set('Authorization', header);
    expect(response.status).toBe(401);
    expect(response.headers['www-authenticate']).toMatch(
      /^Basic realm="Arcus", charset="UTF-8", Bearer realm="Arcus"(, error="invalid_token")?$/,
    );
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.body).toMatchObject({ type: '/problems/not_authenticated', status: 401 });
  });

  it('does not have a browser ask its user for a password when a script of a page is refused', async () => {
    const response = await request(app).get('/api/v1/hosts').set('Sec-Fetch-Dest', 'empty');
    expect(response.status).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer realm="Arcus"');
  });

  it('believes a proxy’s word on the address of a client only where it is told to', async () => {
    const seen = async (trustedProxies?: string[]) => {
      let address = '';
      const authenticate = async (_credentials: unknown, from: string) => {
        address = from;
        throw new Problem('too_many_attempts', 'Too many.', { retryAfter: 7 });
      };
      const served = createApp({ ...parts, identity: { authenticate }, ...(trustedProxies && { trustedProxies }) });
      const response = await request(served)
        .get('/api/v1/hosts')
        .auth(...asAdmin)
        .set('X-Forwarded-For', '198.51.100.7');
      expect(response.status).toBe(429);
      expect(response.headers['retry-after']).toBe('7');
      return address;
    };
    expect(await seen()).toMatch(/127\.0\.0\.1$/);
    expect(await seen(['127.0.0.0/8'])).toBe('198.51.100.7');
  });

  it('takes a password that holds colons', async () => {
    const response = await request(app)
      .get('/api/v1/hosts/x')
      .auth(...asAdmin);
    expect(response.status).toBe(400);
  });

  it('refuses a change that a page of another site sends with remembered credentials', async () => {
    const response = await request(app)
      .post('/api/v1/hosts')
      .auth(...asAdmin)
      .set('Sec-Fetch-Site', 'cross-site')
      .send({});
    expect(response.status).toBe(403);
  });

  it('refuses one that a browser sends over plain HTTP, which says only the origin of the page', async () => {
    const send = (headers: Record<string, string>, to = app) =>
      request(to)
        .post('/api/v1/hosts')
        .auth(...asAdmin)
        .set({ Host: 'arcus.example.com:9869', ...headers })
        .type('text/plain')
        .send('{}');
    for (const Origin of ['http://evil.example', 'null', 'http://arcus.example.com', 'http://arcus.example.com:9870'])
      expect((await send({ Origin })).status, Origin).toBe(403);
    expect((await send({ Origin: 'http://arcus.example.com:9869' })).status).toBe(415);
    expect((await send({})).status).toBe(415);
    // Only a trusted proxy is believed by which name it was called.
    const public_ = { 'X-Forwarded-Host': 'cloud.example.com', 'X-Forwarded-For': '198.51.100.7' };
    const through = { ...public_, Origin: 'https://cloud.example.com' };
    expect((await send(through)).status).toBe(403);
    expect((await send(through, createApp({ ...parts, trustedProxies: ['127.0.0.0/8'] }))).status).toBe(415);
  });

  it('answers by no name of others where it is for this machine alone, or has been told its names', async () => {
    const local = createApp({ ...parts, ours: { names: [], loopback: true } });
    const ask = async (to: typeof app, headers: Record<string, string>, path = '/healthz') =>
      (await request(to).get(path).set(headers)).status;
    for (const path of ['/healthz', '/docs', '/openapi.json', '/metrics'])
      expect(await ask(local, { Host: 'rebound.evil.example:9869' }, path), path).toBe(403);
    for (const Host of ['127.0.0.1:9869', 'localhost:9869', '[::1]:9869']) expect(await ask(local, { Host })).toBe(200);
    const proxied = { names: [], loopback: true };
    const behind = createApp({ ...parts, ours: proxied, trustedProxies: ['127.0.0.0/8'] });
    expect(await ask(behind, { Host: 'cloud.example.com', 'X-Forwarded-For': '198.51.100.7' })).toBe(200);
    const told = createApp({ ...parts, ours: { names: ['arcus.example.com'], loopback: false } });
    expect(await ask(told, { Host: 'arcus.example.com:9869' })).toBe(200);
    expect(await ask(told, { Host: 'evil.example' })).toBe(403);
    expect(await ask(app, { Host: 'anything.example' })).toBe(200);
  });

  it('lets no other page read or frame anything', async () => {
    for (const path of ['/docs', '/problems', '/api/v1/hosts']) {
      const preflight = await request(app).options(path).set({ Origin: 'http://evil.example' });
      const { headers } = await request(app).get(path).set({ Origin: 'http://evil.example' });
      for (const one of [preflight.headers, headers]) expect(one).not.toHaveProperty('access-control-allow-origin');
      expect(headers).toMatchObject({
        'x-frame-options': 'DENY',
        'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
      });
    }
  });

  it('says nothing about addresses to those who have no credentials', async () => {
    const response = await request(app).get('/api/v1/nothing');
    expect(response.status).toBe(401);
  });
});

describe('a body that cannot be read', () => {
  const json = 'application/json';
  const cases: [what: string, type: string, body: string | Buffer, status: number, code: string, says: RegExp][] = [
    ['broken JSON', json, '{\n  "name": "h1",,\n}', 400, 'malformed_body', /line 2, column 16/],
    ['JSON that ends early', json, '{"name": ', 400, 'malformed_body', /line 1, column \d+/],
    ['comments where none are allowed', json, '{"name": "h1" // one\n}', 400, 'malformed_body', /line 1, column 15/],
    ['bytes that are not UTF-8', json, Buffer.from([0x7b, 0xff, 0x7d]), 400, 'malformed_body', /UTF-8/],
    ['nesting without end', json, '['.repeat(100_000), 400, 'malformed_body', /nested more than 64/],
    [
      'blanks, and then a fault',
      json,
      `${' \t'.repeat(99)}\n${' '.repeat(1_000)}"é"]`,
      400,
      'malformed_body',
      /line 2, column 1004/,
    ],
    ['a fault behind a text', json, '{"a": "\\\\\\"  é",\n "b": é}', 400, 'malformed_body', /line 2, column 7/],
    ['lists in lists', json, `[${'[[]],'.repeat(3_999)}[]]`, 400, 'invalid_request', /must be an object/],
    ['more lists in lists', json, `[${'[[],[],[]],'.repeat(3_999)}[]]`, 400, 'invalid_request', /must be an object/],
    ['too many of them', json, `[${'[[[[[[]]]]]],'.repeat(3_999)}[]]`, 413, 'body_too_large', /20000 values/],
    [
      'too many in one list',
      json,
      `[${'0,'.repeat(4_000)}0]`,
      413,
      'body_too_large',
      /4000 values at most.*column 8001/,
    ],
    ['too many in one object', json, `{"a":{${'"b":0,'.repeat(4_000)}"c":0}}`, 413, 'body_too_large', /4000 values/],
    [
      'a number that is kept as another',
      json,
      '{"a":\n -9007199254740993}',
      400,
      'malformed_body',
      /9007199254740993 at line 2, column 3/,
    ],
    ['digits behind a point', json, '{"a": 9007199254740993.0}', 400, 'malformed_body', /line 1, column 7/],
    ['a number of many digits', json, `[${'1'.repeat(999_999)}]`, 400, 'malformed_body', /1111… at line 1, column 2/],
    ['a number without end', json, '{"a": 1e999}', 400, 'malformed_body', /1e999 at line 1, column 7/],
    [
      'numbers that are kept',
      json,
      '[9007199254740991, -9007199254740991, 1e300, 0.1234567890123456789]',
      400,
      'invalid_request',
      /must be an object/,
    ],
    [
      'a text of digits',
      json,
      '["12345678901234567890", "\\"12345678901234567890"]',
      400,
      'invalid_request',
      /must be an object/,
    ],
    ['a member called __proto__', json, '{"__proto__": {"name": "x"}}', 400, 'malformed_body', /__proto__/],
    ['a NUL in a name', json, '{"a\\u0000b": 1}', 400, 'malformed_body', /not allowed/],
    ['more than a mebibyte', json, `"${'x'.repeat(1_048_576)}"`, 413, 'body_too_large', /1 MiB/],
    ['a form', 'application/x-www-form-urlencoded', 'name=h1', 415, 'unsupported_media_type', /application\/json/],
    ['text where only JSON is taken', 'text/plain', 'NAME=h1', 415, 'unsupported_media_type', /text\/plain/],
    ['YAML', 'application/yaml', 'name: h1', 415, 'unsupported_media_type', /application\/yaml/],
    ['another charset', 'application/json; charset=utf-16', '{}', 415, 'unsupported_media_type', /utf-16/],
  ];
  it.each(cases)('%s', async (_what, type, body, status, code, says) => {
    const response = await post('/api/v1/hosts', type, body);
    expect(response.body).toMatchObject({ status, type: `/problems/${code}`, detail: expect.stringMatching(says) });
    expect(response.status).toBe(status);
  });

  it('is an unknown encoding', async () => {
    const response = await post('/api/v1/hosts', json, '{}').set('Content-Encoding', 'lzma');
    expect(response.body).toMatchObject({ status: 415, type: '/problems/unsupported_media_type' });
  });

  it('is compressed, and broken', async () => {
    const response = await post('/api/v1/hosts', json, Buffer.from('not gzip')).set('Content-Encoding', 'gzip');
    expect(response.body).toMatchObject({ status: 400, type: '/problems/malformed_body' });
  });

  it('grows beyond the limit when it is unpacked', async () => {
    const bomb = gzipSync(`"${' '.repeat(20_000_000)}"`);
    expect(bomb.length).toBeLessThan(100_000);
    const response = await post('/api/v1/hosts', json, bomb).set('Content-Encoding', 'gzip');
    expect(response.body).toMatchObject({ status: 413, type: '/problems/body_too_large' });
  });

  it('is none where one is needed', async () => {
    const response = await request(app)
      .post('/api/v1/hosts')
      .auth(...asAdmin);
    expect(response.body).toMatchObject({ status: 400, type: '/problems/malformed_body' });
  });

  it('is template text, and every fault is named with its line and column', async () => {
    const response = await post('/api/v1/vm-templates', 'text/plain', 'NAME=small\nCPU 1\nMEMORY="128\n');
    expect(response.body).toMatchObject({
      status: 400,
      type: '/problems/malformed_body',
      errors: [{ detail: expect.stringContaining('line 2, column 4') }, { detail: expect.stringContaining('line 3') }],
    });
  });
});

describe('a request that is not valid', () => {
  it('is told everything that is wrong with it at once, by JSON pointer', async () => {
    const response = await post(
      '/api/v1/hosts',
      'application/json',
      JSON.stringify({ cpu: 'many', memory: 1.5, vm_mad: 'kvm', memroy: 3 }),
    );
    expect(response.status).toBe(400);
    expect(response.body.detail).toMatch(/^5 things in the request are not valid\. The first: \/name is required\.$/);
    expect(response.body.errors).toEqual([
      { pointer: '/name', detail: 'is required' },
      { pointer: '/vm_mad', detail: 'must be one of simulated, libvirt' },
      { pointer: '/cpu', detail: 'must be a number, not "many"' },
      { pointer: '/memory', detail: 'must be a whole number, not 1.5' },
      { pointer: '/memroy', detail: 'is not known here; did you mean "memory"?' },
    ]);
  });

  it.each([
    ['/api/v1/hosts?limit=0', '/limit', /at least 1/],
    ['/api/v1/hosts?limit=x', '/limit', /must be a number$/],
    ['/api/v1/hosts?limit=1&limit=2', '/limit', /^is given 2 times; give it once$/],
    ['/api/v1/hosts?sort=id&sort=id&sort=id', '/sort', /^is given 3 times; give it once$/],
    ['/api/v1/hosts?state=ASLEEP', '/state', /one of INIT, MONITORED/],
    ['/api/v1/hosts?stat=INIT', '/stat', /did you mean "state"/],
    [`/api/v1/hosts?cursor=${'x'.repeat(1_100)}`, '/cursor', /at most 1000/],
    ['/api/v1/hosts/abc', '/id', /integer id/],
    ['/api/v1/hosts/1e3', '/id', /integer id/],
    ['/api/v1/hosts/-1', '/id', /integer id/],
    ['/api/v1/hosts/1?verbose=yes', '/verbose', /not known/],
    ['/api/v1/operations/12', '/id', /ULID/],
  ])('%s names %s', async (path, pointer, detail) => {
    const response = await request(app)
      .get(path)
      .auth(...asAdmin);
    expect(response.body).toMatchObject({
      status: 400,
      type: '/problems/invalid_request',
      errors: [{ pointer, detail: expect.stringMatching(detail) }],
    });
  });

  it('has an idempotency key of blanks', async () => {
    const response = await request(app)
      .delete('/api/v1/services/1')
      .auth(...asAdmin)
      .set('Idempotency-Key', 'a b');
    expect(response.body).toMatchObject({ status: 400, errors: [{ pointer: '/Idempotency-Key' }] });
  });

  it('has a broken % escape', async () => {
    const response = await request(app)
      .get('/api/v1/hosts/%E0%A4%A')
      .auth(...asAdmin);
    expect(response.body).toMatchObject({ status: 400, type: '/problems/invalid_request' });
  });
});

describe('every answer', () => {
  it('tells an unknown address from a method that the address does not take', async () => {
    const unknown = await request(app)
      .get('/api/v1/nothing')
      .auth(...asAdmin);
    expect(unknown.body).toMatchObject({ status: 404, type: '/problems/not_found', instance: '/api/v1/nothing' });
    const wrong = await request(app)
      .put('/api/v1/hosts')
      .auth(...asAdmin);
    expect(wrong.body).toMatchObject({ status: 405, type: '/problems/method_not_allowed' });
    expect(wrong.headers.allow).toBe('GET, POST, HEAD, OPTIONS');
    const asked = await request(app)
      .options('/api/v1/hosts')
      .auth(...asAdmin);
    expect(asked.status).toBe(204);
  });

  it('carries a request id: the client’s own when it is sane', async () => {
    const given = await request(app).get('/api/v1/hosts').set('X-Request-Id', 'my-request.7');
    expect(given.headers['x-request-id']).toBe('my-request.7');
    expect(given.body.request_id).toBe('my-request.7');
    const hostile = await request(app).get('/api/v1/hosts').set('X-Request-Id', '<script>alert(1)</script>');
    expect(hostile.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('hides what went wrong inside behind a fixed text, and logs it once under the request id', async () => {
    log.length = 0;
    const response = await request(app)
      .get('/api/v1/hosts')
      .auth(...asAdmin)
      .set('X-Request-Id', 'find-me');
    expect(response.status).toBe(500);
    expect(response.body).toMatchObject({ type: '/problems/internal', request_id: 'find-me' });
    expect(JSON.stringify(response.body)).not.toMatch(/hunter2|at .*\.ts/);
    expect(log.filter((line) => line.includes('hunter2'))).toHaveLength(1);
    expect(log.find((line) => line.includes('hunter2'))).toContain('find-me');
  });

  it('leaves no credentials in the log', async () => {
    log.length = 0;
    await request(app)
      .get('/api/v1/hosts/1x')
      .auth(...asAdmin);
    expect(log).not.toHaveLength(0);
    expect(log.join('')).not.toMatch(/secret:with|authorization|Basic /i);
  });

  it('forbids pages to load anything from elsewhere', async () => {
    const response = await request(app).get('/docs');
    expect(response.headers['content-security-policy']).toContain("default-src 'none'");
    expect(response.text).not.toMatch(/https?:\/\//);
  });

  it('comes with all that the page of the API needs', async () => {
    const { text } = await request(app).get('/docs');
    const needed = [...text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = '']) => path);
    expect(needed).toHaveLength(3);
    for (const path of [...needed, '/openapi.json']) expect((await request(app).get(path)).status, path).toBe(200);
  });
});

describe('what operators ask', () => {
  it('stays ready without Temporal, and says that it is degraded', async () => {
    servers.temporal = false;
    const response = await request(app).get('/readyz');
    servers.temporal = true;
    expect(response.status).toBe(200);
    expect(response.body).toMatchObject({ status: 'degraded', mongodb: 'ok', temporal: 'missing' });
  });

  it('is not ready without MongoDB, and alive all the same', async () => {
    servers.mongodb = false;
    const ready = await request(app).get('/readyz');
    const alive = await request(app).get('/healthz');
    servers.mongodb = true;
    expect(ready.status).toBe(503);
    expect(ready.body).toMatchObject({ status: 'unavailable', mongodb: 'missing', temporal: 'ok' });
    expect(alive.status).toBe(200);
  });

  it('is not ready while it shuts down, and closes its connections', async () => {
    servers.draining = true;
    const response = await request(app).get('/readyz');
    servers.draining = false;
    expect(response.status).toBe(503);
    expect(response.headers.connection).toBe('close');
  });

  it('counts requests by route, never by address', async () => {
    await request(app)
      .get('/api/v1/hosts/77777')
      .auth(...asAdmin);
    const response = await request(app).get('/metrics');
    expect(response.text).toContain('route="/api/v1/hosts/{id}"');
    expect(response.text).not.toContain('77777');
    expect(response.text).toContain('process_cpu_seconds_total');
    expect(response.text).toContain('arcus_operations_accepted_total');
  });

  it('has a page for every kind of problem that an answer points to, with what to do', async () => {
    for (const code of Object.keys(problems).filter(isProblemCode)) {
      const { text } = await request(app).get(`/problems/${code}`);
      expect(text).toContain(problems[code].title);
      expect(text).toMatch(/<p>What to do: [^`]+\.<\/p>/);
    }
    expect((await request(app).get('/problems')).text).toContain('What to do: Read it again');
    expect((await request(app).get('/problems/none')).status).toBe(404);
  });
});

import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Router } from 'express';
import { pino } from 'pino';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { authenticate, basicCredentials } from '../../../api/http/authenticate.js';
import { createMetrics } from '../../../api/http/metrics.js';
import { close, listen } from '../../../api/http/serve.js';
import { createShell, type Face } from '../../../api/http/shell.js';
import { Problem, problems } from '../../../domain/problems.js';
import { onlyOneadmin } from '../fake-operations.js';

/** One that says what goes wrong in a line of text, and takes names and passwords alone. */
function lineFace(): Face {
  const routes = Router();
  routes.use(
    authenticate(onlyOneadmin, (header) => {
      const credentials = basicCredentials(header);
      if (!credentials) throw new Problem('not_authenticated', 'A name and a password, please.');
      return credentials;
    }),
  );
  routes.get('/me', ({ caller }, response) => void response.json({ me: caller?.name }));
  routes.get('/broken', () => {
    throw new Error('connect mongodb://user:hunter2@db');
  });
  routes.use(({ path }) => {
    throw new Problem('not_found', `Nothing is at ${path}.`);
  });
  return {
    routes,
    refusalOf: ({ code, message }) => ({
      status: problems[code].status,
      type: 'text/plain',
      body: `${code}: ${message}`,
      headers: { 'X-Form': 'line' },
    }),
  };
}
const face = lineFace();
const app = createShell(face, {
  metrics: createMetrics(),
  logger: pino({ level: 'silent' }),
  ours: { names: [], loopback: true },
  isDraining: () => false,
});
const ask = (path: string) => request(app).get(path);

describe('a face beside the native API', () => {
  it('knows its callers in its own way, behind the bounds of the shell', async () => {
    const mine = await ask('/me').auth('oneadmin', 'secret:with:colons');
    expect([mine.status, mine.body]).toEqual([200, { me: 'oneadmin' }]);
    expect(mine.headers['x-request-id']).toBeDefined();
    const bearer = await ask('/me').set('Authorization', 'Bearer arcus_x');
    expect([bearer.status, bearer.text]).toEqual([401, 'not_authenticated: A name and a password, please.']);
    const elsewhere = await ask('/me').set('Host', 'elsewhere.test');
    expect([elsewhere.status, elsewhere.text.split(':')[0]]).toEqual([403, 'not_authorized']);
  });

  it('says what goes wrong in its own form, and of a fault nothing that its log alone should have', async () => {
    const nowhere = await ask('/nowhere').auth('oneadmin', 'secret:with:colons');
    expect([nowhere.status, nowhere.text, nowhere.headers['x-form']]).toEqual([
      404,
      'not_found: Nothing is at /nowhere.',
      'line',
    ]);
    const broken = await ask('/broken').auth('oneadmin', 'secret:with:colons');
    expect([broken.status, broken.text.split(':')[0]]).toEqual([500, 'internal']);
    expect(broken.text).not.toContain('hunter2');
  });

  it('answers what is no HTTP request in that form, too', async () => {
    const server = await listen(app, { port: 0, address: '127.0.0.1', refusalOf: face.refusalOf });
    onTestFinished(() => close(server));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('it listens nowhere');
    const socket = connect(address.port, '127.0.0.1');
    socket.write('nonsense\r\n\r\n');
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('\r\n\r\ninvalid_request: ');
  });
});

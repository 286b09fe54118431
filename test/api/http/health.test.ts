import express from 'express';
import { expect, it } from 'vitest';
import { healthRoutes } from '../../../api/http/health.js';
import { close, listen } from '../../../api/http/serve.js';
import { problemRefusal } from '../../../api/native/problem-refusal.js';
import { choosePort } from '../../../runtime/processes/ports.js';
import { probeHttp } from '../../../runtime/servers/await-ready.js';

it('is ready to whoever watches over it before he gives up, though a server that it asks is silent', async () => {
  const silent = () => new Promise<never>(() => {});
  const app = express().use(healthRoutes({ mongodb: async () => {}, temporal: silent }, () => false));
  const port = await choosePort();
  const server = await listen(app, { port, address: '127.0.0.1', refusalOf: problemRefusal });
  try {
    await expect(probeHttp(`http://127.0.0.1:${port}/readyz`)).resolves.toBeUndefined();
  } finally {
    await close(server);
  }
});

import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ensureOneadmin } from '../../../requests/identity/first-user.js';
import { choosePort } from '../../../runtime/processes/ports.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { eventually, launchBuilt } from '../../support/processes.js';
import { ownDatabaseUri } from '../../support/servers.js';

/** Nothing listens there: calls to Temporal end by their time-out. */
const noTemporal = '127.0.0.1:1';
const Listed = z.object({ items: z.array(z.unknown()) });

async function preparedDatabase(): Promise<string> {
  const uri = ownDatabaseUri('process');
  const connection = await connectMongodb(uri);
  await ensureOneadmin(await bootstrapStore(connection), 'secret');
  await connection.close();
  return uri;
}

async function startedApi() {
  const port = await choosePort();
  const api = launchBuilt('api/main.js', [], {
    ARCUS_MONGODB_URI: await preparedDatabase(),
    ARCUS_TEMPORAL_ADDRESS: noTemporal,
    ARCUS_PORT: String(port),
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually(() =>
    fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  const headers = {
    authorization: `Basic ${Buffer.from('oneadmin:secret').toString('base64')}`,
    'content-type': 'application/json',
  };
  const ask = (method: 'GET' | 'POST', path: string, body?: object) =>
    fetch(`${url}/api/v1${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  return { api, url, ask };
}

describe('the api process', () => {
  it.each([
    ['no database', { ARCUS_TEMPORAL_ADDRESS: noTemporal }, /^arcus: ARCUS_MONGODB_URI is not set: .*npm start.*\.\n$/],
    [
      'a setting that is not valid',
      { ARCUS_PORT: 'many', ARCUS_MONGODB_URI: 'http://x' },
      /ARCUS_PORT: .*ARCUS_MONGODB_URI: must begin with mongodb/,
    ],
    [
      'a database that does not answer',
      { ARCUS_MONGODB_URI: 'mongodb://127.0.0.1:1/arcus', ARCUS_TEMPORAL_ADDRESS: noTemporal },
      /^arcus: MongoDB does not answer.*\.\n$/,
    ],
    [
      'an address of a database that cannot be read, whose password it keeps to itself',
      { ARCUS_MONGODB_URI: 'mongodb://arcus:pass/of@me@127.0.0.1:1/arcus', ARCUS_TEMPORAL_ADDRESS: noTemporal },
      /^arcus: (?!.*pass)(?!.*of@).*\n$/,
    ],
  ])('ends with one sentence when it has %s', async (_what, environment, says) => {
    const api = launchBuilt('api/main.js', [], environment);
    expect(await api.exit).toBe(1);
    expect(api.text()).toMatch(says);
    expect(api.text().trim().split('\n')).toHaveLength(1);
  });

  it('ends with one sentence when something else listens on its port', async () => {
    const port = await choosePort();
    const other = createServer().listen(port, '127.0.0.1');
    const api = launchBuilt('api/main.js', [], {
      ARCUS_MONGODB_URI: await preparedDatabase(),
      ARCUS_TEMPORAL_ADDRESS: noTemporal,
      ARCUS_PORT: String(port),
    });
    expect(await api.exit).toBe(1);
    expect(api.text()).toBe(`arcus: The API cannot listen on 127.0.0.1:${port}: something else listens there.\n`);
    other.close();
  });

  it('answers what it has begun when it is told to end, and takes nothing new', async () => {
    const { api, url, ask } = await startedApi();
    const template = await ask('POST', '/vm-templates', { name: 'small', template: { CPU: 1, MEMORY: 64 } });
    expect(template.status).toBe(201);
    // It takes seconds, for it waits for the Temporal that is not there.
    const slow = ask('POST', '/vms', { template_id: 0 });
    await eventually(async () => Listed.parse(await (await ask('GET', '/vms')).json()).items.length > 0);
    api.process.kill('SIGTERM');
    await eventually(() =>
      fetch(`${url}/healthz`).then(
        () => false,
        () => true,
      ),
    );
    expect((await slow).status).toBe(202);
    expect(await api.exit).toBe(0);
    expect(api.text()).not.toContain('secret');
  });
});

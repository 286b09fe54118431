import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createClient } from '../../client/client.js';
import { collections } from '../../client/collections.js';
import { Misunderstood, Refusal, Unreachable } from '../../client/errors.js';
import type { Lost } from '../../client/manner.js';
import { json, plain } from '../../client/message.js';
import { clientFor } from '../../client/node/client.js';
import { ensureOneadmin } from '../../requests/identity/first-user.js';
import { choosePort } from '../../runtime/processes/ports.js';
import { probeHttp } from '../../runtime/servers/await-ready.js';
import { VmTemplateResource } from '../../schemas/vms/vm-template.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { connectMongodb } from '../../store/mongo/connection.js';
import { makeCertificate } from '../support/certificates.js';
import { eventually, launchBuilt } from '../support/processes.js';
import { ownDatabaseUri } from '../support/servers.js';

const credentials = { name: 'oneadmin', password: 'geheim, mit ü' };

/** The api as a process, without a Temporal: what starts an operation is answered after seconds. */
async function startedApi(certificate?: { certificate: string; key: string }) {
  const uri = ownDatabaseUri('client');
  const connection = await connectMongodb(uri);
  await ensureOneadmin(await bootstrapStore(connection), credentials.password);
  await connection.close();
  const port = await choosePort();
  const api = launchBuilt('api/main.js', [], {
    ARCUS_MONGODB_URI: uri,
    ARCUS_TEMPORAL_ADDRESS: '127.0.0.1:1',
    ARCUS_PORT: String(port),
    ...(certificate && { ARCUS_TLS_CERTIFICATE: certificate.certificate, ARCUS_TLS_KEY: certificate.key }),
  });
  const trust = certificate && { pinned: certificate.certificate };
  const endpoint = new URL(`http${certificate ? 's' : ''}://127.0.0.1:${port}`);
  const probe = () =>
    probeHttp(new URL('/healthz', endpoint).href, { trust }).then(
      () => true,
      () => false,
    );
  await eventually(probe);
  return { api, endpoint, client: clientFor({ endpoint, credentials, trust }) };
}

const template = (name: string) => json({ name, template: { CPU: 1, MEMORY: 64 } });

/** What a promise is rejected with. */
const thrown = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    (value) => Promise.reject(new Error(`it has answered ${JSON.stringify(value)}`)),
    (error: unknown) => error,
  );

describe('a client of the api process', () => {
  it('throws problems with all that they say, and reads what is well', async () => {
    const { client, endpoint } = await startedApi();
    const made = await client.send('POST', '/vm-templates', VmTemplateResource, template('small'));
    expect(made.value.name).toBe('small');
    const read = await client.send(
      'POST',
      '/vm-templates',
      VmTemplateResource,
      plain('NAME = text\nCPU = 1\nMEMORY = 64'),
    );
    expect((await client.show(collections.vm_template, read.value.id)).value).toEqual(read.value);

    const taken = await thrown(client.send('POST', '/vm-templates', VmTemplateResource, template('small')));
    expect(taken).toBeInstanceOf(Refusal);
    expect(taken).toMatchObject({
      status: 409,
      code: 'name_taken',
      asked: { endpoint, method: 'POST', path: '/vm-templates' },
    });
    const wrong = await thrown(client.send('POST', '/vm-templates', z.unknown(), json({ nam: 'x' })));
    expect(wrong).toMatchObject({
      status: 400,
      problem: { errors: expect.arrayContaining([expect.objectContaining({ pointer: '/nam' })]) },
    });
    expect(String(wrong)).toMatch(/POST \/vm-templates: .*\/nam/);
    expect(await thrown(client.show(collections.vm, 65))).toMatchObject({ status: 404, code: 'not_found' });
    const stranger = clientFor({ endpoint, credentials: { token: 'arcus_of_nobody' } });
    expect(await thrown(stranger.all(collections.vm))).toMatchObject({ status: 401, code: 'not_authenticated' });

    const other = await thrown(client.get('/user', z.object({ id: z.string() })));
    expect(other).toBeInstanceOf(Misunderstood);
    expect(other).toMatchObject({ findings: [{ pointer: '/id' }] });
    const refused = await client.exchange('GET', '/vms/65');
    expect([refused.status, refused.headers.get('content-type')]).toEqual([
      404,
      expect.stringContaining('problem+json'),
    ]);
  });

  it('goes through a list page by page, and not further than is wanted', async () => {
    const { client } = await startedApi();
    for (const at of [0, 1, 2, 3, 4])
      await client.send('POST', '/vm-templates', VmTemplateResource, template(`t${at}`));
    const { path, item } = collections.vm_template;
    const counts: number[] = [];
    for await (const { items } of client.pages(path, item, { perPage: 2 })) counts.push(items.length);
    expect(counts).toEqual([2, 2, 1]);
    const names = async (manner: object) =>
      (await client.all(collections.vm_template, manner)).map(({ value }) => value.name);
    expect(await names({ perPage: 2 })).toEqual(['t0', 't1', 't2', 't3', 't4']);
    expect(await names({ perPage: 2, most: 3 })).toEqual(['t0', 't1', 't2']);
    expect(await names({ query: { filter: 'name=t4' } })).toEqual(['t4']);
  });

  it('writes over nothing that has been changed since it was read', async () => {
    const { client } = await startedApi();
    const { id } = (await client.send('POST', '/vm-templates', VmTemplateResource, template('one'))).value;
    const { path, whole } = collections.vm_template;
    const rename = (name: string, unchanged: string | undefined) =>
      client.send('PATCH', `${path}/${id}`, whole, json({ name }), { unchanged });
    const { tag } = await client.show(collections.vm_template, id);
    expect(tag).toMatch(/^"/);
    const renamed = await rename('two', tag);
    expect(await thrown(rename('three', tag))).toMatchObject({ status: 412, code: 'precondition_failed' });
    expect((await rename('three', renamed.tag)).value.name).toBe('three');
    expect((await client.send('DELETE', `${path}/${id}`, z.undefined())).value).toBeUndefined();
  });

  it('is ended by a signal with its reason, by its time, and by the death of the server, which it tells apart', async () => {
    const { api, client } = await startedApi();
    const { id } = (await client.send('POST', '/vm-templates', VmTemplateResource, template('one'))).value;
    const slow = (manner: object) => client.send('POST', '/vms', z.unknown(), json({ template_id: id }), manner);
    const wish = new AbortController();
    const aborted = thrown(slow({ signal: wish.signal }));
    await eventually(async () => (await client.all(collections.vm)).length > 0);
    const reason = new Error('nobody waits any more');
    wish.abort(reason);
    expect(await aborted).toBe(reason);
    expect(await thrown(slow({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(await thrown(slow({ within: 200 }))).toMatchObject({ reason: 'late', mayHaveArrived: true });

    const before = (await client.all(collections.vm)).length;
    const dying = thrown(slow({}));
    await eventually(async () => (await client.all(collections.vm)).length > before);
    api.process.kill('SIGKILL');
    expect(await dying).toMatchObject({ name: 'Unreachable', reason: 'broken_off', mayHaveArrived: true });
    await api.exit;
    expect(await thrown(slow({}))).toMatchObject({ reason: 'silent', mayHaveArrived: false });
  });

  it('believes over TLS whom it is told to, and says who speaks what', async () => {
    const [own, other] = [makeCertificate(), makeCertificate()];
    const { client, endpoint, api } = await startedApi(own);
    expect((await client.get('/user', z.looseObject({ name: z.string() }))).value.name).toBe('oneadmin');
    const local = new URL(`https://localhost:${endpoint.port}`);
    const known = clientFor({ endpoint: local, credentials, trust: { authorities: own.certificate } });
    expect(await known.all(collections.vm)).toEqual([]);
    const lost: Lost[] = [];
    const again = { pauses: [1], lost: (error: Lost) => lost.push(error) };
    for (const trust of [{ pinned: other.certificate }, { authorities: other.certificate }, undefined])
      expect(
        await thrown(clientFor({ endpoint: local, credentials, trust }).all(collections.vm, { again })),
      ).toMatchObject({
        reason: 'untrusted',
        mayHaveArrived: false,
        message: expect.stringContaining(`The certificate of ${local.origin} is not to be trusted: `),
      });
    expect(lost).toEqual([]);
    const clear = clientFor({ endpoint: new URL(`http://127.0.0.1:${endpoint.port}`), credentials });
    expect(await thrown(clear.all(collections.vm))).toMatchObject({ reason: 'tls' });
    api.process.kill('SIGKILL');
    await api.exit;
    // Nobody is there to be believed.
    expect(await thrown(client.all(collections.vm))).toMatchObject({ reason: 'silent', mayHaveArrived: false });
  });
});

/** A server that answers as a test lays down. */
async function serving(answer: RequestListener, certificate?: { certificate: string; key: string }) {
  const server: Server = certificate
    ? createTlsServer({ cert: readFileSync(certificate.certificate), key: readFileSync(certificate.key) }, answer)
    : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const endpoint = new URL(`http${certificate ? 's' : ''}://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return clientFor({ endpoint, credentials, trust: certificate && { pinned: certificate.certificate } });
}
const half: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
  response.write('{"items": [', () => response.socket?.destroy());
};

describe.each([
  ['plain HTTP', undefined],
  ['TLS', makeCertificate()],
])('over %s', (_what, certificate) => {
  it('a server that dies in the middle of an answer has given none', async () => {
    const client = await serving(half, certificate);
    expect(await thrown(client.list('/vms', z.unknown()))).toMatchObject({
      reason: 'broken_off',
      mayHaveArrived: true,
    });
  });

  it('a server that falls silent is late, and a signal ends the wait with its own reason', async () => {
    const arrived: unknown[] = [];
    const client = await serving(({ url }) => {
      arrived.push(url);
    }, certificate);
    expect(await thrown(client.list('/vms', z.unknown(), { within: 100 }))).toMatchObject({ reason: 'late' });
    const wish = new AbortController();
    // The one that was late may never have come so far as the server.
    const waiting = thrown(client.list('/hosts', z.unknown(), { signal: wish.signal }));
    await expect.poll(() => arrived).toContainEqual(expect.stringContaining('/hosts'));
    const reason = new Error('nobody waits any more');
    wish.abort(reason);
    expect(await waiting).toBe(reason);
  });
});

describe('what is lost', () => {
  it('is asked for again after each pause, under the same key, and told of', async () => {
    const keys: unknown[] = [];
    const client = await serving((request, response) => {
      keys.push(request.headers['idempotency-key']);
      if (keys.length === 1) request.socket.destroy();
      else response.writeHead(keys.length === 2 ? 503 : 200).end('{}');
    });
    const lost: (readonly [Lost, number | null])[] = [];
    const again = { pauses: [1, 2, 3], lost: (error: Lost, pause: number | null) => lost.push([error, pause]) };
    await client.send('POST', '/vms', z.object({}), json({}), { key: 'k', again });
    expect(keys).toEqual(['k', 'k', 'k']);
    expect(lost).toEqual([
      [expect.any(Unreachable), 1],
      [expect.any(Refusal), 2],
    ]);
  });

  it('is given up after the last try; what is refused is not asked for again', async () => {
    let asked = 0;
    const away = await serving((request) => {
      asked++;
      request.socket.destroy();
    });
    const told: (number | null)[] = [];
    const again = { pauses: [1, 1], lost: (_error: Lost, pause: number | null) => told.push(pause) };
    expect(await thrown(away.get('/vms', z.unknown(), { again }))).toMatchObject({ reason: 'broken_off' });
    expect([asked, told]).toEqual([3, [1, 1, null]]);
    const wish = new AbortController();
    const waiting = thrown(
      away.get('/vms', z.unknown(), {
        signal: wish.signal,
        again: { pauses: [60_000], lost: () => wish.abort('enough') },
      }),
    );
    expect(await waiting).toBe('enough');

    let refused = 0;
    const refusing = await serving((_request, response) => {
      refused++;
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');
    });
    expect(await thrown(refusing.get('/vms', z.unknown(), { again }))).toMatchObject({
      status: 502,
      problem: null,
      code: null,
    });
    expect(refused).toBe(1);
  });
});

describe('a server that is no Arcus', () => {
  it('is told as such, and a list that leads nowhere is not followed for ever', async () => {
    const page = await serving((_request, response) => response.end('<html></html>'));
    expect(await thrown(page.get('/user', z.unknown()))).toMatchObject({ name: 'Misunderstood', findings: [] });
    const circle = await serving((_request, response) => response.end('{"items": [], "next_cursor": "x"}'));
    expect(await thrown(circle.list('/vms', z.unknown()))).toMatchObject({ findings: [{ pointer: '/next_cursor' }] });
  });

  it('says in the words of whoever asks what is wrong', async () => {
    const inWords = (error: Error) => new Error(`so: ${error.message}`);
    const client = createClient({ endpoint: new URL('http://127.0.0.1:1'), credentials, inWords });
    expect(await thrown(client.all(collections.vm))).toMatchObject({
      message: 'so: Nothing answers at http://127.0.0.1:1.',
    });
  });
});

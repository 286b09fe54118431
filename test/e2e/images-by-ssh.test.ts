import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatastoreResource } from '../../schemas/storage/datastore.js';
import { ImageResource } from '../../schemas/storage/image.js';
import { runArcus } from '../cli/run-arcus.js';
import { ByteServer, madeBytes, sha256Of } from '../support/byte-server.js';
import { Cluster, credentials } from '../support/cluster.js';
import { eventually } from '../support/processes.js';
import { seenEverywhere } from '../support/seen-everywhere.js';
import { Sshd } from '../support/sshd.js';

const mebi = 2 ** 20;
const size = 32 * mebi;

describe('images on another machine', () => {
  let cluster: Cluster;
  let server: Sshd;
  let source: ByteServer;
  const directory = mkdtempSync(join(tmpdir(), 'arcus-far-'));
  const bytes = madeBytes(size);
  beforeAll(async () => {
    server = await Sshd.start();
    source = await ByteServer.serve(bytes);
    const loud = { ARCUS_LOG_LEVEL: 'trace' };
    cluster = await Cluster.start({
      onServersOfTheRun: true,
      environments: { api: loud, worker: { ...loud, ARCUS_SAFE_NETWORKS: '127.0.0.1' } },
    });
  });
  afterAll(async () => {
    await cluster?.stop();
    source?.stop();
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const arcus = async (...words: string[]) => {
    const environment = {
      ...{ ARCUS_HOME: cluster.directory, ARCUS_ENDPOINT: cluster.client.url },
      ARCUS_AUTH: `${credentials.name}:${credentials.password}`,
    };
    const result = await runArcus(words, environment);
    expect(result, words.join(' ')).toMatchObject({ code: 0 });
    return result.out;
  };
  const image = (id: number) => cluster.client.ask(ImageResource, 'GET', `/images/${id}`);
  const ready = (id: number) =>
    eventually(async () => {
      const { state, operation } = await image(id);
      return state === 'READY' && operation === null;
    });
  const filesIn = (path: string): string[] =>
    readdirSync(path, { recursive: true, withFileTypes: true }).flatMap((one) => (one.isFile() ? [one.name] : []));

  it('are made of an address though the worker is killed, cloned, resized and removed; the private key is nowhere to be seen', async () => {
    const keys = join(directory, 'keys');
    const [hosts, key] = [`${keys}.hosts`, `${keys}.private`];
    const { port } = server;
    // As ssh-keyscan says them.
    writeFileSync(hosts, `# 127.0.0.1:${port} SSH-2.0-OpenSSH\n[127.0.0.1]:${port} ${server.hostKey()}\n`);
    writeFileSync(key, server.privateKey(), { mode: 0o600 });
    const there = join(directory, 'there');
    await arcus(
      ...['datastore', 'create', 'far', '--ds-mad', 'ssh', '--host', '127.0.0.1', '--port', String(port)],
      ...['--user', userInfo().username, '--directory', there, '--host-keys', hosts, '--private-key', key],
    );
    expect(await arcus('datastore', 'show', 'far')).toContain(`@127.0.0.1:${there}`);

    source.pause = 20;
    const wish = { name: 'far', datastore_id: 100, sha256: sha256Of(bytes), source: { url: source.url } };
    const { resource } = await cluster.client.accepted('POST', '/images', wish);
    await eventually(() => source.sent >= size / 3);
    await cluster.worker(0).kill();
    await cluster.worker(0).startAgain();
    source.pause = 0;
    await ready(resource.id);
    expect(await image(resource.id)).toMatchObject({ virtual_size: size, published: { sha256: sha256Of(bytes) } });
    // It went on behind what had arrived there.
    expect(source.froms).toHaveLength(2);
    expect(source.froms[1]).toBeGreaterThan(0);
    const disk = join(there, '100', 'images', String(resource.id), 'disk');
    expect(sha256Of(readFileSync(disk))).toBe(sha256Of(bytes));

    await arcus('image', 'clone', 'far', 'far too', '--wait');
    await arcus('image', 'resize', 'far too', '40', '--wait');
    await arcus('image', 'create', 'empty', '--empty', '2', '--datastore', 'far', '--wait');
    expect(await arcus('secrets', 'rotate')).toMatch(/^1 secret sealed with key/);

    const { capacity } = await eventually(async () => {
      const found = await cluster.client.ask(DatastoreResource, 'GET', '/datastores/100');
      return found.capacity === null ? undefined : found;
    });
    expect(capacity?.total).toBeGreaterThan(0);

    // What is wrong is told to people, in logs and in histories.
    await cluster.client.send('PATCH', '/datastores/100', { ssh: { host_keys: [server.hostKey('other-host')] } });
    const lost = { name: 'lost', datastore_id: 100, source: { empty: { size_mb: 1 } } };
    const { id: op } = await cluster.client.accepted('POST', '/images', lost);
    await eventually(async () =>
      /another host key than the datastore has/.test(
        JSON.stringify((await cluster.client.send('GET', `/operations/${op}/why`)).body),
      ),
    );
    const seen = await seenEverywhere(cluster, ['/datastores/100']);
    for (const where of ['documents', 'lists'] as const) expect(seen[where], where).toContain(there);
    expect(seen.histories).toContain('createImage');
    expect(seen.payloads).toContain(op);
    expect(seen.commands).toContain('api/main.js');
    const [, middle = ''] = server.privateKey().split('\n');
    for (const [where, text] of Object.entries(seen)) {
      expect(text, where).not.toContain('PRIVATE KEY');
      expect(text, where).not.toContain(middle.slice(0, 40));
    }
    await cluster.client.accepted('POST', `/operations/${op}/cancel`);
    await cluster.client.send('PATCH', '/datastores/100', { ssh: { host_keys: [server.hostKey()] } });

    await eventually(async () => (await cluster.store.images.model.countDocuments({ operation: { $ne: null } })) === 0);
    for (const { _id } of await cluster.store.images.model.find().lean())
      await cluster.client.accepted('DELETE', `/images/${_id}`);
    await eventually(async () => (await cluster.store.images.model.countDocuments()) === 0);
    expect(filesIn(there)).toEqual([]);
  });
});

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openBucket } from '../../adapters/storage/s3/bucket.js';
import { AppResource } from '../../schemas/market/app.js';
import { OperationDetail } from '../../schemas/operations/operation-resource.js';
import { ImageResource } from '../../schemas/storage/image.js';
import { ByteServer, madeBytes, sha256Of } from '../support/byte-server.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/processes.js';
import { SeaweedFs, s3Bucket, s3Keys } from '../support/seaweedfs.js';
import { SlowWay } from '../support/slow-way.js';

const mebi = 2 ** 20;
const long = inject('inEveryWay');
const size = (long ? 1_024 : 64) * mebi;
const kills = long ? 20 : 3;
/** MB of a part. */
const part = 5;

/** A web server over a directory, as an operator has one; `manner`: what it does to what it gives. */
type Manner = 'whole' | 'truncated' | 'wrong';

describe('marketplaces in S3 and behind a web server', () => {
  let cluster: Cluster;
  let seaweed: SeaweedFs;
  let toS3: SlowWay;
  let toWeb: SlowWay;
  let source: ByteServer;
  let web: Server;
  let manner: Manner = 'whole';
  const directory = mkdtempSync(join(tmpdir(), 'arcus-marketplaces-'));
  const [stores, public_dir] = [join(directory, 'stores'), join(directory, 'public')];
  const bytes = madeBytes(size);
  const sum = sha256Of(bytes);
  let inS3: number;
  let onWeb: number;
  let remote: number;
  let image: number;
  let remoteImage: number;

  beforeAll(async () => {
    mkdirSync(public_dir);
    [seaweed, source] = await Promise.all([SeaweedFs.start(), ByteServer.serve(bytes)]);
    web = await serve();
    toS3 = await SlowWay.to(Number(new URL(seaweed.endpoint).port));
    toWeb = await SlowWay.to(portOf(web));
    const storage = { ARCUS_DATASTORES: stores };
    cluster = await Cluster.start({
      onServersOfTheRun: true,
      environments: {
        api: storage,
        worker: { ...storage, ARCUS_SAFE_NETWORKS: '127.0.0.1', ARCUS_MARKET_DIRS: directory },
      },
    });
    const { client } = cluster;
    const s3 = { bucket: s3Bucket, endpoint: `http://127.0.0.1:${toS3.port}`, force_path_style: true, ...s3Keys };
    inS3 = await client.make('/marketplaces', { name: 'archive', market_mad: 's3', s3: { ...s3, read_length: part } });
    const http = { base_url: `http://127.0.0.1:${toWeb.port}/apps/`, public_dir };
    onWeb = await client.make('/marketplaces', { name: 'corporate', market_mad: 'http', http });
    remote = await client.make('/datastores', { name: 'remote', ds_mad: 's3', s3: { ...s3, prefix: 'images/' } });
    image = await made('/images', { name: 'here', source: { url: source.url } });
    remoteImage = await made('/images', { name: 'there', datastore_id: remote, source: { url: source.url } });
  });
  afterAll(async () => {
    await cluster?.stop();
    for (const way of [toS3, toWeb]) way?.stop();
    source?.stop();
    web?.closeAllConnections();
    web?.close();
    await seaweed?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function serve(): Promise<Server> {
    const app = express();
    app.use('/apps', (request, response, next) => {
      if (manner === 'whole') return next();
      const all = readFileSync(join(public_dir, request.path));
      if (manner === 'wrong') all[all.length >> 1] = (all[all.length >> 1] ?? 0) ^ 1;
      // Chunked: it says of no length, and ends as if all had been said.
      response.write(manner === 'truncated' ? all.subarray(0, all.length - mebi) : all);
      response.end();
    });
    // A strong tag, as nginx makes it.
    const tagged = (to: ServerResponse, _path: string, { size: of, mtimeMs }: { size: number; mtimeMs: number }) =>
      void to.setHeader('ETag', `"${mtimeMs.toString(16)}-${of.toString(16)}"`);
    app.use('/apps', express.static(public_dir, { etag: false, setHeaders: tagged }));
    const server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }
  function portOf(server: Server): number {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('it does not listen');
    return address.port;
  }

  async function made(path: string, wish: object): Promise<number> {
    const { id, resource } = await cluster.client.accepted('POST', path, wish);
    await cluster.client.awaitOperation(id, 'succeeded');
    return resource.id;
  }
  const moved = async (op: string): Promise<number> =>
    (await cluster.client.ask(OperationDetail, 'GET', `/operations/${op}`)).moved?.bytes ?? 0;
  const over: string[] = ['succeeded', 'failed', 'cancelled'];
  /** The worker dies again and again while the bytes of this operation move. */
  async function killedAmid(op: string, times = kills): Promise<void> {
    for (let nth = 1; nth <= times; nth++) {
      const until = (size / (times + 1)) * (nth - 1 + Math.random());
      await eventually(async () => {
        const { state } = await cluster.client.ask(OperationDetail, 'GET', `/operations/${op}`);
        return over.includes(state) || (await moved(op)) >= until;
      });
      expect(over).not.toContain((await cluster.client.ask(OperationDetail, 'GET', `/operations/${op}`)).state);
      await cluster.worker(0).kill();
      await cluster.worker(0).startAgain();
    }
  }
  const app = (id: number) => cluster.client.ask(AppResource, 'GET', `/marketplace-apps/${id}`);
  /** What is in the bucket of the marketplace: whole, and begun. */
  async function inBucket(): Promise<{ whole: string[]; begun: number }> {
    const bucket = await openBucket({
      ...{ bucket: s3Bucket, region: 'us-east-1', endpoint: seaweed.endpoint, force_path_style: true, ...s3Keys },
    });
    const whole = [];
    for await (const { key } of bucket.list('marketapp-', AbortSignal.timeout(30_000))) whole.push(key);
    return { whole, begun: (await bucket.begun('marketapp-', AbortSignal.timeout(30_000))).length };
  }
  const kept = (id: number): string => sha256Of(readFileSync(join(stores, '1', 'images', String(id), 'disk')));
  /** Nothing of an image is there, kept or arriving. */
  const left = (id: number): string[] =>
    ['images', 'staging'].flatMap((place) =>
      readdirSync(join(stores, '1', place)).filter((name) => name === String(id)),
    );

  let appInS3: number;
  let appOnWeb: number;

  it('publishes in S3 although its worker is killed again and again, and sends no part twice but those on their way', async () => {
    toS3.pause = long ? 2 : 6;
    const before = toS3.sent;
    const wish = { name: 'archived', market_id: inS3, image_id: image, vm_template: { CPU: 1, MEMORY: 64 } };
    const { id: op, resource } = await cluster.client.accepted('POST', '/marketplace-apps', wish);
    appInS3 = resource.id;
    await killedAmid(op);
    toS3.pause = 0;
    await cluster.client.awaitOperation(op, 'succeeded');
    expect(await app(appInS3)).toMatchObject({
      state: 'READY',
      bytes: size,
      sha256: sum,
      source: expect.stringMatching(/^s3:/),
    });
    expect(await inBucket()).toMatchObject({ whole: [expect.stringMatching(`marketapp-${appInS3}-`)], begun: 0 });
    // Two parts are on their way at once.
    expect(toS3.sent - before).toBeLessThan(size + kills * 2 * part * mebi + 4 * mebi);
    expect(await cluster.client.ask(ImageResource, 'GET', `/images/${image}`)).toMatchObject({
      state: 'READY',
      apps: [],
    });
  });

  it('exports from S3 although its worker is killed again and again, and goes on where it was', async () => {
    toS3.pauseBack = long ? 2 : 6;
    const before = toS3.received;
    const {
      id: op,
      resource,
      vm_template_id,
    } = await cluster.client.accepted(
      ...(['POST', `/marketplace-apps/${appInS3}/export`, { name: 'from S3' }] as const),
    );
    await killedAmid(op);
    toS3.pauseBack = 0;
    await cluster.client.awaitOperation(op, 'succeeded');
    expect(kept(resource.id)).toBe(sum);
    expect(toS3.received - before).toBeLessThan(size + kills * 8 * mebi);
    expect((await cluster.client.send('GET', `/vm-templates/${vm_template_id}`)).body).toMatchObject({
      template: { CPU: 1, MEMORY: 64, DISK: [{ IMAGE_ID: resource.id }] },
    });
  });

  it('publishes for a web server, of an image that lies elsewhere, although its worker is killed again and again', async () => {
    toS3.pauseBack = long ? 2 : 4;
    const wish = { name: 'given', market_id: onWeb, image_id: remoteImage };
    const { id: op, resource } = await cluster.client.accepted('POST', '/marketplace-apps', wish);
    appOnWeb = resource.id;
    await killedAmid(op, long ? kills : 1);
    toS3.pauseBack = 0;
    await cluster.client.awaitOperation(op, 'succeeded');
    expect(await app(appOnWeb)).toMatchObject({ state: 'READY', bytes: size, sha256: sum });
    const [file = '', ...others] = readdirSync(public_dir);
    expect([others, sha256Of(readFileSync(join(public_dir, file)))]).toEqual([[], sum]);
  });

  // From S3 the same is shown above.
  if (long)
    it('exports from a web server although its worker is killed again and again', async () => {
      toWeb.pauseBack = long ? 2 : 6;
      const before = toWeb.received;
      const body = { name: 'from the web' };
      const { id: op, resource } = await cluster.client.accepted('POST', `/marketplace-apps/${appOnWeb}/export`, body);
      await killedAmid(op, long ? kills : 1);
      toWeb.pauseBack = 0;
      await cluster.client.awaitOperation(op, 'succeeded');
      expect(kept(resource.id)).toBe(sum);
      expect(toWeb.received - before).toBeLessThan(size + kills * 8 * mebi);
    });

  it.each([
    ['other bytes', 'wrong'],
    ['fewer bytes, and ends as if that were all', 'truncated'],
  ] as const)('undoes an export as a whole when the server gives %s', async (_what, how) => {
    manner = how;
    const body = { name: `not this one: ${how}`, vm_template_name: null };
    const { id: op, resource } = await cluster.client.accepted('POST', `/marketplace-apps/${appOnWeb}/export`, body);
    const { error } = await cluster.client.awaitOperation(op, 'failed');
    manner = 'whole';
    expect(error).toMatchObject({ code: 'image_refused' });
    expect((await cluster.client.send('GET', `/images/${resource.id}`)).status).toBe(404);
    expect(left(resource.id)).toEqual([]);
  });

  it('leaves nothing of what is cancelled', async () => {
    toS3.pause = 20;
    const wish = { name: 'not wanted', market_id: inS3, image_id: image };
    const publication = await cluster.client.accepted('POST', '/marketplace-apps', wish);
    await eventually(async () => (await moved(publication.id)) > part * mebi);
    await cluster.client.send('POST', `/operations/${publication.id}/cancel`);
    toS3.pause = 0;
    await cluster.client.awaitOperation(publication.id, 'cancelled');
    expect((await cluster.client.send('GET', `/marketplace-apps/${publication.resource.id}`)).status).toBe(404);
    expect(await inBucket()).toMatchObject({ whole: [expect.stringMatching(`marketapp-${appInS3}-`)], begun: 0 });

    toS3.pauseBack = 20;
    const path = `/marketplace-apps/${appInS3}/export`;
    const { id: op, resource, vm_template_id } = await cluster.client.accepted('POST', path, { name: 'nor this' });
    await eventually(async () => (await moved(op)) > mebi);
    await cluster.client.send('POST', `/operations/${op}/cancel`);
    toS3.pauseBack = 0;
    await cluster.client.awaitOperation(op, 'cancelled');
    for (const gone of [`/images/${resource.id}`, `/vm-templates/${vm_template_id}`])
      expect((await cluster.client.send('GET', gone)).status).toBe(404);
    expect(left(resource.id)).toEqual([]);
  });

  it('removes apps with all that there is of them', async () => {
    writeFileSync(join(public_dir, 'index.html'), 'of somebody else');
    for (const id of [appInS3, appOnWeb]) {
      const { id: op } = await cluster.client.accepted('DELETE', `/marketplace-apps/${id}`);
      await cluster.client.awaitOperation(op, 'succeeded');
    }
    expect(await inBucket()).toEqual({ whole: [], begun: 0 });
    expect(readdirSync(public_dir)).toEqual(['index.html']);
  });
});

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { OperationResource } from '../../schemas/operations/operation-resource.js';
import { type Image, ImageResource } from '../../schemas/storage/image.js';
import { runArcus } from '../cli/run-arcus.js';
import { madeBytes, sha256Of } from '../support/byte-server.js';
import { Cluster, credentials } from '../support/cluster.js';
import { eventually } from '../support/processes.js';

const mebi = 2 ** 20;
const size = 64 * mebi;
/** `npm run test:long` kills more. */
const kills = inject('inEveryWay') ? 12 : 4;
const auth = {
  Authorization: `Basic ${Buffer.from(`${credentials.name}:${credentials.password}`).toString('base64')}`,
};
const tus = { ...auth, 'Tus-Resumable': '1.0.0' };
const inBase64 = (text: string): string => Buffer.from(text).toString('base64');

describe('uploads of images', () => {
  let cluster: Cluster;
  let directory: string;
  const bytes = madeBytes(size);
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'arcus-datastores-'));
    const storage = { ARCUS_DATASTORES: directory };
    cluster = await Cluster.start({
      ...{ onServersOfTheRun: true, apis: 2, workers: 1 },
      environments: { worker: storage, api: storage },
    });
  });
  afterAll(async () => {
    await cluster?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const url = (api: number): string => cluster.clients[api]?.url ?? '';
  const image = (id: number) => cluster.client.ask(ImageResource, 'GET', `/images/${id}`);
  const isReady = async (id: number) => (await image(id)).state === 'READY' && (await image(id)).operation === null;
  const files = () =>
    readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((one) => (one.isFile() ? [one.name] : []));
  const create = (name: string, over: object = {}, bytesOfIt = size) =>
    cluster.client.accepted('POST', '/images', { name, source: { upload: { bytes: bytesOfIt } }, ...over });
  const arrived = async (api: number, id: number): Promise<number> => {
    const answer = await fetch(`${url(api)}/api/v1/images/${id}/upload`, { method: 'HEAD', headers: tus });
    expect(answer.status).toBe(200);
    return Number(answer.headers.get('upload-offset'));
  };
  /** A stream of pieces with pauses between them. */
  const slowly = (from: number, pause: number) =>
    new ReadableStream<Uint8Array>({
      async start(controller) {
        for (let at = from; at < size; at += 256 * 1024) {
          await sleep(pause);
          controller.enqueue(bytes.subarray(at, Math.min(size, at + 256 * 1024)));
        }
        controller.close();
      },
    });
  const send = (api: number, id: number, offset: number, body: NonNullable<RequestInit['body']>, headers = {}) =>
    fetch(`${url(api)}/api/v1/images/${id}/upload`, {
      method: 'PATCH',
      headers: {
        ...tus,
        'Content-Type': 'application/offset+octet-stream',
        'Upload-Offset': String(offset),
        ...headers,
      },
      body,
      ...{ duplex: 'half' },
    });

  it(`go on in another process, though those that take them are killed ${kills} times`, async () => {
    const { resource } = await create('killed', { sha256: sha256Of(bytes) });
    const froms: number[] = [];
    for (let nth = 1; nth <= kills; nth++) {
      const api = nth % 2;
      const offset = await arrived(api, resource.id);
      froms.push(offset);
      const until = Math.floor((size * nth) / (kills + 1));
      const sending = send(api, resource.id, offset, slowly(offset, 10)).then(
        () => 'answered',
        () => 'broken off',
      );
      await eventually(async () => (await arrived(1 - api, resource.id)) >= until);
      await cluster.api(api).kill();
      expect(await sending).toBe('broken off');
      await cluster.api(api).startAgain();
    }
    const offset = await arrived(0, resource.id);
    froms.push(offset);
    const last = await send(0, resource.id, offset, bytes.subarray(offset));
    expect(last.status).toBe(204);
    expect(last.headers.get('upload-offset')).toBe(String(size));
    await eventually(() => isReady(resource.id));
    expect(await image(resource.id)).toMatchObject({
      ...{ format: 'raw', virtual_size: size, size_mb: size / mebi, upload: null },
      published: { bytes: size, sha256: sha256Of(bytes) },
    });
    // Each went on where the one before it had got to.
    for (const [at, from] of froms.entries())
      expect(from).toBeGreaterThanOrEqual(Math.floor((size * at) / (kills + 1)));
    expect(await arrived(1, resource.id)).toBe(size);
  });

  it('come from a client of tus, over a restart of the api', async () => {
    let sent = 0;
    let asked: Promise<void> | null = null;
    const address = await new Promise<string>((resolve, reject) => {
      const upload = new Upload(bytes, {
        ...{ endpoint: `${url(0)}/api/v1/uploads`, headers: auth, chunkSize: 4 * mebi },
        retryDelays: [200, 400, 800, 1600, 3200, 3200, 3200],
        metadata: { name: 'of tus', filetype: 'application/x-raw', sha256: sha256Of(bytes) },
        onProgress: (done) => {
          sent = done;
          if (done > size / 2 && asked === null)
            asked = cluster
              .api(0)
              .kill()
              .then(() => cluster.api(0).startAgain());
        },
        onError: reject,
        onSuccess: () => resolve(upload.url ?? ''),
      });
      upload.start();
    });
    await Promise.resolve(asked);
    expect(sent).toBe(size);
    const id = Number(/\/api\/v1\/images\/(\d+)\/upload$/.exec(address)?.[1]);
    await eventually(() => isReady(id));
    expect(await image(id)).toMatchObject({ name: 'of tus', published: { sha256: sha256Of(bytes) } });
  });

  it('come from the command line, which goes on when the api is back, and in another run of its own', async () => {
    const home = mkdtempSync(join(tmpdir(), 'arcus-upload-'));
    const file = join(home, 'disk.raw');
    writeFileSync(file, bytes);
    const environment = {
      ARCUS_HOME: home,
      ARCUS_ENDPOINT: url(0),
      ARCUS_AUTH: `${credentials.name}:${credentials.password}`,
    };
    const creating = runArcus(['image', 'create', 'of a file', '--upload', file, '--wait'], environment);
    const its = async () => (await cluster.store.images.model.findOne({ name: 'of a file' }).lean<Image>())?.upload;
    await eventually(async () => ((await its())?.arrived ?? 0) > 0);
    await cluster.api(0).kill();
    await sleep(500);
    await cluster.api(0).startAgain();
    const { code, out, err } = await creating;
    expect(err).toMatch(/Going on when the server answers/);
    expect([code, out]).toEqual([0, expect.stringMatching(/createImage of image \d+ \(of a file\) succeeded/)]);

    const { resource } = await create('begun', { sha256: sha256Of(bytes) });
    expect((await send(1, resource.id, 0, bytes.subarray(0, 3 * mebi))).status).toBe(204);
    writeFileSync(join(home, 'other.raw'), 'other');
    const wrong = await runArcus(['image', 'upload', 'begun', join(home, 'other.raw')], environment);
    expect([wrong.code, wrong.err]).toEqual([
      2,
      expect.stringMatching(/has 5 bytes, and image \d+ is made of 67108864/),
    ]);
    expect(await runArcus(['image', 'upload', 'begun', file], environment)).toMatchObject({ code: 0 });
    await eventually(() => isReady(resource.id));
    expect((await runArcus(['image', 'upload', 'begun', file], environment)).err).toMatch(
      /is READY: nothing is to be sent/,
    );
    rmSync(home, { recursive: true });
  });

  it('that are not what was said are in ERROR, leave nothing, and are sent again after a retry', async () => {
    const { id: op, resource } = await create('wrong', { sha256: sha256Of(bytes.subarray(0, mebi)) }, mebi);
    expect((await send(0, resource.id, 0, Buffer.alloc(mebi, 1))).status).toBe(204);
    expect(await cluster.client.awaitOperation(op, 'failed')).toMatchObject({ error: { code: 'image_refused' } });
    expect(await image(resource.id)).toMatchObject({ state: 'ERROR', reason: expect.stringMatching(/SHA-256/) });
    const why = await cluster.client.send('GET', `/images/${resource.id}/upload`, undefined, {
      headers: { 'tus-resumable': '1.0.0' },
    });
    expect(why).toMatchObject({ status: 409, body: { detail: expect.stringMatching(/ERROR.*SHA-256/) } });
    await cluster.client.accepted('POST', `/operations/${op}/retry`);
    await eventually(async () => (await image(resource.id)).upload !== null);
    expect(await arrived(1, resource.id)).toBe(0);
    expect((await send(1, resource.id, 0, bytes.subarray(0, mebi))).status).toBe(204);
    await eventually(() => isReady(resource.id));
  });

  it('are given up when nobody goes on with them', async () => {
    const before = files().length;
    const { id: op, resource } = await create('left');
    expect((await send(0, resource.id, 0, bytes.subarray(0, mebi))).status).toBe(204);
    const { upload } = await image(resource.id);
    expect(upload).toMatchObject({ bytes: size, arrived: mebi });
    // Its run may not have begun yet.
    await expect
      .poll(async () => (await cluster.client.send('GET', `/images/${resource.id}/why`)).body)
      .toMatchObject({ text: expect.stringMatching(/waits for its bytes.*1,048,576 of 67,108,864/) });
    const longAgo = new Date(Date.now() - 3_601_000);
    await cluster.store.images.model.updateOne({ _id: resource.id }, { $set: { 'upload.at': longAgo } });
    expect(await cluster.client.awaitOperation(op, 'failed')).toMatchObject({
      error: { code: 'upload_expired', detail: expect.stringMatching(/for an hour: 1,048,576 of 67,108,864/) },
    });
    expect(await cluster.store.images.find(resource.id)).toBeNull();
    expect(files()).toHaveLength(before);
    expect((await send(0, resource.id, mebi, bytes.subarray(mebi, 2 * mebi))).status).toBe(404);
  });

  it('leave nothing when they are ended, by the client or a deletion, in the middle of a piece', async () => {
    const before = files().length;
    for (const end of ['upload', 'image', 'operation'] as const) {
      const { id: op, resource } = await create(`ended by ${end}`);
      const sending = send(0, resource.id, 0, slowly(0, 20)).then(
        ({ status }) => status,
        () => 'broken off',
      );
      await eventually(async () => (await arrived(1, resource.id)) > mebi);
      // One whose run has not begun leaves what was sent to whoever deletes the image.
      await cluster.client.awaitOperation(op, 'running');
      if (end === 'upload')
        expect(
          (await fetch(`${url(1)}/api/v1/images/${resource.id}/upload`, { method: 'DELETE', headers: tus })).status,
        ).toBe(204);
      else if (end === 'image') await cluster.client.accepted('DELETE', `/images/${resource.id}`);
      else await cluster.client.accepted('POST', `/operations/${op}/cancel`);
      await eventually(async () => (await cluster.store.images.find(resource.id)) === null);
      expect([404, 409, 410, 'broken off']).toContain(await sending);
      expect(files()).toHaveLength(before);
      expect(await cluster.client.ask(OperationResource, 'GET', `/operations/${op}`)).toMatchObject({
        state: 'cancelled',
      });
    }
  });

  it('take each piece whole or not at all where its checksum is said', async () => {
    const { resource } = await create('checked', {}, 2 * mebi);
    const piece = bytes.subarray(0, mebi);
    const sum = (of: Buffer) => ({
      'Upload-Checksum': `sha256 ${Buffer.from(sha256Of(of), 'hex').toString('base64')}`,
    });
    expect((await send(0, resource.id, 0, piece, sum(bytes.subarray(1, mebi)))).status).toBe(460);
    expect(await arrived(1, resource.id)).toBe(0);
    expect((await send(0, resource.id, 0, piece, sum(piece))).status).toBe(204);
    expect((await send(1, resource.id, 0, piece, sum(piece))).status).toBe(409);
    expect((await send(1, resource.id, mebi, bytes.subarray(0, mebi + 1))).status).toBe(413);
    expect(await arrived(1, resource.id)).toBe(mebi);
    await cluster.client.accepted('DELETE', `/images/${resource.id}`);
  });

  it('are taken of whose they are alone, and are bounded', async () => {
    const refused = async (headers: object) =>
      (await fetch(`${url(0)}/api/v1/uploads`, { method: 'POST', headers: { ...tus, ...headers } })).status;
    const name = `name ${inBase64('bounded')}`;
    expect(await refused({ 'Upload-Length': '99999999999999', 'Upload-Metadata': name })).toBe(400);
    expect(await refused({ 'Upload-Length': '0', 'Upload-Metadata': name })).toBe(400);
    expect(await refused({ 'Upload-Metadata': name })).toBe(400);
    expect(await refused({ 'Upload-Length': '10', 'Upload-Metadata': name, 'Tus-Resumable': '0.2.2' })).toBe(412);
    const offers = await fetch(`${url(0)}/api/v1/uploads`, { method: 'OPTIONS', headers: auth });
    expect([offers.status, offers.headers.get('tus-extension')]).toEqual([
      204,
      'creation,expiration,termination,checksum',
    ]);
  });
});

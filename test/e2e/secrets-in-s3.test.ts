import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBucket } from '../../adapters/storage/s3/bucket.js';
import { ImageResource } from '../../schemas/storage/image.js';
import { launchProgram } from '../cli/launch-program.js';
import { runArcus } from '../cli/run-arcus.js';
import { madeBytes, sha256Of } from '../support/byte-server.js';
import { Cluster, credentials } from '../support/cluster.js';
import { eventually } from '../support/processes.js';
import { SeaweedFs, s3Bucket, s3Keys } from '../support/seaweedfs.js';
import { seenEverywhere } from '../support/seen-everywhere.js';

const mebi = 2 ** 20;
const size = 24 * mebi;

describe('images in a bucket', () => {
  let cluster: Cluster;
  let server: SeaweedFs;
  const bytes = madeBytes(size);
  beforeAll(async () => {
    server = await SeaweedFs.start();
    cluster = await Cluster.start({
      onServersOfTheRun: true,
      environments: { api: { ARCUS_LOG_LEVEL: 'trace' }, worker: { ARCUS_LOG_LEVEL: 'trace' } },
    });
  });
  afterAll(async () => {
    await cluster?.stop();
    await server?.stop();
  });

  const environment = () => ({
    ...{ ARCUS_HOME: cluster.directory, ARCUS_ENDPOINT: cluster.client.url },
    ARCUS_AUTH: `${credentials.name}:${credentials.password}`,
  });
  const image = (id: number) => cluster.client.ask(ImageResource, 'GET', `/images/${id}`);
  const ready = (id: number) =>
    eventually(async () => {
      const { state, operation } = await image(id);
      return state === 'READY' && operation === null;
    });

  it('are made, cloned, read by others and removed; the secret key is nowhere to be seen', async () => {
    const create = launchProgram(
      'arcus/main.js',
      [
        ...['datastore', 'create', 'remote', '--ds-mad', 's3', '--bucket', s3Bucket, '--path-style'],
        ...['--s3-endpoint', server.endpoint, '--access-key', s3Keys.access_key],
      ],
      { environment: environment(), input: `${s3Keys.secret_key}\n` },
    );
    expect(await create.ended).toMatchObject({ code: 0 });
    const wish = { name: 'far', datastore_id: 100, sha256: sha256Of(bytes), source: { upload: { bytes: size } } };
    const { resource } = await cluster.client.accepted('POST', '/images', wish);
    const sent = await fetch(`${cluster.client.url}/api/v1/images/${resource.id}/upload`, {
      method: 'PATCH',
      headers: {
        Authorization: `Basic ${Buffer.from(`${credentials.name}:${credentials.password}`).toString('base64')}`,
        ...{ 'Tus-Resumable': '1.0.0', 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' },
      },
      body: bytes,
    });
    expect(sent.status).toBe(204);
    await ready(resource.id);
    expect(await image(resource.id)).toMatchObject({ virtual_size: size, published: { sha256: sha256Of(bytes) } });

    const rotated = await runArcus(['secrets', 'rotate'], environment());
    expect(rotated.out).toMatch(/^1 secret sealed with key \w+\. No secret has \w+ any more\.$/m);
    const copy = await cluster.client.accepted('POST', `/images/${resource.id}/clone`, { name: 'far too' });
    await ready(copy.resource.id);
    const empty = { name: 'empty', datastore_id: 100, source: { empty: { size_mb: 2 } } };
    await ready((await cluster.client.accepted('POST', '/images', empty)).resource.id);
    // A refusal of the server has words, which go into logs, reasons and histories.
    await cluster.client.send('PATCH', '/datastores/100', { s3: { access_key: 'unknown' } });
    const lost = { name: 'lost', datastore_id: 100, source: { empty: { size_mb: 1 } } };
    const { id: op } = await cluster.client.accepted('POST', '/images', lost);
    await eventually(async () =>
      /S3 answers InvalidAccessKeyId/.test(
        JSON.stringify((await cluster.client.send('GET', `/operations/${op}/why`)).body),
      ),
    );
    const seen = await seenEverywhere(cluster, ['/datastores/100']);
    // It looks where things are: what is no secret is there.
    for (const where of ['documents', 'lists'] as const) expect(seen[where], where).toContain(server.endpoint);
    expect(seen.histories).toContain('createImage');
    expect(seen.payloads).toContain(op);
    expect(seen.logs).toContain('/api/v1/datastores');
    expect(seen.commands).toContain('api/main.js');
    for (const [where, text] of Object.entries(seen)) {
      expect(text, where).not.toContain(s3Keys.secret_key);
    }
    await cluster.client.accepted('POST', `/operations/${op}/cancel`);
    await cluster.client.send('PATCH', '/datastores/100', { s3: { access_key: s3Keys.access_key } });

    await eventually(async () => (await cluster.store.images.model.countDocuments({ operation: { $ne: null } })) === 0);
    for (const { _id } of await cluster.store.images.model.find().lean())
      await cluster.client.accepted('DELETE', `/images/${_id}`);
    await eventually(async () => (await cluster.store.images.model.countDocuments()) === 0);
    const bucket = await openBucket({
      ...{ bucket: s3Bucket, prefix: '', region: 'us-east-1', endpoint: server.endpoint, force_path_style: true },
      ...s3Keys,
    });
    const left = [];
    for await (const object of bucket.list('', AbortSignal.timeout(30_000))) left.push(object);
    expect(left).toEqual([]);
  });
});

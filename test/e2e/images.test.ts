import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ImageResource } from '../../schemas/storage/image.js';
import { ByteServer, madeBytes, sha256Of } from '../support/byte-server.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/processes.js';

const mebi = 2 ** 20;
/** `npm run test:long` moves more, under more kills. */
const [size, kills] = inject('inEveryWay') ? [256 * mebi, 8] : [64 * mebi, 3];

describe('images in a datastore of files', () => {
  let cluster: Cluster;
  let source: ByteServer;
  let directory: string;
  const bytes = madeBytes(size);
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'arcus-datastores-'));
    source = await ByteServer.serve(bytes);
    const storage = { ARCUS_DATASTORES: directory, ARCUS_SAFE_NETWORKS: '127.0.0.1' };
    cluster = await Cluster.start({ onServersOfTheRun: true, environments: { worker: storage } });
  });
  afterAll(async () => {
    await cluster?.stop();
    source?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const ask = (name: string, over: object = {}) =>
    cluster.client.accepted('POST', '/images', {
      name,
      type: 'OS',
      source: { url: source.url },
      sha256: sha256Of(bytes),
      ...over,
    });
  const image = (id: number) => cluster.client.ask(ImageResource, 'GET', `/images/${id}`);
  /** Once nothing is at work on it. */
  const stateOf = async (id: number) => {
    const { state, operation } = await image(id);
    return operation === null ? state : null;
  };
  const files = () =>
    readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((one) => (one.isFile() ? [one.name] : []));

  it(`come in whole, with the checksum that was published, though the worker is killed ${kills} times`, async () => {
    source.pause = 20;
    const { resource } = await ask('killed');
    for (let nth = 1; nth <= kills; nth++) {
      const until = Math.floor((size * nth) / (kills + 2));
      await eventually(async () => source.sent >= until);
      await cluster.worker(0).kill();
      await cluster.worker(0).startAgain();
    }
    source.pause = 0;
    await eventually(async () => (await stateOf(resource.id)) === 'READY');
    expect(await image(resource.id)).toMatchObject({
      ...{ state: 'READY', reason: null, format: 'raw', virtual_size: size, size_mb: size / mebi },
      published: { bytes: size, sha256: sha256Of(bytes) },
    });
    // Each try went on where the one before it had got to, and not again from the beginning.
    expect(source.froms).toHaveLength(kills + 1);
    for (const [at, from] of source.froms.entries()) if (at > 0) expect(from).toBeGreaterThan(0);
    expect(source.sent).toBeLessThan(size * 1.5);
  });

  it('are cloned, and removed with all their files', async () => {
    const first = await cluster.store.images.model.findOne().lean().orFail().exec();
    const { resource } = await cluster.client.accepted('POST', `/images/${first._id}/clone`, { name: 'copy' });
    await eventually(async () => (await stateOf(resource.id)) === 'READY');
    expect(await image(resource.id)).toMatchObject({ size_mb: size / mebi, source: `image ${first._id}` });
    for (const id of [first._id, resource.id]) await cluster.client.accepted('DELETE', `/images/${id}`);
    await eventually(async () => (await cluster.store.images.model.countDocuments()) === 0);
    expect(files()).toEqual([]);
  });

  it('that are not what was published are in ERROR, leave nothing, and are removed', async () => {
    const { resource } = await ask('wrong', { sha256: '0'.repeat(64) });
    await eventually(async () => (await stateOf(resource.id)) === 'ERROR');
    expect((await image(resource.id)).reason).toMatch(/SHA-?256|checksum/i);
    // What was refused is not kept at nobody's charge.
    expect(files()).toEqual([]);
    await cluster.client.accepted('DELETE', `/images/${resource.id}`);
    await eventually(async () => (await cluster.store.images.model.countDocuments()) === 0);
    expect(files()).toEqual([]);
  });

  it('leave nothing when they are cancelled in the middle', async () => {
    source.pause = 50;
    const before = source.sent;
    const { id, resource } = await ask('cancelled');
    await eventually(async () => source.sent > before + mebi);
    await cluster.client.accepted('POST', `/operations/${id}/cancel`);
    await eventually(async () => (await cluster.store.images.find(resource.id)) === null);
    expect(files()).toEqual([]);
    source.pause = 0;
  });
});

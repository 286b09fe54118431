import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBucket } from '../../adapters/storage/s3/bucket.js';
import { s3Storage } from '../../adapters/storage/s3/s3.js';
import { problemOf } from '../../domain/problems.js';
import { noise } from '../support/disks.js';
import { SeaweedFs, s3Bucket, s3Keys } from '../support/seaweedfs.js';
import { storageContract } from './storage-contract.js';

let server: SeaweedFs;
beforeAll(async () => {
  server = await SeaweedFs.start();
});
afterAll(() => server?.stop());

const mebi = 2 ** 20;
const connectionOf = (change: object = {}) => ({
  ...{ bucket: s3Bucket, prefix: 'of/tests/', region: 'us-east-1', endpoint: server.endpoint },
  ...{ force_path_style: true, ...s3Keys, ...change },
});
let last = 100_000;
const worldOf = () => {
  const base = mkdtempSync(join(tmpdir(), 'arcus-storage-'));
  return {
    storage: s3Storage(base, async () => connectionOf()),
    base,
    newDatastore: () => ({ id: ++last, ds_mad: 's3' as const }),
    close: () => rmSync(base, { recursive: true, force: true }),
  };
};

storageContract('s3', worldOf);

describe('a datastore in S3', () => {
  const signal = () => AbortSignal.timeout(60_000);
  const quiet = (): void => {};
  async function* given(bytes: Buffer): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  const wish = { content: 'disk', mostBytes: 256 * mebi, mostVirtual: 256 * mebi } as const;

  it('keeps what is larger than a part, and is read by who has nothing of it', async () => {
    const [one, other] = [worldOf(), worldOf()];
    const image = { id: 1, epoch: 1, datastore: one.newDatastore() };
    const disk = noise(40 * mebi);
    const arrival = { offset: 0, bytes: given(disk), version: null, most: disk.length, total: disk.length };
    await one.storage.append(image, arrival, quiet, signal());
    const kept = await one.storage.keep(image, wish, quiet, signal());
    expect(await other.storage.find(image, signal())).toEqual(kept);
    const parts = [];
    for await (const chunk of other.storage.read(image, 17, signal())) parts.push(chunk);
    expect(Buffer.concat(parts).equals(disk.subarray(17))).toBe(true);
    expect(await other.storage.capacity(image.datastore, signal())).toMatchObject({
      used: expect.toSatisfy((used: number) => used > 40 * mebi),
    });
    await other.storage.remove({ ...image, epoch: 2 }, signal());
    expect(await one.storage.find(image, signal())).toBeUndefined();
    for (const world of [one, other]) world.close();
  });

  it('goes on with what had come whole when the bucket is away, without fetching it again', async () => {
    const world = worldOf();
    let away = true;
    const storage = s3Storage(world.base, async () => connectionOf(away ? { endpoint: 'http://127.0.0.1:1' } : {}));
    const image = { id: 2, epoch: 1, datastore: world.newDatastore() };
    const disk = noise(mebi);
    const arrival = { offset: 0, bytes: given(disk), version: null, most: disk.length, total: disk.length };
    await storage.append(image, arrival, quiet, signal());
    const failed = await storage.keep(image, wish, quiet, signal()).then(
      () => undefined,
      (error: unknown) => problemOf(error),
    );
    expect(failed).toMatchObject({ code: 'backend_unavailable' });
    away = false;
    expect(await storage.staged(image, signal())).toMatchObject({ bytes: mebi });
    expect(await storage.keep({ ...image, epoch: 2 }, wish, quiet, signal())).toMatchObject({ bytes: mebi });
    world.close();
  });

  it('finds what tries have begun and left, and removes it with the image', async () => {
    const world = worldOf();
    const image = { id: 3, epoch: 1, datastore: world.newDatastore() };
    const bucket = await openBucket(connectionOf());
    const prefix = `of/tests/datastore-${image.datastore.id}/`;
    await bucket.put(`${prefix}image-3/bytes.1.0-0`, 'left', false, signal());
    await bucket.put(`${prefix}foreign`, 'of somebody else', false, signal());
    expect(await world.storage.inventory(image.datastore, signal())).toMatchObject({
      ...{ images: [], staging: [{ image: 3, bytes: 4 }], strange: [`${prefix}foreign`] },
    });
    await world.storage.remove(image, signal());
    expect((await world.storage.inventory(image.datastore, signal())).staging).toEqual([]);
    expect(await bucket.get(`${prefix}foreign`, signal())).toBe('of somebody else');
    world.close();
  });

  it('says what is wrong without its secret', async () => {
    const world = worldOf();
    const storage = s3Storage(world.base, async () => connectionOf({ secret_key: 'another secret' }));
    const failed = await storage.capacity(world.newDatastore(), signal()).then(
      () => undefined,
      (error: unknown) => problemOf(error),
    );
    expect(failed).toMatchObject({
      code: 'backend_unavailable',
      message: expect.stringMatching(/S3 answers SignatureDoesNotMatch/),
    });
    expect(JSON.stringify(failed)).not.toContain('another secret');
    world.close();
  });
});

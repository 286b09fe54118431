import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpMarket } from '../../adapters/market/http/http.js';
import { oneMarket } from '../../adapters/market/one/one.js';
import { s3Market } from '../../adapters/market/s3/s3.js';
import { openBucket } from '../../adapters/storage/s3/bucket.js';
import { sourcesBy } from '../../adapters/storage/sources/sources.js';
import { appKey } from '../../domain/market/app-key.js';
import { problemOf } from '../../domain/problems.js';
import { noise } from '../support/disks.js';
import { ImageServer } from '../support/image-server.js';
import { SeaweedFs, s3Bucket, s3Keys } from '../support/seaweedfs.js';
import { given, marketContract } from './market-contract.js';

const mebi = 2 ** 20;
const signal = () => AbortSignal.timeout(60_000);
const quiet = (): void => {};
const nobodyElse = async (): Promise<void> => {};
const rules = { safe: [], kept: [], allowed: ['127.0.0.0/8'] };
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => problemOf(error),
  );

/** As nginx makes it: express's own says that what is alike is the same. */
const strongTag = (response: ServerResponse, _path: string, { size, mtimeMs }: { size: number; mtimeMs: number }) =>
  void response.setHeader('ETag', `"${mtimeMs.toString(16)}-${size.toString(16)}"`);

/** A web server over a directory, as operators have one. */
async function webServer(directory: string): Promise<{ url: string; server: Server }> {
  const app = express();
  app.use(express.static(directory, { dotfiles: 'deny', etag: false, setHeaders: strongTag }));
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return { url: `http://127.0.0.1:${address.port}`, server };
}

describe('http', () => {
  const base = mkdtempSync(join(tmpdir(), 'arcus-market-'));
  const public_dir = join(base, 'public');
  afterAll(() => rmSync(base, { recursive: true, force: true }));

  marketContract('http', async () => {
    await mkdir(public_dir, { recursive: true });
    const { url, server } = await webServer(public_dir);
    return {
      market: httpMarket(async () => ({ http: { base_url: url, public_dir } }), [base]),
      target: { id: 100, market_mad: 'http' },
      address: ({ key }) => ({ url: `${url}/${key}` }),
      sources: sourcesBy(rules),
      close: async () => {
        server.closeAllConnections();
        server.close();
      },
    };
  });

  const target = { id: 100, market_mad: 'http' } as const;
  const app = (chance: string) => ({ id: 7, key: appKey(7, chance.repeat(32)), market: target });

  it('writes in no directory that an operator does not allow, whatever a link says', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'arcus-elsewhere-'));
    const link = join(base, 'link');
    symlinkSync(elsewhere, link);
    const market = httpMarket(async () => ({ http: { base_url: 'http://127.0.0.1', public_dir: link } }), [base]);
    const bytes = given(noise(mebi));
    const refused = await failure(market.publish(app('a'), bytes, nobodyElse, quiet, signal()));
    expect(refused).toMatchObject({ code: 'source_refused', message: expect.stringMatching(/ARCUS_MARKET_DIRS/) });
    expect(await readdir(elsewhere)).toEqual([]);
    rmSync(elsewhere, { recursive: true, force: true });
  });

  it('says that a directory is not there, which is tried again, and leaves what others have there', async () => {
    const place = join(base, 'gone');
    const market = httpMarket(async () => ({ http: { base_url: 'http://127.0.0.1', public_dir: place } }), [base]);
    expect(await failure(market.capacity(target, signal()))).toMatchObject({ code: 'backend_unavailable' });
    await mkdir(place);
    await writeFile(join(place, 'index.html'), 'of somebody else');
    await market.publish(app('b'), given(noise(10)), nobodyElse, quiet, signal());
    await market.remove(app('b'), signal());
    expect(await readdir(place)).toEqual(['index.html']);
    expect(await market.inventory(target, signal())).toEqual([]);
  });
});

describe('s3', () => {
  let server: SeaweedFs;
  beforeAll(async () => {
    server = await SeaweedFs.start();
  });
  afterAll(() => server?.stop());

  const place = (change: object = {}) => ({
    ...{ bucket: s3Bucket, region: 'us-east-1', endpoint: server.endpoint, force_path_style: true, ...s3Keys },
    ...{ total_mb: 1_024, read_length: 5, signature_version: 's3' as const, ...change },
  });
  const target = { id: 101, market_mad: 's3' } as const;
  const app = (chance: string) => ({ id: 8, key: appKey(8, chance.repeat(32)), market: target });

  marketContract('s3', async () => {
    const market = s3Market(async () => ({ s3: place() }));
    return {
      market,
      target,
      address: ({ key }) => ({ object: { market: target.id, key } }),
      sources: sourcesBy({ ...rules, openObject: market.open }),
      close: () => {},
    };
  });

  it('obeys TOTAL_MB as a number, and READ_LENGTH in its parts', async () => {
    const market = s3Market(async () => ({ s3: place({ total_mb: 77, read_length: 6 }) }));
    const capacity = await market.capacity(target, signal());
    expect(capacity?.total).toBe(77 * mebi);
    let parts = 0;
    const counted = async (): Promise<void> => {
      parts += 1;
    };
    await market.publish(app('c'), given(noise(18 * mebi)), counted, quiet, signal());
    // Before it begins, after it has begun, before it is ended, and for three parts of 6 MB.
    expect(parts).toBe(3 + 3);
    await market.remove(app('c'), signal());
  });

  it('makes a bucket that is not there, and says what one that went away has', async () => {
    const market = s3Market(async () => ({ s3: place({ bucket: 'made-for-apps' }) }));
    expect(await failure(market.capacity(target, signal()))).toMatchObject({
      code: 'backend_unavailable',
      message: 'Marketplace 101: S3 answers NoSuchBucket.',
    });
    await market.remove(app('d'), signal());
    const bytes = noise(6 * mebi);
    await market.publish(app('d'), given(bytes), nobodyElse, quiet, signal());
    expect(await market.inventory(target, signal())).toEqual([{ key: app('d').key, bytes: bytes.length, whole: true }]);
  });

  it('counts more than a thousand objects', async () => {
    const market = s3Market(async () => ({ s3: place({ bucket: 'many-objects' }) }));
    await market.publish(app('e'), given(noise(1)), nobodyElse, quiet, signal());
    const bucket = await openBucket({ ...place(), bucket: 'many-objects' });
    const names = Array.from({ length: 1_050 }, (_, at) => `other-${at}`);
    for (let at = 0; at < names.length; at += 50)
      await Promise.all(names.slice(at, at + 50).map((name) => bucket.put(name, 'x', false, signal())));
    expect((await market.capacity(target, signal()))?.used).toBe(1_051);
    expect(await market.inventory(target, signal())).toHaveLength(1);
  });

  it('says what is wrong without its secret', async () => {
    const market = s3Market(async () => ({ s3: place({ secret_key: 'another secret' }) }));
    const failed = await failure(market.capacity(target, signal()));
    expect(failed).toMatchObject({
      code: 'backend_unavailable',
      message: expect.stringMatching(/SignatureDoesNotMatch/),
    });
    expect(JSON.stringify(failed)).not.toContain('another secret');
  });
});

describe('a catalogue of others', () => {
  let server: ImageServer;
  const content = (appliances: unknown) => Buffer.from(JSON.stringify({ appliances }));
  beforeAll(async () => {
    server = await ImageServer.start(content([]));
  });
  afterAll(() => server?.close());
  const target = { id: 0, market_mad: 'one' } as const;
  const marketAt = (endpoint: string | null, usual = server.url('')) =>
    oneMarket(async () => ({ one: { endpoint } }), sourcesBy(rules), usual);
  const catalogue = async () => (await marketAt(null).catalogue(target, signal())).apps;

  const appliance = (oid: string, over: object = {}) => ({
    ...{ _id: { $oid: oid }, name: 'ttylinux', publisher: 'OpenNebula.org', version: '1.0' },
    ...{ tags: ['linux', 'small'], short_description: 'A tiny one', creation_time: 1_333_100_000 },
    files: [{ size: '41943040', md5: '04c7d00e88fa66d9aaa34d9cf8ad6aaa', dev_prefix: 'hd', type: 'OS' }],
    opennebula_template: '{"CPU":"0.1","MEMORY":"64","GRAPHICS":{"type":"vnc"},"list":["x"]}',
    ...over,
  });

  it('is read as OpenNebula reads it', async () => {
    server.content = content([appliance('4fc76a938fb81d3517000003')]);
    expect(await catalogue()).toEqual([
      {
        upstream: '4fc76a938fb81d3517000003',
        name: 'ttylinux',
        description: 'A tiny one',
        version: '1.0',
        publisher: 'OpenNebula.org',
        tags: ['linux', 'small'],
        format: null,
        bytes: 41_943_040,
        md5: '04c7d00e88fa66d9aaa34d9cf8ad6aaa',
        url: `${server.url('')}/appliance/4fc76a938fb81d3517000003/download/0`,
        created_at: new Date(1_333_100_000_000),
        attributes: { DEV_PREFIX: 'hd', TYPE: 'OS' },
        vm_template: { CPU: '0.1', MEMORY: '64', GRAPHICS: { TYPE: 'vnc' } },
      },
    ]);
    expect(server.asked.at(-1)?.path).toBe('/appliance');
  });

  it('may be empty, or have thousands of apps, of which some cannot be read', async () => {
    server.content = content([]);
    expect(await catalogue()).toEqual([]);
    const many = Array.from({ length: 5_000 }, (_, at) =>
      appliance(`app${at}`, { name: `app ${at}`, tags: undefined }),
    );
    server.content = content([...many, { name: 'without an id' }, null, appliance('nofiles', { files: [] }), many[0]]);
    const found = await marketAt(null).catalogue(target, signal());
    expect([found.apps.length, found.unread]).toEqual([5_000, 4]);
    expect(found.apps[0]).toMatchObject({ tags: [] });
  });

  it.each([
    ['broken JSON', Buffer.from('{"appliances": ['), {}],
    ['no catalogue', Buffer.from('[1, 2]'), {}],
    ['an error', content([]), { status: 503 }],
    ['less than it had promised', content([]), { breakAt: 5 }],
  ])('that is %s does not answer, and is asked again', async (_what, bytes, manner) => {
    server.content = bytes;
    server.manner = { ranges: true, ...manner };
    expect(await failure(catalogue())).toMatchObject({ code: 'backend_unavailable' });
    server.manner = { ranges: true };
  });

  it('is not asked in networks that are kept from use', async () => {
    const market = oneMarket(
      async () => ({ one: { endpoint: null } }),
      sourcesBy({ ...rules, allowed: [] }),
      server.url(''),
    );
    expect(await failure(market.catalogue(target, signal()))).toMatchObject({ code: 'source_refused' });
  });

  it('takes nothing, and loses nothing', async () => {
    const app = { id: 1, key: appKey(1, '0'.repeat(32)), market: target };
    const market = marketAt(null);
    expect(await failure(market.publish(app, given(noise(1)), nobodyElse, quiet, signal()))).toMatchObject({
      code: 'not_implemented',
    });
    expect(await failure(market.remove(app, signal()))).toMatchObject({ code: 'not_implemented' });
    expect(await market.capacity(target, signal())).toBeNull();
  });
});

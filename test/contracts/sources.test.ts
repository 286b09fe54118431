import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bringIn, type Import } from '../../adapters/storage/bring-in.js';
import type { ImageClaim } from '../../adapters/storage/port.js';
import type { SourceAddress } from '../../adapters/storage/sources/port.js';
import { type SourceRules, sources, sourcesBy } from '../../adapters/storage/sources/sources.js';
import { storages } from '../../adapters/storage/storages.js';
import { problemOf } from '../../domain/problems.js';
import { noise } from '../support/disks.js';
import { ImageServer } from '../support/image-server.js';
import { allHere } from '../support/no-storages.js';
import { ensurePrograms } from '../support/programs.js';

const MiB = 1024 ** 2;
const base = realpathSync(mkdtempSync(join(tmpdir(), 'arcus-sources-')));
const safe = join(base, 'safe');
const storage = storages({ ARCUS_HOME: base, ARCUS_DATASTORES: join(base, 'datastores') }, allHere).of({
  ds_mad: 'fs',
});
const loopback = ['127.0.0.0/8', '::1'];
const rules: SourceRules = { safe: [safe], kept: [join(safe, 'home')], allowed: loopback, silence: 1_500 };

let server: ImageServer;
let last = 0;
beforeAll(async () => {
  ensurePrograms('disks');
  server = await ImageServer.start(noise(2 * MiB));
  for (const directory of ['safe/home', 'safe/below', 'safely', 'outside'])
    mkdirSync(join(base, directory), { recursive: true });
  for (const file of ['safe/disk', 'safe/below/disk', 'safe/home/key', 'safely/disk', 'outside/disk'])
    writeFileSync(join(base, file), noise(MiB));
  symlinkSync(join(base, 'outside/disk'), join(safe, 'link-out'));
  symlinkSync(join(base, 'outside'), join(safe, 'directory-out'));
  symlinkSync(join(safe, 'below/disk'), join(safe, 'link-in'));
  symlinkSync(join(safe, 'home/key'), join(safe, 'link-to-key'));
  execFileSync('mkfifo', [join(safe, 'pipe')]);
});
afterAll(async () => {
  await server.close();
  rmSync(base, { recursive: true, force: true });
});

const newImage = (): ImageClaim => ({ id: ++last, datastore: { id: 1, ds_mad: 'fs' }, epoch: 1 });
const wanted = (from: SourceAddress, change: Partial<Import> = {}): Import => ({
  ...{ from, content: 'disk', mostBytes: 8 * MiB, mostVirtual: 8 * MiB, mostPublished: 8 * MiB },
  ...change,
});
const bring = (image: ImageClaim, from: SourceAddress, own: Partial<SourceRules> = {}, change: Partial<Import> = {}) =>
  bringIn(
    { storage, sources: sourcesBy({ ...rules, ...own }) },
    image,
    wanted(from, change),
    () => {},
    new AbortController().signal,
  );
const refusal = async (call: Promise<unknown>) => {
  const problem = problemOf(
    await call.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
  return problem && { code: problem.code, detail: problem.message };
};
const content = (image: ImageClaim): Buffer =>
  readFileSync(join(base, 'datastores/1/images', String(image.id), 'disk'));
/** Server as it was, with another file. */
const serve = (bytes: Buffer, manner: ImageServer['manner'] = { ranges: true }): Buffer => {
  server.content = bytes;
  server.manner = manner;
  server.sent = 0;
  server.asked.length = 0;
  return bytes;
};

describe('a path', () => {
  it.each(['safe/disk', 'safe/below/disk', 'safe/link-in'])('%s makes an image', async (path) => {
    const image = newImage();
    expect(await bring(image, { path: join(base, path) })).toMatchObject({ bytes: MiB });
    expect(content(image).equals(readFileSync(join(base, path)))).toBe(true);
  });

  it.each([
    ['outside', 'outside/disk', /not in a safe directory/],
    ['that only begins like a safe one', 'safely/disk', /not in a safe directory/],
    ['that is a link out', 'safe/link-out', /not in a safe directory/],
    ['through a directory that is a link out', 'safe/directory-out/disk', /not in a safe directory/],
    ['to what is kept from use', 'safe/home/key', /not in a safe directory/],
    ['that is a link to what is kept from use', 'safe/link-to-key', /not in a safe directory/],
    ['that is not there', 'safe/nothing', /is not there/],
    ['of a directory', 'safe/below', /not that of a file/],
    ['of a pipe that nobody writes to', 'safe/pipe', /not that of a file/],
  ])('%s is refused', async (_name, path, reason) => {
    const image = newImage();
    expect(await refusal(bring(image, { path: join(base, path) }))).toEqual({
      code: 'source_refused',
      detail: expect.stringMatching(reason),
    });
    expect((await storage.staged(image, new AbortController().signal)).bytes).toBe(0);
  });

  it.each(['safe/disk', '/etc/../etc/passwd', `${safe}/../outside/disk`, `${safe}//disk`, `${safe}/disk\0`])(
    'written as %j is refused',
    async (path) => {
      expect(await refusal(bring(newImage(), { path }))).toMatchObject({ code: 'source_refused' });
    },
  );

  it('that is larger than it may be is refused before anything is moved', async () => {
    const image = newImage();
    expect(await refusal(bring(image, { path: join(safe, 'disk') }, {}, { mostPublished: 1_000 }))).toMatchObject({
      code: 'image_refused',
    });
    expect((await storage.staged(image, new AbortController().signal)).bytes).toBe(0);
  });
});

it('nothing of the home or of a datastore is a source, whatever directories are safe', async () => {
  const allowed = sources({
    ...{ ARCUS_HOME: join(safe, 'home'), ARCUS_DATASTORES: join(safe, 'below') },
    ...{ ARCUS_SAFE_DIRS: [safe], ARCUS_SAFE_NETWORKS: [] },
  });
  const open = (path: string) =>
    allowed.open({ path: join(safe, path) }, { offset: 0, version: null }, new AbortController().signal);
  for (const path of ['home/key', 'below/disk', 'link-in'])
    expect(await refusal(open(path))).toMatchObject({ code: 'source_refused' });
  await (await open('disk')).close();
});

describe('an address', () => {
  it('makes an image, and what is asked for again is not fetched again', async () => {
    const image = newImage();
    const disk = serve(noise(2 * MiB));
    const kept = await bring(image, { url: server.url() });
    expect(content(image).equals(disk)).toBe(true);
    expect(await bring({ ...image, epoch: 2 }, { url: server.url() })).toEqual(kept);
    expect(server.asked).toHaveLength(1);
  });

  it('makes an image when nobody says how long it is', async () => {
    const image = newImage();
    const disk = serve(noise(MiB), { chunked: true });
    await bring(image, { url: server.url() });
    expect(content(image).equals(disk)).toBe(true);
  });

  it('is followed to where it leads', async () => {
    const image = newImage();
    const disk = serve(noise(MiB));
    server.redirects.set('/first', '/second').set('/second', server.url('/third', 'localhost'));
    await bring(image, { url: server.url('/first') });
    expect(content(image).equals(disk)).toBe(true);
    expect(server.asked.map(({ path }) => path)).toEqual(['/first', '/second', '/third']);
  });

  it('is not followed in circles', async () => {
    server.redirects.set('/round', '/round');
    expect(await refusal(bring(newImage(), { url: server.url('/round') }))).toMatchObject({
      code: 'source_refused',
      detail: expect.stringMatching(/more than 5 times/),
    });
  });

  describe('in a network that is kept from use is refused', () => {
    it.each([
      ['by its number', () => server.url()],
      ['by a name', () => server.url('/image', 'localhost')],
      ['by another way to write it', () => server.url('/image', '2130706433')],
      ['by a short way to write it', () => server.url('/image', '127.1')],
      ['as IPv6 that leads to IPv4', () => server.url('/image', '[::ffff:127.0.0.1]')],
      ['as IPv6', () => server.url('/image', '[::1]')],
      ['of a cloud that tells of itself', () => 'http://169.254.169.254/latest/meta-data/'],
    ])('%s', async (_name, url) => {
      serve(noise(9));
      expect(await refusal(bring(newImage(), { url: url() }, { allowed: [] }))).toMatchObject({
        code: 'source_refused',
        detail: expect.stringMatching(/its address is/),
      });
      expect(server.asked).toEqual([]);
    });

    it('by a redirect to it', async () => {
      serve(noise(9));
      server.redirects.set('/cloud', 'http://169.254.169.254/latest/').set('/near', server.url('/image', '127.0.0.2'));
      for (const path of ['/cloud', '/near'])
        expect(await refusal(bring(newImage(), { url: server.url(path) }, { allowed: ['127.0.0.1'] }))).toMatchObject({
          code: 'source_refused',
          detail: expect.stringMatching(/its address is/),
        });
      expect(server.asked.map(({ path }) => path)).toEqual(['/cloud', '/near']);
    });
  });

  it.each([
    ['without http', 'file:///etc/passwd', /http or https/],
    ['that is none', 'nothing', /cannot be read/],
    ['with a password', 'http://me:secret@images.example.org/disk', /a name or a password/],
  ])('%s is refused', async (_name, url, reason) => {
    const found = await refusal(bring(newImage(), { url }));
    expect(found).toEqual({ code: 'source_refused', detail: expect.stringMatching(reason) });
    expect(found?.detail).not.toContain('secret');
  });

  it.each([
    [404, 'source_refused'],
    [403, 'source_refused'],
    [429, 'backend_unavailable'],
    [503, 'backend_unavailable'],
  ])('that answers %i is %s', async (status, code) => {
    serve(noise(9), { status });
    expect(await refusal(bring(newImage(), { url: `${server.url()}?token=secret` }))).toEqual({
      code,
      detail: `The server 127.0.0.1:${server.port} answers ${status}.`,
    });
  });

  it('that nobody listens at is tried again', async () => {
    const gone = await ImageServer.start(noise(9));
    const url = gone.url();
    await gone.close();
    expect(await refusal(bring(newImage(), { url }))).toMatchObject({ code: 'backend_unavailable' });
  });

  it('that breaks off is tried again, and goes on behind what has come', async () => {
    const image = newImage();
    const disk = serve(noise(4 * MiB), { ranges: true, breakAt: 3 * MiB });
    const url = server.url();
    expect(await refusal(bring(image, { url }))).toMatchObject({ code: 'backend_unavailable' });
    const { bytes } = await storage.staged(image, new AbortController().signal);
    expect(bytes).toBeGreaterThan(0);
    server.manner = { ranges: true };
    await bring({ ...image, epoch: 2 }, { url });
    expect(content(image).equals(disk)).toBe(true);
    expect(server.asked.at(-1)?.range).toBe(`bytes=${bytes}-`);
  });

  it('that falls silent is tried again', async () => {
    serve(noise(4 * MiB), { ranges: true, silentAt: MiB });
    expect(await refusal(bring(newImage(), { url: server.url() }))).toMatchObject({
      code: 'backend_unavailable',
      detail: expect.stringMatching(/silent|broke off/),
    });
  });

  it('that sends a little now and then is tried again: it would keep a place at work for days', async () => {
    serve(noise(MiB), { ranges: true, pace: { bytes: 100, rest: 200 } });
    expect(await refusal(bring(newImage(), { url: server.url() }))).toMatchObject({
      code: 'backend_unavailable',
      detail: expect.stringMatching(/less than anybody can wait for/),
    });
  });

  it.each([
    ['has another file since', { ranges: true }],
    ['gives no parts', { ranges: false }],
  ])('begins anew when the server %s', async (_name, manner) => {
    const image = newImage();
    const url = server.url();
    serve(noise(4 * MiB), { ranges: true, breakAt: 2 * MiB });
    await refusal(bring(image, { url }));
    const disk = serve(_name.includes('another') ? noise(3 * MiB) : server.content, manner);
    await bring({ ...image, epoch: 2 }, { url });
    expect(content(image).equals(disk)).toBe(true);
  });

  it('is not asked again for what has come whole and was not kept', async () => {
    const image = newImage();
    const disk = serve(noise(MiB));
    expect(await refusal(bring(image, { url: server.url() }, {}, { mostVirtual: 1_000 }))).toMatchObject({
      code: 'image_refused',
    });
    await bring({ ...image, epoch: 2 }, { url: server.url() });
    expect(server.asked).toHaveLength(1);
    expect(content(image).equals(disk)).toBe(true);
  });

  it.each([
    ['promises more than it may', {}],
    ['gives more than it may, and does not say so', { chunked: true }],
  ])('is refused that %s', async (_name, manner) => {
    const image = newImage();
    serve(noise(2 * MiB), manner);
    expect(await refusal(bring(image, { url: server.url() }, {}, { mostPublished: MiB }))).toMatchObject({
      code: 'image_refused',
    });
  });

  it.each([
    ['packs it on its own account', { 'content-encoding': 'gzip' }, 'source_refused'],
    ['says how it is cut, and lies', { 'content-range': 'bytes 0-1/2' }, undefined],
  ])('where the server %s', async (_name, headers, code) => {
    serve(noise(MiB), { ranges: true, headers });
    expect((await refusal(bring(newImage(), { url: server.url() })))?.code).toBe(code);
  });
});

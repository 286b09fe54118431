import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../../../schemas/common/limits.js';
import { idleEngine } from '../../../support/idle-engine.js';
import { addUser } from '../../../support/people.js';
import { createWorld, type World } from '../../world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false, engine: idleEngine });
});
afterAll(() => world.stop());

const mebi = 2 ** 20;
const inBase64 = (text: string): string => Buffer.from(text).toString('base64');
const named = (name: string, more = ''): string => `name ${inBase64(name)}${more}`;
type Method = 'head' | 'get' | 'post' | 'patch' | 'delete' | 'options' | 'put';
/** A request of the protocol, as somebody; a header that is undefined is not sent. */
const tus = (who: string, method: Method, path: string, headers: Record<string, string> = {}) =>
  request(world.server)
    [method](`/api/v1${path}`)
    .auth(who, who)
    .set({ 'Tus-Resumable': '1.0.0', ...headers });
const create = async (who: string, name: string, length: number): Promise<string> => {
  const made = await tus(who, 'post', '/uploads', { 'Upload-Length': String(length), 'Upload-Metadata': named(name) });
  expect(made.status).toBe(201);
  return String(made.headers.location).replace('/api/v1', '');
};
const send = (who: string, path: string, offset: number, bytes: Buffer, headers: Record<string, string> = {}) =>
  tus(who, 'patch', path, {
    ...{ 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' },
    ...headers,
  }).send(bytes);
const end = async (who: string, path: string) => {
  const id = Number(/\d+/.exec(path)?.[0]);
  const op = (await world.store.images.find(id))?.operation ?? '';
  await world.ask(who, 'post', `/operations/${op}/cancel`);
  // Nobody works here: what had come of it goes with the world.
  await world.store.images.model.deleteOne({ _id: id });
};

describe('an upload', () => {
  it('is made, filled and looked at as the protocol says', async () => {
    const path = await create('alice', 'one', 10);
    const shown = await tus('alice', 'head', path);
    expect(shown.status).toBe(200);
    expect(shown.headers).toMatchObject({
      ...{ 'upload-offset': '0', 'upload-length': '10', 'tus-resumable': '1.0.0', 'cache-control': 'no-store' },
      'upload-expires': expect.stringMatching(/GMT$/),
    });
    const sent = await send('alice', path, 0, Buffer.alloc(4, 1));
    expect([sent.status, sent.headers['upload-offset']]).toEqual([204, '4']);
    expect((await tus('alice', 'get', path)).body).toMatchObject({ bytes: 10, arrived: 4 });
    const image = path.replace('/upload', '');
    expect((await world.ask('alice', 'get', image)).body).toMatchObject({
      ...{ state: 'LOCKED', source: 'uploaded, 10 bytes', size_mb: 1, upload: { bytes: 10 } },
    });
    // What cannot send PATCH names it in a header.
    const named = await tus('alice', 'post', path, {
      ...{ 'X-HTTP-Method-Override': 'PATCH', 'Upload-Offset': '4' },
      'Content-Type': 'application/offset+octet-stream',
    }).send(Buffer.alloc(6, 2));
    expect([named.status, named.headers['upload-offset']]).toEqual([204, '10']);
    await end('alice', path);
  });

  it('is of whoever has made it', async () => {
    const path = await create('alice', 'hers', 10);
    for (const method of ['head', 'get', 'delete'] as const) expect((await tus('bob', method, path)).status).toBe(403);
    expect((await send('bob', path, 0, Buffer.alloc(4))).body).toMatchObject({ type: '/problems/not_authorized' });
    expect((await send('oneadmin', path, 0, Buffer.alloc(4))).body).toMatchObject({
      detail: expect.stringMatching(/by whose it is/),
    });
    expect((await tus('oneadmin', 'head', path)).status).toBe(200);
    expect((await request(world.server).head(`/api/v1${path}`).set('Tus-Resumable', '1.0.0')).status).toBe(401);
    await end('alice', path);
  });

  it.each([
    ['another place than where it is', { 'Upload-Offset': '3' }, 409, 'wrong_state'],
    ['no place', { 'Upload-Offset': '' }, 400, 'invalid_request'],
    ['what is no place', { 'Upload-Offset': '-1' }, 400, 'invalid_request'],
    ['another type', { 'Content-Type': 'text/plain' }, 415, 'unsupported_media_type'],
    ['what is packed on its way', { 'Content-Encoding': 'gzip' }, 415, 'unsupported_media_type'],
    ['another version', { 'Tus-Resumable': '0.2.1' }, 412, 'protocol_version'],
    ['a sum of another kind', { 'Upload-Checksum': 'crc32 AAAA' }, 400, 'invalid_request'],
    ['a sum that is none', { 'Upload-Checksum': 'sha256 %%%' }, 400, 'invalid_request'],
    ['another sum', { 'Upload-Checksum': 'sha1 AAAA' }, 460, 'checksum_mismatch'],
  ])('refuses %s', async (_what, headers, status, code) => {
    const path = await create('alice', 'refuses', 10);
    const refused = await send('alice', path, 0, Buffer.alloc(4), headers);
    expect([refused.status, refused.body.type]).toEqual([status, `/problems/${code}`]);
    expect((await tus('alice', 'head', path)).headers['upload-offset']).toBe('0');
    await end('alice', path);
  });

  it('refuses more than was said, and keeps what fits', async () => {
    const path = await create('alice', 'more', 10);
    expect((await send('alice', path, 0, Buffer.alloc(11))).body).toMatchObject({ type: '/problems/body_too_large' });
    expect((await tus('alice', 'head', path)).headers['upload-offset']).toBe('0');
    await end('alice', path);
  });

  it.each([
    ['no length', {}, '/Upload-Length'],
    [
      'a length that is to be said later',
      { 'Upload-Length': '10', 'Upload-Defer-Length': '1' },
      '/Upload-Defer-Length',
    ],
    ['nothing', { 'Upload-Length': '0' }, '/Upload-Length'],
    ['no name', { 'Upload-Length': '10', 'Upload-Metadata': '' }, '/Upload-Metadata/name'],
    ['metadata that are none', { 'Upload-Length': '10', 'Upload-Metadata': 'name %' }, '/Upload-Metadata'],
    ['metadata twice', { 'Upload-Length': '10', 'Upload-Metadata': named('a', ',name YQ==') }, '/Upload-Metadata'],
    [
      'a type that is none',
      { 'Upload-Length': '10', 'Upload-Metadata': named('a', ',type T1NY') },
      '/Upload-Metadata/type',
    ],
    [
      'a sum that is none',
      { 'Upload-Length': '10', 'Upload-Metadata': named('a', ',sha256 T1NY') },
      '/Upload-Metadata/sha256',
    ],
  ])('is not made of %s', async (_what, headers: Record<string, string>, pointer) => {
    const refused = await tus('alice', 'post', '/uploads', { 'Upload-Metadata': named('a'), ...headers });
    expect(refused.status).toBe(400);
    expect(refused.body.errors).toEqual([expect.objectContaining({ pointer })]);
  });

  it('is charged, and bounded by quotas and in number', async () => {
    const { _id: id } = await addUser(world.directory, 'carol');
    await world.store.quotas.setLimits({ type: 'user', id }, { storage: 20 });
    const wish = { 'Upload-Metadata': named('large') };
    const large = await tus('carol', 'post', '/uploads', { ...wish, 'Upload-Length': String(20 * mebi + 1) });
    expect(large.body).toMatchObject({ type: '/problems/quota_exceeded' });
    await create('carol', 'first', 3 * mebi + 1);
    expect((await world.store.quotas.find({ type: 'user', id }))?.used.storage).toBe(4);
    for (let nth = 1; nth < limits.imagesBeingMade.most; nth++) await create('carol', `nth ${nth}`, 10);
    const next = await tus('carol', 'post', '/uploads', { 'Upload-Metadata': named('next'), 'Upload-Length': '10' });
    expect(next.body).toMatchObject({ type: '/problems/wrong_state' });
  });

  it('says what is taken, and which methods', async () => {
    const offers = await request(world.server).options('/api/v1/uploads').auth('alice', 'alice');
    expect(offers.headers).toMatchObject({
      ...{ 'tus-version': '1.0.0', 'tus-extension': 'creation,expiration,termination,checksum' },
      'tus-max-size': String(limits.imageSize.most * mebi),
    });
    const path = await create('alice', 'methods', 10);
    const put = await tus('alice', 'put', path);
    expect([put.status, put.headers.allow]).toEqual([405, 'GET, HEAD, PATCH, DELETE, OPTIONS']);
    expect((await tus('alice', 'head', '/images/9999/upload')).status).toBe(404);
    expect((await tus('alice', 'get', '/images/one/upload')).status).toBe(400);
    const { body } = await world.ask('alice', 'post', '/images', { name: 'empty', source: { empty: { size_mb: 1 } } });
    expect((await tus('alice', 'get', `/images/${body.resource.id}/upload`)).status).toBe(404);
    await end('alice', path);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { s3Connections } from '../../../../adapters/storage/s3/connection.js';
import { readKeys } from '../../../../domain/sealed.js';
import { createWorld, type Method, type World } from '../../world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false });
});
afterAll(() => world.stop());

const secret = 'wJalrXUtnFEMI/K7MDENG';
const ask = (method: Method, path: string, body?: object) => world.ask('oneadmin', method, path, body);
const s3 = { bucket: 'images', access_key: 'AKIAIOSFODNN7EXAMPLE', secret_key: secret };
const wish = (name: string, over: object = {}) => ({ name, ds_mad: 's3', s3: { ...s3, ...over } });
const opened = async (id: number) =>
  (await s3Connections(world.store.datastores.find, world.sealer.open)(id)).secret_key;
const keyOf = async (id: number) => (await world.store.datastores.find(id))?.s3?.secret_key.key;
const keysThere = () => readKeys(readFileSync(join(world.home, 'secrets.key'), 'utf8')).map(({ name }) => name);
let ids: number[];

describe('a datastore in S3', () => {
  it('is made, shown without its secret, and changed with it or without', async () => {
    expect((await ask('post', '/secrets/rotate')).body).toEqual({ key: null, resealed: 0, unused: [] });
    const made = [await ask('post', '/datastores', wish('one')), await ask('post', '/datastores', wish('two'))];
    for (const { status, body } of made) {
      expect(status).toBe(201);
      expect(body.s3).toEqual({
        ...{ bucket: 'images', prefix: '', region: 'us-east-1', endpoint: null },
        ...{ force_path_style: false, access_key: 'AKIAIOSFODNN7EXAMPLE' },
      });
    }
    ids = made.map(({ body }) => Number(body.id));
    const [one = -1] = ids;
    const moved = await ask('patch', `/datastores/${one}`, { s3: { region: 'eu-central-1' } });
    expect(moved.body.s3).toMatchObject({ bucket: 'images', region: 'eu-central-1' });
    expect(await opened(one)).toBe(secret);
    const before = (await world.store.datastores.find(one))?.s3?.secret_key;
    await ask('patch', `/datastores/${one}`, { s3: { secret_key: 'another' } });
    expect(await opened(one)).toBe('another');
    expect((await world.store.datastores.find(one))?.s3?.secret_key).not.toEqual(before);
    for (const path of [`/datastores/${one}`, '/datastores']) {
      const { text } = await ask('get', path);
      expect(text).not.toMatch(/another|secret|wJalr/);
    }
  });

  it.each([
    ['without saying where', { name: 'x', ds_mad: 's3' }, '/s3'],
    ['of another kind', { name: 'x', s3 }, '/s3'],
    ['for disks of VMs', { ...wish('x'), type: 'system' }, '/type'],
    ['with a bucket that is none', wish('x', { bucket: 'No Bucket' }), '/s3/bucket'],
    ['with an address that has a user', wish('x', { endpoint: 'http://me@s3.test' }), '/s3/endpoint'],
    ['without a secret', wish('x', { secret_key: '' }), '/s3/secret_key'],
  ])('is not made %s', async (_what, body, pointer) => {
    const { status, body: problem, text } = await ask('post', '/datastores', body);
    expect(status).toBe(400);
    expect(problem.errors).toContainEqual(expect.objectContaining({ pointer }));
    expect(text).not.toContain(secret);
  });

  it('keeps its bucket, and no other has one', async () => {
    const [one = -1] = ids;
    expect((await ask('patch', `/datastores/${one}`, { s3: { bucket: 'other' } })).status).toBe(400);
    expect((await ask('patch', '/datastores/1', { s3: { region: 'eu' } })).status).toBe(400);
  });
});

describe('the keys of secrets', () => {
  it('are replaced: all is sealed anew, and what was cut off is finished', async () => {
    const [one = -1, two = -1] = ids;
    const first = await keyOf(one);
    expect((await world.ask('alice', 'post', '/secrets/rotate')).status).toBe(403);
    const { body } = await ask('post', '/secrets/rotate');
    expect(body).toMatchObject({ resealed: 2, unused: [first] });
    expect(body.key).not.toBe(first);
    expect([await keyOf(one), await keyOf(two)]).toEqual([body.key, body.key]);
    expect([await opened(one), await opened(two)]).toEqual(['another', secret]);
    expect(keysThere()).toEqual([first, body.key]);

    // Cut off behind the first secret: there is a new key, and one secret has it.
    const second = world.sealer.addKey();
    const place = { kind: 'datastore', id: one, field: 'secret key' };
    const before = (await world.store.secrets.sealedOtherwise(second)).find(({ place: { id } }) => id === one);
    if (!before) throw new Error('it has a secret');
    await world.store.secrets.reseal(before, world.sealer.seal('another', place));
    expect((await ask('post', '/secrets/rotate')).body).toEqual({
      ...{ key: second, resealed: 1 },
      unused: [first, body.key],
    });
    expect([await opened(one), await opened(two)]).toEqual(['another', secret]);
  });

  it('are asked to be replaced by several at once', async () => {
    const all = await Promise.all([1, 2, 3].map(() => ask('post', '/secrets/rotate')));
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await Promise.all(ids.map(opened))).toEqual(['another', secret]);
    expect(await keyOf(ids[0] ?? -1)).toBe(keysThere().at(-1));
  });
});

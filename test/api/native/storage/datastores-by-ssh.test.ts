import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sshConnections } from '../../../../adapters/storage/ssh/connection.js';
import { ensurePrograms } from '../../../support/programs.js';
import { createWorld, type Method, type World } from '../../world.js';

let world: World;
const directory = mkdtempSync(join(tmpdir(), 'arcus-keys-'));
const keys: Record<string, { secret: string; public: string }> = {};
beforeAll(async () => {
  ensurePrograms('ssh');
  for (const [name, words] of Object.entries({ one: '', two: '', host: '', locked: 'a passphrase' })) {
    const path = join(directory, name);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', words, '-C', '', '-f', path]);
    keys[name] = { secret: readFileSync(path, 'utf8'), public: readFileSync(`${path}.pub`, 'utf8').trim() };
  }
  world = await createWorld({ withTemporal: false });
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await world?.stop();
});

const ask = (method: Method, path: string, body?: object) => world.ask('oneadmin', method, path, body);
const secretOf = (name: string): string => keys[name]?.secret ?? '';
const ssh = (over: object = {}) => ({
  ...{ host: 'store.test', user: 'arcus', directory: '/srv/arcus', host_keys: [keys.host?.public] },
  ...{ private_key: secretOf('one'), ...over },
});
const wish = (name: string, over: object = {}) => ({ name, ds_mad: 'ssh', ssh: ssh(over) });
const opened = async (id: number) =>
  (await sshConnections(world.store.datastores.find, world.sealer.open)(id)).private_key;

describe('a datastore on another machine', () => {
  it('is made, shown without its private key, and changed with it or without', async () => {
    const { status, body } = await ask('post', '/datastores', wish('far'));
    expect(status).toBe(201);
    const shown = {
      host: 'store.test',
      port: 22,
      user: 'arcus',
      directory: '/srv/arcus',
      host_keys: [keys.host?.public],
    };
    expect(body).toMatchObject({ ds_mad: 'ssh', s3: null });
    expect(body.ssh).toEqual(shown);
    const { id } = body;
    const moved = await ask('patch', `/datastores/${id}`, { ssh: { port: 2222 } });
    expect(moved.body.ssh).toEqual({ ...shown, port: 2222 });
    expect(await opened(id)).toBe(secretOf('one'));
    await ask('patch', `/datastores/${id}`, { ssh: { private_key: secretOf('two') } });
    expect(await opened(id)).toBe(secretOf('two'));
    expect((await ask('patch', `/datastores/${id}`, { name: 'farther' })).status).toBe(200);
    expect(await opened(id)).toBe(secretOf('two'));
    const rotated = await ask('post', '/secrets/rotate');
    expect(rotated.body).toMatchObject({ resealed: 1 });
    expect((await world.store.datastores.find(id))?.ssh?.private_key).toMatchObject({ key: rotated.body.key });
    expect(await opened(id)).toBe(secretOf('two'));
    for (const path of [`/datastores/${id}`, '/datastores'])
      expect((await ask('get', path)).text).not.toMatch(/PRIVATE KEY|private_key|box/);
  });

  it('may have its private key in the home', async () => {
    const { body } = await ask('post', '/datastores', wish('keyless', { private_key: null }));
    expect(await opened(body.id)).toBeNull();
    expect((await ask('post', '/secrets/rotate')).body).toMatchObject({ resealed: 1 });
  });

  const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIDNxxhK1X0c7Qn0qZ0n1v2v3b4n5m6q7w8e9r0t1y2u';
  it.each<[string, object | (() => object), string]>([
    ['without saying where', { name: 'x', ds_mad: 'ssh' }, '/ssh'],
    ['of another kind', () => ({ name: 'x', ssh: ssh() }), '/ssh'],
    ['with what is an option for a name', () => wish('x', { host: '-oProxyCommand=id' }), '/ssh/host'],
    ['with a host that has blanks', () => wish('x', { host: 'a b' }), '/ssh/host'],
    ['with a user who is an option', () => wish('x', { user: '-l' }), '/ssh/user'],
    ['with a port that is none', () => wish('x', { port: 65_536 }), '/ssh/port'],
    ['in a directory that is not absolute', () => wish('x', { directory: 'srv' }), '/ssh/directory'],
    ['in a directory with steps back', () => wish('x', { directory: '/srv/../etc' }), '/ssh/directory'],
    ['in a directory with words for a shell', () => wish('x', { directory: '/srv/$(id)' }), '/ssh/directory'],
    ['in the root', () => wish('x', { directory: '/' }), '/ssh/directory'],
    ['without a host key', () => wish('x', { host_keys: [] }), '/ssh/host_keys'],
    ['with a host key of two lines', () => wish('x', { host_keys: [`${hostKey}\n* ${hostKey}`] }), '/ssh/host_keys/0'],
    ['with a host key for all', () => wish('x', { host_keys: [`@cert-authority * ${hostKey}`] }), '/ssh/host_keys/0'],
    ['with a private key that is none', () => wish('x', { private_key: 'secret words' }), '/ssh/private_key'],
    ['with one that has a passphrase', () => wish('x', { private_key: secretOf('locked') }), '/ssh/private_key'],
  ])('is not made %s', async (_what, body, pointer) => {
    const {
      status,
      body: problem,
      text,
    } = await ask('post', '/datastores', typeof body === 'function' ? body() : body);
    expect(status, text).toBe(400);
    expect(problem.errors).toContainEqual(expect.objectContaining({ pointer }));
    expect(text).not.toMatch(/secret words|PRIVATE KEY-----\n/);
  });

  it('keeps its directory, and no other has a machine', async () => {
    const { body } = await ask('post', '/datastores', wish('stays'));
    expect((await ask('patch', `/datastores/${body.id}`, { ssh: { directory: '/other' } })).status).toBe(400);
    expect((await ask('patch', '/datastores/1', { ssh: ssh({ directory: undefined }) })).body).toMatchObject({
      errors: [{ pointer: '/ssh', detail: 'is of ds_mad ssh' }],
    });
  });
});

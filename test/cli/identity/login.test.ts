import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createWorld, type World } from '../../api/world.js';
import { idleEngine } from '../../support/idle-engine.js';
import { runArcus } from '../run-arcus.js';

// Tokens that `arcus login` makes, at the real API: whoever signs in again leaves none behind.

let world: World;
let server: Server;
let config: string;
let uid: number;
/** Requests that the server loses. */
let lost: RegExp | null = null;

beforeAll(async () => {
  world = await createWorld({ withTemporal: false, engine: idleEngine });
  server = createServer((request, response) => {
    if (lost?.test(`${request.method} ${request.url}`)) request.socket.destroy();
    else world.app(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  uid = (await world.ask('oneadmin', 'post', '/users', { name: 'gina', password: 'correct-horse' })).body.id;
  await world.ask('oneadmin', 'post', '/users', { name: 'hugo', password: 'correct-horse' });
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await world.stop();
});
beforeEach(async () => {
  lost = null;
  if (config) rmSync(config, { recursive: true, force: true });
  config = mkdtempSync(join(tmpdir(), 'arcus-login-'));
  await world.directory.tokens.model.deleteMany({});
});

const arcus = (args: string[], input = '') => runArcus(args, { XDG_CONFIG_HOME: config, ARCUS_HOME: '' }, input);
async function done(args: string[], input = '') {
  const result = await arcus(args, input);
  expect(result.code, result.err).toBe(0);
  return result;
}
const endpoint = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const login = (context: string, user = 'gina') =>
  done(['login', context, '--endpoint', endpoint(), '--user', user], 'correct-horse\n');
const tokens = async () => (await world.directory.tokens.model.find({}).lean()).map(({ _id }) => _id);

describe('signing in again', () => {
  it('in the same context leaves one token, which is the new one', async () => {
    await login('prod');
    const [first] = await tokens();
    for (let times = 0; times < 3; times += 1) await login('prod');
    const left = await tokens();
    expect(left).toHaveLength(1);
    expect(left).not.toContain(first);
    expect((await done(['whoami', '-o', 'name'])).out).toBe('gina\n');
  });

  it('in another context leaves that of the first alone', async () => {
    await login('one');
    await login('other');
    expect(await tokens()).toHaveLength(2);
  });

  it('as somebody else revokes that of whoever was there', async () => {
    await login('prod');
    await login('prod', 'hugo');
    const left = await world.directory.tokens.model.find({}).lean();
    expect(left).toHaveLength(1);
    expect(left[0]?.uid).not.toBe(uid);
  });

  it('leaves alone a token that login has not made, and one that another context has, too', async () => {
    const made = await world.ask('gina', 'post', '/tokens', { name: 'pipeline' }, 'correct-horse');
    await done(['context', 'create', 'ci', '--endpoint', endpoint()], `${made.body.token}\n`);
    await login('ci');
    expect(await tokens()).toContain(made.body.id);
    const token = /token: (\S+)/.exec(readFileSync(join(config, 'arcus', 'config.yaml'), 'utf8'))?.[1];
    await done(['context', 'create', 'copy', '--endpoint', endpoint()], `${token}\n`);
    await login('ci');
    expect(await tokens()).toHaveLength(3);
    expect((await done(['whoami', '--context', 'copy', '-o', 'name'])).out).toBe('gina\n');
  });

  it('is done when the one before cannot be revoked, and says so', async () => {
    await login('prod');
    lost = /^DELETE /;
    const { err } = await login('prod');
    expect(err).toMatch(
      /^The token that was in this context before is valid still: Nothing answers at .*\n.*arcus token revoke/m,
    );
    expect(await tokens()).toHaveLength(2);
    expect((await done(['whoami', '-o', 'name'])).out).toBe('gina\n');
  });

  it('that is killed before the end leaves one token too many, and keeps the new one', async () => {
    await login('prod');
    // As who dies after the file was written.
    lost = /filter=prefix/;
    await login('prod');
    lost = null;
    expect(await tokens()).toHaveLength(2);
    await login('prod');
    expect(await tokens()).toHaveLength(2);
    expect((await done(['whoami', '-o', 'name'])).out).toBe('gina\n');
  });
});

describe('signing out', () => {
  it('revokes the token and removes the context', async () => {
    await login('prod');
    await login('spare');
    expect((await done(['logout', 'prod'])).out).toBe(
      `gina is signed out at ${endpoint()}: context prod and its token are gone.\n`,
    );
    expect(await tokens()).toHaveLength(1);
    await done(['logout']);
    expect(await tokens()).toEqual([]);
    expect(await arcus(['logout'])).toMatchObject({ code: 3, err: expect.stringContaining('Nobody is signed in.') });
  });

  it('of a token that is refused already removes the context', async () => {
    await login('prod');
    await world.directory.tokens.model.deleteMany({});
    await done(['logout']);
    expect((await done(['context', 'list'])).out).not.toContain('prod');
  });

  it('changes nothing where the server does not answer, nor what login has not made', async () => {
    await login('prod');
    lost = /^DELETE /;
    expect(await arcus(['logout'])).toMatchObject({
      code: 6,
      err: expect.stringContaining('arcus context delete prod'),
    });
    expect((await done(['context', 'list'])).out).toContain('prod');
    await done(['context', 'create', 'ci', '--endpoint', endpoint(), '--user', 'gina'], 'correct-horse\n');
    expect(await arcus(['logout', 'ci'])).toMatchObject({ code: 4, out: '' });
  });
});

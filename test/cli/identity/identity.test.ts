import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/processes.js';
import { launchOnTerminal } from '../launch-program.js';
import { runArcus } from '../run-arcus.js';
import { problem, type StubApi, startStubApi } from '../stub-api.js';
import { group, host, page, user } from '../stub-objects.js';

// Users, groups, rules and tokens: what is sent, and what is told of it. A real server is asked in the tutorials.

let api: StubApi;
let config: string;
beforeAll(async () => {
  api = await startStubApi();
  config = mkdtempSync(join(tmpdir(), 'arcus-identity-'));
});
afterAll(async () => {
  rmSync(config, { recursive: true, force: true });
  await api.stop();
});

const alice = user(2, 'alice', { gid: 100, gname: 'web-team' });
const team = group(100, 'web-team');
const self = { ...user(0, 'oneadmin'), authenticated_by: 'password', rules: ['@1 VM/* CREATE *'] };
const token = {
  ...{ id: 5, name: 'ci', prefix: 'Qnbdm7oo', uid: 2, expires_at: '2027-02-24T13:36:54.578Z', expired: false },
  ...{ last_used_at: null, created_at: '2026-11-26T13:36:54.578Z' },
};
const newToken = { ...token, token: 'arcus_Qnbdm7oo_secret-of-it' };

const called = (path: string, name: string) => `GET ${path}?filter=name%3D%22${encodeURIComponent(name)}%22&limit=1000`;
beforeEach(() => {
  api.asked.length = 0;
  for (const path of ['/users', '/groups', '/clusters', '/tokens', '/users/2/tokens']) api.on(`GET ${path}`, page());
  api.on(called('/users', 'alice'), page(alice));
  api.on(called('/groups', 'web-team'), page(team));
  api.on('GET /user', { body: self });
  api.on('GET /users/2', { body: alice });
});

const arcus = (args: string[], input = '', environment: Record<string, string> = {}) =>
  runArcus(args, { ...api.environment, XDG_CONFIG_HOME: config, ...environment }, input);
/** Does what must succeed; the last request, and what was told. */
async function done(args: string[], input = '') {
  const { code, out, err } = await arcus(args, input);
  expect(code, err).toBe(0);
  const { method, path, body = '' } = api.asked.at(-1) ?? {};
  return { request: `${method} ${path}`, body: body === '' ? undefined : JSON.parse(body), out, err };
}

describe('arcus user', () => {
  it('creates one, with the password that standard input has and no argument', async () => {
    api.on('POST /users', { body: alice });
    const made = await done(['user', 'create', 'alice', '--group', 'web-team', '--umask', '137'], 'correct-horse\n');
    expect(made.request).toBe('POST /users');
    expect(made.body).toEqual({ name: 'alice', password: 'correct-horse', gid: 100, umask: '137' });
    expect(made).toMatchObject({ out: 'user 2 (alice) created, in group 100 (web-team).\n', err: '' });
    expect((await arcus(['user', 'create', '--help'])).out).not.toMatch(/--password/);
  });

  it.each([
    [['add-group', 'alice', 'web-team'], 'PUT /users/2/groups/100', undefined],
    [['addgroup', 'alice', '1'], 'PUT /users/2/groups/1', undefined],
    [['delgroup', 'alice', '1'], 'DELETE /users/2/groups/1', undefined],
    [['enable', 'alice'], 'PATCH /users/2', { enabled: true }],
    [['disable', 'alice'], 'PATCH /users/2', { enabled: false }],
    [['update', 'alice', '--group', 'web-team', '--umask', '027'], 'PATCH /users/2', { gid: 100, umask: '027' }],
  ])('%j', async (args, request, body) => {
    api.on(request, { body: alice });
    expect(await done(['user', ...args])).toMatchObject({ request, body, err: '' });
  });

  it('lists them in a table', async () => {
    api.on('GET /users', page(self, alice));
    expect((await done(['user', 'list'])).out).toMatchInlineSnapshot(`
      "ID  NAME      GROUP     OTHER GROUPS  ADMINISTRATOR  ENABLED
       0  oneadmin  users     -             no             yes
       2  alice     web-team  users         no             yes
      "
    `);
  });

  it('sets your own password with the one before, another one without', async () => {
    for (const id of [0, 2]) api.on(`PUT /users/${id}/password`, { body: undefined });
    const own = await done(['user', 'passwd'], 'old-secret\nnew-secret\n');
    expect(own).toMatchObject({
      request: 'PUT /users/0/password',
      body: { current_password: 'old-secret', password: 'new-secret' },
      err: 'What you sign in with comes from ARCUS_AUTH of the environment: change it there.\n',
    });
    const other = await done(['user', 'passwd', 'alice'], 'new-secret\n');
    expect(other).toMatchObject({ request: 'PUT /users/2/password', body: { password: 'new-secret' }, err: '' });
  });

  it('keeps your new password in the context that has the old one', async () => {
    const environment = { ARCUS_ENDPOINT: '', ARCUS_AUTH: '', ARCUS_HOME: '' };
    await arcus(['context', 'create', 'kept', '--endpoint', api.endpoint, '--user', 'oneadmin'], 'old-secret\n');
    api.on('PUT /users/0/password', { body: undefined });
    const set = await arcus(['user', 'passwd', '--context', 'kept'], 'old-secret\nnew-secret\n', environment);
    expect(set).toMatchObject({ code: 0, err: 'Context kept has the new password.\n' });
    expect(readFileSync(join(config, 'arcus', 'config.yaml'), 'utf8')).toContain('password: new-secret');
  });
});

describe('arcus group', () => {
  it.each([
    [
      'create web-team --resources vm+document --admin-resources none --shared-view',
      'POST /groups',
      {
        ...{ name: 'web-team', create: { users: ['VM', 'DOCUMENT'], admins: [] }, shared_view: true },
      },
    ],
    ['update web-team --no-shared-view', 'PATCH /groups/100', { shared_view: false }],
    ['add-admin web-team alice', 'PUT /groups/100/admins/2', undefined],
    ['deladmin web-team alice', 'DELETE /groups/100/admins/2', undefined],
  ])('%s', async (args, request, body) => {
    api.on(request, { body: team });
    expect(await done(['group', ...args.split(' ')])).toMatchObject({ request, body, err: '' });
  });
});

describe('arcus acl', () => {
  it.each([
    ['@100 VM+DOCUMENT/@100 USE #0', '@100 VM+DOCUMENT/@100 USE #0'],
    ['@web-team HOST/%production USE', '@100 HOST/%7 USE'],
    ['#alice VM/@web-team USE+MANAGE', '#2 VM/@100 USE+MANAGE'],
    ['* VM/* USE', '* VM/* USE'],
  ])('makes a rule: %s', async (text, rule) => {
    api.on(called('/clusters', 'production'), page({ ...host(7, 'production'), hosts: [] }));
    api.on('POST /acls', { body: { id: 3, rule, created_at: token.created_at } });
    expect(await done(['acl', 'create', text])).toMatchObject({ body: { rule }, out: `acl 3 created: ${rule}\n` });
  });

  it('knows rules by their ids alone', async () => {
    api.on('GET /acls', page({ id: 3, rule: '* VM/* USE *', created_at: token.created_at }));
    expect((await done(['acl', 'list'])).out).toBe('ID  RULE\n 3  * VM/* USE *\n');
    expect((await done(['acl', 'list', '-o', 'name'])).out).toBe('3\n');
    expect(await arcus(['acl', 'delete', 'mine'])).toMatchObject({ code: 2, out: '' });
  });
});

describe('arcus token', () => {
  it('prints a new one to standard output, and to nothing else', async () => {
    api.on('POST /tokens', { body: newToken });
    const made = await done(['token', 'create', 'ci', '--expires', '1h']);
    expect(made).toMatchObject({ body: { name: 'ci', expires_in: 3600 }, out: `${newToken.token}\n` });
    expect(made.err).toMatch(/^token 5 \(ci\) expires 2027-\S+Z\. It is not shown again/);
    expect((await done(['token', 'create', 'ci', '--expires', 'never'])).body).toEqual({
      name: 'ci',
      expires_in: null,
    });
    expect((await done(['token', 'create', 'ci'])).body).toEqual({ name: 'ci' });
    expect(await arcus(['token', 'create', 'ci', '--expires', 'soon'])).toMatchObject({ code: 2, out: '' });
  });

  it('asks for the password of whoever has signed in by a token, which makes none', async () => {
    api.on('POST /tokens', { body: newToken });
    const byToken = { ARCUS_AUTH: newToken.token };
    expect(await arcus(['token', 'create', 'ci'], 'correct-horse\n', byToken)).toMatchObject({
      code: 0,
      out: `${newToken.token}\n`,
    });
    expect(api.asked.at(-1)?.authorization).toBe(`Basic ${Buffer.from('oneadmin:correct-horse').toString('base64')}`);
    const without = await arcus(['token', 'create', 'ci'], '', byToken);
    expect(without).toMatchObject({ code: 2, out: '' });
    expect(without.err).toMatch(/there is no password/);
  });

  it('lists and revokes them, yours and those of a user', async () => {
    for (const path of ['/tokens', '/users/2/tokens']) {
      api.on(`GET ${path}`, page(token));
      api.on(`DELETE ${path}/5`, { body: undefined });
    }
    expect((await done(['token', 'list'])).out).toMatchInlineSnapshot(`
      "ID  NAME  BEGINS    EXPIRES                   LAST USED
       5  ci    Qnbdm7oo  2027-02-24T13:36:54.578Z  never
      "
    `);
    expect((await done(['token', 'revoke', 'ci'])).request).toBe('DELETE /tokens/5');
    expect((await done(['token', 'revoke', 'ci', '--user', 'alice'])).request).toBe('DELETE /users/2/tokens/5');
  });
});

describe('arcus login', () => {
  it('makes a token by name and password, and keeps it in a context that is then the current one', async () => {
    api.on('POST /tokens', { body: newToken });
    const { request, err } = await done(['login', 'prod', '--user', 'alice'], 'correct-horse\n');
    expect(request).toBe('POST /tokens');
    expect(api.asked.at(-1)?.authorization).toBe(`Basic ${Buffer.from('alice:correct-horse').toString('base64')}`);
    expect(err).toBe('ARCUS_ENDPOINT, ARCUS_AUTH of the environment go before it; see: arcus context current\n');
    const environment = { ARCUS_ENDPOINT: '', ARCUS_AUTH: '', ARCUS_HOME: '' };
    expect((await arcus(['whoami', '-o', 'name'], '', environment)).out).toBe('oneadmin\n');
    expect(api.asked.at(-1)?.authorization).toBe(`Bearer ${newToken.token}`);
    expect((await arcus(['context', 'current'], '', environment)).out).toMatch(/CREDENTIALS +: alice, by token \(/);
    expect((await arcus(['context', 'show', 'prod'])).out).toMatch(/USER +: alice\nCREDENTIALS +: token/);
    expect(readFileSync(join(config, 'arcus', 'config.yaml'), 'utf8')).not.toContain('correct-horse');
  });
});

describe('what is refused', () => {
  it('tells whoever has mistyped to try again', async () => {
    api.on('POST /tokens', problem(401, 'unauthenticated', 'The name or the password is wrong.'));
    const { code, err } = await arcus(['login', 'prod', '--user', 'alice'], 'correct-hrose\n');
    expect({ code, err }).toEqual({
      code: 5,
      err: 'arcus: The name or the password is wrong.\nTry again. An administrator, or an admin of your group, can give you another password.\n',
    });
  });

  it.each(['user', 'group', 'host', 'cluster'])('a change of a %s that changes nothing', async (noun) => {
    expect(await arcus([noun, 'update', '2'])).toMatchObject({ code: 2, out: '' });
    expect(api.asked).toEqual([]);
  });
});

describe('arcus whoami', () => {
  it('tells who you are, and by which rules you may what', async () => {
    expect((await done(['whoami'])).out).toMatchInlineSnapshot(`
      "ID              : 0
      NAME            : oneadmin
      GROUP           : 1 (users)
      OTHER GROUPS    : -
      MANAGES         : -
      ADMINISTRATOR   : no
      ENABLED         : yes
      UMASK           : 177
      CREATED         : 2026-11-22T14:00:00.000Z
      SIGNED IN BY    : password

      RULES
        @1 VM/* CREATE *
      "
    `);
  });
});

describe.skipIf(process.platform !== 'linux')('on a terminal, which util-linux makes', () => {
  it.each([
    ['twice the same', ['correct-horse\r', 'correct-horse\r'], 0, 'created'],
    ['twice', ['correct-horse\r', 'correct-hrose\r'], 2, 'The two are not the same.'],
  ])('a new password is typed %s, and not shown', async (_what, keys, code, says) => {
    api.on('POST /users', { body: alice });
    const asked = launchOnTerminal(['user', 'create', 'alice'], { columns: 80, environment: api.environment });
    for (const [at, question] of ['Password of alice: ', 'The same again: '].entries()) {
      await eventually(() => asked.out().endsWith(question));
      asked.process.stdin?.write(keys[at] ?? '');
    }
    const result = await asked.ended;
    expect(result.code, result.out).toBe(code);
    expect(result.out).toContain(says);
    expect(result.out).not.toMatch(/horse|hrose/);
  });
});

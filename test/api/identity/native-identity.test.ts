import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeTable } from '../../../api/native/route-table.js';
import { createAsker, identityTags } from '../answered.js';
import { createWorld, type World } from '../world.js';

let world: World;
const { answered, asked } = createAsker(() => world);
/** Ids by name. */
const users: Record<string, number> = { oneadmin: 0, alice: 2, bob: 3 };
let web = -1;

beforeAll(async () => {
  world = await createWorld({ withTemporal: false });
  web = (await answered('createGroup', {}, { name: 'web' })).body.id;
});
afterAll(() => world.stop());

/** A user whose password is long enough, and so his name. */
async function add(name: string, more: object = {}, who = 'oneadmin'): Promise<number> {
  const made = await answered('createUser', {}, { name, password: name, ...more }, '', who);
  users[name] = made.body.id;
  return made.body.id;
}
const refusal = async (...[who, method, path, body]: Parameters<World['ask']>) => {
  const { body: problem } = await world.ask(who, method, path, body);
  return { status: problem.status, code: String(problem.type).split('/').pop(), detail: problem.detail };
};

describe('users', () => {
  it('are added, shown, changed and removed', async () => {
    const made = await answered('createUser', {}, { name: 'caroline', password: 'caroline' });
    expect(made.headers.location).toBe(`/api/v1/users/${made.body.id}`);
    const inUsers = { gid: 1, gname: 'users', groups: [{ id: 1, name: 'users', admin: false }] };
    expect(made.body).toMatchObject({
      name: 'caroline',
      ...inUsers,
      enabled: true,
      umask: '177',
      administrator: false,
    });
    expect(JSON.stringify(made.body)).not.toMatch(/hash|argon2|credentials/);
    const { id } = made.body;
    const change = { name: 'carol', gid: web, umask: '027' };
    expect((await answered('updateUser', { id }, change)).body).toMatchObject({
      ...{ name: 'carol', gid: web, gname: 'web', umask: '027' },
      groups: [{ id: 1 }, { id: web }],
    });
    expect((await answered('listUsers', {}, undefined, '?filter=name~car*')).body.items).toHaveLength(1);
    expect((await answered('listUsers', {}, undefined, '?sort=-name&fields=name')).body.items[0]).toEqual({
      name: 'oneadmin',
    });
    expect((await answered('listUsers', {}, undefined, '?filter=enabled=false')).body.items).toEqual([]);
    await answered('leaveGroup', { id, group_id: 1 });
    expect((await answered('joinGroup', { id, group_id: 1 })).body.groups).toHaveLength(2);
    await answered('joinGroup', { id, group_id: 1 });
    expect((await answered('showUser', { id })).body.groups).toHaveLength(2);
    await answered('deleteUser', { id });
    expect((await world.ask('oneadmin', 'get', `/users/${id}`)).status).toBe(404);
  });

  it.each([
    ['a blank in the name', { name: 'a b' }, '/name', /blanks or colons/],
    ['a colon in the name', { name: 'a:b' }, '/name', /blanks or colons/],
    ['a short password', { password: 'seven77' }, '/password', /at least 8/],
    ['a long password', { password: 'x'.repeat(129) }, '/password', /at most 128/],
    ['a password that looks like a token', { password: 'arcus_abcdef' }, '/password', /as tokens do/],
    ['a umask in decimal', { umask: '188' }, '/umask', /octal/],
    ['a umask that takes all from the owner', { umask: '777' }, '/umask', /begin with 0 or 1/],
    ['a umask that takes MANAGE from the owner', { umask: '277' }, '/umask', /begin with 0 or 1/],
    ['a group that is not there', { gid: 99 }, '/gid', /no group 99/],
  ])('%s is refused, and named', async (_what, wrong, pointer, detail) => {
    const body = { name: 'dora', password: 'long enough'.replace(' ', '-'), ...wrong };
    const response = await world.ask('oneadmin', 'post', '/users', body);
    expect(response.body).toMatchObject({
      status: 400,
      errors: [{ pointer, detail: expect.stringMatching(detail) }],
    });
    expect(JSON.stringify(response.body)).not.toContain('seven77');
  });

  it('are not removed while they own anything: the refusal says what', async () => {
    const id = await add('templating');
    await world.ask('templating', 'post', '/vm-templates', { name: 'small', template: { CPU: 1, MEMORY: 64 } });
    const { body } = await world.ask('templating', 'get', '/vm-templates');
    await world.ask('templating', 'post', '/vms', { template_id: body.items[0].id });
    expect(await refusal('oneadmin', 'delete', `/users/${id}`)).toEqual({
      ...{ status: 409, code: 'in_use' },
      detail: `User ${id} (templating) owns 1 VM, 1 VM template. Delete that, or give it to somebody else, first.`,
    });
    await world.store.vms.model.updateMany({ uid: id }, { $set: { state: 'DONE' } });
    await world.ask('templating', 'delete', `/vm-templates/${body.items[0].id}`);
    await answered('deleteUser', { id });
  });

  it('keep a name for themselves', async () => {
    const taken = { status: 409, code: 'name_taken', detail: 'There is a user "bob" already.' };
    expect(await refusal('oneadmin', 'post', '/users', { name: 'bob', password: 'long-enough' })).toEqual(taken);
    expect(await refusal('oneadmin', 'patch', '/users/2', { name: 'bob' })).toEqual(taken);
  });

  it('number 0 stays what it is', async () => {
    for (const [method, path, body] of [
      ['patch', '/users/0', { enabled: false }],
      ['patch', '/users/0', { name: 'root' }],
      ['delete', '/users/0', undefined],
    ] as const)
      expect(await refusal('oneadmin', method, path, body), path).toMatchObject({ status: 409, code: 'wrong_state' });
    await answered('updateUser', { id: 0 }, { gid: web });
    const leaving = await refusal('oneadmin', 'delete', '/users/0/groups/0');
    expect(leaving).toMatchObject({ status: 409, detail: 'User 0 is always in group 0.' });
    await answered('updateUser', { id: 0 }, { gid: 0 });
    await answered('leaveGroup', { id: 0, group_id: web });
  });

  it('are told who they are and what they may do', async () => {
    const { body } = await answered('showSelf', {}, undefined, '', 'alice');
    expect(body).toMatchObject({ name: 'alice', authenticated_by: 'password', administrator: false });
    expect(body.rules).toEqual(['@1 VM+IMAGE+TEMPLATE+DOCUMENT/* CREATE *']);
    expect((await answered('showSelf')).body).toMatchObject({ name: 'oneadmin', administrator: true });
  });

  it('set their own attributes, within bounds, and nobody else’s', async () => {
    const key = 'ssh-ed25519 AAAAC3 alice@example.org';
    const set = (who: string, id: number, attributes: unknown) =>
      world.ask(who, 'patch', `/users/${id}`, { attributes });
    expect((await set('alice', 2, { ssh_public_key: key, CITY: 'Vigo' })).body.attributes).toEqual({
      ...{ SSH_PUBLIC_KEY: key, CITY: 'Vigo' },
    });
    expect((await set('alice', 2, { CITY: null })).body.attributes).toEqual({ SSH_PUBLIC_KEY: key });
    expect(await refusal('alice', 'patch', '/users/0', { attributes: { CITY: 'Vigo' } })).toMatchObject({
      status: 403,
    });
    for (const [wrong, detail] of [
      [{ CITY: 5 }, /text/],
      [{ 'my city': 'Vigo' }, /not the name of an attribute/],
      [{ CITY: 'x'.repeat(16_385) }, /16,384 characters/],
      [Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`A${at}`, ''])), /200/],
      [Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`A${at}`, 'x'.repeat(16_000)])), /64 KiB/],
    ] as const) {
      const { status, body } = await set('alice', 2, wrong);
      expect([status, JSON.stringify(body)]).toEqual([400, expect.stringMatching(detail)]);
    }
    expect((await answered('showUser', { id: 2 })).body.attributes).toEqual({ SSH_PUBLIC_KEY: key });
  });

  it('set their own umask, and nothing else of themselves', async () => {
    expect((await answered('updateUser', { id: 2 }, { umask: '077' }, '', 'alice')).body.umask).toBe('077');
    for (const umask of ['777', '400', '200'])
      expect((await world.ask('alice', 'patch', '/users/2', { umask })).body).toMatchObject({
        ...{ status: 400, errors: [{ pointer: '/umask' }] },
      });
    for (const change of [{ name: 'queen' }, { gid: web }, { enabled: true }, { umask: '000', gid: 0 }])
      expect(await refusal('alice', 'patch', '/users/2', change)).toMatchObject({ status: 403 });
    expect((await answered('showUser', { id: 2 })).body).toMatchObject({ name: 'alice', gid: 1, umask: '077' });
  });
});

describe('passwords', () => {
  it('are changed with the current one, and count from then on', async () => {
    const id = await add('pass-wording');
    expect(await refusal('pass-wording', 'put', `/users/${id}/password`, { password: 'another-one' })).toMatchObject({
      status: 400,
    });
    const wrong = { password: 'another-one', current_password: 'no' };
    expect(await refusal('pass-wording', 'put', `/users/${id}/password`, wrong)).toMatchObject({ status: 403 });
    const right = { password: 'another-one', current_password: 'pass-wording' };
    await answered('setPassword', { id }, right, '', 'pass-wording');
    expect((await world.ask('pass-wording', 'get', '/user')).status).toBe(401);
    await answered('setPassword', { id }, { password: 'pass-wording' });
    expect((await world.ask('pass-wording', 'get', '/user')).status).toBe(200);
  });
});

describe('groups', () => {
  it('are added, shown, changed and removed', async () => {
    const made = await answered('createGroup', {}, { name: 'lab', create: { users: [] } });
    expect(made.body).toMatchObject({ members: 0, admins: [], shared_view: false, rules: [] });
    expect(made.body.create).toEqual({ users: [], admins: ['VM', 'IMAGE', 'TEMPLATE', 'DOCUMENT'] });
    const { id } = made.body;
    const member = await add('labrador', { gid: id });
    expect(await refusal('oneadmin', 'put', `/groups/${id}/admins/2`)).toMatchObject({ code: 'wrong_state' });
    expect((await answered('addGroupAdmin', { id, user_id: member })).body.admins).toEqual([
      { id: member, name: 'labrador' },
    ]);
    const change = { name: 'laboratory', create: { admins: ['VM'] }, shared_view: true };
    expect((await answered('updateGroup', { id }, change)).body).toMatchObject({
      ...{ name: 'laboratory', members: 1, shared_view: true },
      rules: [
        `@${id} VM+DOCUMENT/@${id} USE *`,
        `#${member} USER/@${id} USE+MANAGE+ADMIN+CREATE *`,
        `#${member} GROUP/#${id} USE+MANAGE *`,
        `#${member} VM+NET+IMAGE+TEMPLATE+DOCUMENT+SECGROUP/@${id} USE+MANAGE *`,
        `#${member} VM/* CREATE *`,
      ],
    });
    expect((await answered('listGroups', {}, undefined, '?filter=shared_view=true')).body.items).toMatchObject([
      { id },
    ]);
    expect((await answered('showGroup', { id }, undefined, '', 'labrador')).body.members).toBe(1);
    const held = await refusal('oneadmin', 'delete', `/groups/${id}`);
    expect(held).toMatchObject({ code: 'in_use', detail: expect.stringContaining('has 1 member.') });
    await answered('removeGroupAdmin', { id, user_id: member });
    await answered('deleteUser', { id: member });
    await answered('deleteGroup', { id });
  });

  it('0 and 1 are always there', async () => {
    expect(await refusal('oneadmin', 'patch', '/groups/0', { shared_view: true })).toMatchObject({
      code: 'wrong_state',
    });
    for (const path of ['/groups/0', '/groups/1'])
      expect(await refusal('oneadmin', 'delete', path)).toMatchObject({ code: 'wrong_state' });
    expect(await refusal('oneadmin', 'put', '/groups/0/admins/0')).toMatchObject({ code: 'wrong_state' });
  });

  it('that own something are not removed', async () => {
    const { id } = (await answered('createGroup', {}, { name: 'owners' })).body;
    await world.ask('oneadmin', 'post', '/vm-templates', { name: 'held', template: { CPU: 1, MEMORY: 64 } });
    await world.store.vmTemplates.model.updateOne({ name: 'held' }, { $set: { gid: id } });
    expect((await refusal('oneadmin', 'delete', `/groups/${id}`)).detail).toContain('has 1 VM template');
    await world.store.vmTemplates.model.deleteOne({ name: 'held' });
    await answered('deleteGroup', { id });
  });

  it('say what their members may create', async () => {
    const { id } = (await answered('createGroup', {}, { name: 'viewers', create: { users: [], admins: [] } })).body;
    const viewer = await add('viewing-only', { gid: id });
    const template = { name: 'small', template: { CPU: 1, MEMORY: 64 } };
    const refused = await refusal('viewing-only', 'post', '/vm-templates', template);
    expect(refused).toMatchObject({ status: 403, detail: expect.stringContaining('CREATE right on TEMPLATE') });
    await answered('updateGroup', { id }, { create: { users: ['TEMPLATE', 'DOCUMENT'] } });
    const made = await world.ask('viewing-only', 'post', '/vm-templates', template);
    expect(made.status).toBe(201);
    const roles = [{ name: 'web', vm_template: made.body.id }];
    const shop = await world.ask('viewing-only', 'post', '/service-templates', { name: 'shop', roles });
    expect(shop.status).toBe(201);
    // A service is a document and makes VMs.
    for (const [path, body] of [
      ['/services', { template_id: shop.body.id }],
      [`/service-templates/${shop.body.id}/instantiate`, {}],
      ['/vms', { template_id: made.body.id }],
    ] as const)
      expect((await refusal('viewing-only', 'post', path, body)).detail).toContain('CREATE right on VM');
    await answered('updateGroup', { id }, { create: { users: ['VM'] } });
    expect((await world.ask('viewing-only', 'post', '/vms', { template_id: made.body.id })).status).toBe(202);
    expect((await refusal('viewing-only', 'post', '/services', { template_id: shop.body.id })).detail).toContain(
      'CREATE right on DOCUMENT',
    );
    expect(viewer).toBeGreaterThan(3);
  });
});

describe('admins of a group', () => {
  it('manage its users, whom they add, rename, disable, and give a new password', async () => {
    const { id } = (await answered('createGroup', {}, { name: 'team' })).body;
    const boss = await add('team-boss', { gid: id });
    await answered('addGroupAdmin', { id, user_id: boss });
    const member = await add('team-member', {}, 'team-boss');
    expect((await answered('showUser', { id: member }, undefined, '', 'team-boss')).body.gid).toBe(id);
    const names = (await answered('listUsers', {}, undefined, '', 'team-boss')).body.items;
    expect(names.map(({ name }: { name: string }) => name)).toEqual(['team-boss', 'team-member']);
    await answered('updateUser', { id: member }, { name: 'teammate1', enabled: false }, '', 'team-boss');
    await answered('updateUser', { id: member }, { enabled: true }, '', 'team-boss');
    await answered('setPassword', { id: member }, { password: 'teammate1' }, '', 'team-boss');
    expect((await world.ask('teammate1', 'get', '/user')).status).toBe(200);
    const quota = await world.ask('team-boss', 'patch', `/quotas/users/${member}`, { vms: 3 });
    expect(quota.status).toBe(200);
    const quotas = (await world.ask('team-boss', 'get', '/quotas/users')).body.items;
    expect(quotas.map((one: { id: number }) => one.id)).toEqual([member]);
    expect((await world.ask('teammate1', 'get', '/quotas/users')).body.items).toMatchObject([{ id: member }]);
    await answered('deleteUser', { id: member }, undefined, '', 'team-boss');
    expect((await world.ask('oneadmin', 'get', `/quotas/users?filter=id=${member}`)).body.items).toEqual([]);
  });
});

describe('rules', () => {
  it('are made, seen by those they are about, and removed', async () => {
    const made = await answered('createAcl', {}, { rule: '#2 VM/* use' });
    expect(made.body.rule).toBe('#2 VM/* USE #0');
    const { id } = made.body;
    expect((await answered('showAcl', { id }, undefined, '', 'alice')).body).toEqual(made.body);
    expect((await answered('listAcls', {}, undefined, '', 'alice')).body.items).toEqual([made.body]);
    expect((await answered('listAcls', {}, undefined, '', 'bob')).body.items).toEqual([]);
    expect((await answered('listAcls', {}, undefined, '?filter=rule~*VM*')).body.items).toHaveLength(1);
    expect(await refusal('bob', 'get', `/acls/${id}`)).toMatchObject({ status: 403 });
    const again = await refusal('oneadmin', 'post', '/acls', { rule: ' #2  VM/* USE #0' });
    expect(again).toMatchObject({
      status: 409,
      code: 'already_there',
      detail: `Rule ${id} says the same: #2 VM/* USE #0.`,
    });
    expect((await answered('showSelf', {}, undefined, '', 'alice')).body.rules).toContain('#2 VM/* USE #0');
    await answered('deleteAcl', { id });
    expect((await answered('showSelf', {}, undefined, '', 'alice')).body.rules).not.toContain('#2 VM/* USE #0');
  });

  it('that are wrong are refused with all that is wrong', async () => {
    const rule = async (text: string) => (await world.ask('oneadmin', 'post', '/acls', { rule: text })).body;
    expect((await rule('5 VMM/x LOOK @1')).errors).toHaveLength(5);
    expect((await rule('#55 USER/@66 USE *')).errors).toEqual([
      { pointer: '/rule', detail: 'must not name user 55, which does not exist' },
      { pointer: '/rule', detail: 'must not name group 66, which does not exist' },
    ]);
  });

  it('go with the user or group that they name', async () => {
    const { id: gid } = (await answered('createGroup', {}, { name: 'passing' })).body;
    const uid = await add('passer-by');
    for (const rule of [`#${uid} VM/* USE`, `* USER/#${uid} USE`, `@${gid} VM/* USE`, `* VM/@${gid} USE *`])
      await answered('createAcl', {}, { rule });
    await answered('deleteUser', { id: uid });
    await answered('deleteGroup', { id: gid });
    expect((await answered('listAcls')).body.items).toEqual([]);
  });
});

describe('tokens', () => {
  it('are shown once, sign in, are seen with their last use, and are revoked', async () => {
    const made = await answered('createToken', {}, { name: 'pipeline' }, '', 'alice');
    const { token, id, prefix } = made.body;
    expect(token).toMatch(new RegExp(`^arcus_${prefix}_[\\w-]{43}$`));
    const shown = (await answered('showToken', { id }, undefined, '', 'alice')).body;
    expect(shown).toMatchObject({ name: 'pipeline', prefix, expired: false, last_used_at: null });
    const days = (Date.parse(shown.expires_at) - Date.parse(shown.created_at)) / 86_400_000;
    expect(days).toBe(90);
    expect(JSON.stringify(shown)).not.toContain(token.slice(`arcus_${prefix}_`.length));
    expect((await world.bearer(token, 'get', '/user')).body).toMatchObject({
      ...{ name: 'alice', authenticated_by: 'token' },
    });
    expect((await world.ask('alice', 'get', '/user', undefined, token)).body.authenticated_by).toBe('token');
    const list = (await answered('listTokens', {}, undefined, '', 'alice')).body.items;
    expect(list).toMatchObject([{ id, last_used_at: expect.any(String) }]);
    await answered('revokeToken', { id }, undefined, '', 'alice');
    expect((await world.bearer(token, 'get', '/user')).status).toBe(401);
  });

  it('of a user are seen and revoked by whoever may act in his stead', async () => {
    const forever = (await answered('createToken', {}, { name: 'for ever', expires_in: null }, '', 'bob')).body;
    expect(forever.expires_at).toBeNull();
    expect((await answered('listUserTokens', { id: 3 })).body.items).toMatchObject([{ name: 'for ever' }]);
    expect(await refusal('alice', 'get', '/users/3/tokens')).toMatchObject({ status: 403 });
    await answered('revokeUserToken', { id: 3, token_id: forever.id });
    expect((await world.bearer(forever.token, 'get', '/user')).status).toBe(401);
  });

  it('are a hundred at most', async () => {
    const whole = { prefix: 'x', created_at: new Date(), expires_at: null, last_used_at: null };
    const many = Array.from({ length: 100 }, (_, n) => ({ _id: 1_000 + n, uid: 3, name: 'n', hash: `${n}`, ...whole }));
    await world.directory.tokens.model.insertMany(many);
    expect(await refusal('bob', 'post', '/tokens', { name: 'more' })).toMatchObject({ status: 409 });
    await world.directory.tokens.model.deleteMany({ uid: 3 });
  });
});

it('this file has asked every route about who may do what', () => {
  const own = routeTable.filter(({ tag }) => identityTags.includes(tag));
  expect(own.length).toBeGreaterThan(20);
  expect(own.map(({ id }) => id).filter((id) => !asked.has(id))).toEqual([]);
});

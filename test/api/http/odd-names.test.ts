import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, type World } from '../world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false });
  await world.ask('oneadmin', 'post', '/vm-templates', { name: 'small', template: { CPU: 1, MEMORY: 64 } });
});
afterAll(() => world.stop());

/** Names that mean something to JavaScript, MongoDB, its driver or its mapper. */
const kept = [
  ...['toJSON', 'then', 'length', 'name', 'get', 'set', 'on', 'emit', 'inspect'],
  ...[
    '$set',
    '$where',
    '$each',
    '$ref',
    '$id',
    '$db',
    '$numberLong',
    'a.b',
    '$a.$b',
    '',
    ' ',
    '0',
    '-1',
    'é',
    '\ud83d\ude00',
  ],
  ...['id', '_id', '__v', '_doc', 'schema', 'isNew', 'save', 'validate', 'errors', 'toObject', 'toBSON', 'toHexString'],
  ...['isMongooseArray', 'isMongooseDocumentArray', 'undefined', 'null', 'true'],
];
const refused = [
  '__proto__',
  'constructor',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__defineGetter__',
  'prototype',
  '_bsontype',
  '$__',
  '$isMongooseMap',
  'isMongooseBuffer',
  'a\0b',
];
const values = ['x', 'ObjectId', 0, true, null, {}, { name: 'Date' }, [], ['x', { a: {} }]];

const bodyWith = (name: string, attributes: object) => ({
  name,
  roles: [{ name: 'web', vm_template: 0 }],
  user_template: { within: attributes },
});
/** As JSON, in which any name is a member. */
const sent = (method: 'post' | 'put', path: string, body: object, member: string, value: unknown) =>
  world
    .ask('oneadmin', method, path)
    .set('Content-Type', 'application/json')
    .send(JSON.stringify(body).replace('"HERE":0', `${JSON.stringify(member)}:${JSON.stringify(value)}`));
const here = { HERE: 0 };

describe('the name of an attribute', () => {
  it.each(kept)('%j is kept as it was sent, whatever its value', async (member) => {
    const made = await sent('post', '/service-templates', bodyWith(`of ${JSON.stringify(member)}`, here), member, 'x');
    expect(made.status, made.text).toBe(201);
    const path = `/service-templates/${made.body.id}`;
    for (const value of values) {
      const put = await sent('put', path, bodyWith(`of ${JSON.stringify(member)}`, here), member, value);
      expect(put.status, put.text).toBe(200);
      const { text } = await world.ask('oneadmin', 'get', path);
      expect(text).toContain(`"within":{${JSON.stringify(member)}:${JSON.stringify(value)}}`);
    }
  });

  it.each(refused)('%j is refused, and nothing is made', async (member) => {
    const answer = await sent('post', '/service-templates', bodyWith('refused', here), member, 'x');
    expect(answer.body).toMatchObject({ status: 400, type: '/problems/malformed_body' });
    expect(answer.body.detail).toContain(JSON.stringify(member));
    const { body } = await world.ask('oneadmin', 'get', '/service-templates?filter=name=refused');
    expect(body.items).toEqual([]);
  });
});

describe('names of objects', () => {
  const role = [{ name: 'web', vm_template: 0 }];
  const kinds: [path: string, body: (name: string) => object][] = [
    ['/vm-templates', (name) => ({ name, template: { CPU: 1, MEMORY: 64 } })],
    ['/service-templates', (name) => ({ name, roles: role })],
    ['/hosts', (name) => ({ name, cpu: 1, memory: 64 })],
    ['/clusters', (name) => ({ name })],
    ['/groups', (name) => ({ name })],
    ['/users', (name) => ({ name, password: 'correct-horse' })],
    ['/tokens', (name) => ({ name })],
    ['/vms', (name) => ({ name, template_id: 0 })],
  ];

  it.each(kinds)('of %s show all their characters', async (path, body) => {
    for (const unseen of ['\u200b', '\u202e', '\u009b', '\ufeff', '\u0007']) {
      const answer = await world.ask('oneadmin', 'post', path, body(`a${unseen}b`));
      expect(answer.status, JSON.stringify(unseen)).toBe(400);
      expect(answer.body.errors[0].pointer).toBe('/name');
    }
  });

  it.each(kinds)('of %s do not read as ids', async (path, body) => {
    for (const name of ['97', '0065', '#97', '６５']) {
      const answer = await world.ask('oneadmin', 'post', path, body(name));
      expect({ status: answer.status, pointer: answer.body.errors?.[0].pointer }, name).toEqual({
        status: 400,
        pointer: '/name',
      });
    }
  });

  it('of services and what is renamed do not read as ids either', async () => {
    const { body } = await world.ask('oneadmin', 'post', '/service-templates', { name: 'shop', roles: role });
    const path = `/service-templates/${body.id}`;
    const named = await world.ask('oneadmin', 'post', `${path}/instantiate`, { merge_template: { name: '97' } });
    expect(named.body.errors).toMatchObject([{ pointer: '/merge_template/name' }]);
    const renamed = await world.ask('oneadmin', 'put', path, { name: '97', roles: role });
    expect(renamed.body.errors).toMatchObject([{ pointer: '/name' }]);
  });

  it.each(kinds.filter(([path]) => path !== '/vms'))(
    'of %s are kept composed, and found however written',
    async (path, body) => {
      const made = await world.ask('oneadmin', 'post', path, body('cafe\u0301'));
      expect({ status: made.status, name: made.body.name }).toEqual({ status: 201, name: 'caf\u00e9' });
      if (path === '/tokens') return;
      expect((await world.ask('oneadmin', 'post', path, body('caf\u00e9'))).body.type).toMatch(/name_taken$/);
      for (const name of ['cafe\u0301', 'caf\u00e9']) {
        const found = await world.ask('oneadmin', 'get', `${path}?filter=${encodeURIComponent(`name="${name}"`)}`);
        expect(found.body.items.map((one: { id: number }) => one.id)).toEqual([made.body.id]);
      }
    },
  );

  it.each([
    ['user', '/users', 'bobby', { password: 'correct-horse' }],
    ['group', '/groups', 'web-team', {}],
  ])('of a %s are apart by more than case, width and what looks alike', async (kind, path, name, more) => {
    const made = await world.ask('oneadmin', 'post', path, { name, ...more });
    expect(made.status, made.text).toBe(201);
    const wide = Array.from(name, (one) =>
      one === '-' ? one : String.fromCodePoint((one.codePointAt(0) ?? 0) + 0xfee0),
    );
    const confused = name.replaceAll('o', '0').replace('-', '\u2011');
    for (const alike of [name.toUpperCase(), wide.join(''), confused]) {
      const detail = `There is a ${kind} "${name}" already, whose name looks like "${alike}".`;
      const again = await world.ask('oneadmin', 'post', path, { name: alike, ...more });
      expect(again.body).toMatchObject({ status: 409, type: '/problems/name_taken', detail });
      const other = await world.ask('oneadmin', 'post', path, { name: 'other', ...more });
      const renamed = await world.ask('oneadmin', 'patch', `${path}/${other.body.id}`, { name: alike });
      expect(renamed.body).toMatchObject({ status: 409, type: '/problems/name_taken', detail });
      expect((await world.ask('oneadmin', 'delete', `${path}/${other.body.id}`)).status).toBe(204);
    }
    // Its own it may write in another way, and kana are letters of their own.
    const changed = await world.ask('oneadmin', 'patch', `${path}/${made.body.id}`, {
      name: `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`,
    });
    expect(changed.status, changed.text).toBe(200);
    for (const kana of ['はな', 'ハナ'])
      expect((await world.ask('oneadmin', 'post', path, { name: kana, ...more })).status).toBe(201);
  });

  it('of two that look alike, made at once, are one', async () => {
    const answers = await Promise.all(
      ['Carol', 'carol', 'CAROL'].map((name) =>
        world.ask('oneadmin', 'post', '/users', { name, password: 'correct-horse' }),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(2);
  });

  it('of users that look alike from before there was a rule sign in as before', async () => {
    const made = await world.ask('oneadmin', 'post', '/users', { name: 'dave', password: 'correct-horse' });
    await world.directory.users.model.updateOne({ _id: made.body.id }, { name: 'ONEADMIN' });
    const asked = await world.ask('ONEADMIN', 'get', '/user', undefined, 'correct-horse');
    expect({ status: asked.status, id: asked.body.id }).toEqual({ status: 200, id: made.body.id });
    const changed = await world.ask('oneadmin', 'patch', `/users/${made.body.id}`, { umask: '137' });
    expect({ status: changed.status, name: changed.body.name }).toEqual({ status: 200, name: 'ONEADMIN' });
  });

  it('of users from before names were compared by their look are, from the next start on', async () => {
    const made = await world.ask('oneadmin', 'post', '/users', { name: 'erin', password: 'correct-horse' });
    await world.directory.users.model.updateOne(
      { _id: made.body.id },
      { $set: { name: 'frank' }, $unset: { looks: 1 } },
    );
    await world.directory.users.noteLooks();
    const alike = await world.ask('oneadmin', 'post', '/users', { name: 'FRANK', password: 'correct-horse' });
    expect(alike.body).toMatchObject({ status: 409, type: '/problems/name_taken' });
  });

  it('from before there was a rule stand in the way of no other change', async () => {
    const { body } = await world.ask('oneadmin', 'post', '/clusters', { name: 'old' });
    await world.store.clusters.model.updateOne({ _id: body.id }, { name: 'o\u200bld' });
    const changed = await world.ask('oneadmin', 'patch', `/clusters/${body.id}`, { attributes: { A: '1' } });
    expect({ status: changed.status, name: changed.body.name }).toEqual({ status: 200, name: 'o\u200bld' });
    expect((await world.ask('oneadmin', 'patch', `/clusters/${body.id}`, { name: 'o\u200bther' })).status).toBe(400);
  });
});

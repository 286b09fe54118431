import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiRoot } from '../../../api/native/route.js';
import { routeTable } from '../../../api/native/route-table.js';
import { idleEngine } from '../../support/idle-engine.js';
import { createWorld, type World } from '../world.js';

let world: World;

const small = {
  name: 'small',
  template: {
    CPU: 1,
    MEMORY: 64,
    CONTEXT: { A: '1', B: '2' },
    DISK: [
      { TYPE: 'fs', SIZE: 1 },
      { TYPE: 'fs', SIZE: 2 },
    ],
  },
};
const shop = {
  name: 'shop',
  deployment: 'straight',
  ready_status_gate: true,
  custom_attrs: { a: 'one', b: 'two' },
  roles: [
    { name: 'db', vm_template: 0 },
    { name: 'web', vm_template: 0, cardinality: 2 },
  ],
};

beforeAll(async () => {
  world = await createWorld({ withTemporal: false, engine: idleEngine });
  const make = async (path: string, body: object) => {
    const response = await world.ask('oneadmin', 'post', path, body);
    expect(response.status, JSON.stringify(response.body)).toBeLessThan(300);
    return response.body;
  };
  await make('/hosts', {
    ...{ name: 'node', cpu: 4, memory: 4096, cluster_id: 0 },
    ...{ attributes: { RACK: 'r1', ZONE: 'a' }, reserved: { cpu: 1, memory: '10%' } },
  });
  await make('/clusters', { name: 'rack', attributes: { RACK: 'r1', ZONE: 'a' } });
  await make('/vm-templates', small);
  await make('/service-templates', shop);
  await make('/vms', { template_id: 0 });
  await make('/groups', { name: 'web', shared_view: true, create: { users: ['VM'], admins: ['VM', 'NET'] } });
});
afterAll(() => world.stop());

const patched = async (path: string, patch: unknown, type = 'application/merge-patch+json') =>
  request(world.server)
    .patch(apiRoot + path)
    .auth('oneadmin', 'oneadmin')
    .type(type)
    .send(JSON.stringify(patch));

describe('a merge patch', () => {
  it.each<[what: string, path: string, patch: object, after: object]>([
    ['takes away what is null', '/hosts/0', { attributes: { ZONE: null } }, { attributes: { RACK: 'r1' } }],
    ['takes all of it away', '/clusters/100', { attributes: null }, { attributes: {} }],
    ['takes away one that is not there', '/clusters/100', { attributes: { GONE: null } }, { attributes: {} }],
    ['merges objects', '/hosts/0', { reserved: { cpu: null } }, { reserved: { memory: '10%' } }],
    ['names attributes in any letter case', '/hosts/0', { attributes: { rack: 'r2' } }, { attributes: { RACK: 'r2' } }],
    ['puts back a default', '/groups/100', { create: { users: null }, shared_view: null }, { shared_view: false }],
    ['replaces lists', '/groups/100', { create: { admins: ['IMAGE'] } }, { create: { admins: ['IMAGE'] } }],
    [
      'replaces lists, and merges objects beside them',
      '/vm-templates/0',
      { template: { disk: [{ TYPE: 'fs', SIZE: 3 }], context: { B: null, C: '3' } } },
      { name: 'small', template: { CPU: 1, MEMORY: 64, CONTEXT: { A: '1', C: '3' }, DISK: [{ TYPE: 'fs', SIZE: 3 }] } },
    ],
    [
      'replaces roles whole',
      '/service-templates/0',
      { roles: [{ name: 'web', vm_template: 0 }], ready_status_gate: null, custom_attrs: { a: null } },
      { body: { name: 'shop', deployment: 'straight', custom_attrs: { b: 'two' }, roles: [{ name: 'web' }] } },
    ],
    ['sets what a VM is told', '/vms/0', { user_template: { ready: 'YES' } }, { user_template: { READY: 'YES' } }],
    ['takes that away', '/vms/0', { user_template: { READY: null } }, { user_template: {} }],
    ['makes a limit the default', '/quotas/users/2', { vms: null }, { vms: { limit: -1 } }],
    ['puts a umask back', '/users/2', { umask: null }, { umask: '177' }],
    ['that is empty changes nothing', '/users/2', {}, { name: 'alice', umask: '177' }],
  ])('%s: %s %j', async (_what, path, patch, after) => {
    const response = await patched(path, patch);
    expect(response.status, JSON.stringify(response.body)).toBe(200);
    expect(response.body).toMatchObject(after);
    expect((await world.ask('oneadmin', 'get', path)).body).toEqual(response.body);
  });

  it('leaves nothing of what it took away', async () => {
    expect((await patched('/hosts/0', { attributes: { LATER: 'x' } })).body.attributes).toHaveProperty('LATER');
    expect((await patched('/hosts/0', { attributes: { later: null } })).body.attributes).not.toHaveProperty('LATER');
    const { body } = (await patched('/service-templates/0', { custom_attrs: null })).body;
    expect(body).not.toHaveProperty('custom_attrs');
    const { template } = (await patched('/vm-templates/0', { template: { CONTEXT: { A: null } } })).body;
    expect(template.CONTEXT).not.toHaveProperty('A');
  });

  it('means the same as application/json, which people send', async () => {
    const response = await patched('/hosts/0', { attributes: { RACK: null } }, 'application/json');
    expect(response.body.attributes).not.toHaveProperty('RACK');
  });
});

describe('a merge patch is refused', () => {
  it.each<[why: string, path: string, patch: unknown, pointer: string, detail: RegExp]>([
    ['an unknown member', '/hosts/0', { cpus: 2 }, '/cpus', /did you mean "cpu"/],
    ['an unknown member, though null', '/hosts/0', { nothing: null }, '/nothing', /is not known/],
    ['one further in', '/groups/100', { create: { user: ['VM'] } }, '/create/user', /did you mean "users"/],
    ['what must be there', '/hosts/0', { cpu: null }, '/cpu', /must be a number, not null/],
    ['what must be there', '/service-templates/0', { roles: null }, '/roles', /cannot be removed/],
    ['what must be there', '/vm-templates/0', { template: { cpu: null } }, '/template/CPU', /cannot be removed/],
    [
      'a role without a template',
      '/service-templates/0',
      { roles: [{ name: 'x' }] },
      '/roles/0/vm_template',
      /required/,
    ],
    ['a value of another kind', '/users/2', { enabled: 'yes' }, '/enabled', /true or false/],
    ['a limit that is none', '/quotas/groups/1', { vms: -3 }, '/vms', /at least/],
    ['what is no object', '/hosts/0', [], '', /must be an object, not a list/],
    ['null alone', '/service-templates/0', null, '', /must be an object, not null/],
  ])('for %s: %s %j', async (_why, path, patch, pointer, detail) => {
    const before = await world.digests();
    const { body } = await patched(path, patch);
    expect(body).toMatchObject({ status: 400, errors: [{ pointer, detail: expect.stringMatching(detail) }] });
    expect(await world.digests()).toEqual(before);
  });

  const patchRoutes = routeTable.filter(({ method }) => method === 'patch');
  it.each(patchRoutes.map(({ path, id }) => [id, path.replace('{id}', '0')]))(
    'as what it is not: %s says what it takes',
    async (_id, path) => {
      const response = await patched(path, {}, 'application/json-patch+json');
      expect(response.body).toMatchObject({
        status: 415,
        detail: expect.stringMatching(/takes application\/merge-patch\+json or application\/json/),
      });
      expect(response.headers['accept-patch']).toBe('application/merge-patch+json, application/json');
    },
  );
});

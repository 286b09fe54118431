import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quotaDisagreements } from '../../support/quota-books.js';
import { createWorld, type World } from '../world.js';

let world: World;
let template: { id: number };
let shop: { id: number };

beforeAll(async () => {
  world = await createWorld({ withTemporal: true });
  const make = async (path: string, body: object) => (await world.ask('alice', 'post', path, body)).body;
  template = await make('/vm-templates', { name: 'small', template: { CPU: 0.5, MEMORY: 128 } });
  const roles = [
    { name: 'front', cardinality: 2, vm_template: template.id, vm_template_contents: 'CPU=1' },
    { name: 'back', cardinality: 1, vm_template: template.id },
  ];
  shop = await make('/service-templates', { name: 'shop', roles });
});
afterAll(() => world.stop());

const limit = (who: string, limits: object) => world.ask('oneadmin', 'patch', `/quotas/${who}`, limits);
const createVm = (key?: string) => {
  const asked = world.ask('alice', 'post', '/vms', { template_id: template.id });
  return key === undefined ? asked : asked.set('Idempotency-Key', key);
};
const instantiate = (body: object = {}) =>
  world.ask('alice', 'post', `/service-templates/${shop.id}/instantiate`, body);
const used = async () => {
  const { user } = (await world.ask('alice', 'get', '/quotas')).body;
  return { services: user.services.used, vms: user.vms.used, cpu: user.cpu.used, memory: user.memory.used };
};
const books = async () => expect(await quotaDisagreements(world.store)).toEqual([]);

/** The refusal, and that nothing was written. */
async function refused(ask: () => ReturnType<World['ask']>) {
  const before = await world.digests();
  const { body } = await ask();
  expect(body).toMatchObject({ status: 409, type: '/problems/quota_exceeded' });
  expect(await world.digests()).toEqual(before);
  return body;
}

describe('a quota', () => {
  it('refuses a service that takes too much, names itself, its limit and what is used, and writes nothing', async () => {
    expect((await instantiate()).status).toBe(202);
    expect(await used()).toEqual({ services: 1, vms: 3, cpu: 2.5, memory: 384 });
    await limit('users/2', { cpu: 4 });
    const problem = await refused(instantiate);
    expect(problem.detail).toBe(
      'The quota of user 2 (alice) on CPU is 4 cores: 2.5 cores in use, and this takes 2.5 cores more.',
    );
    const holder = { type: 'user', id: 2 };
    expect(problem.exceeded).toEqual({ quota: 'cpu', holder, limit: 4, used: 2.5, asked: 2.5 });
    await limit('users/2', { cpu: -1 });
    await books();
  });

  it('is asked for what a VM takes more when it is resized, and given back what it takes less', async () => {
    const { body } = await createVm();
    const id = body.resource.id;
    const before = await used();
    const path = `/vms/${id}/resize`;
    await world.store.vms.model.updateOne({ _id: id }, { $set: { state: 'HOLD', operation: null } });
    await limit('users/2', { memory: before.memory + 100 });
    const resize = (wish: object) => world.ask('alice', 'post', path, wish);
    expect((await refused(() => resize({ cpu: 0.1, memory: 256 }))).exceeded).toMatchObject({
      quota: 'memory',
      asked: 128,
    });
    expect((await resize({ cpu: 2, memory: 64 })).body).toMatchObject({ cpu: 2, memory: 64 });
    expect(await used()).toEqual({ ...before, cpu: before.cpu + 1.5, memory: before.memory - 64 });
    await books();
    await limit('users/2', { memory: -1 });
    await resize({ cpu: 0.5, memory: 128 });
    expect(await used()).toEqual(before);
    await world.store.vms.model.updateOne({ _id: id }, { $set: { state: 'PENDING', operation: body.id } });
    await books();
  });

  it('of the group refuses what that of the user allows', async () => {
    await limit('groups/1', { services: 1 });
    expect((await refused(instantiate)).exceeded).toMatchObject({
      quota: 'services',
      holder: { type: 'group', id: 1 },
    });
    expect((await createVm()).status).toBe(202);
    await limit('groups/1', { services: -1 });
    await books();
  });

  it('lets exactly as many of forty requests at once through as it has room for', async () => {
    const { vms } = await used();
    await limit('users/2', { vms: vms + 10 });
    const answers = await Promise.all(Array.from({ length: 40 }, () => createVm()));
    const statuses = answers.map(({ status }) => status).sort((one, other) => one - other);
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 202), ...Array.from({ length: 30 }, () => 409)]);
    expect(new Set(answers.flatMap(({ body }) => body.exceeded?.quota ?? []))).toEqual(new Set(['vms']));
    expect((await used()).vms).toBe(vms + 10);
    await limit('users/2', { vms: -1 });
    await books();
  });

  it('is charged once for a request that is repeated at once under its key', async () => {
    const { vms } = await used();
    const answers = await Promise.all(Array.from({ length: 8 }, () => createVm('once')));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect((await used()).vms).toBe(vms + 1);
    await books();
  });

  it('is not touched by contents that make no VM: they are refused where they stand', async () => {
    const make = (contents: string) =>
      world.ask('alice', 'post', '/service-templates', {
        name: 'odd',
        custom_attrs: { SIZE: 'M|text|how much' },
        roles: [{ name: 'web', vm_template: template.id, vm_template_contents: contents }],
      });
    const refused = (pointer: string) => ({
      status: 400,
      errors: [{ pointer, detail: expect.stringContaining('MEMORY') }],
    });
    expect((await make('MEMORY=lots')).body).toMatchObject(refused('/roles/0/vm_template_contents'));
    // What is filled in is known when that is done.
    const { id } = (await make('MEMORY=$SIZE')).body;
    const merge_template = { custom_attrs_values: { SIZE: 'lots' } };
    const answer = await world.ask('alice', 'post', `/service-templates/${id}/instantiate`, { merge_template });
    expect(answer.body).toMatchObject(refused('/merge_template/roles/0/vm_template_contents'));
    await books();
  });

  it('of oneadmin and of group 0 is never counted, and cannot be set', async () => {
    await world.ask('oneadmin', 'post', '/vms', { template_id: template.id });
    const { body } = await world.ask('oneadmin', 'get', '/quotas/users/0');
    expect(body).toMatchObject({ exempt: true, vms: { used: 0, effective: null } });
    expect((await limit('users/0', { vms: 1 })).body).toMatchObject({
      status: 409,
      type: '/problems/wrong_state',
      detail: expect.stringMatching(/never/),
    });
    await books();
  });
});

describe('a quota on a single resource', () => {
  const byDefault = { limit: -1, effective: null, used: 0 };
  const shown = async () => (await world.ask('oneadmin', 'get', '/quotas/users/2')).body;

  it('is set under its id, stays where it is not named, is the default again with null, and has defaults', async () => {
    const net = (await world.ask('oneadmin', 'post', '/virtual-networks', { name: 'net' })).body.id;
    const { body } = await limit('users/2', {
      per_network: { [net]: { leases: 5 } },
      per_datastore: { 1: { size: 100 } },
    });
    expect(body.per_network).toEqual({ [net]: { leases: { limit: 5, effective: 5, used: 0 } } });
    expect(body.per_datastore).toEqual({ 1: { images: byDefault, size: { limit: 100, effective: 100, used: 0 } } });
    const users = { per_network: { [net]: { leases: 7 } }, per_datastore: { 2: { images: 0 } } };
    const defaults = (await limit('defaults', { users })).body.users;
    expect(defaults).toMatchObject({
      per_network: { [net]: { leases: 7 } },
      per_datastore: { 2: { images: 0, size: -2 } },
      per_image: {},
    });
    await limit('users/2', { per_network: { [net]: null }, vms: 5 });
    expect(await shown()).toMatchObject({
      per_network: { [net]: { leases: { limit: -1, effective: 7 } } },
      per_datastore: { 1: { size: { limit: 100 } }, 2: { images: { limit: -1, effective: 0 } } },
    });
    await limit('users/2', { per_network: { [net]: { leases: -2 } } });
    expect((await shown()).per_network[net].leases).toEqual({ limit: -2, effective: null, used: 0 });
    await limit('defaults', { users: { per_network: null, per_datastore: null } });
    await limit('users/2', { per_network: null, per_datastore: null, vms: null });
    expect(await shown()).toMatchObject({ per_network: {}, per_datastore: {}, per_image: {} });
  });

  it('is refused on what there is not, what is no id, no limit, or too many, and nothing is written', async () => {
    const rows: [object, { pointer: string; detail: string }][] = [
      [
        { per_network: { 999: { leases: 1 } } },
        { pointer: '/per_network/999', detail: 'there is no virtual network 999' },
      ],
      [{ per_datastore: { 999: { size: 1 } } }, { pointer: '/per_datastore/999', detail: 'there is no datastore 999' }],
      [{ per_image: { 999: { rvms: 1 } } }, { pointer: '/per_image/999', detail: 'there is no image 999' }],
      [{ per_image: { office: { rvms: 1 } } }, { pointer: '/per_image/office', detail: 'must be an id' }],
      [
        { per_network: { 0: { leases: -3 } } },
        { pointer: '/per_network/0/leases', detail: expect.stringContaining('at least 0') },
      ],
      [
        { per_datastore: Object.fromEntries(Array.from({ length: 101 }, (_, id) => [id, { size: 1 }])) },
        { pointer: '/per_datastore', detail: expect.stringContaining('at most 100') },
      ],
    ];
    for (const [wish, finding] of rows) {
      const before = await world.digests();
      expect((await limit('users/2', wish)).body).toMatchObject({ status: 400, errors: [finding] });
      expect(await world.digests()).toEqual(before);
    }
    const { body } = await limit('defaults', { groups: { per_network: { 999: { leases: 1 } } } });
    expect(body).toMatchObject({ status: 400, errors: [{ pointer: '/groups/per_network/999' }] });
  });
});

describe('a default', () => {
  it('cannot be the default itself, and the refusal says where', async () => {
    const { body } = await limit('defaults', { users: { vms: -1 }, groups: { cpu: -1, memory: 1 } });
    expect(body).toMatchObject({
      status: 400,
      errors: [
        { pointer: '/users/vms' },
        { pointer: '/groups/cpu', detail: expect.stringContaining('must not be -1') },
      ],
    });
  });
});

describe('who sees what', () => {
  it('is oneself and one’s groups', async () => {
    const { user, groups } = (await world.ask('bob', 'get', '/quotas')).body;
    expect([user.name, groups.map(({ name }: { name: string }) => name)]).toEqual(['bob', ['users']]);
    expect((await world.ask('bob', 'get', '/quotas/groups')).body.items).toMatchObject([{ id: 1 }]);
    expect((await world.ask('bob', 'get', '/quotas/users')).body.items).toEqual([]);
    expect((await world.ask('bob', 'get', '/quotas/users/3')).status).toBe(200);
    expect((await world.ask('bob', 'get', '/quotas/groups/1')).status).toBe(200);
    expect((await world.ask('bob', 'get', '/quotas/users/2')).status).toBe(403);
    expect((await world.ask('bob', 'patch', '/quotas/users/3', { vms: -2 })).status).toBe(403);
    expect((await world.ask('bob', 'patch', '/quotas/groups/1', { vms: -2 })).status).toBe(403);
    expect((await world.ask('bob', 'get', '/quotas/defaults')).status).toBe(200);
  });
});

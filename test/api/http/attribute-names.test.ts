import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, type World } from '../world.js';

let world: World;
let vm: number;
beforeAll(async () => {
  // Admitted and not started: nothing works on what is made here.
  world = await createWorld({ withTemporal: false });
  await ask('post', '/vm-templates', { name: 'small', template: { CPU: 1, MEMORY: 64 } });
  await ask('post', '/hosts', { name: 'host-1', cpu: 4, memory: 4096 });
  await ask('post', '/clusters', { name: 'one' });
  const made = await ask('post', '/vms', { template_id: 0, name: 'a' });
  vm = made.body.resource?.id ?? 0;
});
afterAll(() => world.stop());

const ask = (method: 'get' | 'post' | 'patch' | 'put', path: string, body?: object) =>
  world.ask('oneadmin', method, path, body);

const size = { CPU: 1, MEMORY: 64 };
const shopOf = (more: object, ofRole: object = {}) => ({
  name: 'shop',
  roles: [{ name: 'web', vm_template: 0, ...ofRole }],
  ...more,
});

/** Every place where somebody gives names to attributes. */
const places: readonly [string, string, (name: string) => ['post' | 'patch' | 'put', string, object]][] = [
  [
    'a new VM template',
    '/template/',
    (n) => ['post', '/vm-templates', { name: `t ${n.slice(0, 9)}`, template: { ...size, [n]: '1' } }],
  ],
  [
    'a vector of one',
    '/template/PCI/',
    (n) => ['post', '/vm-templates', { name: `v ${n.slice(0, 9)}`, template: { ...size, PCI: [{ [n]: '1' }] } }],
  ],
  ['a changed VM template', '/template/', (n) => ['patch', '/vm-templates/0', { template: { [n]: '1' } }]],
  [
    'a replaced VM template',
    '/template/',
    (n) => ['put', '/vm-templates/0', { name: 'small', template: { ...size, [n]: '1' } }],
  ],
  ['a new VM', '/template/', (n) => ['post', '/vms', { template_id: 0, template: { [n]: '1' } }]],
  ['the user template of a VM', '/user_template/', (n) => ['patch', `/vms/${vm}`, { user_template: { [n]: '1' } }]],
  [
    'a new host',
    '/attributes/',
    (n) => ['post', '/hosts', { name: `h ${n.slice(0, 9)}`, cpu: 1, memory: 1, attributes: { [n]: '1' } }],
  ],
  ['a host', '/attributes/', (n) => ['patch', '/hosts/0', { attributes: { [n]: '1' } }]],
  ['a cluster', '/attributes/', (n) => ['patch', '/clusters/100', { attributes: { [n]: '1' } }]],
  [
    'custom attributes',
    '/custom_attrs/',
    (n) => ['post', '/service-templates', { ...shopOf({ custom_attrs: { [n]: '' } }), name: `c ${n.slice(0, 9)}` }],
  ],
  [
    'values of custom attributes',
    '/custom_attrs_values/',
    (n) => [
      'post',
      '/service-templates',
      { ...shopOf({ custom_attrs_values: { [n]: '' } }), name: `cv ${n.slice(0, 9)}` },
    ],
  ],
  [
    'user inputs',
    '/roles/0/user_inputs_values/',
    (n) => [
      'post',
      '/service-templates',
      { ...shopOf({}, { user_inputs_values: { [n]: '' } }), name: `u ${n.slice(0, 9)}` },
    ],
  ],
  [
    'contents of a role',
    '/roles/0/vm_template_contents',
    (n) => [
      'post',
      '/service-templates',
      { ...shopOf({}, { vm_template_contents: `${n}=1` }), name: `r ${n.slice(0, 9)}` },
    ],
  ],
];

describe('the name of an attribute follows one rule, in', () => {
  it.each(places)('%s', async (_, under, request) => {
    for (const name of ['MY-LABEL', 'A/B', '2ND', 'a.b', '$A', 'ä', `A${'B'.repeat(128)}`]) {
      const answer = await ask(...request(name));
      expect(answer.status, `${name}: ${answer.text}`).toBe(400);
      expect(answer.body.errors[0].pointer, name).toContain(under.replace('/DISK/', '/DISK'));
    }
    const taken = await ask(...request('_x2'));
    expect(taken.status, taken.text).toBeLessThan(300);
  });
});

describe('what is stored under another name', () => {
  it('stands in the way of no other change, and may be taken away', async () => {
    const odd = { 'MY-LABEL': 'x', 'A/B': { 'C.D': '1' }, SCHED_RANK: '((' };
    await world.store.vms.model.collection.updateOne({ _id: vm as never }, { $set: { user_template: odd } });
    const template = { ...size, ...odd };
    await world.store.vmTemplates.model.collection.updateOne({ _id: 0 as never }, { $set: { template } });
    for (const [name, id] of [
      ['hosts', 0],
      ['clusters', 100],
    ] as const)
      await world.mongodb
        .collection<{ _id: number }>(name)
        .updateOne({ _id: id }, { $set: { attributes: { 'MY-LABEL': 'x' } } });

    const ready = await ask('patch', `/vms/${vm}`, { user_template: { READY: 'YES' } });
    expect(ready.body, ready.text).toMatchObject({ ready: true, user_template: { ...odd, READY: 'YES' } });
    const gone = await ask('patch', `/vms/${vm}`, { user_template: { 'MY-LABEL': null } });
    expect(gone.body.user_template).not.toHaveProperty('MY-LABEL');

    const grown = await ask('patch', '/vm-templates/0', { template: { MEMORY: 128 } });
    expect(grown.body, grown.text).toMatchObject({ template: { ...template, MEMORY: 128 } });
    const { body } = await ask('get', '/vm-templates/0');
    expect((await ask('put', '/vm-templates/0', { name: 'smaller', template: body.template })).status).toBe(200);
    expect(
      (await ask('put', '/vm-templates/0', { name: 'smaller', template: { ...body.template, 'C-D': 1 } })).status,
    ).toBe(400);

    for (const path of ['/hosts/0', '/clusters/100']) {
      const changed = await ask('patch', path, { attributes: { RACK: 'r1' } });
      expect(changed.body, changed.text).toMatchObject({ attributes: { 'MY-LABEL': 'x', RACK: 'r1' } });
      expect((await ask('patch', path, { attributes: { 'MY-LABEL': null } })).status).toBe(200);
    }
  });

  it('nor do faults of a service template that were there before', async () => {
    const { body: shop } = await ask('post', '/service-templates', { ...shopOf({}), name: 'old' });
    const stored = { ...shop.body, custom_attrs: { 'MY-NET': '' } };
    stored.roles[0].vm_template_contents = 'MY-LABEL=1';
    await world.store.serviceTemplates.model.collection.updateOne({ _id: shop.id }, { $set: { body: stored } });
    const path = `/service-templates/${shop.id}`;
    const changed = await ask('patch', path, { deployment: 'straight' });
    expect(changed.body, changed.text).toMatchObject({ body: { ...stored, deployment: 'straight' } });
    const roles = [{ name: 'db', vm_template: 0 }, ...stored.roles];
    expect((await ask('patch', path, { roles })).status).toBe(200);
    expect((await ask('patch', path, { custom_attrs: { 'C-D': '' } })).status).toBe(400);
  });
});

describe('an id', () => {
  it.each(['/vms/00', '/vms?service_id=', '/vms?service_id=0x1', '/operations?resource_id=01', '/hosts/0e0'])(
    'is written in one way: %s is refused',
    async (path) => {
      expect((await ask('get', path)).status).toBe(400);
    },
  );

  it('is so in rules, too', async () => {
    expect((await ask('post', '/acls', { rule: '@0001 VM/* USE' })).status).toBe(400);
    expect((await ask('post', '/acls', { rule: '@1 VM/#007 USE' })).status).toBe(400);
  });
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { limits } from '../../../../schemas/common/limits.js';
import { idleEngine } from '../../../support/idle-engine.js';
import { createWorld, type World } from '../../world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false, engine: idleEngine });
  await world.ask('alice', 'post', '/vm-templates', { name: 'small', template: { CPU: 1, MEMORY: 64 } });
});
afterAll(() => world.stop());

const web = { name: 'web', vm_template: 0 };
const made = async (name: string): Promise<number> =>
  (await world.ask('alice', 'post', '/service-templates', { name, roles: [web] })).body.id;
const revisions = async (id: number) =>
  (await world.ask('alice', 'get', `/service-templates/${id}/revisions`)).body.items.map(
    ({ revision, roles }: { revision: number; roles: number }) => [revision, roles],
  );

it('each change of a template is another revision; what it was stays, and a service says of which it is', async () => {
  const id = await made('first');
  const path = `/service-templates/${id}`;
  const instantiate = async () => (await world.ask('alice', 'post', `${path}/instantiate`, {})).body.resource.id;
  const service = await instantiate();
  expect(await revisions(id)).toEqual([[1, 1]]);
  await world.ask('alice', 'put', path, { name: 'first', roles: [web, { ...web, name: 'db' }] });
  const renamed = await world.ask('alice', 'patch', path, { name: 'second' });
  expect(renamed.body.revision).toBe(3);
  // What changes nothing makes none.
  await world.ask('alice', 'patch', path, { name: 'second' });
  await world.ask('alice', 'post', `${path}/chmod`, { octet: '600' });
  expect(await revisions(id)).toEqual([
    [3, 2],
    [2, 2],
    [1, 1],
  ]);
  const [one, now] = [
    await world.ask('alice', 'get', `${path}/revisions/1`),
    await world.ask('alice', 'get', `${path}/revisions/3`),
  ];
  expect(one.body).toMatchObject({ revision: 1, body: { name: 'first', roles: [{ name: 'web' }] } });
  expect(now.body.body).toEqual(renamed.body.body);
  const shown = async (of: number) => (await world.ask('alice', 'get', `/services/${of}`)).body.template_revision;
  expect([await shown(service), await shown(await instantiate())]).toEqual([1, 3]);
  const none = await world.ask('alice', 'get', `${path}/revisions/4`);
  expect([none.status, none.body.detail]).toEqual([404, expect.stringContaining('the newest is 3')]);
  expect((await world.ask('bob', 'get', `${path}/revisions`)).status).toBe(403);
});

it('of many revisions the oldest go, and with a template all of its', async () => {
  const id = await made('often changed');
  const past = world.mongodb.collection('service_template_revisions');
  const most = limits.revisions.most;
  await past.insertMany(
    Array.from({ length: most }, (_, at) => ({
      template: id,
      revision: at + 1,
      body: { roles: [] },
      created_at: new Date(),
    })),
  );
  await world.store.serviceTemplates.model.updateOne({ _id: id }, { $set: { revision: most + 1 } });
  await world.ask('alice', 'patch', `/service-templates/${id}`, { description: 'changed' });
  const left = await past.find({ template: id }).sort({ revision: 1 }).toArray();
  expect([left.length, left[0]?.revision, left.at(-1)?.revision]).toEqual([most, 2, most + 1]);
  expect((await world.ask('alice', 'delete', `/service-templates/${id}`)).status).toBe(204);
  expect(await past.countDocuments({ template: id })).toBe(0);
});

it('a template of OneFlow 7 is taken with its names, and kept with those of all', async () => {
  const seven = {
    name: 'of seven',
    user_inputs: { NET: 'M|text|Which network?' },
    roles: [{ name: 'web', type: 'vm', template_id: 0, template_contents: { NIC: [{ NETWORK: '$NET' }], CPU: 2 } }],
  };
  const first = {
    custom_attrs: seven.user_inputs,
    roles: [{ name: 'web', vm_template: 0, vm_template_contents: 'NIC=[NETWORK="$NET"]\nCPU="2"\n' }],
  };
  const created = await world.ask('alice', 'post', '/service-templates', seven);
  expect([created.status, created.body.body]).toEqual([201, expect.anything()]);
  expect(created.body.body).toMatchObject(first);
  const path = `/service-templates/${created.body.id}`;
  const replaced = await world.ask('alice', 'put', path, { ...seven, description: 'again' });
  expect([replaced.status, replaced.body.body.description, replaced.body.body.roles]).toEqual([
    200,
    'again',
    created.body.body.roles,
  ]);
  const router = await world.ask('alice', 'post', '/service-templates', {
    name: 'r',
    roles: [{ name: 'r', type: 'vr', template_id: 0 }],
  });
  expect([router.status, router.body.errors]).toEqual([
    400,
    [{ pointer: '/roles/0/type', detail: expect.stringContaining('virtual routers') }],
  ]);
});

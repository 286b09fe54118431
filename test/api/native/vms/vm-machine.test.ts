import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWorld, type World } from '../../world.js';

let world: World;
let serial = 0;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false });
});
afterAll(() => world.stop());

const template = (more: object) => ({ name: `t-${++serial}`, template: { CPU: 1, MEMORY: 64, ...more } });
const raw = { RAW: { TYPE: 'kvm', DATA: '<devices><watchdog model="i6300esb"/></devices>' } };
type User = Parameters<World['ask']>[0];
const make = (who: User, more: object) => world.ask(who, 'post', '/vm-templates', template(more));

/** One that is off, as there are no workers to switch it off. */
const off = async (template_id: number): Promise<number> => {
  const made = await world.ask('alice', 'post', '/vms', { template_id });
  expect(made.status).toBe(202);
  const { id } = made.body.resource;
  await world.store.vms.model.updateOne({ _id: id }, { $set: { state: 'POWEROFF', operation: null } });
  return id;
};

it('what a machine cannot be is refused where it is said: in templates, at their instantiation, and later', async () => {
  const wrong = { OS: { ARCH: 'sparc' }, INPUT: [{ TYPE: 'pen' }], GRAPHICS: { TYPE: 'VNC', PASSWD: 'secret' } };
  const { body } = await make('alice', wrong);
  expect([body.status, body.errors.map(({ pointer }: { pointer: string }) => pointer)]).toEqual([
    400,
    ['/template/OS/ARCH', '/template/GRAPHICS/PASSWD', '/template/INPUT/0/TYPE'],
  ]);
  const { id } = (await make('alice', { OS: { ARCH: 'x86_64' } })).body;
  const over = { template_id: id, template: { INPUT: { TYPE: 'pen' } } };
  expect((await world.ask('alice', 'post', '/vms', over)).body).toMatchObject({
    ...{ status: 400, errors: [{ pointer: '/template/INPUT/TYPE' }] },
  });
  const vm = await off(id);
  const later = await world.ask('alice', 'post', `/vms/${vm}/updateconf`, { template: { FEATURES: { PAE: 'maybe' } } });
  expect(later.body).toMatchObject({ status: 400, errors: [{ pointer: '/template/FEATURES/PAE' }] });
});

it('a VM boots from what it has, wherever that comes from', async () => {
  const { id } = (await make('alice', { OS: { BOOT: 'disk0,nic0' }, DISK: [{ TYPE: 'fs', SIZE: 10 }] })).body;
  const why = 'OS/BOOT names nic0, which is not there: the VM has disk0';
  const refused = await world.ask('alice', 'post', '/vms', { template_id: id });
  expect(JSON.stringify(refused.body)).toContain(why);
  const service = (vm_template_contents: string) =>
    world.ask('alice', 'post', '/service-templates', {
      name: `booting-${++serial}`,
      roles: [{ name: 'web', vm_template: id, vm_template_contents }],
    });
  expect(JSON.stringify((await service('LABELS = "x"')).body)).toContain(why);
  expect((await service('NIC = [ NETWORK = "any" ]')).status).toBe(201);
  const vm = await off((await make('alice', {})).body.id);
  const later = await world.ask('alice', 'post', `/vms/${vm}/updateconf`, { template: { OS: { BOOT: 'disk3' } } });
  expect(later.body).toMatchObject({ status: 400, errors: [{ pointer: '/template/OS/BOOT' }] });
});

it('RAW is written by administrators alone, and used, and taken away, by whoever may use what has it', async () => {
  const refused = { status: 403, type: '/problems/not_authorized', errors: [{ pointer: '/template/RAW' }] };
  expect((await make('alice', raw)).body).toMatchObject(refused);
  const { id } = (await make('oneadmin', raw)).body;
  await world.ask('oneadmin', 'post', `/vm-templates/${id}/chmod`, { octet: '644' });
  const vm = await off(id);
  const configure = (change: object, append = false) =>
    world.ask('alice', 'post', `/vms/${vm}/updateconf`, { template: change, append });
  expect((await configure({ RAW: { TYPE: 'kvm', DATA: '<devices/>' } })).body).toMatchObject(refused);
  expect((await configure(raw)).status).toBe(200);
  expect((await configure({ OS: { ARCH: 'x86_64' } })).body.template).not.toHaveProperty('RAW');
  expect((await configure(raw)).body).toMatchObject(refused);
  const plain = (await make('alice', {})).body.id;
  expect((await world.ask('alice', 'post', '/vms', { template_id: plain, template: raw })).body).toMatchObject(refused);
  const patched = await world.ask('alice', 'patch', `/vm-templates/${plain}`, { template: raw });
  expect(patched.body).toMatchObject(refused);
  // Custom attributes of others stand in contents of roles: there it is nobody's.
  const service = {
    name: 'shop',
    roles: [{ name: 'web', vm_template: plain, vm_template_contents: 'RAW = [ TYPE = "kvm", DATA = "" ]' }],
  };
  const inContents = await world.ask('oneadmin', 'post', '/service-templates', service);
  expect(JSON.stringify(inContents.body)).toContain('RAW is for VM templates alone');
});

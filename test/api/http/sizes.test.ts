import { mongo } from 'mongoose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonBytes } from '../../../domain/bounds.js';
import { limits } from '../../../schemas/common/limits.js';
import { madeVm } from '../../support/made-vm.js';
import { createWorld, type World } from '../world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false });
});
afterAll(() => world.stop());

const ask = (...[method, path, body]: [Parameters<World['ask']>[1], string, object?]) =>
  world.ask('oneadmin', method, path, body);
const made = async (path: string, body: object): Promise<number> => {
  const response = await ask('post', path, body);
  expect(response.status, JSON.stringify(response.body).slice(0, 500)).toBeLessThan(300);
  return response.body.resource?.id ?? response.body.id;
};
const raw = (collection: string) =>
  world.mongodb.getClient().db(world.mongodb.name).collection<{ _id: number; name?: string }>(collection);
const pad = (bytes: number) => 'x'.repeat(bytes);
const pending = (_id: number) => madeVm({ _id, state: 'PENDING', lcm_state: 'LCM_INIT' });
const tooLarge = (pointer: string, most: string) => ({
  status: 400,
  type: '/problems/invalid_request',
  errors: [{ pointer, detail: expect.stringContaining(`at most ${most} are possible`) }],
});

describe('what grows bit by bit', () => {
  it('is measured with what the request leaves as it is: a VM template', async () => {
    const id = await made('/vm-templates', { name: 'growing', template: { CPU: 1, MEMORY: 64 } });
    const grow = (at: number) => ask('patch', `/vm-templates/${id}`, { template: { [`PART${at}`]: pad(20_000) } });
    for (const at of [1, 2, 3]) expect((await grow(at)).status).toBe(200);
    expect((await grow(4)).body).toMatchObject(tooLarge('/template', '64 KiB'));
    const { template } = (await ask('get', `/vm-templates/${id}`)).body;
    expect(Object.keys(template)).toEqual(['CPU', 'MEMORY', 'PART1', 'PART2', 'PART3']);
    const whole = { name: 'growing', template: { ...template, PART4: pad(20_000) } };
    expect((await ask('put', `/vm-templates/${id}`, whole)).body).toMatchObject(tooLarge('/template', '64 KiB'));
    expect((await ask('post', '/vm-templates', { ...whole, name: 'other' })).body).toMatchObject(
      tooLarge('/template', '64 KiB'),
    );
    // Over it, a request for a VM and a role.
    const over = { template_id: id, template: { OTHER: pad(10_000) } };
    expect((await ask('post', '/vms', over)).body).toMatchObject({ status: 400, type: '/problems/invalid_request' });
    const role = { name: 'web', vm_template: id, vm_template_contents: `OTHER="${pad(10_000)}"` };
    expect((await ask('post', '/service-templates', { name: 'large', roles: [role] })).body).toMatchObject({
      status: 400,
      errors: [{ pointer: '/roles/0/vm_template_contents', detail: expect.stringContaining('64 KiB') }],
    });
  });

  it('is measured so: a service template, the attributes of a host and of a cluster, a user template', async () => {
    const template = await made('/vm-templates', { name: 'small', template: { CPU: 1, MEMORY: 64 } });
    const service = await made('/service-templates', {
      name: 'growing',
      roles: [{ name: 'a', vm_template: template }],
    });
    const vm = await made('/vms', { template_id: template });
    const host = await made('/hosts', { name: 'growing', cpu: 1, memory: 1_000 });
    const cluster = await made('/clusters', { name: 'growing' });
    const text = pad(1_000);
    const attributes = (at: number) => Object.fromEntries([...Array(20)].map((_, nth) => [`A${at}_${nth}`, text]));
    const steps: [string, (at: number) => object, string, string][] = [
      [`/service-templates/${service}`, (at) => ({ [`part_${at}`]: pad(200_000) }), '', '512 KiB'],
      [`/vms/${vm}`, (at) => ({ user_template: { [`PART${at}`]: pad(50_000) } }), '/user_template', '128 KiB'],
      [`/hosts/${host}`, (at) => ({ attributes: attributes(at) }), '/attributes', '64 KiB'],
      [`/clusters/${cluster}`, (at) => ({ attributes: attributes(at) }), '/attributes', '64 KiB'],
    ];
    // As far as they may go but for one step: that whoever waits is told of each costs time here, where no engine answers.
    for (const collection of ['hosts', 'clusters'])
      await raw(collection).updateMany(
        { name: 'growing' },
        { $set: { attributes: { ...attributes(1), ...attributes(2), ...attributes(3) } } },
      );
    for (const [path, body, pointer, most] of steps) {
      const answers = [];
      for (let at = 4; at < 9 && (answers.at(-1)?.status ?? 200) === 200; at++)
        answers.push(await ask('patch', path, body(at)));
      expect(answers.at(-1)?.body, path).toMatchObject(tooLarge(pointer, most));
    }
  });

  it('may, when it is stored and too large, be read, made smaller, changed elsewhere and deleted', async () => {
    const id = await made('/vm-templates', { name: 'from before', template: { CPU: 1, MEMORY: 64 } });
    await raw('vm_templates').updateOne(
      { _id: id },
      { $set: { 'template.A': pad(300_000), 'template.B': pad(300_000) } },
    );
    const path = `/vm-templates/${id}`;
    expect(jsonBytes((await ask('get', path)).body.template)).toBeGreaterThan(600_000);
    expect((await ask('patch', path, { name: 'renamed' })).body).toMatchObject({ name: 'renamed' });
    expect((await ask('patch', path, { template: { MEMORY: 65 } })).status).toBe(200);
    expect((await ask('patch', path, { template: { C: 'x' } })).body).toMatchObject(tooLarge('/template', '64 KiB'));
    // Of it, no VM is made.
    expect((await ask('post', '/vms', { template_id: id })).body).toMatchObject({ status: 400 });
    expect((await ask('patch', path, { template: { B: null, C: 'x' } })).status).toBe(200);
    expect((await ask('delete', path)).status).toBe(204);
  });
});

describe('a page', () => {
  const page = async (path: string) => {
    const response = await ask('get', path);
    expect(response.status, JSON.stringify(response.body).slice(0, 500)).toBe(200);
    return response.body;
  };
  /** Ids of all pages, and how many there were on each. */
  async function pages(path: string): Promise<{ ids: (number | string)[]; sizes: number[] }> {
    const ids: (number | string)[] = [];
    const sizes: number[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { items, next_cursor } = await page(`${path}${cursor === '' ? '' : `&cursor=${cursor}`}`);
      ids.push(...items.map(({ id }: { id: number | string }) => id));
      sizes.push(items.length);
      cursor = next_cursor;
    }
    return { ids, sizes };
  }

  it('ends by bytes, and the next goes on, in every order; chosen fields are all that is read', async () => {
    const first = 1_000;
    const large = [...Array(100)].map((_, at) => ({
      ...pending(first + at),
      name: `large-${at % 7}`,
      created_at: new Date(at % 5),
      user_template: { NOTE: pad(100_000) },
    }));
    await world.store.vms.model.insertMany(large);
    const ids = large.map(({ _id }) => _id);
    const perPage = Math.floor(limits.pageBytes.most / 100_000) - 1;
    for (const sort of ['', '&sort=-id', '&sort=name', '&sort=-created_at']) {
      const read = await pages(`/vms?limit=1000&filter=name~large*${sort}`);
      expect(new Set(read.ids), sort).toEqual(new Set(ids));
      expect(read.ids, sort).toHaveLength(ids.length);
      expect(
        read.sizes.slice(0, -1).every((size) => size >= perPage - 2 && size <= perPage + 2),
        String(read.sizes),
      ).toBe(true);
    }
    const few = await pages('/vms?limit=1000&filter=name~large*&fields=id,name,state,lcm_state');
    expect(few.sizes).toEqual([100]);
    const ready = await page('/vms?limit=1&filter=name~large*&fields=id,ready,host');
    expect(ready.items).toEqual([{ id: first, ready: false, host: null }]);
    await world.store.vms.model.deleteMany({ _id: { $in: ids } });
  });

  it('has one item at least, of every kind that can be large', async () => {
    const template = await made('/vm-templates', { name: 'kind', template: { CPU: 1, MEMORY: 64 } });
    const kinds: [string, string, string, (name: string) => object][] = [
      ['vm-templates', 'vm_templates', 'template.NOTE', (name) => ({ name, template: { CPU: 1, MEMORY: 64 } })],
      [
        'service-templates',
        'service_templates',
        'body.note',
        (name) => ({ name, roles: [{ name: 'a', vm_template: template }] }),
      ],
      ['hosts', 'hosts', 'attributes.NOTE', (name) => ({ name, cpu: 1, memory: 1_000 })],
      ['clusters', 'clusters', 'attributes.NOTE', (name) => ({ name })],
      ['groups', 'groups', 'note', (name) => ({ name })],
    ];
    for (const [path, collection, field, body] of kinds) {
      const id = await made(`/${path}`, body('kind-0'));
      const [model] = await raw(collection).find({ _id: id }).toArray();
      await raw(collection).deleteOne({ _id: id });
      for (const at of [1, 2, 3]) {
        await raw(collection).insertOne({ ...model, _id: 9_000 + at, name: `kind-${at}` });
        const size = at === 2 ? 5_000_000 : 3_000_000;
        await raw(collection).updateOne({ _id: 9_000 + at }, { $set: { [field]: pad(size) } });
      }
      expect((await pages(`/${path}?filter=name~kind-*`)).sizes, path).toEqual([1, 1, 1]);
      expect(await raw(collection).deleteMany({ [field]: { $exists: true } })).toMatchObject({ deletedCount: 3 });
    }
  });
});

describe('what a step reads of VMs', () => {
  it('is without their contents, however large those are, and enough to place them and to see that they are ready', async () => {
    const service = { id: 77, role: 'web' };
    const [template, user_template] = [{ NOTE: pad(limits.vmTemplate.most) }, { NOTE: pad(limits.vmTemplate.most) }];
    const wishes = { READY: 'yes', SCHED_REQUIREMENTS: 'ID = 1', SCHED_RANK: 'FREE_CPU' };
    const vms = [...Array(120)].map((_, at) => ({
      ...pending(2_000 + at),
      service: { ...service, ordinal: at },
      ...{ template, user_template: { ...user_template, ...wishes } },
    }));
    await world.store.vms.model.insertMany(vms);
    const read = await world.store.vms.ofService(service.id);
    expect(read.map(({ _id }) => _id)).toEqual(vms.map(({ _id }) => _id));
    expect(read[0]?.user_template).toEqual(wishes);
    const bytes = read.reduce((sum, vm) => sum + mongo.BSON.calculateObjectSize(vm), 0);
    expect(bytes / read.length).toBeLessThan(2_000);
    const { template: _t, user_template: _u, ...rest } = vms[0] ?? pending(0);
    expect(read[0]).toMatchObject(rest);
    expect(jsonBytes((await world.store.vms.contentsOf([2_003])).get(2_003)?.())).toBe(jsonBytes(template));
  });

  it('is cut where guests write large values into what steps do read', async () => {
    const long = { READY: pad(100_000), SCHED_REQUIREMENTS: pad(50_000), SCHED_RANK: { not: pad(50_000) } };
    await world.store.vms.model.insertMany([{ ...pending(3_000), user_template: long }]);
    const [vm] = await world.store.vms.byIds([3_000]);
    // Still too long to be an expression.
    const cut = pad(limits.expression.most + 1);
    expect(vm?.user_template).toEqual({ READY: cut, SCHED_REQUIREMENTS: cut });
  });
});

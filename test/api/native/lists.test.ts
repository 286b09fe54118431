import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeTable } from '../../../api/native/route-table.js';
import { createWorld, type World } from '../world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false });
  // Some names twice: then ids decide.
  for (const name of ['web-2', 'db', 'web-1', 'db', 'cache', 'web-3'].map((text, at) => [text, at] as const))
    await world.ask('oneadmin', 'post', '/vm-templates', {
      name: name[0] === 'db' ? `db-${name[1]}` : name[0],
      template: { CPU: 1, MEMORY: 64 },
    });
  for (const name of ['a', 'b']) await world.ask('oneadmin', 'post', '/vms', { template_id: 0, name });
  for (const name of ['b', 'a']) await world.ask('oneadmin', 'post', '/vms', { template_id: 0, name });
  await world.store.vms.model.updateOne({ _id: 3 }, { $set: { state: 'DONE' } });
});
afterAll(() => world.stop());

const ask = async (path: string, who = 'oneadmin') => {
  const response = await world.ask(who, 'get', path);
  expect(response.status, JSON.stringify(response.body)).toBe(200);
  return response;
};
const names = async (query: string) =>
  (await ask(`/vm-templates?${query}`)).body.items.map(({ name }: { name: string }) => name);
const at = encodeURIComponent;

describe('a list', () => {
  it('has the items for which all conditions hold', async () => {
    expect(await names(`filter=${at('name~web*')}`)).toEqual(['web-2', 'web-1', 'web-3']);
    expect(await names(`filter=${at('name~web*,id>0')}`)).toEqual(['web-1', 'web-3']);
    expect(await names(`filter=${at('name!~*-*')}`)).toEqual(['cache']);
    expect(await names(`filter=${at('name=cache|db-1')}`)).toEqual(['db-1', 'cache']);
    expect(await names(`filter=${at('created_at<2020-01-01')}`)).toEqual([]);
    expect(await names(`filter=${at('name~web?1')}`)).toEqual(['web-1']);
    expect(await names(`filter=${at('name~.*')}`)).toEqual([]);
  });

  it('is sorted by a field, forwards and backwards', async () => {
    const sorted = ['cache', 'db-1', 'db-3', 'web-1', 'web-2', 'web-3'];
    expect(await names('sort=name')).toEqual(sorted);
    expect(await names('sort=-name')).toEqual([...sorted].reverse());
    expect(await names('sort=-id')).toEqual([...(await names('sort=id'))].reverse());
    expect(await names('sort=-created_at')).toEqual([...(await names('sort=id'))].reverse());
  });

  it.each(['name', '-name', 'created_at', '-created_at', 'id', '-id'])(
    'sorted by %s holds each item once over its pages, and the Link header keeps the order',
    async (sort) => {
      const whole = (await ask(`/vms?sort=${sort}`)).body.items.map(({ id }: { id: number }) => id);
      const seen: number[] = [];
      for (let path: string | undefined = `/vms?limit=1&sort=${sort}`; path !== undefined; ) {
        const page = await ask(path);
        seen.push(...page.body.items.map(({ id }: { id: number }) => id));
        path = /^<\/api\/v1([^>]+)>/.exec(page.headers.link ?? '')?.[1];
      }
      expect(seen).toEqual(whole);
      expect(whole).toHaveLength(3);
    },
  );

  it('leaves VMs that are DONE out until a filter names states', async () => {
    expect((await ask('/vms')).body.items).toHaveLength(3);
    expect((await ask('/vms?filter=state=DONE')).body.items).toMatchObject([{ id: 3 }]);
    expect((await ask(`/vms?filter=${at('state=DONE|PENDING')}`)).body.items).toHaveLength(4);
    expect((await ask('/vms?filter=service_id=null')).body.items).toHaveLength(3);
    expect((await ask('/vms?filter=service_id=7')).body.items).toHaveLength(0);
  });

  it('of operations is filtered by the beginning of an id, by type and by resource', async () => {
    const [newest] = (await ask('/operations')).body.items;
    const found = await ask(`/operations?filter=${at(`id~${newest.id}*,type=deployVm,resource_name=a`)}`);
    expect(found.body.items).toEqual([newest]);
    expect((await ask('/operations?sort=id')).body.items.at(-1)).toEqual(newest);
    expect((await ask('/operations?filter=type=deployService')).body.items).toEqual([]);
  });

  it('answers only the fields that were asked for', async () => {
    const { items } = (await ask('/vms?fields=name,id&sort=name')).body;
    expect(items).toEqual([
      { id: 0, name: 'a' },
      { id: 1, name: 'b' },
      { id: 2, name: 'b' },
    ]);
  });

  it('shows nobody more than before, however it is asked', async () => {
    for (const query of ['sort=name', `filter=${at('name~*')}`, 'filter=uid=0', `filter=${at('uid!=2')}`])
      expect((await ask(`/vms?${query}`, 'alice')).body.items).toEqual([]);
  });
});

describe('a list is not answered', () => {
  it.each([
    ['/vms?sort=state', '/sort', /cannot be sorted by "state"; known are id, name, created_at/],
    ['/vms?sort=nmae', '/sort', /did you mean "name"/],
    ['/vms?sort=name,id', '/sort', /cannot be sorted by "name,id"/],
    ['/vms?fields=id,nam', '/fields', /did you mean "name"/],
    ['/vms?fields=', '/fields', /names ""/],
    ['/vms?filter=nam=x', '/filter', /did you mean "name"/],
    ['/vms?filter=name=x&filter=name=y', '/filter', /given 2 times/],
    [`/vms?filter=name=${'x'.repeat(1_001)}`, '/filter', /at most 1000/],
    ['/vms?filter[name]=x', '/filter[name]', /not known here/],
  ])('for %s', async (path, pointer, detail) => {
    const response = await world.ask('oneadmin', 'get', path);
    expect(response.body).toMatchObject({
      status: 400,
      type: '/problems/invalid_request',
      errors: [{ pointer, detail: expect.stringMatching(detail) }],
    });
  });

  it('for a cursor of another order', async () => {
    const cursorOf = async (query: string) => (await ask(`/vms?limit=1${query}`)).body.next_cursor;
    const [plain, byName, backwards] = [
      await cursorOf(''),
      await cursorOf('&sort=name'),
      await cursorOf('&sort=-name'),
    ];
    for (const [cursor, query] of [
      [plain, '&sort=name'],
      [byName, ''],
      [byName, '&sort=-name'],
      [backwards, '&sort=name'],
      [byName, '&sort=created_at'],
      [byName, '&sort=-id'],
    ]) {
      const response = await world.ask('oneadmin', 'get', `/vms?cursor=${cursor}${query}`);
      expect(response.body, query).toMatchObject({ status: 400, errors: [{ pointer: '/cursor' }] });
    }
  });

  it('for a cursor that was made by hand', async () => {
    const made = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const cursor of [
      ['name', { $gt: '' }, 1],
      ['name', 'a', { $gt: 0 }],
      ['name', 1, 1],
      { $gt: '' },
      null,
      'x',
    ].map(made)) {
      const response = await world.ask('oneadmin', 'get', `/vms?sort=name&cursor=${cursor}`);
      expect(response.body).toMatchObject({ status: 400, errors: [{ pointer: '/cursor' }] });
    }
    // What is no base64url is no beginning of the list; -1, 1.5, 1e3, a blank and 2^60 are no ids.
    const ids = ['-1', '1.5', '1e3', ' ', String(2 ** 60)].map((text) => Buffer.from(text).toString('base64url'));
    for (const cursor of ['%00%ff', '%00', '!!', 'MQ%3D%3D', 'M%20Q', ...ids]) {
      const response = await world.ask('oneadmin', 'get', `/vms?cursor=${cursor}`);
      expect(response.body, cursor).toMatchObject({ status: 400 });
    }
    expect((await world.ask('oneadmin', 'get', '/vms?cursor=MQ')).status).toBe(200);
  });
});

it('every list of the table takes a filter, a sort and fields', () => {
  const lists = routeTable.filter(({ id }) => id.startsWith('list'));
  expect(lists.length).toBeGreaterThan(8);
  for (const { id, query } of lists)
    expect(Object.keys(query.shape), id).toEqual(expect.arrayContaining(['filter', 'sort', 'fields']));
});

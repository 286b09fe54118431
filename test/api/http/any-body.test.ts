import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { noBody, type Route } from '../../../api/native/route.js';
import { routeTable } from '../../../api/native/route-table.js';
import { createWorld, type World } from '../world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld({ withTemporal: true });
  await world.ask('oneadmin', 'post', '/vm-templates', { name: 'small', template: { CPU: 1, MEMORY: 64 } });
  await world.ask('oneadmin', 'post', '/hosts', { name: 'host-1', cpu: 1, memory: 64 });
  const roles = [{ name: 'web', vm_template: 0 }];
  await world.ask('oneadmin', 'post', '/service-templates', { name: 'shop', roles });
  await world.ask('oneadmin', 'post', '/vms', { template_id: 0 });
  await world.ask('oneadmin', 'post', '/services', { template_id: 0 });
});
afterAll(() => world.stop());

/** Names that mean something to JavaScript, MongoDB or Arcus, beside any. */
const name = fc.oneof(
  fc.constantFrom(
    '$set',
    '$where',
    'a.b',
    '',
    'constructor',
    'toString',
    '_id',
    'uid',
    'permissions',
    'state',
    'wanted',
  ),
  fc.constantFrom('name', 'template', 'CPU', 'cpu', 'MEMORY', 'roles', 'vm_template', 'parents', 'cardinality', 'hard'),
  fc.constantFrom('user_template', 'READY', 'merge_template', 'custom_attrs', 'vm_template_contents', 'template_id'),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const leaf = fc.oneof(
  fc.constantFrom(null, true, 0, -1, 1e308, 5e-324, 2 ** 53, '', 'x'.repeat(2000), '$name', '\u0000', '\ud800', 'YES'),
  fc.constantFrom('NAME=[', 'CPU="1', 'straight', 'web', 'simulated', 'enabled', '0', '١'),
  fc.integer({ min: -2, max: 3 }),
  fc.double({ noNaN: true }),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

/** Bodies that get past the shape now and then: a valid one with members replaced or added. */
const valid: Record<string, Record<string, unknown>> = {
  createHost: { name: 'host-9', cpu: 4, memory: 4096 },
  createVmTemplate: { name: 'other', template: { CPU: 1, MEMORY: 128 } },
  createVm: { template_id: 0 },
  createServiceTemplate: { name: 'other', roles: [{ name: 'web', vm_template: 0 }] },
  replaceServiceTemplate: { name: 'other', roles: [{ name: 'web', vm_template: 0 }] },
  createService: { template_id: 0 },
  answerOperation: { answer: 'retry' },
};
const bodyFor = (route: Route) =>
  fc.oneof(
    anyValue,
    fc
      .dictionary(name, anyValue, { maxKeys: 3, noNullPrototype: true })
      .map((members) => ({ ...valid[route.id], ...members })),
  );

it.each(routeTable.filter((route) => route.body !== noBody).map((route) => [route.id, route] as const))(
  '%s answers any JSON with a success or a problem of the client, never with a fault of its own',
  async (_id, route) => {
    await fc.assert(
      fc.asyncProperty(bodyFor(route), async (body) => {
        const path = route.path.replace('{id}', '0');
        const sent = world.ask('oneadmin', route.method, path).set('Content-Type', 'application/json');
        const response = await sent.serialize((text: unknown) => JSON.stringify(text)).send(Object(body));
        expect(response.status, JSON.stringify(response.body)).toBeLessThan(500);
      }),
      // Other ones each time: routes that read bodies by the same code have some hundreds together.
      { numRuns: 20 },
    );
  },
);

it('a route that takes no body refuses one that says something, and changes nothing; one that says nothing is none', async () => {
  const routes = routeTable.filter(({ body, method }) => body === noBody && method !== 'get');
  expect(routes.map(({ id }) => id)).toEqual(expect.arrayContaining(['flushHost', 'resumeVm', 'deleteHost']));
  const before = await world.digests();
  for (const { id, method, path } of routes) {
    const address = path.replaceAll(/\{\w+\}/g, '0');
    const { body } = await world.ask('oneadmin', method, address, { force: true });
    expect(body, id).toMatchObject({
      type: '/problems/invalid_request',
      errors: expect.arrayContaining([{ pointer: '/force', detail: expect.any(String) }]),
    });
    const list = await world.ask('oneadmin', method, address).set('Content-Type', 'text/plain').send('force');
    expect(list.body, id).toMatchObject({ type: '/problems/unsupported_media_type' });
  }
  expect(await world.digests()).toEqual(before);
  expect((await world.ask('oneadmin', 'post', '/hosts/0/flush', {})).status).toBe(202);
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idOf, tagOf } from '../../../api/native/kind-words.js';
import type { Route } from '../../../api/native/route.js';
import { routeTable } from '../../../api/native/route-table.js';
import { permissionsOf } from '../../../domain/identity/permission-bits.js';
import { kinds, type ManagedKind, managedKinds, ownedKinds } from '../../../schemas/kinds.js';
import { made } from '../../support/made-kinds.js';
import { makeOwnedService } from '../../support/owned-service.js';
import { publishedApp } from '../../support/published-app.js';
import { createWorld, type Method, type World } from '../world.js';

let world: World;

/** A body that is valid, for each route that needs one. */
const bodies: Record<string, object> = {
  ...Object.fromEntries(
    managedKinds.flatMap((kind) => [
      [`create${idOf(kind)}`, made[kind].body('other', 0)],
      [`replace${idOf(kind)}`, made[kind].body('other', 0)],
      [`update${idOf(kind)}`, made[kind].patch(0)],
    ]),
  ),
  ...Object.fromEntries(
    ownedKinds.flatMap((kind) => [
      [`chmod${idOf(kind)}`, { octet: '640' }],
      [`chown${idOf(kind)}`, { gid: 1 }],
    ]),
  ),
  createImage: { name: 'other', source: { empty: { size_mb: 1 } } },
  updateImage: { description: 'other' },
  cloneImage: { name: 'copy' },
  publishApp: { name: 'other', market_id: 0, image_id: 0 },
  updateApp: { description: 'other' },
  exportApp: { name: 'copy' },
  resizeImage: { size_mb: 20 },
  createVm: { template_id: 0 },
  importWild: { wild: 'one-12' },
  updateVm: { user_template: { READY: 'YES' } },
  createService: { template_id: 0 },
  cloneServiceTemplate: { name: 'copy' },
  updateService: { name: 'other' },
  scaleRole: { cardinality: 2 },
  addRole: { name: 'cache', vm_template: 0 },
  replacePolicies: { elasticity_policies: [] },
  replaceSchedules: { scheduled_policies: [] },
  performOnRole: { action: 'resume' },
  performOnVm: { action: 'reboot' },
  addVmSchedule: { action: 'resume', recurrence: '0 6 * * *' },
  deployVm: { host: 0 },
  migrateVm: {},
  resizeVm: { memory: 64 },
  configureVm: { template: {} },
  addRange: { type: 'ETHER', size: 1 },
  resizeRange: { size: 2 },
  holdAddress: { ip: '10.0.0.1' },
  releaseAddress: { ip: '10.0.0.1' },
  reserveAddresses: { name: 'part', size: 1 },
  instantiateNetworkTemplate: { name: 'lab' },
  attachNic: { network: 'public' },
  attachDisk: { type: 'fs', size: 10 },
  resizeDisk: { size: 20 },
  saveDisk: { name: 'copy' },
  restoreDisk: { image_id: 1 },
  snapshotDisk: { name: 'first' },
  performOnService: { action: 'resume' },
  answerOperation: { answer: 'retry' },
  updateUserQuota: { vms: 1 },
  updateGroupQuota: { vms: 1 },
  recoverVm: { action: 'retry' },
  updateUser: { enabled: false },
  setPassword: { password: 'long-enough' },
  updateGroup: { shared_view: true },
};
const ulid = (id: string): string => (id === 'unknown' ? '01KAJ3V5Q0F8T4X2M7N9P6R1SC' : id);
const ids: Record<string, (id: string) => string> = { Operations: ulid, 'Consistency checks': ulid };
/** Ids of objects of oneadmin, by tag. */
const present: Record<string, string> = {};

const others: Record<string, string> = { group_id: '1', user_id: '0', token_id: '0', role: 'web' };
const pathTo = (route: Route, id: string) =>
  route.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => others[name] ?? id);
const named = routeTable.filter(({ path }) => path.includes('{id}'));
/** Of one's own tokens another's is none. */
const isOthers = ({ path }: Route): boolean => path !== '/tokens/{id}';

beforeAll(async () => {
  world = await createWorld({ withTemporal: true });
  const make = async (path: string, body: object) => {
    const response = await world.ask('oneadmin', 'post', path, body);
    expect(response.status, JSON.stringify(response.body)).toBeLessThan(300);
    return response.body;
  };
  const names: Partial<Record<ManagedKind, string>> = {
    host: 'host-1',
    vm_template: 'small',
    service_template: 'shop',
  };
  for (const kind of managedKinds) {
    const { id } = await make(kinds[kind].path, made[kind].body(names[kind] ?? `${kind}-1`, 0));
    present[tagOf(kind)] = String(id);
  }
  const image = await make('/images', { name: 'first', source: { empty: { size_mb: 1 } } });
  const app = await publishedApp(make, world.store, 'first app');
  const vm = await make('/vms', { template_id: 0 });
  const service = await make(`/service-templates/${present['Service templates']}/instantiate`, {});
  const check = await make('/consistency-checks', {});
  const rule = await make('/acls', { rule: '#0 VM/* USE' });
  Object.assign(present, {
    Images: String(image.resource.id),
    Apps: String(app),
    VMs: String(vm.resource.id),
    Services: String(service.resource.id),
    Operations: service.id,
    'Consistency checks': check.id,
    Quotas: '0',
    Users: '0',
    Groups: '0',
    Tokens: '0',
    'ACL rules': String(rule.id),
  });
});
afterAll(() => world.stop());

/** Sends a request that must be refused, and shows that it has written nothing. */
async function refused(
  who: string,
  method: Method,
  path: string,
  body: object | undefined,
  expected: { status: number; code: string; detail?: RegExp },
) {
  const before = await world.digests();
  const response = await world.ask(who, method, path, body);
  expect(response.body, `${method} ${path}`).toMatchObject({
    status: expected.status,
    type: `/problems/${expected.code}`,
    title: expect.stringMatching(/\w/),
    detail: expect.stringMatching(expected.detail ?? /^[A-Z/0-9].{10,}[.:;]/),
    request_id: response.headers['x-request-id'],
  });
  expect(response.status).toBe(expected.status);
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(await world.digests()).toEqual(before);
  return response.body;
}

describe('an object that does not exist', () => {
  it.each(named.map((route) => [route.id, route] as const))('%s answers 404 and names it', async (_id, route) => {
    const id = ids[route.tag]?.('unknown') ?? '999999';
    const detail = new RegExp(id);
    await refused('oneadmin', route.method, pathTo(route, id), bodies[route.id], {
      status: 404,
      code: 'not_found',
      detail,
    });
  });

  it.each([
    ['a VM', 'post', '/vms', { template_id: 999 }, /999/],
    ['a service', 'post', '/services', { template_id: 999 }, /999/],
  ] as const)('is the template of %s', async (_what, method, path, body, detail) => {
    await refused('oneadmin', method, path, body, { status: 404, code: 'not_found', detail });
  });
});

describe('somebody without rights', () => {
  it.each(named.filter(isOthers).map((route) => [route.id, route] as const))('is refused by %s', async (_id, route) => {
    const path = pathTo(route, present[route.tag] ?? '');
    await refused('alice', route.method, path, bodies[route.id], { status: 403, code: 'not_authorized' });
  });

  it.each([
    ['a host', 'post', '/hosts', { name: 'mine', cpu: 1, memory: 1 }, 403, 'not_authorized'],
    ['a check of consistency', 'post', '/consistency-checks', {}, 403, 'not_authorized'],
    ['a user', 'post', '/users', { name: 'mine', password: 'long-enough' }, 403, 'not_authorized'],
    ['a group', 'post', '/groups', { name: 'mine' }, 403, 'not_authorized'],
    ['a rule', 'post', '/acls', { rule: '#2 VM/* MANAGE' }, 403, 'not_authorized'],
    ['default quotas', 'patch', '/quotas/defaults', { users: { vms: 1 } }, 403, 'not_authorized'],
    ['a list of such checks', 'get', '/consistency-checks', undefined, 403, 'not_authorized'],
    ['a VM of a template that is not his', 'post', '/vms', { template_id: 0 }, 403, 'not_authorized'],
    ['a service of a template that is not his', 'post', '/services', { template_id: 0 }, 403, 'not_authorized'],
  ] as const)('cannot make %s', async (_what, method, path, body, status, code) => {
    await refused('alice', method, path, body, { status, code });
  });

  it('cannot build a service template on a VM template that is not his', async () => {
    const problem = await refused('alice', 'post', '/service-templates', bodies.createServiceTemplate, {
      status: 403,
      code: 'not_authorized',
    });
    expect(problem.detail).toBe('You need the USE right on VM template 0.');
    expect(problem.errors).toEqual([
      { pointer: '/roles/0/vm_template', detail: expect.stringMatching(/VM template 0/) },
    ]);
  });

  it.each(['/hosts', '/vm-templates', '/service-templates', '/vms', '/services', '/operations'])(
    'sees nothing in %s',
    async (path) => {
      const response = await world.ask('alice', 'get', path);
      expect(response.body).toEqual({ items: [], next_cursor: null });
      expect((await world.ask('oneadmin', 'get', path)).body.items).not.toHaveLength(0);
    },
  );
});

describe('a wrong moment', () => {
  it('is a second operation on a service that is being deployed: the problem names the first', async () => {
    const problem = await refused('oneadmin', 'post', `/services/${present.Services}/recover`, undefined, {
      status: 409,
      code: 'operation_in_progress',
    });
    expect(problem.operation).toBe(present.Operations);
  });

  it('is a second check of consistency: the problem names the first', async () => {
    const problem = await refused(
      'oneadmin',
      'post',
      '/consistency-checks',
      { repair: true },
      {
        status: 409,
        code: 'operation_in_progress',
      },
    );
    expect(problem.operation).toBe(present['Consistency checks']);
  });

  it('is work on a VM that is DONE', async () => {
    const { resource } = (await world.ask('oneadmin', 'post', '/vms', { template_id: 0 })).body;
    await world.store.vms.model.updateOne({ _id: resource.id }, { $set: { state: 'DONE', operation: null } });
    const path = `/vms/${resource.id}`;
    await refused('oneadmin', 'post', `${path}/terminate`, {}, { status: 409, code: 'wrong_state', detail: /DONE/ });
    for (const action of ['success', 'failure', 'retry', 'delete', 'recreate'])
      await refused(
        'oneadmin',
        'post',
        `${path}/recover`,
        { action },
        { status: 409, code: 'wrong_state', detail: /gone/ },
      );
    await refused('oneadmin', 'post', `${path}/resume`, undefined, {
      status: 409,
      code: 'wrong_state',
      detail: /DONE/,
    });
    await refused('oneadmin', 'patch', path, bodies.updateVm, { status: 409, code: 'wrong_state', detail: /DONE/ });
  });

  it('is a claim about a VM by somebody who may only manage it', async () => {
    const { resource } = (await world.ask('oneadmin', 'post', '/vms', { template_id: 0 })).body;
    const rights = { use: true, manage: true, admin: false };
    await world.store.vms.model.updateOne(
      { _id: resource.id },
      { $set: { state: 'ACTIVE', lcm_state: 'UNKNOWN', operation: null, 'permissions.other': rights } },
    );
    for (const action of ['success', 'failure'])
      await refused(
        'alice',
        'post',
        `/vms/${resource.id}/recover`,
        { action },
        { status: 403, code: 'not_authorized', detail: /ADMIN/ },
      );
    expect((await world.ask('alice', 'post', `/vms/${resource.id}/recover`, { action: 'retry' })).status).toBe(202);
  });

  it('is the repair of a service of which nothing is amiss', async () => {
    const { resource } = (await world.ask('oneadmin', 'post', '/services', { template_id: 0 })).body;
    await world.store.services.model.updateOne(
      { _id: resource.id },
      { $set: { state: 'FAILED_DEPLOYING', operation: null } },
    );
    await refused('oneadmin', 'post', `/services/${resource.id}/repair`, undefined, {
      status: 409,
      code: 'wrong_state',
      detail: /FAILED_DEPLOYING: only what is in WARNING is repaired. Recover it/,
    });
  });

  it('is the recovery of a service of which every role runs again: it is RUNNING from then on', async () => {
    const id = 900;
    await makeOwnedService(world.store, id, {
      owner: { uid: 0, gid: 0, permissions: permissionsOf('600') },
      vms: 4,
      state: 'FAILED_DEPLOYING',
    });
    const failed = { 'roles.$[].state': 'FAILED_DEPLOYING', 'roles.$[].reason': '0 of 1 VMs run' };
    await world.store.services.model.updateOne({ _id: id }, { $set: failed });
    const { body } = await world.ask('oneadmin', 'post', `/services/${id}/recover`);
    expect(body).toMatchObject({ status: 409, detail: expect.stringMatching(/is RUNNING/) });
    expect((await world.ask('oneadmin', 'get', `/services/${id}`)).body).toMatchObject({ state: 'RUNNING' });
  });

  it('is work on a service that is DONE', async () => {
    const { resource } = (await world.ask('oneadmin', 'post', '/services', { template_id: 0 })).body;
    await world.store.services.model.updateOne({ _id: resource.id }, { $set: { state: 'DONE', operation: null } });
    const path = `/services/${resource.id}`;
    await refused('oneadmin', 'post', `${path}/undeploy`, {}, { status: 409, code: 'wrong_state', detail: /DONE/ });
    for (const deed of ['recover', 'repair'])
      await refused('oneadmin', 'post', `${path}/${deed}`, undefined, {
        status: 409,
        code: 'wrong_state',
        detail: /DONE/,
      });
  });

  describe('for an operation', () => {
    const set = (change: object) =>
      world.store.operations.model.updateOne({ _id: present.Operations }, { $set: change });
    const path = (deed: string) => `/operations/${present.Operations}/${deed}`;
    const wrong = (detail: RegExp) => ({ status: 409, code: 'wrong_state', detail });
    const body = { answer: 'skip' };

    it('is a retry or an answer while it is at work', async () => {
      await refused('oneadmin', 'post', path('answer'), body, wrong(/it asks nothing/));
      const problem = await refused('oneadmin', 'post', path('retry'), undefined, {
        status: 409,
        code: 'operation_in_progress',
      });
      expect(problem.operation).toBe(present.Operations);
    });

    it('is an answer after another’s, which is named', async () => {
      const at = new Date('2026-11-01T10:00:00Z');
      await set({ answer: { answer: 'retry', roles: ['web'], by: { id: 2, name: 'alice' }, at } });
      await refused('oneadmin', 'post', path('answer'), body, wrong(/^alice answered retry at 2026-11-01T10:00:00/));
      await set({ answer: null });
    });

    it('is an answer while it is to be cancelled', async () => {
      await set({ state: 'waiting_for_you', cancel_requested: { by: { id: 2, name: 'alice' }, at: new Date() } });
      await refused('oneadmin', 'post', path('answer'), body, wrong(/being cancelled: alice/));
      await set({ state: 'accepted', cancel_requested: null });
    });

    it('is a cancel, an answer or a retry when it has succeeded', async () => {
      const before = await world.store.operations.find(present.Operations ?? '');
      await set({ state: 'succeeded', ended_at: new Date() });
      await refused('oneadmin', 'post', path('cancel'), undefined, wrong(/has ended: it is succeeded/));
      await refused('oneadmin', 'post', path('answer'), body, wrong(/has ended: it is succeeded/));
      await refused('oneadmin', 'post', path('retry'), undefined, wrong(/nothing to try again/));
      await set({ state: before?.state, ended_at: null });
    });

    it('is a retry when another came after it', async () => {
      const first = (await world.ask('oneadmin', 'post', '/vms', { template_id: 0 })).body;
      await world.ask('oneadmin', 'post', `/operations/${first.id}/cancel`);
      const second = (await world.ask('oneadmin', 'post', `/operations/${first.id}/retry`)).body;
      expect(second).toMatchObject({ type: 'deployVm', retry_of: first.id });
      await refused('oneadmin', 'post', `/operations/${first.id}/retry`, undefined, wrong(new RegExp(second.id)));
    });

    it('is a retry whose key another request has used; the same request is the same operation', async () => {
      const { id } = (await world.ask('oneadmin', 'post', '/vms', { template_id: 0 })).body;
      await world.ask('oneadmin', 'post', `/operations/${id}/cancel`);
      const again = () => world.ask('oneadmin', 'post', `/operations/${id}/retry`).set('Idempotency-Key', 'again');
      const [first, second] = [await again(), await again()];
      expect([first.status, second.status]).toEqual([202, 202]);
      expect(second.body.id).toBe(first.body.id);
      const other = await world.ask('oneadmin', 'post', path('retry')).set('Idempotency-Key', 'again');
      expect(other.body).toMatchObject({ status: 409, type: '/problems/idempotency_key_reused' });
    });

    it('is what concerns a VM that is not the caller’s to manage, though the operation is', async () => {
      const { id } = (await world.ask('oneadmin', 'post', '/vms', { template_id: 0 })).body;
      await world.store.operations.model.updateOne({ _id: id }, { $set: { 'permissions.other.manage': true } });
      for (const deed of ['cancel', 'answer', 'retry'])
        await refused('alice', 'post', `/operations/${id}/${deed}`, deed === 'answer' ? body : undefined, {
          status: 403,
          code: 'not_authorized',
          detail: /MANAGE right on VM/,
        });
    });
  });

  it.each([
    ['/hosts', { name: 'host-1', cpu: 1, memory: 1 }],
    ['/vm-templates', { name: 'small', template: { CPU: 1, MEMORY: 1 } }],
    ['/service-templates', { name: 'shop', roles: [] }],
  ])('is a name that is taken in %s', async (path, body) => {
    await refused('oneadmin', 'post', path, body, { status: 409, code: 'name_taken' });
  });

  it('is the removal of a VM template that a service template needs', async () => {
    await refused('oneadmin', 'delete', `/vm-templates/${present['VM templates']}`, undefined, {
      status: 409,
      code: 'in_use',
      detail: /shop/,
    });
  });

  it('is no removal of a VM template that service templates of others alone need, who hear of it', async () => {
    const { body } = await world.ask('oneadmin', 'post', '/vm-templates', {
      ...{ name: 'lent', template: { CPU: 1, MEMORY: 1 } },
    });
    const path = `/vm-templates/${body.id}`;
    await world.ask('oneadmin', 'post', `${path}/chmod`, { octet: '604' });
    const roles = [{ name: 'web', vm_template: body.id }];
    const theirs = await world.ask('alice', 'post', '/service-templates', { name: 'on-lent', roles });
    expect(theirs.status, theirs.text).toBe(201);
    const own = await world.ask('oneadmin', 'post', '/service-templates', { name: 'on-own', roles });
    await refused('oneadmin', 'delete', path, undefined, { status: 409, code: 'in_use', detail: /on-own/ });
    await world.ask('oneadmin', 'delete', `/service-templates/${own.body.id}`);
    expect((await world.ask('oneadmin', 'delete', path)).status).toBe(204);

    const template = `/service-templates/${theirs.body.id}`;
    const detail = `There is no VM template ${body.id}.`;
    const started = await world.ask('alice', 'post', `${template}/instantiate`, {});
    expect(started.body).toMatchObject({
      ...{ status: 400, errors: [{ pointer: '/merge_template/roles/0/vm_template', detail }] },
    });
    // Nor does it stand in the way of other changes.
    expect((await world.ask('alice', 'patch', template, { name: 'without' })).body).toMatchObject({ name: 'without' });
    expect((await world.ask('alice', 'delete', template)).status).toBe(204);
  });

  it('is the removal of a VM template of which services live, which are named as far as they may be seen', async () => {
    const owned = async (path: string, body: object) => (await world.ask('oneadmin', 'post', path, body)).body.id;
    const id = await owned('/vm-templates', { name: 'lived-of', template: { CPU: 1, MEMORY: 1 } });
    const services = Array.from({ length: 12 }, (_, at) => 900_000 + at);
    const owner = { uid: 0, gid: 0, permissions: permissionsOf('600') };
    for (const service of services) await makeOwnedService(world.store, service, { owner, vms: 1 });
    const { model } = world.store.services;
    const ofThem = { _id: { $in: services } };
    await model.updateMany(ofThem, { $set: { 'roles.0.vm_template': id } });
    await refused('oneadmin', 'delete', `/vm-templates/${id}`, undefined, {
      ...{ status: 409, code: 'in_use' },
      detail: /^Services 900000 \(.*\), .* and 2 more use VM template \d+\. Undeploy or delete what uses it first\.$/,
    });
    await world.store.vmTemplates.model.updateOne({ _id: id }, { $set: { 'permissions.other.manage': true } });
    await refused('alice', 'delete', `/vm-templates/${id}`, undefined, {
      ...{ status: 409, code: 'in_use' },
      detail: /^12 services of others use VM template/,
    });
    await model.updateMany(ofThem, { $set: { state: 'DONE' } });
    expect((await world.ask('oneadmin', 'delete', `/vm-templates/${id}`)).status).toBe(204);
    await model.deleteMany(ofThem);
    await world.store.vms.model.deleteMany({ 'service.id': { $in: services } });
  });

  it('is a key that another request has used', async () => {
    const path = `/service-templates/${present['Service templates']}/instantiate`;
    const first = await world.ask('oneadmin', 'post', path, {}).set('Idempotency-Key', 'once');
    const before = await world.digests();
    const again = await world.ask('oneadmin', 'post', path, {}).set('Idempotency-Key', 'once');
    const other = await world
      .ask('oneadmin', 'post', path, { merge_template: { name: 'x' } })
      .set('Idempotency-Key', 'once');
    expect(again.status).toBe(202);
    expect(again.body.id).toBe(first.body.id);
    expect(other.body).toMatchObject({ status: 409, type: '/problems/idempotency_key_reused' });
    expect(await world.digests()).toEqual(before);
  });
});

describe('a body whose shape is right and whose sense is not', () => {
  it.each([
    [
      'roles that wait for each other',
      {
        name: 'x',
        roles: [
          { name: 'a', vm_template: 0, parents: ['b'] },
          { name: 'b', vm_template: 0, parents: ['a'] },
        ],
      },
      ['/roles/0/parents'],
    ],
    [
      'a parent that is no role',
      { name: 'x', roles: [{ name: 'web', vm_template: 0, parents: ['wbe'] }] },
      ['/roles/0/parents/0'],
    ],
    [
      'a VM template that does not exist',
      { name: 'x', roles: [{ name: 'web', vm_template: 77 }] },
      ['/roles/0/vm_template'],
    ],
    [
      'several faults at once',
      {
        name: 'x',
        roles: [
          { name: 'web', vm_template: 77, parents: ['db'] },
          { name: 'web', vm_template: 0 },
        ],
      },
      ['/roles/0/parents/0', '/roles/0/vm_template', '/roles/1/name'],
    ],
  ])('%s', async (_what, body, pointers) => {
    const problem = await refused('oneadmin', 'post', '/service-templates', body, {
      status: 400,
      code: 'invalid_request',
    });
    expect(problem.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual(pointers);
  });

  it('is a merge that breaks the template', async () => {
    const path = `/service-templates/${present['Service templates']}/instantiate`;
    const problem = await refused(
      'oneadmin',
      'post',
      path,
      { merge_template: { deployment: 'sideways' } },
      {
        status: 400,
        code: 'invalid_request',
      },
    );
    expect(problem.errors[0].pointer).toBe('/merge_template/deployment');
  });
});

describe('a cursor', () => {
  it.each(['/hosts', '/vm-templates', '/service-templates', '/vms', '/services', '/operations'])(
    'that %s never gave is refused',
    async (path) => {
      await refused('oneadmin', 'get', `${path}?cursor=%00nonsense`, undefined, {
        status: 400,
        code: 'invalid_request',
      });
    },
  );
});

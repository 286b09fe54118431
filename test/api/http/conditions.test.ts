import type { Express } from 'express';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiRoot, type Route } from '../../../api/native/route.js';
import { routeTable } from '../../../api/native/route-table.js';
import type { SaidAt } from '../../../domain/scaling/policy-log.js';
import { recordId } from '../../../domain/scaling/role-record.js';
import { eachMetric } from '../../../schemas/hosts/metrics.js';
import { kinds, managedKinds } from '../../../schemas/kinds.js';
import { made } from '../../support/made-kinds.js';
import { madeVm } from '../../support/made-vm.js';
import { publishedApp } from '../../support/published-app.js';
import { createWorld, type World } from '../world.js';

let world: World;
/** A second api process' app on the same database. */
let other: World;
/** Ids of what examples are about, by the first part of the address. */
const ids: Record<string, string | number> = {};

beforeAll(async () => {
  world = await createWorld({ withTemporal: true });
  other = await createWorld({ withTemporal: false, beside: world });
  const make = async (path: string, body: object) => {
    const response = await world.ask('oneadmin', 'post', path, body);
    expect(response.status, JSON.stringify(response.body)).toBeLessThan(300);
    return response.body;
  };
  for (const kind of managedKinds) {
    const { path } = kinds[kind];
    ids[path.slice(1)] = (await make(path, made[kind].body('first', Number(ids['vm-templates'])))).id;
  }
  ids.images = (await make('/images', { name: 'first', source: { empty: { size_mb: 1 } } })).resource.id;
  await world.store.images.model.updateOne({ _id: Number(ids.images) }, { $set: { state: 'READY', operation: null } });
  ids['marketplace-apps'] = await publishedApp(make, world.store, 'first app');
  ids.vms = (await make('/vms', { template_id: ids['vm-templates'] })).resource.id;
  const deployment = await make('/services', { template_id: ids['service-templates'] });
  ids.services = deployment.resource.id;
  // Nobody is at work on it, which would be refused first.
  await world.store.services.model.updateOne({ _id: Number(ids.services) }, { $set: { operation: null } });
  ids.operations = deployment.id;
  ids.users = 2;
  ids.groups = (await make('/groups', { name: 'web' })).id;
  ids.acls = (await make('/acls', { rule: `@${ids.groups} VM/* USE` })).id;
  ids.tokens = (await make('/tokens', { name: 'ci' })).id;
  ids['consistency-checks'] = (await make('/consistency-checks', {})).id;
});
afterAll(async () => {
  await other.stop();
  await world.stop();
});

const idFor = (path: string): string | number => {
  const [, first = '', second = ''] = path.split('/');
  return ids[first === 'quotas' ? second : first] ?? 0;
};
const addressOf = ({ path }: Pick<Route, 'path'>): string =>
  path.endsWith('{token_id}')
    ? `/users/0/tokens/${ids.tokens}`
    : path
        .replace('{id}', String(idFor(path)))
        .replace('{role}', 'web')
        .replace('{revision}', '1')
        .replaceAll(/\{\w+\}/g, '2');

const bodies: Record<string, object> = {
  replaceVmTemplate: { name: 'small', template: { CPU: 1, MEMORY: 64 } },
  replaceServiceTemplate: { name: 'shop', roles: [{ name: 'web', vm_template: 0 }] },
  recoverVm: { action: 'retry' },
  scaleRole: { cardinality: 2 },
  addRole: { name: 'cache', vm_template: 0 },
  replacePolicies: { elasticity_policies: [] },
  replaceSchedules: { scheduled_policies: [] },
  performOnRole: { action: 'resume' },
  performOnVm: { action: 'reboot' },
  addVmSchedule: { action: 'resume', recurrence: '0 6 * * *' },
  deployVm: { host: 0 },
  importWild: { wild: 'legacy-db' },
  migrateVm: {},
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
  setPassword: { password: 'another-one' },
  cloneServiceTemplate: { name: 'copy' },
  cloneImage: { name: 'copy' },
  exportApp: { name: 'copy' },
  resizeImage: { size_mb: 20 },
};
const bodyFor = ({ id, body }: Route): object | undefined =>
  body.taken === 'never'
    ? undefined
    : (bodies[id] ?? (id.startsWith('chmod') ? { octet: '600' } : id.startsWith('chown') ? { gid: 0 } : {}));

const shows = routeTable.filter(({ method, answer }) => method === 'get' && answer.tagged);
const changes = routeTable.filter(({ method, path }) => method !== 'get' && (method !== 'post' || path.includes('{')));
const named = (routes: readonly Route[]) => routes.map((route) => [route.id, route] as const);

describe('what shows something', () => {
  it.each(named(shows))('%s has a strong tag, and 304 for who has that already', async (_id, route) => {
    const first = await world.ask('oneadmin', 'get', addressOf(route));
    expect(first.status, JSON.stringify(first.body)).toBe(200);
    const { etag = '' } = first.headers;
    expect(etag).toMatch(/^"[\w-]{27}(?:\.[\w-]{9})?"$/);
    if (/^why|^showOperation$/.test(route.id)) return;
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const again = await other.ask('oneadmin', 'get', addressOf(route)).set('If-None-Match', known);
      expect([again.status, again.text, again.headers.etag], known).toEqual([304, '', etag]);
    }
    const head = await request(world.server)
      .head(apiRoot + addressOf(route))
      .auth('oneadmin', 'oneadmin')
      .set('If-None-Match', etag);
    expect(head.status).toBe(304);
    expect((await world.ask('oneadmin', 'get', addressOf(route)).set('If-None-Match', '"x"')).status).toBe(200);
  });
});

describe('what changes something', () => {
  it.each(named(changes))('%s does nothing to what has changed, or when the tag is a weak one', async (_id, route) => {
    const before = await world.digests();
    const now = await world.ask('oneadmin', 'get', addressOf({ path: route.path.replace(/(\{id\}).*/, '$1') }));
    const weak = `W/${now.headers.etag ?? '"x"'}`;
    for (const stale of ['"stale"', `"stale", ${weak}`]) {
      const response = await world
        .ask('oneadmin', route.method, addressOf(route), bodyFor(route))
        .set('If-Match', stale);
      expect(response.body).toMatchObject({
        status: 412,
        type: '/problems/precondition_failed',
        detail: expect.stringMatching(/Read it again/),
      });
    }
    expect(await world.digests()).toEqual(before);
  });

  it.each<[string, object]>([
    ...managedKinds.map((kind): [string, object] => [kinds[kind].path.slice(1), made[kind].patch(-1)]),
    ['vms', { user_template: { A: '1' } }],
    ['images', { description: 'changed' }],
    ['users', { umask: '077' }],
    ['groups', { shared_view: true }],
    ['quotas/users', { vms: 3 }],
    ['quotas/groups', { vms: 3 }],
    ['quotas/defaults', { users: { vms: 3 } }],
  ])('%s: what was changed has the tag that it is then shown with, and no other passes', async (kind, change) => {
    const path = kind === 'quotas/defaults' ? '/quotas/defaults' : `/${kind}/${idFor(`/${kind}`)}`;
    const first = (await world.ask('oneadmin', 'get', path)).headers.etag ?? '';
    const send = (tag: string) => other.ask('oneadmin', 'patch', path, change).set('If-Match', tag);
    const changed = await send(`"x", ${first}`);
    expect(changed.status, JSON.stringify(changed.body)).toBe(200);
    const shown = await world.ask('oneadmin', 'get', path);
    expect(changed.headers.etag).toBe(shown.headers.etag);
    expect(shown.headers.etag).not.toBe(first);
    expect((await send(first)).status).toBe(412);
    expect((await send('*')).status).toBe(200);
  });

  it('a host keeps its tag while it is only probed, so that people can edit it', async () => {
    const path = `/hosts/${ids.hosts}`;
    const before = await world.ask('oneadmin', 'get', path);
    const [host] = await world.store.hosts.byIds([Number(ids.hosts)]);
    if (host) await world.store.hosts.answered(host, null);
    const probed = await world.ask('oneadmin', 'get', path);
    expect(probed.headers.etag).not.toBe(before.headers.etag);
    await world.store.hosts.stillMonitored([Number(ids.hosts)]);
    const again = await world.ask('oneadmin', 'get', path);
    expect(again.body.last_monitored_at).not.toBe(probed.body.last_monitored_at);
    expect(again.headers.etag).toBe(probed.headers.etag);
  });

  const used = { ...eachMetric(() => 3), memory: 7 };

  it('a VM of which only its use is heard anew can be edited, and whoever looks is shown that', async () => {
    const id = Number(ids.vms);
    const path = `/vms/${id}`;
    await world.store.vms.model.updateOne({ _id: id }, { $set: { lcm_state: 'RUNNING' } });
    const hear = (cpu: number) =>
      world.store.metrics.add([{ host: 1, vm: id, epoch: 9, at: new Date(), ...used, cpu }]);
    await hear(10);
    const before = await world.ask('oneadmin', 'get', path);
    expect(before.body.monitoring).toEqual({ time: expect.any(String), ...used, cpu: 10 });
    const { etag = '' } = before.headers;
    await hear(20);
    const after = await world.ask('oneadmin', 'get', path).set('If-None-Match', etag);
    expect([after.status, after.body.monitoring?.cpu]).toEqual([200, 20]);
    const edit = (value: string) =>
      world.ask('oneadmin', 'patch', path, { user_template: { HEARD: value } }).set('If-Match', etag);
    expect((await edit('once')).status).toBe(200);
    expect((await edit('twice')).status).toBe(412);
  });

  it('a service of which only the use of its VMs is heard anew can be edited, too', async () => {
    const id = Number(ids.services);
    const [vm, other] = [90_001, 90_002];
    const of = { state: 'ACTIVE', lcm_state: 'RUNNING' } as const;
    await world.store.vms.model.insertMany(
      [vm, other].map((_id, ordinal) => madeVm({ ...of, _id, service: { id, role: 'web', ordinal: 90 + ordinal } })),
    );
    const hear = (cpu: number) =>
      world.store.metrics.add([vm, other].map((one) => ({ host: 1, vm: one, epoch: 9, at: new Date(), ...used, cpu })));
    const [path, whole] = [`/services/${id}`, `/services/${id}?monitoring=true`];
    const before = (await world.ask('oneadmin', 'get', path)).headers.etag ?? '';
    const tags = [before];
    for (const cpu of [10, 20]) {
      await hear(cpu);
      const shown = await world.ask('oneadmin', 'get', whole);
      expect(JSON.stringify(shown.body)).toContain(`"cpu":${cpu},"memory":7`);
      tags.push(shown.headers.etag ?? '');
    }
    expect(new Set(tags).size).toBe(3);
    expect((await world.ask('oneadmin', 'get', path)).headers.etag).toBe(before);
    const edit = world.ask('oneadmin', 'patch', path, { name: 'used' }).set('If-Match', tags[1] ?? '');
    expect((await edit).status).toBe(200);
    await world.store.vms.model.deleteMany({ _id: { $in: [vm, other] } });
  });

  it('a service of which only policies are heard anew can be edited, and so can these', async () => {
    const id = Number(ids.services);
    const [path, policies] = [`/services/${id}`, `/services/${id}/roles/web/policies`];
    const rules = { elasticity_policies: [{ target: 'CPU = 60' }], min_vms: 1, max_vms: 5 };
    expect((await world.ask('oneadmin', 'put', policies, rules)).status).toBe(200);
    const count = { print: JSON.stringify(['target CPU = 60', 0, 0]), last_eval: new Date(), true_evals: 0 };
    const hear = (look: string, why: string) => {
      const last: SaidAt = { at: new Date(), verdict: 'unknown', why, found: null };
      const policy = { count: { ...count, sampled: null, wishes: [] }, last, log: [last] };
      const counted = { ...{ evaluation: 1, look, at: new Date(), decided: null }, scaled_at: null, retry_at: null };
      const record = { _id: recordId(id, 'web'), service: id, role: 'web', ...counted, policies: [policy] };
      return world.store.elasticity.model.replaceOne(
        { _id: record._id },
        { ...record, least: { last: null, log: [] } },
        { upsert: true },
      );
    };
    await hear('1', 'no "CPU" yet');
    const tagOf = async (of: string) => (await world.ask('oneadmin', 'get', of)).headers.etag ?? '';
    const [tag, policyTag] = [await tagOf(path), await tagOf(policies)];
    await hear('2', 'of 2 VMs one has no CPU');
    expect((await world.ask('oneadmin', 'get', path).set('If-None-Match', tag)).status).toBe(200);
    const edit = () => world.ask('oneadmin', 'put', policies, { elasticity_policies: [] }).set('If-Match', policyTag);
    expect((await world.ask('oneadmin', 'patch', path, { name: 'heard' }).set('If-Match', tag)).status).toBe(200);
    expect((await edit()).status).toBe(200);
    expect((await edit()).status).toBe(412);
  });

  it.each<[string, (at: number) => object]>([
    ...managedKinds.map((kind): [string, (at: number) => object] => [kinds[kind].path.slice(1), made[kind].patch]),
    ['vms', (at: number) => ({ user_template: { EDITOR: String(at) } })],
    ['images', (at: number) => ({ description: `by editor ${at}` })],
    ['users', (at: number) => ({ umask: `0${at % 8}7` })],
    ['groups', (at: number) => ({ name: `web-${at}` })],
    ['quotas/users', (at: number) => ({ vms: 100 + at })],
  ])('%s: of many who have read the same and change it at once, over two apps, one does', async (kind, change) => {
    const path = `/${kind}/${idFor(`/${kind}`)}`;
    const { etag = '' } = (await world.ask('oneadmin', 'get', path)).headers;
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, at) =>
        (at % 2 === 0 ? world : other).ask('oneadmin', 'patch', path, change(at + 1)).set('If-Match', etag),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort((one, next) => one - next);
    expect(statuses).toEqual([200, ...Array.from({ length: 15 }, () => 412)]);
    const won = answers.find(({ status }) => status === 200);
    expect((await world.ask('oneadmin', 'get', path)).headers.etag).toBe(won?.headers.etag);
  });

  it('of an edit and a change of owner that have read the same, one is done', async () => {
    const path = `/vm-templates/${ids['vm-templates']}`;
    for (let round = 0; round < 4; round++) {
      const read = await world.ask('oneadmin', 'get', path);
      const { etag = '' } = read.headers;
      // Other bits than it has: to ask for those that it has changes nothing, and lets the edit be done, too.
      const octet = read.body.permissions.group.use ? '600' : '640';
      const [edited, shared] = await Promise.all([
        world.ask('oneadmin', 'patch', path, { template: { ROUND: String(round) } }).set('If-Match', etag),
        other.ask('oneadmin', 'post', `${path}/chmod`, { octet }).set('If-Match', etag),
      ]);
      expect([edited.status, shared.status].sort((one, next) => one - next)).toEqual([200, 412]);
    }
  });

  it('without a tag loses nothing of what others set meanwhile', async () => {
    const path = `/hosts/${ids.hosts}`;
    const names = Array.from({ length: 12 }, (_, at) => `N${at}`);
    const answers = await Promise.all(
      names.map((name, at) =>
        (at % 2 === 0 ? world : other).ask('oneadmin', 'patch', path, { attributes: { [name]: 'x' } }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
    expect(Object.keys((await world.ask('oneadmin', 'get', path)).body.attributes)).toEqual(
      expect.arrayContaining(names),
    );
  });

  it('is compared before an operation is admitted', async () => {
    const path = `/vms/${ids.vms}`;
    const { etag = '' } = (await world.ask('oneadmin', 'get', path)).headers;
    const send = () =>
      world.ask('oneadmin', 'post', `${path}/terminate`, {}).set({ 'If-Match': etag, 'Idempotency-Key': 'once' });
    const accepted = await send();
    expect(accepted.status, JSON.stringify(accepted.body)).toBe(202);
    const repeated = await send();
    expect([repeated.status, repeated.body.id], 'by its key').toEqual([202, accepted.body.id]);
    expect(
      (await world.ask('oneadmin', 'post', `${path}/terminate`, { hard: true }).set('If-Match', etag)).status,
    ).toBe(412);
  });
});

describe('a condition that cannot be', () => {
  const ask = (app: Express, header: string, value: string) =>
    request(app)
      .patch(`${apiRoot}/hosts/${ids.hosts}`)
      .auth('oneadmin', 'oneadmin')
      .set(header, value)
      .send({ cpu: 2 });

  it.each(['x', '"x', '"a" "b"', 'w/"x"', '*, "x"'])('is refused: If-Match %s', async (value) => {
    expect((await ask(world.app, 'If-Match', value)).body).toMatchObject({
      status: 400,
      errors: [{ pointer: '/If-Match' }],
    });
  });

  it('is refused: If-None-Match with a change', async () => {
    const { body } = await ask(world.app, 'If-None-Match', '*');
    expect(body).toMatchObject({ status: 400, errors: [{ pointer: '/If-None-Match' }] });
  });

  it('is refused: If-Match with what makes something new', async () => {
    const made = world.ask('oneadmin', 'post', '/clusters', { name: 'new' }).set('If-Match', '"x"');
    expect((await made).body).toMatchObject({ status: 412, detail: expect.stringMatching(/new/) });
  });
});

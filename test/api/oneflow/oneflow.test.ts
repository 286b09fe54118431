import type { Express } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createShell } from '../../../api/http/shell.js';
import { oneflowFace } from '../../../api/oneflow/oneflow-face.js';
import { createOperations } from '../../../requests/operations.js';
import { defaultPermissions } from '../../../schemas/common/common.js';
import { eachMetric } from '../../../schemas/hosts/metrics.js';
import type { Role, Service } from '../../../schemas/services/service.js';
import { deployingService } from '../../support/deploying-service.js';
import { idleEngine } from '../../support/idle-engine.js';
import { madeImage } from '../../support/made-image.js';
import { madeVm } from '../../support/made-vm.js';
import { noSealer, noStorages } from '../../support/no-storages.js';
import { addUser } from '../../support/people.js';
import { createWorld, type World } from '../world.js';
import { type ClientKind, clientKinds, clientOf } from './clients.js';
import { first, later, middle, poolOf } from './shapes.js';

let world: World;
let app: Express;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false, engine: idleEngine });
  app = createShell(oneflowFace(world.parts), world.parts);
  for (const name of ['zero', 'one'])
    await world.ask('oneadmin', 'post', '/vm-templates', { name, template: { CPU: 1, MEMORY: 64 } });
});
afterAll(() => world.stop());

const as = (kind: ClientKind, who?: string) => clientOf(() => app, kind, who);
const action = (perform: string, params?: object) => ({ action: { perform, ...(params && { params }) } });

/** As the reference has it. */
const myService = (name: string) => ({
  name,
  deployment: 'straight',
  roles: [
    { name: 'web', vm_template: 0 },
    { name: 'db', parents: ['web'], vm_template: 1 },
  ],
});

let names = 0;
async function template(body: object = {}): Promise<string> {
  const made = await as('ruby 5.0.2')('post', '/service_template', { ...myService(`made-${++names}`), ...body });
  expect(made.status, made.text).toBe(201);
  return made.body.DOCUMENT.ID;
}

let ids = 1_000;
/** A service that runs, of roles front, middle and back, with a VM of the first, unless that has failed; the others are to have none. */
async function running(over: Partial<Service> = {}, front: Partial<Role> = {}): Promise<number> {
  const id = ++ids;
  const made = deployingService(id, '');
  const roles = made.roles.map(
    (role, at): Role => ({
      ...{ ...role, state: 'RUNNING', cardinality: 0 },
      ...(at === 0 && { cardinality: 1, min_vms: 1, max_vms: 4, ...front }),
    }),
  );
  const owner = { uid: 0, gid: 0, permissions: defaultPermissions };
  await world.store.services.model.create([{ ...made, ...owner, state: 'RUNNING', operation: null, roles, ...over }]);
  if (front.state === 'FAILED_DEPLOYING') return id;
  await world.store.vms.model.insertMany([
    madeVm({
      ...{ _id: id * 10, ...owner, state: 'ACTIVE', lcm_state: 'RUNNING' },
      service: { id, role: roles[0]?.name ?? '', ordinal: 0 },
    }),
  ]);
  return id;
}

const stateOf = async (id: number) => (await world.ask('oneadmin', 'get', `/services/${id}`)).body.state;
const lastOperation = async (id: number) =>
  (await world.store.operations.lastOf({ type: 'service', id })) ??
  (await world.store.operations.lastOf({ type: 'service', id }, 'front'));

const WithNodes = z.object({ nodes: z.array(z.object({ vm_info: z.object({ VM: z.looseObject({}) }) })) });

describe.each(clientKinds)('what %s sends', (kind) => {
  const ask = as(kind);
  const shapes = { 'ruby 5.0.2': first, 'ruby 6.6.0': middle, 'ruby 7.4.0': later, goca: later }[kind];

  it('makes, shows, lists, changes and removes a template', async () => {
    const made = await ask('post', '/service_template', myService(`of ${kind}`));
    expect(made.status, made.text).toBe(201);
    const { ID: id } = shapes.template.parse(made.body).DOCUMENT;
    const shown = await ask('get', `/service_template/${id}`);
    expect([shown.status, shown.body]).toEqual([200, made.body]);
    const listed = await ask('get', '/service_template');
    const pool = poolOf(shapes.template).parse(listed.body).DOCUMENT_POOL.DOCUMENT ?? [];
    expect(pool.map(({ ID }) => ID)).toContain(id);
    const put = await ask('put', `/service_template/${id}`, { ...myService(`of ${kind}`), deployment: 'none' });
    expect(put.status, put.text).toBe(200);
    expect(shapes.template.parse(put.body).DOCUMENT.TEMPLATE.BODY.deployment).toBe('none');
    for (const body of [action('chmod', { octet: '604' }), action('rename', { name: `again ${kind}` })]) {
      const answer = await ask('post', `/service_template/${id}/action`, body);
      expect([answer.status, answer.text]).toEqual([204, '']);
    }
    const after = shapes.template.parse((await ask('get', `/service_template/${id}`)).body).DOCUMENT;
    expect(after).toMatchObject({ NAME: `again ${kind}`, PERMISSIONS: { OWNER_M: '1', OTHER_U: '1', GROUP_U: '0' } });
    const removed = await ask('delete', `/service_template/${id}`, { delete_type: 'none' });
    expect([removed.status, removed.text]).toEqual([204, '']);
    expect((await ask('get', `/service_template/${id}`)).status).toBe(404);
  });

  it('deploys a service, which is shown and listed as one', async () => {
    const id = await template();
    const made = await ask(
      'post',
      `/service_template/${id}/action`,
      action('instantiate', { merge_template: { name: `made by ${kind}` } }),
    );
    expect(made.status, made.text).toBe(201);
    const { ID, NAME, TEMPLATE } = shapes.service.parse(made.body).DOCUMENT;
    expect([NAME, TEMPLATE.BODY.state]).toEqual([`made by ${kind}`, 0]);
    const listed = await ask('get', '/service');
    const pool = poolOf(shapes.service).parse(listed.body).DOCUMENT_POOL.DOCUMENT ?? [];
    expect(pool.map((one) => one.ID)).toContain(ID);
  });

  it('shows the VMs of a service with what this client reads of them', async () => {
    const id = await running();
    const shown = shapes.service.parse((await ask('get', `/service/${id}`)).body).DOCUMENT;
    const [front] = shown.TEMPLATE.BODY.roles;
    expect([shown.TEMPLATE.BODY.state, front?.state, front?.nodes.map(({ deploy_id }) => deploy_id)]).toEqual([
      2,
      2,
      [id * 10],
    ]);
  });

  it('tells since when each VM is there and what it uses, where that release does', async () => {
    const id = await running();
    const [vm, at] = [id * 10, new Date()];
    const created_at = new Date('2026-11-01T10:00:00Z');
    await world.store.vms.model.updateOne({ _id: vm }, { $set: { created_at } });
    await world.store.metrics.add([{ host: 1, vm, epoch: 9, at, ...eachMetric(() => 1), cpu: 67, memory: 123_187 }]);
    const told = { CPU: '67', MEMORY: '123187', STIME: String(created_at.getTime() / 1_000) };
    const vmIn = ({ DOCUMENT }: { DOCUMENT: unknown }) =>
      z.object({ TEMPLATE: z.object({ BODY: z.object({ roles: z.array(WithNodes) }) }) }).parse(DOCUMENT).TEMPLATE.BODY
        .roles[0]?.nodes[0]?.vm_info.VM;
    const shown = vmIn((await ask('get', `/service/${id}`)).body);
    if (kind !== 'ruby 5.0.2') expect(shown).not.toHaveProperty('CPU');
    else {
      expect(shown).toMatchObject(told);
      const { body } = await ask('get', '/service');
      const listed = body.DOCUMENT_POOL.DOCUMENT.find(({ ID }: { ID: string }) => ID === String(id));
      expect(vmIn({ DOCUMENT: listed })).toMatchObject(told);
    }
  });

  it('scales a role, in the way of its release', async () => {
    const id = await running();
    const old = kind === 'ruby 5.0.2';
    const answer = old
      ? await ask('put', `/service/${id}/role/front`, { cardinality: 3, force: false })
      : await ask('post', `/service/${id}/scale`, { cardinality: 3, force: false, role_name: 'front' });
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(await lastOperation(id)).toMatchObject({ kind: 'scaleRole', role: 'front', input: { cardinality: 3 } });
    expect(shapes.service.parse((await ask('get', `/service/${id}`)).body).DOCUMENT.TEMPLATE.BODY.state).toBe(8);
  });

  it('edits what it was shown of a service, sends the whole of it back, and adds to it', async () => {
    const id = await running({}, { cooldown: 60 });
    const shown = async () => shapes.service.parse((await ask('get', `/service/${id}`)).body).DOCUMENT.TEMPLATE.BODY;
    const before = await shown();
    const [front, ...others] = before.roles;
    const { cooldown: _rest, ...left } = front ?? { name: '' };
    const elasticity_policies = [{ type: 'CHANGE', adjust: 1, expression: 'CPU > 50' }];
    const scheduled_policies = [{ type: 'CARDINALITY', adjust: 2, recurrence: '0 3 * * *' }];
    const edited = { ...left, max_vms: 6, elasticity_policies, scheduled_policies };
    const put = await ask('put', `/service/${id}`, { ...before, roles: [edited, ...others] });
    expect([put.status, put.text]).toEqual([204, '']);
    const after = await shown();
    expect(after.roles[0]).toMatchObject({ max_vms: 6, elasticity_policies, scheduled_policies });
    expect(after.roles[0]).not.toHaveProperty('cooldown');
    expect({ ...after, roles: after.roles.slice(1), log: [] }).toEqual({ ...before, roles: others, log: [] });
    // With the shown evaluations in it, it is the same: nothing is written.
    expect((await ask('put', `/service/${id}`, after)).status).toBe(204);
    expect(await shown()).toEqual(after);
    const added = await ask('put', `/service/${id}`, { append: true, template: '{"description":"for ann"}\n' });
    expect([added.status, await shown()]).toMatchObject([204, { description: 'for ann', roles: after.roles }]);
    const last = await world.store.services.find(id);
    expect(last?.schedule?.of).toMatchObject([{ role: 'front', policy: 0 }]);
    expect(last?.log.map(({ message }) => message)).toEqual([
      'Edited by oneadmin: role front (cooldown, max_vms, elasticity_policies, scheduled_policies)',
      'Edited by oneadmin: description',
    ]);
  });

  it('adds a role, in the names of its release, and removes one', async () => {
    const id = await running();
    const [template, type] =
      kind === 'ruby 5.0.2' || kind === 'ruby 6.6.0' ? ['vm_template', {}] : ['template_id', { type: 'vm' }];
    const role = { name: 'cache', [template]: 1, cardinality: 2, ...type };
    const add = action('add_role', { role: kind === 'goca' ? role : JSON.stringify(role), add: true });
    const answer = await ask('post', `/service/${id}/role_action`, add);
    expect([answer.status, answer.text]).toEqual([204, '']);
    const { BODY } = shapes.service.parse((await ask('get', `/service/${id}`)).body).DOCUMENT.TEMPLATE;
    expect(BODY.roles.at(-1)).toMatchObject({ name: 'cache', state: 8, cardinality: 2, [template]: 1 });
    const remove = (name: string) => ask('post', `/service/${id}/role_action`, action('remove_role', { role: name }));
    expect((await remove('back')).status).toBe(204);
    expect(await world.store.operations.lastOf({ type: 'service', id }, 'back')).toMatchObject({
      input: { cardinality: 0, removes: [] },
    });
    expect([(await remove('nobody')).text, (await remove('cache')).status]).toEqual([
      'Role nobody does not exist',
      500,
    ]);
    for (const wrong of [{ role: '{' }, { role: { name: 'a' } }, {}])
      expect((await ask('post', `/service/${id}/role_action`, action('add_role', wrong))).status).toBeGreaterThan(399);
  });

  it('shows what is on hold, as far as its release knows that, and releases it', async () => {
    const id = await running({ state: 'HOLD' }, { state: 'HOLD' });
    const { BODY } = shapes.service.parse((await ask('get', `/service/${id}`)).body).DOCUMENT.TEMPLATE;
    const knows = kind !== 'ruby 5.0.2';
    expect([BODY.state, BODY.roles[0]?.state, BODY.roles[1]?.state]).toEqual(knows ? [15, 11, 2] : [0, 0, 2]);
    const answer = await ask('post', `/service/${id}/action`, action('release', {}));
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(await lastOperation(id)).toMatchObject({ kind: 'deployService' });
    expect((await ask('post', `/service/${id}/action`, action('release', {}))).status).toBe(500);
  });

  it('ends a service, and removes it where that release does', async () => {
    const id = await running();
    expect((await ask('delete', `/service/${id}`)).status).toBe(204);
    const removes = kind === 'ruby 5.0.2';
    expect(await lastOperation(id)).toMatchObject({
      kind: 'undeployService',
      input: removes ? { hard: true, remove: true } : { hard: null, remove: false },
    });
    await world.store.services.model.updateOne({ _id: id }, { $set: { state: 'DONE', operation: null, wanted: null } });
    const gone = await ask('get', `/service/${id}`);
    expect(gone.status).toBe(removes ? 200 : 404);
    if (!removes)
      expect(gone.text).toMatch(new RegExp(`^\\[one\\.document\\.info\\] Error getting document \\[${id}\\]\\.`));
  });
});

describe('the actions of OneFlow', () => {
  const old = as('ruby 5.0.2');
  const act = (id: number, perform: string, params?: object) =>
    old('post', `/service/${id}/action`, action(perform, params));

  it('show which VMs of a role that is scaled come and go: not those that are switched off, or that nobody hears of', async () => {
    const id = await running({ state: 'SCALING' }, { state: 'SCALING' });
    const states = [
      ...([
        ['POWEROFF', 'LCM_INIT'],
        ['ACTIVE', 'UNKNOWN'],
        ['PENDING', 'LCM_INIT'],
        ['ACTIVE', 'BOOT'],
      ] as const),
      ...([['ACTIVE', 'SHUTDOWN']] as const),
    ];
    await world.store.vms.model.insertMany(
      states.map(([state, lcm_state], at) =>
        madeVm({ _id: id * 10 + at + 1, state, lcm_state, service: { id, role: 'front', ordinal: at + 1 } }),
      ),
    );
    const { nodes } = (await old('get', `/service/${id}`)).body.DOCUMENT.TEMPLATE.BODY.roles[0];
    expect(
      nodes.map(({ scale_up, disposed }: { scale_up?: string; disposed?: string }) => [scale_up ?? '', disposed ?? '']),
    ).toEqual([
      ['', ''],
      ['', ''],
      ['', ''],
      ['1', ''],
      ['1', ''],
      ['', '1'],
    ]);
  });

  it('shut a service down, and recover or repair what it is in', async () => {
    const ends = await running();
    expect((await act(ends, 'shutdown')).status).toBe(204);
    expect(await lastOperation(ends)).toMatchObject({ kind: 'undeployService', input: { remove: false } });
    const failed = await running({ state: 'FAILED_DEPLOYING' }, { state: 'FAILED_DEPLOYING' });
    expect((await act(failed, 'recover')).status).toBe(204);
    expect(await lastOperation(failed)).toMatchObject({ kind: 'deployService' });
    const warned = await running({ state: 'WARNING' }, { state: 'WARNING', cardinality: 2 });
    expect((await act(warned, 'recover')).status).toBe(204);
    expect(await lastOperation(warned)).toMatchObject({ kind: 'repairService' });
    const given = await running({ state: 'FAILED_UNDEPLOYING' });
    expect(
      (await as('ruby 7.4.0')('post', `/service/${given}/action`, action('recover', { delete: true }))).status,
    ).toBe(204);
    expect(await lastOperation(given)).toMatchObject({ kind: 'undeployService', input: { hard: true, remove: true } });
  });

  it('give to another owner and group, of which -1 and what is absent stay', async () => {
    const alice = (await world.ask('alice', 'get', '/user')).body;
    const id = await running();
    expect((await act(id, 'chown', { owner_id: String(alice.id), group_id: -1 })).status).toBe(204);
    expect((await old('get', `/service/${id}`)).body.DOCUMENT).toMatchObject({
      UNAME: 'alice',
      UID: String(alice.id),
      GID: '0',
    });
    expect((await act(id, 'chgrp', { group_id: 1 })).status).toBe(204);
    expect((await act(id, 'chmod', { octet: '660' })).status).toBe(204);
    expect((await old('get', `/service/${id}`)).body.DOCUMENT).toMatchObject({
      GID: '1',
      PERMISSIONS: { GROUP_M: '1' },
    });
    expect((await as('ruby 5.0.2', 'alice')('get', `/service/${id}`)).status).toBe(200);
  });

  it.each<[string, object | undefined, number, string]>([
    ['chown', undefined, 500, 'Action chown: You have to specify a UID'],
    ['chgrp', {}, 500, 'Action chgrp: You have to specify a GID'],
    ['chmod', {}, 500, 'Action chmod: You have to specify an OCTET'],
    ['chmod', { octet: '999' }, 400, '/octet must be three digits from 0 to 7, such as "640".'],
    ['bogus', {}, 500, 'Action bogus not supported'],
    ['snapshot-delete', {}, 500, 'Action snapshot-delete: You have to specify the ID of a snapshot in args'],
    [
      ...(['disk-snapshot-create', { args: 'before' }, 500] as const),
      'Action disk-snapshot-create: You have to specify a disk and the name of a snapshot in args, as 0,before',
    ],
    [
      ...(['disk-snapshot-revert', { args: '0' }, 500] as const),
      'Action disk-snapshot-revert: You have to specify a disk and the ID of a snapshot in args, as 0,1',
    ],
    ['update', { append: false }, 500, 'Action update: Only supported for append'],
  ])('%s with %j is refused in words that its clients print', async (perform, params, status, text) => {
    const id = await running();
    const answer = await act(id, perform, params);
    expect([answer.status, answer.text]).toEqual([status, text]);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(await stateOf(id)).toBe('RUNNING');
  });

  it('refuse to edit what cannot be otherwise of a service that is there, and write nothing', async () => {
    const id = await running();
    const later = as('ruby 7.4.0');
    const { BODY } = (await later('get', `/service/${id}`)).body.DOCUMENT.TEMPLATE;
    const [front, ...others] = BODY.roles;
    const role = (over: object) => ({ ...BODY, roles: [{ ...front, ...over }, ...others] });
    const before = await world.store.services.find(id);
    for (const [body, status, text] of [
      [{ ...BODY, name: 'another' }, 500, 'To change `service/name` use rename operation'],
      [{ ...BODY, state: 5 }, 500, 'Immutable value: `service/state` can not be changed'],
      [{ ...BODY, deployment: 'straight' }, 500, 'Immutable value: `service/deployment` can not be changed'],
      [{ ...BODY, ready_status_gate: true }, 500, 'Immutable value: `service/ready_status_gate` can not be changed'],
      [{ ...BODY, networks: { a: 'M|network' } }, 500, 'Immutable value: `service/networks` can not be changed'],
      [{ ...BODY, roles: others }, 500, 'Immutable value: `service/roles size` can not be changed'],
      [role({ name: 'other' }), 500, 'Immutable value: `role/name` can not be changed'],
      [role({ cardinality: 9 }), 500, 'Immutable value: `role/cardinality` can not be changed'],
      [role({ template_id: 9 }), 500, 'Immutable value: `role/vm_template` can not be changed'],
      [role({ parents: ['back'] }), 500, 'Immutable value: `role/parents` can not be changed'],
      [role({ mark: { op: 'x', step: 9 } }), 500, 'Immutable value: `role/mark` can not be changed'],
      [role({ operation: 'x' }), 500, 'Immutable value: `role/operation` can not be changed'],
      [role({ min_vms: 5 }), 400, '/roles/0/min_vms is 5, above max_vms 4'],
      [role({ min_vms: -1 }), 400, 'must not be negative'],
      [role({ elasticity_policies: [{ type: 'CHANGE', adjust: 1, expression: 'A >' }] }), 400, '/roles/0/elasticity_'],
      [{ description: 'no roles' }, 400, '/roles is required'],
      [{ append: true }, 400, 'Missing template to append'],
      [{ append: true, template: '{' }, 400, 'The template is not valid JSON'],
      [{ append: true, template: '{"name":"merged"}' }, 500, 'To change `service/name` use rename operation'],
    ] as const) {
      const answer = await later('put', `/service/${id}`, body);
      expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(text)]);
    }
    expect(await world.store.services.find(id)).toMatchObject({ roles: before?.roles, log: [], body: before?.body });
    const done = await running({ state: 'DONE' });
    const gone = await old('put', `/service/${done}`, { roles: [] });
    expect([gone.status, gone.text]).toEqual([500, 'Service cannot be updated in state: DONE']);
    expect((await as('ruby 7.4.0', 'bob')('put', `/service/${id}`, BODY)).status).toBe(403);
    const added = await act(id, 'update', { append: true, template_json: '{"description":"said"}' });
    expect([added.status, (await world.store.services.find(id))?.body.description]).toEqual([204, 'said']);
  });

  it('keep raw attributes beside their body, those of their template among them, and whoever edits the body leaves them', async () => {
    const raw = { LABELS: 'web' };
    const template_raw = { ...raw, OWNER: { NAME: 'ann' } };
    const id = await running({ body: { ...deployingService(0, '').body, template_raw } });
    const shown = async () => (await old('get', `/service/${id}`)).body.DOCUMENT.TEMPLATE;
    expect(await shown()).toMatchObject(template_raw);
    const update = (text: string) => act(id, 'update', { append: true, template_raw: text });
    expect((await update('LABELS = "web,blue"\nNOTE = "from the audit"')).status).toBe(204);
    const kept = { LABELS: 'web,blue', NOTE: 'from the audit', OWNER: { NAME: 'ann' } };
    expect(await shown()).toEqual({ ...kept, BODY: expect.not.objectContaining({ template_raw: expect.anything() }) });
    expect((await as('ruby 7.4.0')('put', `/service/${id}`, (await shown()).BODY)).status).toBe(204);
    expect(await shown()).toMatchObject(kept);
    expect((await world.store.services.find(id))?.log.at(-1)?.message).toBe('Edited by oneadmin: LABELS, NOTE');
    // Bit by bit it grows no further than what a service is made of.
    const much = 'x'.repeat(200_000);
    for (const name of ['A', 'B']) expect((await update(`${name} = "${much}"`)).status).toBe(204);
    const refusals = [
      await update('no equals sign'),
      await update('BODY = "{}"'),
      await act(id, 'update', { template_raw: 'A = "1"' }),
      await as('ruby 5.0.2', 'bob')(
        'post',
        `/service/${id}/action`,
        action('update', { append: true, template_raw: 'A = "1"' }),
      ),
      await update(`C = "${much}"`),
    ];
    expect(refusals.map(({ status, text }) => [status, text])).toEqual([
      [400, expect.stringMatching(/^template_raw: line 1, column \d+: /)],
      [500, 'Action update: BODY is changed by template_json'],
      [500, 'Action update: Only supported for append'],
      [403, expect.anything()],
      [400, expect.stringContaining('at most')],
    ]);
    expect(await shown()).toMatchObject(kept);
  });

  it('answer what cannot be with 500 and the reason', async () => {
    const id = await running();
    const recovered = await act(id, 'recover');
    expect([recovered.status, recovered.text]).toEqual([500, expect.stringContaining('is RUNNING')]);
    const beyond = await old('put', `/service/${id}/role/front`, { cardinality: 9 });
    expect([beyond.status, beyond.text]).toEqual([400, expect.stringContaining('above max_vms 4')]);
    const nobody = await old('put', `/service/${id}/role/nobody`, { cardinality: 2 });
    expect([nobody.status, nobody.text]).toEqual([500, 'ROLE "nobody" does not exist']);
  });

  it('do something to the VMs of a role: old clients are told of which, later ones nothing', async () => {
    const id = await running();
    const path = `/service/${id}/role/front/action`;
    const slices = { number: '1', period: 60 };
    const told = await old('post', path, action('terminate-hard', slices));
    expect([told.status, told.body]).toEqual([
      201,
      [true, `Action:terminate-hard scheduled on Role:front VMs:${id * 10}`],
    ]);
    const silent = await as('ruby 7.4.0')('post', path, action('resume', {}));
    expect([silent.status, silent.text]).toEqual([204, '']);
    expect((await as('goca')('post', `/service/${id}/action`, action('resume', {}))).status).toBe(204);
    // One of the two has the other from the configuration; none has all at once, and so has 0.
    for (const params of [{ number: 2 }, { period: 5 }, { number: 0, period: 5 }])
      expect((await old('post', path, action('resume', params))).status).toBe(201);
    for (const perform of ['hold', 'release']) expect((await old('post', path, action(perform, {}))).status).toBe(201);
    const later = { args: '0, before the upgrade' };
    expect((await as('ruby 7.4.0')('post', path, action('disk-snapshot-create', later))).status).toBe(204);
    const its = await world.store.operations.model.find({ kind: 'performOnRole', 'resource.id': id }).sort({ _id: 1 });
    expect(its.map(({ role, input }) => [role, input])).toEqual([
      ['front', { action: 'terminate-hard', vms: [id * 10], number: 1, period: 60 }],
      ['front', { action: 'resume', vms: [id * 10], number: null, period: 0 }],
      [undefined, { action: 'resume', vms: [id * 10], number: null, period: 0 }],
      ['front', { action: 'resume', vms: [id * 10], number: 2, period: 60 }],
      ['front', { action: 'resume', vms: [id * 10], number: 1, period: 5 }],
      ['front', { action: 'resume', vms: [id * 10], number: null, period: 0 }],
      ['front', { action: 'hold', vms: [id * 10], number: null, period: 0 }],
      ['front', { action: 'release', vms: [id * 10], number: null, period: 0 }],
      [
        'front',
        {
          action: 'disk-snapshot-create',
          disk: 0,
          name: 'before the upgrade',
          vms: [id * 10],
          number: null,
          period: 0,
        },
      ],
    ]);
    const refusals = [
      await old('post', `/service/${id}/role/nobody/action`, action('resume', {})),
      await old('post', path, action('bogus', {})),
    ];
    expect(refusals.map(({ status, text }) => [status, text])).toEqual([
      [500, "Role 'nobody' not found"],
      [500, 'Action bogus not supported'],
    ]);
  });

  it('end what is left of an action on a role, by its place among those that go on', async () => {
    const id = await running();
    const later = as('ruby 7.4.0');
    const role = `/service/${id}/role/front`;
    for (const period of [60, 61]) await later('post', `${role}/action`, action('resume', { number: 1, period }));
    await later('post', `/service/${id}/action`, action('resume', {}));
    const drop = (path: string) => later('delete', path);
    const refusals = [await drop(`${role}/sched_action/x`), await drop(`${role}/sched_action/2`)];
    expect(refusals.map(({ status }) => status)).toEqual([400, 404]);
    expect(refusals[0]?.text).toBe('Sched action ID must be an integer number');
    const open = async () => {
      const query = { kind: 'performOnRole', 'resource.id': id, ended_at: null } as const;
      const its = await world.store.operations.model.find(query).sort({ _id: 1 }).lean().exec();
      return its.map(({ role: of = null, input }) => [of, 'period' in input ? input.period : null]);
    };
    expect((await drop(`${role}/sched_action/1`)).status).toBe(204);
    expect(await open()).toEqual([
      ['front', 60],
      [null, 0],
    ]);
    expect((await drop(`/service/${id}/sched_action/0`)).status).toBe(204);
    expect((await drop(`${role}/sched_action/0`)).status).toBe(204);
    expect(await open()).toEqual([]);
    expect((await drop(`/service/${id}/role/nobody/sched_action/0`)).status).toBe(500);
  });

  it('scale to what is there already: taken of old clients, refused to later ones', async () => {
    const id = await running();
    for (const body of [{}, { cardinality: '1' }, { cardinality: 1, force: true }])
      expect((await old('put', `/service/${id}/role/front`, body)).status).toBe(204);
    const answer = await as('goca')('post', `/service/${id}/scale`, { role_name: 'front', cardinality: 1 });
    expect([answer.status, answer.text]).toEqual([500, 'Cardinality of front is already at 1']);
    expect(await lastOperation(id)).toBeNull();
  });
});

describe('templates and services, for who works with them', () => {
  const old = as('ruby 5.0.2');
  const act = (path: string, perform: string, params?: object) =>
    old('post', `${path}/action`, action(perform, params));

  it('are none where there are none', async () => {
    await addUser(world.directory, 'nobody');
    expect((await as('goca', 'nobody')('get', '/service_template')).body).toEqual({ DOCUMENT_POOL: {} });
  });

  it('are cloned and renamed, and a clone is the caller’s own', async () => {
    const id = await template({ name: 'to be cloned' });
    await act(`/service_template/${id}`, 'chmod', { octet: '604' });
    for (const vm of [0, 1]) await world.ask('oneadmin', 'post', `/vm-templates/${vm}/chmod`, { octet: '604' });
    const cloned = await as('goca', 'alice')(
      'post',
      `/service_template/${id}/action`,
      action('clone', { name: 'a clone', recursive: false }),
    );
    expect(cloned.status, cloned.text).toBe(201);
    const { ID, UNAME, NAME, TEMPLATE } = later.template.parse(cloned.body).DOCUMENT;
    expect([UNAME, NAME, TEMPLATE.BODY.name, TEMPLATE.BODY.roles.length]).toEqual(['alice', 'a clone', 'a clone', 2]);
    expect(ID).not.toBe(id);
    const again = await as('ruby 7.4.0', 'alice')(
      'post',
      `/service_template/${id}/action`,
      action('clone', { name: 'a clone', recursive: 'none' }),
    );
    expect([again.status, again.text]).toEqual([500, expect.stringContaining('already')]);
    const service = await running();
    expect((await act(`/service/${service}`, 'rename', { name: 'renamed' })).status).toBe(204);
    expect((await old('get', `/service/${service}`)).body.DOCUMENT.NAME).toBe('renamed');
    expect((await act(`/service/${service}`, 'rename', { name: '12' })).status).toBe(400);
  });

  it('are cloned with the VM templates of their roles, all of them or none', async () => {
    const id = await template({
      roles: ['web', 'db', 'cache'].map((name, at) => ({ name, vm_template: at === 1 ? 1 : 0, cardinality: at })),
    });
    const vmTemplates = async () => (await world.ask('oneadmin', 'get', '/vm-templates?limit=100')).body.items;
    for (const [at, recursive] of ['templates', 'all', true].entries()) {
      const cloned = await act(`/service_template/${id}`, 'clone', { name: `whole ${at}`, recursive });
      expect(cloned.status, cloned.text).toBe(201);
      const { roles } = first.template.parse(cloned.body).DOCUMENT.TEMPLATE.BODY;
      const [web = -1, db = -1, cache = -1] = roles.map(({ vm_template }) => vm_template);
      expect([web === cache, web > 1, db > 1, web === db]).toEqual([true, true, true, false]);
      const made = (await vmTemplates()).filter(({ name }: { name: string }) => name.startsWith(`whole ${at}-`));
      expect(new Map(made.map((one: { id: number; name: string }) => [one.name, one.id]))).toEqual(
        new Map([
          [`whole ${at}-zero`, web],
          [`whole ${at}-one`, db],
        ]),
      );
    }
    const typo = await act(`/service_template/${id}`, 'clone', { name: 'whole 3', recurisve: 'templates' });
    expect([typo.status, typo.body.DOCUMENT.TEMPLATE.BODY.roles[0].vm_template > 1]).toEqual([201, true]);
    // The name of the service template is taken: what was made for it is not there either.
    const before = (await vmTemplates()).length;
    const again = await act(`/service_template/${id}`, 'clone', { name: 'whole 0', recursive: 'templates' });
    expect([again.status, (await vmTemplates()).length]).toEqual([500, before]);
    const disk = await world.ask('oneadmin', 'post', '/vm-templates', {
      ...{ name: 'disk', template: { CPU: 1, MEMORY: 64, DISK: { IMAGE: 'debian' } } },
    });
    const stored = await template({ roles: [{ name: 'db', vm_template: disk.body.id }] });
    const images = await act(`/service_template/${stored}`, 'clone', { name: 'images', recursive: 'all' });
    expect([images.status, images.text]).toEqual([400, expect.stringContaining('names images that are not there')]);
    await world.store.images.model.create([madeImage({ _id: 900, name: 'debian', state: 'READY' })]);
    expect((await act(`/service_template/${stored}`, 'clone', { name: 'images', recursive: 'all' })).status).toBe(201);
    const clone = await world.store.images.named('images-disk-disk-0', 0);
    expect(clone).toMatchObject({ state: 'LOCKED', origin: { image: 900 } });
    expect(await world.store.operations.model.countDocuments({ kind: 'cloneImage', 'resource.id': clone?._id })).toBe(
      1,
    );
    const copied = (await vmTemplates()).find(({ name }: { name: string }) => name === 'images-disk');
    expect(copied.template.DISK).toEqual({ IMAGE_ID: clone?._id });
    expect((await act(`/service_template/${stored}`, 'clone', { name: 'none', recursive: 'templates' })).status).toBe(
      201,
    );
  });

  it('are cloned by one transaction: of a process that dies before its end nothing is left', async () => {
    const id = await template();
    const { parts, store } = world;
    const vmTemplates = async () => (await world.ask('oneadmin', 'get', '/vm-templates?limit=100')).body.items;
    const before = (await vmTemplates()).length;
    // It writes no more once it is to write the service template, and clears nothing up.
    const dead = (): never => {
      throw new Error('killed');
    };
    const dying = createOperations({
      store: {
        ...store,
        serviceTemplates: { ...store.serviceTemplates, insert: dead },
        vmTemplates: { ...store.vmTemplates, remove: dead },
      },
      ...{ directory: world.directory, engine: idleEngine, onDelayed: () => {} },
      settings: { temporalUiUrl: undefined, failedLogins: 10 },
      storages: noStorages,
      sealer: noSealer,
    });
    const caller = await parts.identity.authenticate({ name: 'oneadmin', secret: 'oneadmin' }, 'here');
    await expect(
      dying.serviceTemplates.clone(caller, Number(id), { name: 'half', vm_templates: true }),
    ).rejects.toThrow('killed');
    expect((await vmTemplates()).length).toBe(before);
    await expect(
      parts.operations.serviceTemplates.clone(caller, Number(id), { name: 'half', vm_templates: true }),
    ).resolves.toMatchObject({ name: 'half' });
    expect((await vmTemplates()).length).toBe(before + 2);
  });

  it('go together with the VM templates of their roles, or not at all', async () => {
    const made = async (name: string, over: object = {}): Promise<number> =>
      (await world.ask('oneadmin', 'post', '/vm-templates', { name, template: { CPU: 1, MEMORY: 64, ...over } })).body
        .id;
    const [one, two] = [await made('goes'), await made('goes, too')];
    await world.store.images.model.create([madeImage({ _id: 901, name: 'goes along', state: 'READY' })]);
    const disk = await made('with a disk', { DISK: { IMAGE: 'goes along' } });
    const of = (...ids: number[]) => template({ roles: ids.map((id, at) => ({ name: `r${at}`, vm_template: id })) });
    const there = async (id: number) => (await world.ask('oneadmin', 'get', `/vm-templates/${id}`)).status;
    const remove = (id: string, delete_type: unknown) =>
      as('ruby 7.4.0')('delete', `/service_template/${id}`, { delete_type });
    const [both, stored, shared] = [await of(one, two, one), await of(disk), await of(two)];
    expect((await remove(both, 'some')).status).toBe(400);
    // Another service template of the same owner uses one of them: the other stays, too, and so does the template.
    const kept = await remove(both, 'templates');
    expect([kept.status, kept.text]).toEqual([500, expect.stringContaining(`uses VM template ${two}`)]);
    expect([await there(one), (await old('get', `/service_template/${both}`)).status]).toEqual([200, 200]);
    expect((await remove(stored, 'templates')).status).toBe(204);
    expect([await there(disk), (await world.store.images.find(901))?.operation]).toEqual([404, null]);
    const again = await made('with a disk', { DISK: { IMAGE: 'goes along' } });
    expect((await remove(await of(again), 'all')).status).toBe(204);
    const removals = await world.store.operations.model
      .find({ 'resource.type': 'image', 'resource.id': 901 })
      .lean()
      .exec();
    expect([await there(again), removals]).toMatchObject([404, [{ kind: 'deleteImage', state: 'accepted' }]]);
    expect((await remove(shared, 'none')).status).toBe(204);
    expect([(await remove(both, 'all')).status, await there(one), await there(two)]).toEqual([204, 404, 404]);
  });

  it('keep raw attributes beside their body, whatever becomes of that', async () => {
    const id = await template();
    const path = `/service_template/${id}`;
    const shown = async () => (await old('get', path)).body.DOCUMENT.TEMPLATE;
    const update = (params: object) => act(path, 'update', params);
    expect((await update({ template_raw: 'LABELS = "web"\nNOTE = [ BY = "ann" ]', append: true })).status).toBe(204);
    expect((await update({ template_raw: 'LABELS = "web,blue"', append: true })).status).toBe(204);
    const raw = { LABELS: 'web,blue', NOTE: { BY: 'ann' } };
    expect(await shown()).toMatchObject(raw);
    expect((await shown()).BODY).not.toHaveProperty('template_raw');
    expect((await old('put', path, myService('put'))).body.DOCUMENT.TEMPLATE).toMatchObject(raw);
    expect((await update({ template_json: JSON.stringify(myService('json')) })).status).toBe(204);
    const made = await act(path, 'instantiate');
    expect(made.body.DOCUMENT.TEMPLATE.BODY).not.toHaveProperty('template_raw');
    expect((await update({ template_raw: 'ONLY = "this"' })).status).toBe(204);
    const { BODY, ...left } = await shown();
    expect([left, BODY.name]).toEqual([{ ONLY: 'this' }, 'json']);
    const refusals = [await update({ template_raw: 'no equals sign' }), await update({ template_raw: 'BODY = "{}"' })];
    expect(refusals.map(({ status, text }) => [status, text])).toEqual([
      [400, expect.stringMatching(/^template_raw: line 1, column \d+: /)],
      [500, 'Action update: BODY is changed by template_json'],
    ]);
  });

  it('that are DONE are purged, but for those of others', async () => {
    const [mine, lives] = [await running({ state: 'DONE' }), await running()];
    const seen = await running({
      state: 'DONE',
      permissions: { ...defaultPermissions, other: { use: true, manage: false, admin: false } },
    });
    await world.store.services.model.updateOne(
      { _id: mine },
      { $set: { uid: (await world.ask('alice', 'get', '/user')).body.id } },
    );
    const purged = await as('ruby 7.4.0', 'alice')('post', '/service_pool/purge_done');
    expect([purged.status, purged.text]).toEqual([204, '']);
    expect(await lastOperation(mine)).toMatchObject({ kind: 'undeployService', input: { remove: true } });
    for (const id of [lives, seen]) expect(await lastOperation(id)).toBeNull();
  });

  it('go together with a merge template as the release has it: by the top level, or role by role', async () => {
    const id = await template();
    const merge = { merge_template: { roles: [{ name: 'web', cardinality: 3 }] } };
    const shallow = await act(`/service_template/${id}`, 'instantiate', merge);
    expect([shallow.status, shallow.text]).toEqual([400, expect.stringContaining('/roles/0/vm_template')]);
    const deep = await as('ruby 7.4.0')('post', `/service_template/${id}/action`, action('instantiate', merge));
    const { roles } = later.service.parse(deep.body).DOCUMENT.TEMPLATE.BODY;
    expect(roles.map(({ name, cardinality, template_id }) => [name, cardinality, template_id])).toEqual([
      ['web', 3, 0],
      ['db', 1, 1],
    ]);
  });

  it('ask for what they need when they are instantiated', async () => {
    const id = await template({
      custom_attrs: { NET: 'M|text|The network', SIZE: 'O|list|Which size?|small,large|small' },
      roles: [
        {
          name: 'web',
          vm_template: 0,
          vm_template_contents: 'NIC=[NETWORK="$NET"]\nSIZE="$SIZE"',
          user_inputs: { COUNT: 'M|number|How many?' },
        },
      ],
    });
    const instantiate = (merge_template: object) => act(`/service_template/${id}`, 'instantiate', { merge_template });
    const missing = await instantiate({ custom_attrs_values: { SIZE: 'huge' } });
    expect([missing.status, missing.text.split('\n').slice(1)]).toEqual([
      400,
      [
        '/merge_template/custom_attrs_values/SIZE must be one of small,large',
        '/merge_template/roles/0/user_inputs_values/COUNT is required: How many?',
      ],
    ]);
    const given = await as('ruby 7.4.0')(
      'post',
      `/service_template/${id}/action`,
      action('instantiate', {
        merge_template: {
          user_inputs_values: { NET: 'a "b"' },
          roles: [{ name: 'web', user_inputs_values: { COUNT: 2 } }],
        },
      }),
    );
    expect(given.status, given.text).toBe(201);
    const [web] = later.service.parse(given.body).DOCUMENT.TEMPLATE.BODY.roles;
    expect(web?.template_contents).toEqual({ NIC: { NETWORK: 'a "b"' }, SIZE: 'small', COUNT: '2' });
  });
});

describe('networks of a service', () => {
  const network = async (name: string, ip: string) =>
    (
      await world.ask('oneadmin', 'post', '/virtual-networks', {
        name,
        address_ranges: [{ type: 'IP4', ip, size: 40 }],
      })
    ).body.id;
  const instantiate = (kind: ClientKind, id: string, merge_template: object) =>
    as(kind)('post', `/service_template/${id}/action`, action('instantiate', { merge_template }));

  it('are chosen when it is instantiated, as the guide has it: those of 5.0 are custom attributes', async () => {
    const id = await template({
      custom_attrs: {
        INTERNAL: 'M|network|Private network for the service traffic',
        PUBLIC: 'M|network|Network with access to public IPs',
      },
      roles: [
        {
          name: 'master',
          vm_template: 0,
          vm_template_contents: 'NIC=[NETWORK_ID="$INTERNAL"]\nNIC=[NETWORK_ID="$PUBLIC"]\n',
        },
        {
          name: 'slave',
          cardinality: 3,
          vm_template: 0,
          parents: ['master'],
          vm_template_contents: 'NIC=[NETWORK_ID="$INTERNAL"]\n',
        },
      ],
    });
    const [devs, open] = [await network('devs-private', '10.0.0.1'), await network('public', '10.0.1.1')];
    const missing = await instantiate('ruby 5.0.2', id, { custom_attrs_values: { INTERNAL: String(devs) } });
    expect([missing.status, missing.text]).toEqual([
      400,
      expect.stringContaining('/custom_attrs_values/PUBLIC is required'),
    ]);
    const wrong = await instantiate('ruby 5.0.2', id, { custom_attrs_values: { INTERNAL: 'devs', PUBLIC: '99' } });
    expect([wrong.status, wrong.text]).toEqual([
      400,
      expect.stringContaining('/custom_attrs_values/INTERNAL must be the id of a network'),
    ]);
    const made = await instantiate('ruby 5.0.2', id, { custom_attrs_values: { INTERNAL: String(devs), PUBLIC: open } });
    expect(made.status, made.text).toBe(201);
    const { roles } = first.service.parse(made.body).DOCUMENT.TEMPLATE.BODY;
    expect(roles.map(({ vm_template_contents }) => vm_template_contents)).toEqual([
      `NIC=[NETWORK_ID="${devs}"]\nNIC=[NETWORK_ID="${open}"]\n`,
      `NIC=[NETWORK_ID="${devs}"]\n`,
    ]);
  });

  it('have values of their own since 5.12: one that is there, or what is reserved of one', async () => {
    const networks = { Public: 'M|network|Public addresses| |id:', Own: 'M|network|For the service| |' };
    const role = {
      name: 'web',
      vm_template: 0,
      vm_template_contents: 'NIC=[NETWORK_ID="$Public"]\nNIC=[NETWORK_ID="$Own"]\n',
    };
    const id = await template({ networks, roles: [role] });
    const shown = later.template.parse((await as('ruby 7.4.0')('get', `/service_template/${id}`)).body).DOCUMENT;
    expect(shown.TEMPLATE.BODY).toMatchObject({ networks });
    const [open, backbone] = [await network('open', '10.0.2.1'), await network('backbone', '10.0.3.1')];
    const refusals = [
      [{}, '/networks/Public is required: Public addresses'],
      [{ networks_values: 'x' }, '/merge_template/networks_values must be a list'],
      [
        { networks_values: [{ Public: { template_id: '97' } }, { Own: { id: '98' } }] },
        'Public There is no network template 97.',
      ],
      [
        { networks_values: [{ Public: { id: '99' } }, { Own: { id: '98' } }] },
        'Public There is no virtual network 99.',
      ],
      [
        { networks_values: [{ Public: { id: '0' }, Other: { id: '0' } }] },
        'Other the template asks for no network Other',
      ],
    ] as const;
    for (const [merge, text] of refusals) {
      const answer = await instantiate('ruby 7.4.0', id, merge);
      expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(text)]);
    }
    const networks_values = [
      { Public: { id: String(open) } },
      { Own: { reserve_from: String(backbone), extra: 'SIZE=3' } },
    ];
    const made = await instantiate('ruby 7.4.0', id, { networks_values });
    expect(made.status, made.text).toBe(201);
    const { ID, TEMPLATE } = later.service.parse(made.body).DOCUMENT;
    const [, own] = (await world.ask('oneadmin', 'get', `/services/${ID}`)).body.virtual_networks;
    expect(own).toMatchObject({ name: 'Own', reserved_from: backbone, size: 3, made: false });
    expect(TEMPLATE.BODY).toMatchObject({
      networks_values: [
        { Public: { id: String(open) } },
        { Own: { id: String(own.network_id), reserve_from: String(backbone), extra: 'SIZE=3' } },
      ],
      roles: [{ template_contents: { NIC: [{ NETWORK_ID: String(open) }, { NETWORK_ID: String(own.network_id) }] } }],
    });
    expect(TEMPLATE.BODY).not.toHaveProperty('virtual_networks');
  });
});

describe('templates of OneFlow 7', () => {
  it('are taken and shown with its names, and to older clients with theirs', async () => {
    const seven = {
      name: 'seven',
      user_inputs: { priv: 'M|text|The network' },
      roles: [
        {
          name: 'web',
          type: 'vm',
          template_id: 0,
          cardinality: 2,
          template_contents: { NIC: [{ NETWORK_ID: '$priv' }, { NAME: 'a "b"' }], CPU: 2 },
        },
      ],
    };
    const made = await as('ruby 7.4.0')('post', '/service_template', seven);
    expect(made.status, made.text).toBe(201);
    const { ID, TEMPLATE } = later.template.parse(made.body).DOCUMENT;
    expect(TEMPLATE.BODY).toMatchObject({
      user_inputs: seven.user_inputs,
      roles: [
        {
          type: 'vm',
          template_id: 0,
          template_contents: { NIC: [{ NETWORK_ID: '$priv' }, { NAME: 'a "b"' }], CPU: '2' },
        },
      ],
    });
    const old = first.template.parse((await as('ruby 5.0.2')('get', `/service_template/${ID}`)).body).DOCUMENT;
    expect(old.TEMPLATE.BODY).toMatchObject({
      custom_attrs: seven.user_inputs,
      roles: [{ vm_template: 0, vm_template_contents: 'NIC=[NETWORK_ID="$priv"]\nNIC=[NAME="a \\"b\\""]\nCPU="2"\n' }],
    });
    // What is shown can be sent back, and is the same.
    const back = await as('ruby 7.4.0')('put', `/service_template/${ID}`, TEMPLATE.BODY);
    expect([back.status, back.body]).toEqual([200, made.body]);
  });

  it('of virtual routers are refused: no role is taken for one of VMs', async () => {
    const answer = await as('ruby 7.4.0')('post', '/service_template', {
      name: 'vr',
      roles: [{ name: 'r', type: 'vr', template_id: 0 }],
    });
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('virtual routers')]);
  });
});

describe('a request that is wrong', () => {
  const old = as('ruby 5.0.2');

  it.each<[string, 'get' | 'post' | 'put' | 'delete', string, unknown, number, RegExp]>([
    ['a body that is no JSON', 'post', '/service_template', undefined, 400, /required/],
    ['a template without a name', 'post', '/service_template', { roles: [] }, 400, /\/name is required/],
    [
      'several things at once',
      'post',
      '/service_template',
      { roles: [{}] },
      400,
      /\n\/name is required\n\/roles\/0\/name is required\n/,
    ],
    ['an action without a name', 'post', '/service/0/action', {}, 400, /\/action is required/],
    [
      'params that are a list',
      'post',
      '/service/0/action',
      { action: { perform: 'x', params: [] } },
      400,
      /params must be/,
    ],
    [
      'a service that is not there',
      'get',
      '/service/999999',
      undefined,
      404,
      /^\[DocumentInfo\] Error getting document \[999999\]\./,
    ],
    ['an id that is a word', 'get', '/service/abc', undefined, 404, /abc/],
    ['an address that is not there', 'get', '/services', undefined, 404, /answers nothing to GET \/services/],
    ['a method that is not there', 'put', '/service', {}, 404, /answers nothing/],
  ])('%s', async (_what, method, path, body, status, text) => {
    const answer = await old(method, path, body);
    expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(text)]);
  });

  it('is not even looked at without a name and a password', async () => {
    const anonymous = await clientOf(() => app, 'ruby 5.0.2')('get', '/nowhere').set('Authorization', '');
    expect([anonymous.status, anonymous.text]).toEqual([401, 'A username and password must be provided']);
    const wrong = await clientOf(() => app, 'goca')('get', '/service').auth('oneadmin', 'guess');
    expect([wrong.status, wrong.text]).toEqual([401, expect.stringContaining('wrong')]);
  });

  it('of somebody without the right changes nothing', async () => {
    const id = await running();
    const made = await template();
    for (const [method, path, body] of [
      ['get', `/service/${id}`, undefined],
      ['delete', `/service/${id}`, undefined],
      ['post', `/service/${id}/action`, action('shutdown')],
      ['put', `/service/${id}/role/front`, { cardinality: 2 }],
      ['put', `/service_template/${made}`, myService('mine')],
      ['post', `/service_template/${made}/action`, action('instantiate', {})],
    ] as const) {
      const answer = await as('ruby 5.0.2', 'bob')(method, path, body);
      expect([answer.status, answer.text], path).toEqual([403, expect.stringContaining('right on')]);
    }
    expect(await lastOperation(id)).toBeNull();
    const listed = poolOf(first.template).parse((await as('ruby 5.0.2', 'bob')('get', '/service_template')).body);
    expect(listed.DOCUMENT_POOL.DOCUMENT?.map(({ ID }) => ID) ?? []).not.toContain(made);
  });
});

describe('names of users and groups, by XML-RPC', () => {
  const call = (method: string, session: string) =>
    clientOf(() => app, 'ruby 5.0.2')('post', '/RPC2')
      .set({ Authorization: '', 'Content-Type': 'text/xml; charset=utf-8' })
      .send(
        `<?xml version="1.0" ?><methodCall><methodName>${method}</methodName><params><param><value><string>${session}</string></value></param></params></methodCall>\n`,
      )
      .buffer(true);
  const said = ({ text }: { text: string }) => {
    const [, ok] = /<boolean>(\d)<\/boolean>/.exec(text) ?? [];
    const [, value = ''] = /<string>([^<]*)<\/string>/.exec(text) ?? [];
    const [, code] = /<i4>(\d+)<\/i4>/.exec(text) ?? [];
    return { ok, value: value.replaceAll('&lt;', '<').replaceAll('&gt;', '>'), code };
  };

  it('are told, as OpenNebula tells them', async () => {
    const users = await call('one.userpool.info', 'oneadmin:oneadmin');
    expect(users.headers['content-type']).toMatch(/^text\/xml/);
    expect(said(users)).toMatchObject({ ok: '1', code: '0' });
    expect(said(users).value).toMatch(
      /^<USER_POOL><USER><ID>0<\/ID><NAME>oneadmin<\/NAME><\/USER>.*alice.*<\/USER_POOL>$/,
    );
    const groups = said(await call('one.grouppool.info', 'oneadmin:oneadmin'));
    expect(groups.value).toContain('<GROUP><ID>1</ID><NAME>users</NAME></GROUP>');
    expect(said(await call('one.userpool.info', 'alice:alice')).value).not.toContain('bob');
  });

  it('are not told to who gives a wrong password, asks for something else, or declares entities', async () => {
    expect(said(await call('one.userpool.info', 'oneadmin:guess'))).toMatchObject({ ok: '0', code: String(0x100) });
    expect(said(await call('one.vmpool.info', 'oneadmin:oneadmin'))).toMatchObject({ ok: '0', code: String(0x1000) });
    const bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>&a;';
    expect((await call('one.userpool.info', bomb)).status).toBe(400);
    expect((await call('one.userpool.info', 'x'.repeat(20_000))).status).toBe(413);
  });
});

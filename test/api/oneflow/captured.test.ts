import type { Express } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createShell } from '../../../api/http/shell.js';
import { oneflowFace } from '../../../api/oneflow/oneflow-face.js';
import { permissionsOf } from '../../../domain/identity/permission-bits.js';
import { defaultPermissions } from '../../../schemas/common/common.js';
import type { Role, Service } from '../../../schemas/services/service.js';
import { deployingService } from '../../support/deploying-service.js';
import { idleEngine } from '../../support/idle-engine.js';
import { addGroup, addUser } from '../../support/people.js';
import { createWorld, type World } from '../world.js';
import { type ClientKind, clientOf } from './clients.js';
import { first, later, poolOf } from './shapes.js';

// The requests that unmodified clients were seen to send, command by command, and what they decode the answers into.

let world: World;
let app: Express;
const people = { owner: 0, group: 0 };
beforeAll(async () => {
  world = await createWorld({ withTemporal: false, engine: idleEngine });
  app = createShell(oneflowFace(world.parts), world.parts);
  for (const name of ['zero', 'one'])
    await world.ask('oneadmin', 'post', '/vm-templates', { name, template: { CPU: 1, MEMORY: 64 } });
  const group = await addGroup(world.directory, 'apptools');
  const user = await addUser(world.directory, 'johndoe', { gid: group._id });
  Object.assign(people, { owner: user._id, group: group._id });
});
afterAll(() => world.stop());

const myService = {
  ...{ name: 'my_service', deployment: 'straight' },
  roles: [
    { name: 'web', vm_template: 0 },
    { name: 'db', parents: ['web'], vm_template: 1 },
  ],
};

let ids = 5_000;
/** A service whose role web runs, or is as it is said. */
async function service(state: Service['state'] = 'RUNNING'): Promise<number> {
  const id = ++ids;
  const made = deployingService(id, '');
  const roles = made.roles
    .slice(0, 1)
    .map((role): Role => ({ ...role, name: 'web', state, cardinality: 1, min_vms: 1, max_vms: 20, operation: null }));
  const owner = { uid: 0, gid: 0, permissions: defaultPermissions };
  await world.store.services.model.create([{ ...made, ...owner, roles, state, operation: null, wanted: null }]);
  return id;
}

let names = 0;
async function template(): Promise<string> {
  const made = await ask('ruby 5.0.2')('post', '/service_template', { ...myService, name: `template-${++names}` });
  expect(made.status, made.text).toBe(201);
  return made.body.DOCUMENT.ID;
}

const ask = (kind: ClientKind) => clientOf(() => app, kind);
const action = (perform: string, params?: object) => ({ action: { perform, ...(params && { params }) } });

type Shapes = Pick<typeof first, 'service' | 'template'> | Pick<typeof later, 'service' | 'template'>;
type Decoded = 'service' | 'services' | 'template' | 'templates' | 'nothing' | 'scheduled';
type Sent = readonly [
  method: 'get' | 'post' | 'put' | 'delete',
  path: string,
  body: object | undefined | (() => object),
  status: number,
  answer: Decoded,
];
/** A command, in which state of its service it is given, and what it sends; `S` is the service, `T` the template. */
type Row = readonly [command: string, state: Service['state'], ...sent: Sent[]];

const list: Sent = ['get', '/service', undefined, 200, 'services'];
const show: Sent = ['get', '/service/S', undefined, 200, 'service'];
const showTemplate: Sent = ['get', '/service_template/T', undefined, 200, 'template'];
const act = (perform: string, params?: object | (() => object), status = 204): Sent => [
  ...(['post', '/service/S/action'] as const),
  () => action(perform, typeof params === 'function' ? params() : params),
  ...([status, 'nothing'] as const),
];
const ofTemplate = (perform: string, params: object | (() => object), answer: Decoded = 'nothing'): Sent => [
  ...(['post', '/service_template/T/action'] as const),
  () => action(perform, typeof params === 'function' ? params() : params),
  ...([answer === 'nothing' ? 204 : 201, answer] as const),
];
const given = () => ({ owner_id: people.owner, group_id: people.group });
const toGroup = () => ({ group_id: people.group });
const merge = { merge_template: { name: 'merged' } };

/** What releases have alike. */
const alike: readonly Row[] = [
  ['oneflow list', 'RUNNING', list],
  ['oneflow show my_service', 'RUNNING', list, show],
  ['oneflow chgrp 1 apptools', 'RUNNING', act('chgrp', toGroup)],
  ['oneflow chown 1 johndoe apptools', 'RUNNING', act('chown', given)],
  ['oneflow chown 1 johndoe', 'RUNNING', act('chown', () => ({ owner_id: people.owner }))],
  ['oneflow chmod 1 660', 'RUNNING', act('chmod', { octet: '660' })],
  ['oneflow rename 1 newname', 'RUNNING', act('rename', { name: 'newname' })],
  ['oneflow-template list', 'RUNNING', ['get', '/service_template', undefined, 200, 'templates']],
  ['oneflow-template show 0', 'RUNNING', showTemplate],
  ['oneflow-template create my_service.json', 'RUNNING', ['post', '/service_template', myService, 201, 'template']],
  ['oneflow-template instantiate 0 merge.json', 'RUNNING', ofTemplate('instantiate', merge, 'service')],
  ['oneflow-template chgrp 0 apptools', 'RUNNING', ofTemplate('chgrp', toGroup)],
  ['oneflow-template chown 0 2', 'RUNNING', ofTemplate('chown', () => ({ owner_id: people.owner }))],
  ['oneflow-template chmod 0 604', 'RUNNING', ofTemplate('chmod', { octet: '604' })],
  ['oneflow-template rename 0 renamed', 'RUNNING', ofTemplate('rename', () => ({ name: `renamed ${++names}` }))],
  ['oneflow-template update 0 my_service.json', 'RUNNING', ['put', '/service_template/T', myService, 200, 'template']],
];

const ofRole = (perform: string, params: object, [status, answer]: [number, Decoded]): Sent => [
  ...(['post', '/service/S/role/web/action', action(perform, params), status, answer] as const),
];
const captured: Record<'ruby 5.0.2' | 'ruby 7.4.0', readonly Row[]> = {
  'ruby 5.0.2': [
    ...alike,
    ['oneflow delete 1', 'RUNNING', ['delete', '/service/S', undefined, 204, 'nothing']],
    ['oneflow shutdown 1', 'RUNNING', act('shutdown')],
    ['oneflow recover my_service', 'FAILED_DEPLOYING', list, act('recover')],
    [
      'oneflow scale 1 web 3',
      'RUNNING',
      ['put', '/service/S/role/web', { cardinality: 3, force: false }, 204, 'nothing'],
    ],
    [
      ...(['oneflow scale 1 web 30 --force', 'RUNNING'] as const),
      ['put', '/service/S/role/web', { cardinality: 30, force: true }, 204, 'nothing'],
    ],
    ['oneflow action 1 web reboot', 'RUNNING', ofRole('reboot', {}, [201, 'scheduled'])],
    [
      ...(['oneflow action my_service web reboot --period 300 --number 2', 'RUNNING', list] as const),
      ofRole('reboot', { period: 300, number: 2 }, [201, 'scheduled']),
    ],
    ['oneflow-template instantiate 0', 'RUNNING', ofTemplate('instantiate', {}, 'service')],
    ['oneflow-template clone 0 copy', 'RUNNING', ofTemplate('clone', { name: 'copy of 5.0.2' }, 'template')],
    ['oneflow-template delete 0', 'RUNNING', ['delete', '/service_template/T', undefined, 204, 'nothing']],
  ],
  'ruby 7.4.0': [
    ...alike,
    ['oneflow delete 1', 'RUNNING', show, ['delete', '/service/S', undefined, 204, 'nothing']],
    ['oneflow recover my_service', 'FAILED_DEPLOYING', list, show, act('recover', { delete: false })],
    ['oneflow recover 1 --delete', 'RUNNING', show, act('recover', { delete: true })],
    [
      ...(['oneflow scale 1 web 3', 'RUNNING'] as const),
      ['post', '/service/S/scale', { cardinality: 3, force: false, role_name: 'web' }, 204, 'nothing'],
    ],
    [
      ...(['oneflow scale 1 web 30 --force', 'RUNNING'] as const),
      ['post', '/service/S/scale', { cardinality: 30, force: true, role_name: 'web' }, 204, 'nothing'],
    ],
    ['oneflow action 1 web reboot', 'RUNNING', ofRole('reboot', {}, [204, 'nothing'])],
    [
      ...(['oneflow action 1 web snapshot-create --args snap1 --period 300 --number 2', 'RUNNING'] as const),
      ofRole('snapshot-create', { period: 300, number: 2, args: 'snap1' }, [204, 'nothing']),
    ],
    ['oneflow service action 1 reboot', 'RUNNING', act('reboot', {})],
    [
      ...(['oneflow update 1 merge.json --append', 'RUNNING'] as const),
      ['put', '/service/S', { append: true, template: '{"description":"merged"}\n' }, 204, 'nothing'],
    ],
    ['oneflow purge-done', 'DONE', ['post', '/service_pool/purge_done', undefined, 204, 'nothing']],
    [
      ...(['oneflow add-role 1 role.json', 'RUNNING'] as const),
      [
        ...(['post', '/service/S/role_action'] as const),
        ...([action('add_role', { role: '{"name":"x","vm_template":0}\n', add: true }), 204, 'nothing'] as const),
      ],
    ],
    [
      ...(['oneflow remove-role 1 web', 'RUNNING'] as const),
      ['post', '/service/S/role_action', action('remove_role', { role: 'web', add: false }), 204, 'nothing'],
    ],
    ['oneflow release 1', 'HOLD', act('release', {})],
    [
      ...(['oneflow sched-delete 1 web 0', 'RUNNING'] as const),
      ofRole('reboot', { period: 300, number: 1 }, [204, 'nothing']),
      ['delete', '/service/S/role/web/sched_action/0', undefined, 204, 'nothing'],
    ],
    [
      ...(['oneflow service sched-delete 1 0', 'RUNNING', act('reboot', {})] as const),
      ['delete', '/service/S/sched_action/0', undefined, 204, 'nothing'],
    ],
    [
      ...(['oneflow-template instantiate 0', 'RUNNING', showTemplate] as const),
      ofTemplate('instantiate', { merge_template: {} }, 'service'),
    ],
    [
      ...(['oneflow-template instantiate 0 merge.json --multiple 2', 'RUNNING'] as const),
      ...[ofTemplate('instantiate', merge, 'service'), ofTemplate('instantiate', merge, 'service')],
    ],
    [
      ...(['oneflow-template clone 0 copy', 'RUNNING'] as const),
      ofTemplate('clone', { name: 'copy of 7.4.0', recursive: 'none' }, 'template'),
    ],
    [
      ...(['oneflow-template clone 0 copy --recursive', 'RUNNING'] as const),
      ofTemplate('clone', { name: 'whole', recursive: 'all' }, 'template'),
    ],
    [
      ...(['oneflow-template clone 0 copy --recursive-templates', 'RUNNING'] as const),
      ofTemplate('clone', { name: 'misspelt', recurisve: 'templates' }, 'template'),
    ],
    [
      ...(['oneflow-template delete 0', 'RUNNING', showTemplate] as const),
      ['delete', '/service_template/T', { delete_type: 'none' }, 204, 'nothing'],
    ],
  ],
};

describe.each([
  ['ruby 5.0.2', first],
  ['ruby 7.4.0', later],
] as const)('what %s was seen to send', (kind, shapes) => {
  for (const [command, state, ...requests] of captured[kind])
    it(command, async () => {
      const [S, T] = [await service(state), await template()];
      for (const [method, path, body, status, answer] of requests) {
        const to = path.replace('/S', `/${S}`).replace('/T', `/${T}`);
        // Template names are unique here, as `create` meets it once for each release.
        const sent =
          typeof body === 'function' ? body() : body === myService ? { ...body, name: `${command} ${kind}` } : body;
        const got = await ask(kind)(method, to, sent);
        expect([got.status, got.status < 300 ? '' : got.text], `${method} ${to}`).toEqual([status, '']);
        decode(shapes, answer, got);
      }
    });
});

/** Throws unless what was answered is what the client makes of it. */
function decode(shapes: Shapes, answer: Decoded, { text, body }: { text: string; body: unknown }): void {
  if (answer === 'nothing') expect(text).toBe('');
  else if (answer === 'scheduled')
    z.tuple([z.literal(true), z.string().regex(/^Action:reboot scheduled on Role:web VMs:[\d,]*$/)]).parse(body);
  else if (answer === 'services') poolOf(shapes.service).parse(body);
  else if (answer === 'templates') poolOf(shapes.template).parse(body);
  else shapes[answer].parse(body);
}

describe('what Terraform’s provider does, by goca', () => {
  const goca = ask('goca');
  const stateOf = async (id: string): Promise<number> => {
    const { body } = await goca('get', `/service/${id}`);
    return later.service.parse(body).DOCUMENT.TEMPLATE.BODY.state;
  };
  const becomes = (id: string, state: Service['state']) =>
    world.store.services.model.updateOne(
      { _id: Number(id) },
      { $set: { state, operation: null, wanted: null, 'roles.$[].state': state, 'roles.$[].operation': null } },
    );

  it('makes a service, waits until it runs, changes it, and waits until it is gone', async () => {
    const merge_template = { name: 'of terraform', roles: myService.roles };
    const made = await goca(
      'post',
      `/service_template/${await template()}/action`,
      action('instantiate', { merge_template }),
    );
    expect(made.status, made.text).toBe(201);
    const id = later.service.parse(made.body).DOCUMENT.ID;
    const perform = async (name: string, params: object) => {
      const { status, text } = await goca('post', `/service/${id}/action`, action(name, params));
      expect([status, text], name).toEqual([204, '']);
    };
    const seen: number[] = [await stateOf(id)];
    await perform('rename', { name: 'renamed by terraform' });
    // Where it is told of permissions, a group or an owner it asks for these at once, too.
    await perform('chmod', { octet: '642' });
    expect((await world.store.services.find(Number(id)))?.permissions).toEqual(permissionsOf('642'));
    // docs/oneflow.md says that it cannot give it away then.
    const early = await goca('post', `/service/${id}/action`, action('chgrp', { group_id: people.group }));
    expect([early.status, early.text]).toEqual([500, expect.stringContaining('is at work on service')]);
    for (const state of ['DEPLOYING', 'RUNNING'] as const) {
      await becomes(id, state);
      seen.push(await stateOf(id));
    }
    // 2 is what it waits for; 4, 6, 7 and 9 would be the end of it.
    expect(seen).toEqual([0, 1, 2]);
    await perform('chown', { owner_id: -1, group_id: people.group });
    await perform('chown', { owner_id: people.owner, group_id: -1 });
    const scale = { role_name: 'web', cardinality: 2, force: false };
    expect((await goca('post', `/service/${id}/scale`, scale)).status).toBe(204);
    expect(await stateOf(id)).toBe(8);
    await becomes(id, 'COOLDOWN');
    expect(await stateOf(id)).toBe(10);
    await becomes(id, 'RUNNING');
    expect((await goca('delete', `/service/${id}`)).status).toBe(204);
    await becomes(id, 'UNDEPLOYING');
    expect(await stateOf(id)).toBe(3);
    await becomes(id, 'DONE');
    const gone = await goca('get', `/service/${id}`);
    expect([gone.status, gone.text]).toEqual([404, expect.stringContaining('Error getting')]);
  });

  it('ends what cannot be undeployed by a recovery that deletes', async () => {
    const id = await service('FAILED_UNDEPLOYING');
    expect(await stateOf(String(id))).toBe(6);
    expect((await goca('post', `/service/${id}/action`, action('recover', { delete: true }))).status).toBe(204);
    expect(await world.store.operations.lastOf({ type: 'service', id })).toMatchObject({
      ...{ kind: 'undeployService', input: { remove: true } },
    });
  });
});

import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiRoot } from '../../../api/native/route.js';
import { createAsker } from '../answered.js';
import { createWorld, type Method, type World } from '../world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld({ withTemporal: true });
});
afterAll(() => world.stop());

const { answered } = createAsker(() => world);

const text = (path: string, body: string, type = 'text/plain', method: Method = 'post') =>
  request(world.server)
    [method](apiRoot + path)
    .auth('oneadmin', 'oneadmin')
    .set('Content-Type', type)
    .serialize((sent) => sent)
    .send(body);

describe('hosts', () => {
  it('have zombies removed when somebody says so, and never what may be the last copy of a VM', async () => {
    const { id } = (await answered('createHost', {}, { name: 'haunted', cpu: 4, memory: 4096 })).body;
    const zombie = (vm: number, reason: 'unknown' | 'last_copy') => ({
      ...{ vm, epoch: 2, deploy_id: `d-${vm}`, state: 'running' as const, capacity: { cpu: 100, memory: 512 } },
      ...{ reason, since: new Date(), error: null },
    });
    const zombies = [zombie(811, 'unknown'), zombie(812, 'unknown'), zombie(813, 'last_copy')];
    const wild = { name: 'one-12', deploy_id: 'w', state: 'running' as const, capacity: { cpu: 50, memory: 256 } };
    const strays = { zombies, wilds: [wild], zombie_count: 3, wild_count: 1 };
    await world.store.hosts.setStrays(id, null, { strays, outside: { cpu: 350, memory: 1_792 } });
    const seen = (await answered('showHost', { id })).body;
    expect(seen).toMatchObject({
      cpu: { used: 0, outside: 3.5, free: 0.5 },
      memory: { outside: 1_792, free: 2_304 },
      zombies: { count: 3, items: [{ fate: 'asked' }, { fate: 'asked' }, { fate: 'kept' }] },
      wilds: { count: 1, items: [{ name: 'one-12', cpu: 0.5, memory: 256 }] },
    });
    const refused = await world.ask('oneadmin', 'post', `/hosts/${id}/clean`, { vms: [811, 813, 7] });
    expect(refused.body).toMatchObject({
      type: '/problems/invalid_request',
      errors: [{ pointer: '/vms/1' }, { pointer: '/vms/2' }],
    });
    const fates = async (vms?: number[]) =>
      (await answered('cleanHost', { id }, vms ? { vms } : {})).body.zombies.items.map(
        ({ fate }: { fate: string }) => fate,
      );
    expect(await fates([812])).toEqual(['asked', 'removed', 'kept']);
    expect(await fates()).toEqual(['removed', 'removed', 'kept']);
    await answered('deleteHost', { id });
  });

  it('keep a wild that cannot be a VM, and say why', async () => {
    const { id } = (await answered('createHost', {}, { name: 'wilderness', cpu: 4, memory: 4096 })).body;
    const wild = (name: string, state: 'running' | 'stopped' | 'failed' = 'running', cpu = 100) => ({
      ...{ name, deploy_id: `d-${name}`, state, capacity: { cpu, memory: 256 } },
    });
    const wilds = [wild('up'), wild('crashed', 'failed'), wild('bare', 'running', 0), wild('large', 'stopped', 350)];
    const strays = { zombies: [], wilds, zombie_count: 0, wild_count: wilds.length };
    await world.store.hosts.setStrays(id, null, { strays, outside: { cpu: 100, memory: 512 } });
    const is = (state: 'OFFLINE' | 'MONITORED') =>
      world.store.hosts.model.updateOne({ _id: id }, { $set: { state, total: { cpu: 400, memory: 4_096 } } });
    const told = async (body: object, who = 'oneadmin', at = id) => {
      const before = await world.digests();
      const { body: problem } = await world.ask(who, 'post', `/hosts/${at}/import`, body);
      expect(await world.digests()).toEqual(before);
      return `${problem.status} ${problem.detail}`;
    };
    await is('OFFLINE');
    expect(await told({ wild: 'up' })).toMatch(/^409 .*wilderness. is OFFLINE: enable it/);
    await is('MONITORED');
    expect(await told({ wild: 'down' })).toMatch(/^409 .*there is no domain down among the wilds/);
    expect(await told({ wild: 'up' }, 'oneadmin', 987)).toMatch(/^404 /);
    expect(await told({ wild: 'crashed' })).toMatch(/^409 Domain crashed has crashed/);
    expect(await told({ wild: 'bare' })).toMatch(/^409 .*does not say what domain bare is given/);
    expect(await told({ wild: 'large' })).toMatch(/^409 wilderness has no room for it when it runs/);
    expect(await told({ wild: 'up', name: '' })).toMatch(/^400 /);
    expect(await told({ wild: 'up' }, 'alice')).toMatch(/^403 /);
    await world.ask('oneadmin', 'post', '/acls', { rule: `#2 HOST/#${id} USE+ADMIN` });
    await world.ask('oneadmin', 'patch', '/quotas/users/2', { cpu: 0.5 });
    expect(await told({ wild: 'up' }, 'alice')).toMatch(/^409 The quota of user 2 \(alice\) on CPU is 0.5 cores/);
    await world.ask('oneadmin', 'patch', '/quotas/users/2', { cpu: -1 });
    await is('OFFLINE');
    await answered('deleteHost', { id });
  });

  it('are added, shown, changed and removed', async () => {
    const made = await answered('createHost', {}, { name: 'host-1', cpu: 2.5, memory: 1024 });
    expect(made.headers.location).toBe(`/api/v1/hosts/${made.body.id}`);
    expect(made.body).toMatchObject({
      name: 'host-1',
      cpu: { total: 2.5, reserved: 0, used: 0, outside: 0, free: 2.5 },
      uname: 'oneadmin',
    });
    const { id } = made.body;
    expect((await answered('updateHost', { id }, { state: 'disabled', memory: 2048 })).body).toMatchObject({
      state: 'DISABLED',
      memory: { total: 2048 },
    });
    expect((await answered('showHost', { id })).body.name).toBe('host-1');
    expect((await answered('whyHost', { id })).body).toMatchObject({
      text: expect.stringContaining(`Host ${id} (host-1) is disabled`),
      actions: [{ name: 'enable', method: 'PATCH', href: `/api/v1/hosts/${id}` }],
    });
    expect((await answered('listHosts', {}, undefined, '?state=DISABLED')).body.items).toHaveLength(1);
    expect((await answered('listHosts', {}, undefined, '?state=ERROR')).body.items).toHaveLength(0);
    await answered('deleteHost', { id });
    expect((await answered('listHosts')).body.items).toHaveLength(0);
  });
});

describe('clusters', () => {
  it('hold hosts, and say what is kept back of them', async () => {
    const { body: cluster } = await answered(
      'createCluster',
      {},
      { name: 'production', attributes: { site: 'paris', RACKS: ['a', 'b'] }, reserved: { cpu: '10%', memory: 24 } },
    );
    expect(cluster).toMatchObject({ attributes: { SITE: 'paris', RACKS: ['a', 'b'] }, hosts: [] });
    const { id } = cluster;
    const inside = { name: 'inside', cpu: 4, memory: 1024, cluster_id: id, attributes: { rack: 'a' } };
    const { body: host } = await answered('createHost', {}, inside);
    expect(host).toMatchObject({
      ...{ cluster_id: id, attributes: { RACK: 'a' }, reserved: { cpu: null, memory: null } },
      cpu: { total: 4, reserved: 0.4, used: 0, free: 3.6 },
      memory: { total: 1024, reserved: 24, used: 0, free: 1000 },
    });
    expect((await answered('showCluster', { id })).body.hosts).toEqual([host.id]);
    const changed = await answered(
      'updateCluster',
      { id },
      { name: 'prod', attributes: { SITE: null }, reserved: { cpu: -1 } },
    );
    expect(changed.body).toMatchObject({
      name: 'prod',
      attributes: { RACKS: ['a', 'b'] },
      reserved: { cpu: -1, memory: 24 },
    });
    expect((await answered('showHost', { id: host.id })).body.cpu).toMatchObject({ reserved: -1, free: 5 });
    const own = await answered(
      'updateHost',
      { id: host.id },
      { reserved: { memory: '50%' }, attributes: { RACK: null } },
    );
    expect(own.body).toMatchObject({
      attributes: {},
      reserved: { cpu: null, memory: '50%' },
      memory: { reserved: 512 },
    });
    expect((await world.ask('oneadmin', 'delete', `/clusters/${id}`)).body).toMatchObject({ type: '/problems/in_use' });
    expect((await answered('updateHost', { id: host.id }, { cluster_id: 0 })).body).toMatchObject({ cluster_id: 0 });
    await answered('deleteCluster', { id });
    expect((await answered('listClusters')).body.items).toMatchObject([{ id: 0, name: 'default', hosts: [host.id] }]);
    expect((await world.ask('oneadmin', 'delete', '/clusters/0')).body).toMatchObject({
      type: '/problems/wrong_state',
    });
    await answered('deleteHost', { id: host.id });
  });

  it.each([
    ['a cluster that is not there', { cluster_id: 7 }, { pointer: '/cluster_id', detail: 'there is no cluster 7' }],
    [
      'a name that Arcus tells',
      { attributes: { free_cpu: 1 } },
      { pointer: '/attributes/free_cpu', detail: 'is told by Arcus itself' },
    ],
    [
      'where simulated hosts keep what is stopped',
      { name: 'arcus-sim-storage' },
      { pointer: '/name', detail: expect.stringContaining('runs nothing') },
    ],
    ['more than all', { reserved: { cpu: '101%' } }, { pointer: '/reserved/cpu' }],
    ['one of libvirt without a URI', { vm_mad: 'libvirt' }, { pointer: '/libvirt' }],
    ['a URI of what is simulated', { libvirt: { uri: 'qemu:///system' } }, { pointer: '/libvirt' }],
    [
      'a directory that is none',
      { vm_mad: 'libvirt', libvirt: { uri: 'qemu:///system', directory: 'a/b' } },
      { pointer: '/libvirt/directory' },
    ],
    ['what is no amount', { reserved: { memory: 'half' } }, { pointer: '/reserved/memory' }],
  ])('%s is refused for a host', async (_, more, error) => {
    const response = await world.ask('oneadmin', 'post', '/hosts', { name: 'refused', cpu: 1, memory: 64, ...more });
    expect(response.body).toMatchObject({ status: 400, errors: [error] });
  });

  it.each([
    ['of no hypervisor', 'http://host-1/system', 'must be a URI of QEMU'],
    ['that leads nowhere', 'qemu+ssh:///system', 'must name a host'],
    ['with a password', 'qemu+ssh://a:b@host-1/system', 'must have no password'],
    ['that runs a program', 'qemu+ssh://host-1/system?command=/bin/sh', 'must have no parameter "command"'],
    ['that believes whoever answers', 'qemu+ssh://host-1/system?no_verify=1', 'must have no parameter "no_verify"'],
    ['of no daemon', 'qemu:///other', 'must end with /system or /session'],
  ])('a URI %s is refused', async (_, uri, why) => {
    const host = { name: 'refused', cpu: 1, memory: 64, vm_mad: 'libvirt', libvirt: { uri } };
    const { body } = await world.ask('oneadmin', 'post', '/hosts', host);
    const detail = expect.stringContaining(why);
    expect(body).toMatchObject({ status: 400, errors: [{ pointer: '/libvirt/uri', detail }] });
  });

  it('the libvirt of another host is refused, of hosts that are made at once, too', async () => {
    const make = (name: string) =>
      world.ask('oneadmin', 'post', '/hosts', {
        ...{ name, cpu: 1, memory: 64, vm_mad: 'libvirt' },
        libvirt: { uri: 'qemu+ssh://twice/system' },
      });
    const answers = await Promise.all(['kvm-1', 'kvm-2', 'kvm-3'].map(make));
    const made = answers.filter(({ status }) => status === 201);
    expect(made).toHaveLength(1);
    const { id, name } = made[0]?.body ?? {};
    for (const { body } of answers.filter(({ status }) => status !== 201))
      expect(body).toMatchObject({
        ...{ status: 409, type: '/problems/already_there' },
        errors: [{ pointer: '/libvirt/uri', detail: `is that of host ${id} (${name})` }],
      });
    expect((await make(name)).body).toMatchObject({ status: 409 });
    await answered('deleteHost', { id });
  });
});

describe('requirements and ranks', () => {
  it('that cannot be read are refused with the place, in templates and in VMs', async () => {
    const template = { CPU: 1, MEMORY: 64, SCHED_REQUIREMENTS: 'CLUSTER_ID = ' };
    const detail = expect.stringMatching(/^line 1, column 14: expected/);
    const made = await world.ask('oneadmin', 'post', '/vm-templates', { name: 'unreadable', template });
    expect(made.body).toMatchObject({ status: 400, errors: [{ pointer: '/template/SCHED_REQUIREMENTS', detail }] });
    const { id } = (
      await answered(
        'createVmTemplate',
        {},
        { name: 'readable', template: { CPU: 1, MEMORY: 64, SCHED_RANK: 'FREE_CPU' } },
      )
    ).body;
    const changes = { template_id: id, template: { SCHED_RANK: '1 +' } };
    expect((await world.ask('oneadmin', 'post', '/vms', changes)).body).toMatchObject({
      status: 400,
      errors: [{ pointer: '/template/SCHED_RANK' }],
    });
    await answered('deleteVmTemplate', { id });
  });

  it('and NICs and disks that no VM can be made with are, too, also where a role brings them', async () => {
    const ask = async (path: string, body: object) => (await world.ask('oneadmin', 'post', path, body)).body;
    const wrong = { NIC: { MAC: 'x' }, DISK: [{ IMAGE_ID: 1 }, { TYPE: 'fs', SIZE: 0 }] };
    expect(await ask('/vm-templates', { name: 'wrong', template: { CPU: 1, MEMORY: 64, ...wrong } })).toMatchObject({
      status: 400,
      errors: [{ pointer: '/template/NIC/MAC' }, { pointer: '/template/DISK/1/SIZE' }],
    });
    const { id } = (await answered('createVmTemplate', {}, { name: 'plain', template: { CPU: 1, MEMORY: 64 } })).body;
    const role = { name: 'web', cardinality: 1, vm_template: id, vm_template_contents: 'NIC = [ MAC = "x" ]' };
    expect(await ask('/service-templates', { name: 'odd', roles: [role] })).toMatchObject({
      status: 400,
      errors: [{ pointer: '/roles/0/vm_template_contents', detail: expect.stringContaining('NIC/0/MAC') }],
    });
    await answered('deleteVmTemplate', { id });
  });

  it('that OpenNebula would read otherwise come with a warning that shows both', async () => {
    const template = { CPU: 1, MEMORY: 64, SCHED_REQUIREMENTS: 'RACK = a | RACK = b & ID > 3' };
    const { body } = await answered('createVmTemplate', {}, { name: 'ambiguous', template });
    expect(body.warnings).toEqual([
      'SCHED_REQUIREMENTS is read here as RACK = "a" | (RACK = "b" & ID > 3), for & binds tighter than |. OpenNebula would read it as (RACK = "a" | RACK = "b") & ID > 3. Brackets make it the same for both.',
    ]);
    await answered('deleteVmTemplate', { id: body.id });
  });
});

describe('VM templates', () => {
  it('come as OpenNebula’s text', async () => {
    const made = await text(
      '/vm-templates',
      'NAME = "from text" # a comment\nCPU="0.5"\nMEMORY = 256\nDISK=[IMAGE="debian", SIZE="10"]\nDISK=[IMAGE="data"]\nMINE=yes\n',
    );
    expect(made.status).toBe(201);
    const { id } = made.body;
    expect((await answered('showVmTemplate', { id })).body).toMatchObject({
      name: 'from text',
      template: { CPU: 0.5, MEMORY: 256, DISK: [{ IMAGE: 'debian', SIZE: '10' }, { IMAGE: 'data' }], MINE: 'yes' },
    });
    expect((await answered('listVmTemplates')).body.items.map((item: { id: number }) => item.id)).toEqual([id]);
    expect((await answered('updateVmTemplate', { id }, { name: 'for now' })).body.name).toBe('for now');
    const replaced = await text(`/vm-templates/${id}`, 'NAME=renamed\nCPU=1\nMEMORY=1', 'text/plain', 'put');
    expect(replaced.body).toMatchObject({ name: 'renamed', template: { CPU: 1, MEMORY: 1 } });
    expect(replaced.body.template).not.toHaveProperty('MINE');
    const whole = { name: 'whole', template: { CPU: 2, MEMORY: 2 } };
    expect((await answered('replaceVmTemplate', { id }, whole)).body).toMatchObject(whole);
    await answered('deleteVmTemplate', { id });
  });

  it('come as JSON with comments', async () => {
    const made = await text(
      '/vm-templates',
      '// a template\n{ "name": "commented", /* small */ "template": { "CPU": 1, "MEMORY": 128 } }',
      'application/json; charset=utf-8',
    );
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    await answered('deleteVmTemplate', { id: made.body.id });
  });

  it('say what is missing in a text, as a sentence', async () => {
    const response = await text('/vm-templates', 'CPU=1\nMEMORY=lots\n');
    expect(response.body).toMatchObject({
      status: 400,
      errors: [
        { pointer: '/name', detail: 'is required' },
        { pointer: '/template/MEMORY', detail: 'must be an integer, in MB' },
      ],
    });
  });
});

describe('lists', () => {
  it('are paged by a cursor that the Link header carries to the end', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'].map((letter) => `paged-${letter}`);
    for (const name of names) await answered('createVmTemplate', {}, { name, template: { CPU: 1, MEMORY: 1 } });
    const seen: string[] = [];
    let path: string | undefined = `${apiRoot}/vm-templates?limit=2`;
    const sizes: number[] = [];
    while (path !== undefined) {
      const page: request.Response = await request(world.server).get(path).auth('oneadmin', 'oneadmin');
      seen.push(...page.body.items.map(({ name }: { name: string }) => name));
      sizes.push(page.body.items.length);
      path = /^<([^>]+)>; rel="next"$/.exec(page.headers.link ?? '')?.[1];
      expect(path === undefined).toBe(page.body.next_cursor === null);
    }
    expect(seen).toEqual(names);
    expect(sizes).toEqual([2, 2, 1]);
  });
});

describe('long operations', () => {
  it('answer 202 with the address of the operation, which names its resource and its run', async () => {
    const { body: template } = await answered(
      'createVmTemplate',
      {},
      { name: 'small', template: { CPU: 1, MEMORY: 64 } },
    );
    const { body: shop } = await answered(
      'createServiceTemplate',
      {},
      { name: 'shop', deployment: 'straight', roles: [{ name: 'web', cardinality: 2, vm_template: template.id }] },
    );
    expect((await answered('listServiceTemplates')).body.items).toHaveLength(1);
    await answered('replaceServiceTemplate', { id: shop.id }, { ...shop.body, deployment: 'straight' });
    const none = await answered('updateServiceTemplate', { id: shop.id }, { deployment: null });
    expect(none.body.body).toEqual({ ...shop.body, deployment: 'none' });
    expect((await answered('showServiceTemplate', { id: shop.id })).body.body.deployment).toBe('none');

    const accepted = await answered(
      'instantiateServiceTemplate',
      { id: shop.id },
      { merge_template: { name: 'mine' } },
    );
    expect(accepted.headers.location).toBe(`/api/v1/operations/${accepted.body.id}`);
    const { id } = accepted.body.resource;
    const operation = await answered('showOperation', { id: accepted.body.id });
    expect(operation.body).toMatchObject({
      type: 'deployService',
      state: 'accepted',
      resource: { type: 'service', id, name: 'mine', href: `/api/v1/services/${id}` },
      requester: { id: 0, name: 'oneadmin' },
      workflow: { id: `service-${id}`, url: expect.stringContaining(`service-${id}`) },
    });
    expect((await answered('showService', { id })).body).toMatchObject({
      name: 'mine',
      state: 'PENDING',
      roles: [{ name: 'web', cardinality: 2, nodes: [] }],
      operation: accepted.body.id,
    });
    expect((await answered('listServices', {}, undefined, '?state=PENDING')).body.items).toHaveLength(1);
    const found = await answered(
      'listOperations',
      {},
      undefined,
      `?resource_type=service&resource_id=${id}&state=accepted`,
    );
    expect(found.body.items.map((item: { id: string }) => item.id)).toEqual([accepted.body.id]);
    expect((await answered('listServiceOperations', { id }, undefined, '?state=accepted')).body).toEqual(found.body);
    expect((await answered('listServiceOperations', { id }, undefined, '?state=failed')).body.items).toEqual([]);
    // Without workers, its run waits for one.
    for (const [route, wanted] of [
      ['whyService', { id }] as const,
      ['whyOperation', { id: accepted.body.id }] as const,
    ])
      expect((await answered(route, wanted)).body).toMatchObject({
        text: expect.stringMatching(/^The deployment of service \d+ \(mine\) was accepted .*, and has not begun\./),
        resource: { type: 'service', id, name: 'mine', state: 'PENDING' },
        operation: accepted.body.id,
        operation_state: 'accepted',
        asked_engine: true,
      });

    await world.store.services.model.updateOne({ _id: id }, { $set: { state: 'FAILED_DEPLOYING', operation: null } });
    expect((await answered('recoverService', { id })).body.type).toBe('deployService');
    await world.store.services.model.updateOne({ _id: id }, { $set: { state: 'WARNING', operation: null } });
    const warned = { 'roles.$[].state': 'WARNING', 'roles.$[].operation': null };
    await world.store.services.model.updateOne({ _id: id }, { $set: warned });
    expect((await answered('repairService', { id })).body.type).toBe('repairService');
    const undeploy = await answered('undeployService', { id });
    expect(undeploy.body.type).toBe('undeployService');
    expect((await answered('deleteService', { id })).body.type).toBe('undeployService');
    expect((await world.store.services.find(id))?.log.map(({ message }) => message).slice(-3)).toEqual([
      'Repair of role web, by oneadmin',
      'Undeployment, by oneadmin',
      'Deletion, by oneadmin',
    ]);
    await answered('createService', {}, { template_id: shop.id });
    await answered('deleteServiceTemplate', { id: shop.id });
  });

  it('make and end a VM, whose user template can be written', async () => {
    const { body: template } = await answered(
      'createVmTemplate',
      {},
      { name: 'one', template: { CPU: 1, MEMORY: 64 } },
    );
    const accepted = await answered('createVm', {}, { template_id: template.id, name: 'test', template: { CPU: 2 } });
    const { id } = accepted.body.resource;
    expect((await answered('showVm', { id })).body).toMatchObject({ name: 'test', cpu: 2, memory: 64, ready: false });
    const set = await answered('updateVm', { id }, { user_template: { ready: 'YES', COLOUR: 'red' } });
    expect(set.body).toMatchObject({ ready: true, user_template: { READY: 'YES', COLOUR: 'red' } });
    const unset = await answered('updateVm', { id }, { user_template: { COLOUR: null } });
    expect(unset.body.user_template).not.toHaveProperty('COLOUR');
    const large = await world.ask('oneadmin', 'patch', `/vms/${id}`, { user_template: { NOTE: 'x'.repeat(300_000) } });
    expect(large.body).toMatchObject({
      status: 400,
      detail: expect.stringContaining('at most 128 KiB'),
      errors: [{ pointer: '/user_template' }],
    });
    expect((await answered('updateVm', { id }, { name: 'other' })).body).toMatchObject({
      ...{ name: 'other', user_template: { READY: 'YES' } },
    });
    const digits = await world.ask('oneadmin', 'patch', `/vms/${id}`, { name: '12' });
    expect(digits.body).toMatchObject({ status: 400, errors: [{ pointer: '/name' }] });
    await answered('updateVm', { id }, { name: 'test' });
    expect((await answered('listVms', {}, undefined, '?state=PENDING')).body.items).toHaveLength(1);
    expect((await answered('listVms', {}, undefined, '?service_id=0')).body.items).toHaveLength(0);
    expect((await answered('whyVm', { id })).body.text).toMatch(/^VM \d+ \(test\) has no host yet\. The deployment /);
    const unreadable = { user_template: { sched_requirements: 'A = 1 |' } };
    expect((await world.ask('oneadmin', 'patch', `/vms/${id}`, unreadable)).body).toMatchObject({
      status: 400,
      errors: [{ pointer: '/user_template/SCHED_REQUIREMENTS' }],
    });
    await answered('updateVm', { id }, { user_template: { SCHED_RANK: 'FREE_CPU' } });
    expect((await answered('showVmPlacement', { id })).body).toMatchObject({
      text: `VM ${id} (test) has no host: no host is registered.`,
      ...{ host: null, rank: 'FREE_CPU', requirements: null, candidates: 0 },
    });
    expect((await answered('listVmOperations', { id })).body.items).toHaveLength(1);
    await world.store.vms.model.updateOne({ _id: id }, { $set: { state: 'POWEROFF', operation: null } });
    expect((await answered('resumeVm', { id })).body.type).toBe('deployVm');
    expect((await answered('recoverVm', { id }, { action: 'delete' })).body.type).toBe('terminateVm');
    await world.store.vms.model.updateOne({ _id: id }, { $set: { wanted: null } });
    expect((await answered('terminateVm', { id })).body.type).toBe('terminateVm');
  });
});

describe('operations', () => {
  const instantiated = async (name: string): Promise<{ id: string; service: number }> => {
    const template = await world.ask('oneadmin', 'post', '/vm-templates', {
      name,
      template: { CPU: 1, MEMORY: 1 },
    });
    const roles = [{ name: 'web', vm_template: template.body.id }];
    const made = await world.ask('oneadmin', 'post', '/service-templates', { name, roles });
    const { body } = await world.ask('oneadmin', 'post', `/service-templates/${made.body.id}/instantiate`, {});
    return { id: body.id, service: body.resource.id };
  };

  it('are stopped, and tried again as another that names them', async () => {
    const { id } = await instantiated('stopped');
    expect((await answered('cancelOperation', { id })).body).toMatchObject({
      state: 'cancelled',
      cancel_requested: { by: { name: 'oneadmin' } },
    });
    expect((await answered('retryOperation', { id })).body).toMatchObject({ type: 'deployService', retry_of: id });
  });

  it('go on with the answer to what they ask', async () => {
    const { id, service } = await instantiated('asking');
    const state = 'FAILED_DEPLOYING';
    await world.store.services.model.updateOne({ _id: service }, { $set: { 'roles.0.state': state } });
    const question = { text: 'Role web has failed. What now?', roles: ['web'], asked_at: new Date() };
    await world.store.operations.model.updateOne({ _id: id }, { $set: { state: 'waiting_for_you', question } });
    expect((await answered('answerOperation', { id }, { answer: 'skip' })).body).toMatchObject({
      state: 'accepted',
      question: null,
    });
  });
});

describe('checks of consistency', () => {
  it('are started under the id of their operation, shown and listed', async () => {
    const { body } = await answered('checkConsistency', {}, { repair: true });
    expect(body).toMatchObject({ type: 'checkConsistency', resource: { type: 'zone', id: 0 } });
    expect((await answered('showConsistencyCheck', { id: body.id })).body).toMatchObject({
      ...{ id: body.id, state: 'accepted', repair: true, doing: null, found: 0, left: 0, findings: [], ended_at: null },
      compared: {
        services: 0,
        vms: 0,
        hosts: 0,
        operations: 0,
        runs: 0,
        domains: 0,
        images: 0,
        datastores: 0,
        markets: 0,
      },
    });
    const { items } = (await answered('listConsistencyChecks')).body;
    expect(items.map(({ id }: { id: string }) => id)).toEqual([body.id]);
    expect(items[0]).not.toHaveProperty('findings');
  });
});

describe('quotas', () => {
  it('of users and groups are set, shown and listed, with what is used', async () => {
    const unset = { limit: -1, effective: null, used: 0 };
    expect((await answered('showUserQuota', { id: 2 })).body).toMatchObject({ id: 2, name: 'alice', vms: unset });
    expect((await answered('updateUserQuota', { id: 2 }, { vms: 10, cpu: 2.5 })).body).toMatchObject({
      ...{ vms: { limit: 10, effective: 10 }, cpu: { limit: 2.5, effective: 2.5 }, memory: unset },
    });
    expect((await answered('updateUserQuota', { id: 2 }, { vms: -2 })).body).toMatchObject({
      ...{ vms: { limit: -2, effective: null }, cpu: { limit: 2.5, effective: 2.5 } },
    });
    const ofGroup = await answered('updateGroupQuota', { id: 1 }, { services: 3 });
    expect(ofGroup.body).toMatchObject({ type: 'group', name: 'users', services: { effective: 3, used: 0 } });
    expect((await answered('showGroupQuota', { id: 1 })).body).toEqual(ofGroup.body);
    expect((await answered('listGroupQuotas')).body.items).toEqual([ofGroup.body]);
    expect((await answered('listUserQuotas', {}, undefined, '?filter=id=2')).body.items).toHaveLength(1);
    expect((await answered('listUserQuotas', {}, undefined, '?filter=id=3')).body.items).toEqual([]);
    expect((await answered('showOwnQuotas')).body).toMatchObject({
      user: { id: 0, exempt: true },
      groups: [{ id: 0, exempt: true }],
    });
  });

  it('have defaults', async () => {
    expect((await answered('showDefaultQuotas')).body.users).toEqual({
      ...{ services: -2, vms: -2, cpu: -2, memory: -2, images: -2, storage: -2, leases: -2 },
      ...{ per_network: {}, per_datastore: {}, per_image: {} },
      ...{
        vm_templates: 1_000,
        service_templates: 1_000,
        networks: 1_000,
        network_templates: 1_000,
        security_groups: 1_000,
        tokens: 100,
        operations: 200,
      },
    });
    const set = await answered('updateDefaultQuotas', {}, { users: { memory: 4096 }, groups: { cpu: 8 } });
    expect(set.body).toMatchObject({ users: { memory: 4096, vms: -2 }, groups: { cpu: 8, memory: -2 } });
    expect((await answered('showUserQuota', { id: 2 })).body.memory).toEqual({ limit: -1, effective: 4096, used: 0 });
    await answered('updateDefaultQuotas', {}, { users: { memory: -2 }, groups: { cpu: -2 } });
  });
});

describe('what belongs to somebody', () => {
  it('is shared and given away', async () => {
    const template = { name: 'owned', template: { CPU: 1, MEMORY: 64 } };
    const vmTemplate = (await answered('createVmTemplate', {}, template)).body.id;
    const roles = [{ name: 'web', vm_template: vmTemplate }];
    const serviceTemplate = (await answered('createServiceTemplate', {}, { name: 'owned', roles })).body.id;
    const service = (await answered('createService', {}, { template_id: serviceTemplate })).body.resource.id;
    await world.store.services.model.updateOne({ _id: service }, { $set: { operation: null } });
    const objects = {
      VmTemplate: vmTemplate,
      ServiceTemplate: serviceTemplate,
      Service: service,
      Vm: (await answered('createVm', {}, { template_id: vmTemplate })).body.resource.id,
      Host: (await answered('createHost', {}, { name: 'owned', cpu: 1, memory: 64 })).body.id,
      Cluster: (await answered('createCluster', {}, { name: 'owned' })).body.id,
    };
    for (const [kind, id] of Object.entries(objects)) {
      const { body } = await answered(`chmod${kind}`, { id }, { octet: '640' });
      expect(body.permissions.group).toEqual({ use: true, manage: false, admin: false });
      expect((await answered(`chown${kind}`, { id }, { uid: 2, gid: 1 })).body).toMatchObject({
        ...{ id, uid: 2, uname: 'alice', gid: 1, gname: 'users' },
      });
    }
  });
});

describe('without Temporal', () => {
  it('operations are accepted all the same, and reads work', async () => {
    const lonely = await createWorld({ withTemporal: false });
    try {
      await lonely.ask('oneadmin', 'post', '/vm-templates', { name: 'small', template: { CPU: 1, MEMORY: 64 } });
      const accepted = await lonely.ask('oneadmin', 'post', '/vms', { template_id: 0 });
      expect(accepted.status).toBe(202);
      expect((await lonely.ask('oneadmin', 'get', `/operations/${accepted.body.id}`)).body.state).toBe('accepted');
      const why = await lonely.ask('oneadmin', 'get', `/vms/${accepted.body.resource.id}/why`);
      expect(why.body).toMatchObject({
        text: expect.stringContaining('Temporal, which runs operations, does not answer'),
        asked_engine: false,
      });
      const ready = await request(lonely.app).get('/readyz');
      expect(ready.status).toBe(200);
      expect(ready.body).toMatchObject({ status: 'degraded', mongodb: 'ok', temporal: 'missing' });
    } finally {
      await lonely.stop();
    }
  });

  it('is told from with it', async () => {
    expect((await request(world.server).get('/readyz')).body).toEqual({ status: 'ok', mongodb: 'ok', temporal: 'ok' });
  });
});

describe('metrics', () => {
  it('count what was accepted', async () => {
    const response = await request(world.server).get('/metrics');
    expect(response.text).toMatch(/arcus_operations_accepted_total\{request="createVm"\} 2/);
  });

  it('are numbers, and of the event loop what is one of its delay', async () => {
    for (let times = 0; times < 2; times++) {
      const { text } = await request(world.server).get('/metrics');
      const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      for (const sample of samples) expect(Number(sample.split(' ').at(-1)), sample).toBeLessThan(1e12);
      expect(samples.filter((line) => line.startsWith('nodejs_eventloop_lag_'))).toEqual([
        expect.stringMatching(/^nodejs_eventloop_lag_seconds [\d.e-]+$/),
      ]);
    }
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runArcus } from '../run-arcus.js';
import { type StubApi, startStubApi } from '../stub-api.js';
import { page, user } from '../stub-objects.js';

// How quotas look and what is sent. That real answers are such is shown in test/api.

let api: StubApi;
beforeAll(async () => {
  api = await startStubApi();
});
afterAll(() => api.stop());
beforeEach(() => {
  api.asked.length = 0;
});

const arcus = (...args: string[]) => runArcus(args, api.environment);
const none = { limit: -1, effective: null, used: 0 };
const alice = {
  ...{ id: 2, type: 'user', name: 'alice', exempt: false, services: none },
  ...{ vms: { limit: 10, effective: 10, used: 3 }, cpu: { limit: -1, effective: 4, used: 2.5 } },
  memory: { limit: -2, effective: null, used: 384 },
  images: { limit: 20, effective: 20, used: 1 },
  storage: { limit: -1, effective: null, used: 2_048 },
  leases: { limit: 20, effective: 20, used: 3 },
  per_network: { 3: { leases: { limit: 2, effective: 2, used: 1 } } },
  ...{ per_datastore: {}, per_image: {} },
};
const group = { ...alice, id: 0, type: 'group', name: 'oneadmin', exempt: true, vms: none, cpu: none, memory: none };

describe('arcus quota', () => {
  it('shows what is used of what is allowed: yours and your groups’', async () => {
    api.on('GET /quotas', { body: { user: alice, groups: [group] } });
    const { code, out } = await arcus('quota', 'show');
    expect(code).toBe(0);
    expect(out).toMatch(/^TYPE +ID +NAME +SERVICES +VMS +CPU +MEMORY +IMAGES +STORAGE +LEASES/);
    expect(out).toMatch(/^user +2 +alice +0\/- +3\/10 +2\.5\/4 +384M\/- +1\/20 +2048M\/- +3\/20$/m);
    expect(out).toMatch(/^user 2 +virtual network +3 +leases +1\/2$/m);
    expect(out).toMatch(/^group +0 +oneadmin +.* never counted$/m);
  });

  it('lists users and groups together', async () => {
    api.on('GET /quotas/users?limit=1000', { body: { items: [alice], next_cursor: null } });
    api.on('GET /quotas/groups?limit=1000', { body: { items: [group], next_cursor: null } });
    expect((await arcus('quota', 'list')).out.split('\n')).toHaveLength(4);
    expect(JSON.parse((await arcus('quota', 'list', '-o', 'json')).out)).toEqual([alice, group]);
  });

  it('sets limits by number and by word, of somebody named by id or name', async () => {
    api.on('GET /users?filter=name%3D%22alice%22&limit=1000', page(user(2, 'alice')));
    api.on('PATCH /quotas/users/2', { body: alice });
    for (const whose of ['2', 'alice']) {
      const { code, err } = await arcus(
        'quota',
        'set',
        'user',
        whose,
        '--vms',
        '10',
        '--cpu',
        'default',
        '--memory',
        'unlimited',
      );
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(JSON.parse(api.asked.at(-1)?.body ?? '')).toEqual({ vms: 10, cpu: -1, memory: -2 });
    }
  });

  it('sets limits on single networks, datastores and images, named by id or name', async () => {
    const office = { id: 3, name: 'office' };
    api.on('GET /virtual-networks?filter=name%3D%22office%22&limit=1000', page(office));
    api.on('PATCH /quotas/users/2', { body: alice });
    const on = ['--network-leases', 'office=2', '--network-leases', '4=unlimited', '--image-vms', '7=default'];
    const { code, err } = await arcus('quota', 'set', 'user', '2', '--leases', '20', ...on, '--datastore-size', '1=50');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(api.asked.at(-1)?.body ?? '')).toEqual({
      leases: 20,
      per_network: { 3: { leases: 2 }, 4: { leases: -2 } },
      per_datastore: { 1: { size: 50 } },
      per_image: { 7: { rvms: -1 } },
    });
  });

  it('shows and sets defaults', async () => {
    const on = { per_network: { 3: { leases: 5 } }, per_datastore: {}, per_image: {} };
    const limits = { services: -2, vms: 20, cpu: -2, memory: -2, images: -2, storage: 1024, leases: -2, ...on };

    const counts = {
      ...{
        vm_templates: 1000,
        service_templates: 1000,
        networks: 1000,
        network_templates: 1000,
        security_groups: 1000,
      },
      ...{ tokens: 100, operations: 200 },
    };
    const body = { users: { ...limits, ...counts }, groups: { ...limits, vms: -2 } };
    api.on('GET /quotas/defaults', { body });
    api.on('PATCH /quotas/defaults', { body });
    expect((await arcus('quota', 'defaults')).out).toMatch(
      /^users +unlimited +20 +unlimited +unlimited +unlimited +1024M +unlimited +1000 +1000 +1000 +1000 +1000 +100 +200$/m,
    );
    expect((await arcus('quota', 'defaults')).out).toMatch(/^users +virtual network +3 +leases +5$/m);
    await arcus('quota', 'defaults', 'users', '--vms', '20');
    expect(JSON.parse(api.asked.at(-1)?.body ?? '')).toEqual({ users: { vms: 20 } });
    await arcus('quota', 'defaults', 'users', '--vm-templates', '50', '--operations', 'unlimited');
    expect(JSON.parse(api.asked.at(-1)?.body ?? '')).toEqual({ users: { vm_templates: 50, operations: -2 } });
  });

  it.each([
    ['limits of nobody', ['set', 'user'], 2, /missing required argument/],
    ['no limits', ['set', 'user', '2'], 2, /Say what with --services/],
    [
      'a limit that is no number',
      ['set', 'user', '2', '--vms', 'many'],
      2,
      /--vms: must be a number, default or unlimited/,
    ],
    [
      'a limit of nothing',
      ['set', 'user', '2', '--image-vms', '5'],
      2,
      /--image-vms: "5" is not of the form NAME=LIMIT/,
    ],
    ['neither user nor group', ['show', 'team', '2'], 2, /user or group/],
    ['a name that nobody has', ['show', 'user', 'zoe'], 3, /There is no user called "zoe"/],
    ['defaults of one user', ['defaults', 'user', '--vms', '1'], 2, /users or groups/],
  ] as const)('says what is wrong with %s', async (_what, args, code, says) => {
    api.on('GET /users', page());
    const result = await arcus('quota', ...args);
    expect(result.code).toBe(code);
    expect(result.err).toMatch(says);
    expect(api.asked.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('is where a refusal leads', async () => {
    const detail = 'The quota of user 2 (alice) on VMs is 10: 10 in use, and this takes 1 more.';
    const exceeded = { quota: 'vms', holder: { type: 'user', id: 2 }, limit: 10, used: 10, asked: 1 };
    const body = {
      ...{
        type: '/problems/quota_exceeded',
        title: 'x',
        status: 409,
        detail,
        instance: '/',
        request_id: 'r',
        exceeded,
      },
    };
    api.on('POST /service-templates/1/instantiate', { status: 409, body });
    const { code, err } = await arcus('service-template', 'instantiate', '1');
    expect(code).toBe(4);
    expect(err).toMatch(/^arcus: The quota of user 2 .*\n.*arcus quota show/);
  });
});

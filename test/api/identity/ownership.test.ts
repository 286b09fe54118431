import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { octetOf } from '../../../domain/identity/permission-bits.js';
import { recordOf } from '../../../schemas/common/record-of.js';
import { kinds, managedKinds, type OwnedKind, ownedKinds, rowOf } from '../../../schemas/kinds.js';
import { made } from '../../support/made-kinds.js';
import { addGroup, addUser } from '../../support/people.js';
import { publishedApp } from '../../support/published-app.js';
import { createWorld, type World } from '../world.js';

let world: World;
/** erin, carol and dave are in group `team`, alice and bob are not; grace is an administrator. */
let team = -1;
const idOf: Record<string, number> = {};
let vmTemplate = -1;
let serviceTemplate = -1;
let serial = 0;

const ask = async (who: string, path: string, body: object) => world.ask(who, 'post', path, body);
const make = async (who: string, path: string, body: object) => {
  const response = await ask(who, path, body);
  expect(response.status, JSON.stringify(response.body)).toBeLessThan(300);
  return response.body;
};
const ids = async (who: string, path: string): Promise<(number | string)[]> =>
  (await world.ask(who, 'get', path)).body.items.map(({ id }: { id: number | string }) => id);
const name = (): string => `object-${serial++}`;

beforeAll(async () => {
  world = await createWorld({ withTemporal: true });
  team = (await addGroup(world.directory, 'team'))._id;
  for (const who of ['erin', 'carol']) idOf[who] = (await addUser(world.directory, who, { groups: [1, team] }))._id;
  idOf.dave = (await addUser(world.directory, 'dave', { groups: [1, team], umask: '133' }))._id;
  idOf.grace = (await addUser(world.directory, 'grace', { gid: 0, umask: '026' }))._id;
  for (const who of ['oneadmin', 'alice', 'bob']) idOf[who] = (await world.directory.users.byName(who))?._id ?? -1;
  vmTemplate = (await make('oneadmin', '/vm-templates', { name: 'shared', template: { CPU: 1, MEMORY: 64 } })).id;
  await make('oneadmin', `/vm-templates/${vmTemplate}/chmod`, { octet: '644' });
  const roles = [{ name: 'web', vm_template: vmTemplate }];
  serviceTemplate = (await make('oneadmin', '/service-templates', { name: 'shared', roles })).id;
  await make('oneadmin', `/service-templates/${serviceTemplate}/chmod`, { octet: '644' });
});
afterAll(() => world.stop());

/** Makes one of each kind; what is at work on it has ended. */
const makeOne: Record<OwnedKind, (who: string) => Promise<number>> = {
  vm: async (who) => (await make(who, '/vms', { template_id: vmTemplate })).resource.id,
  service: async (who) => {
    const { resource } = await make(who, '/services', { template_id: serviceTemplate });
    await world.store.services.model.updateOne({ _id: resource.id }, { $set: { operation: null } });
    return resource.id;
  },
  image: async (who) => {
    const { resource } = await make(who, '/images', { name: name(), source: { empty: { size_mb: 1 } } });
    await world.store.images.model.updateOne({ _id: resource.id }, { $set: { operation: null, state: 'READY' } });
    return resource.id;
  },
  app: (who) => publishedApp((path, body) => make(who, path, body), world.store, name()),
  ...recordOf(managedKinds, (kind) => async (who: string) => {
    return (await make(who, kinds[kind].path, made[kind].body(name(), vmTemplate))).id;
  }),
};

describe.each(ownedKinds.map((kind) => [kinds[kind].one, kind] as const))('a %s', (noun, kind) => {
  const { path } = kinds[kind];

  it('is given away, shared with a group and with all, and seen by them in lists at once', async () => {
    const id = await makeOne[kind]('oneadmin');
    const seen = async () => {
      const found = await Promise.all(['erin', 'carol', 'bob'].map((who) => ids(who, `${path}?limit=1000`)));
      return found.map((of) => of.includes(id));
    };
    expect(await seen()).toEqual([false, false, false]);
    const given = await ask('oneadmin', `${path}/${id}/chown`, { uid: idOf.erin });
    expect(given.body).toMatchObject({ id, uid: idOf.erin, uname: 'erin', gid: 0, gname: 'oneadmin' });
    expect(await seen()).toEqual([true, false, false]);
    const grouped = await ask('erin', `${path}/${id}/chown`, { gid: team });
    expect(grouped.body).toMatchObject({ uid: idOf.erin, gid: team, gname: 'team' });
    const permitted = await ask('erin', `${path}/${id}/chmod`, { octet: '640' });
    expect(octetOf(permitted.body.permissions)).toBe('640');
    expect(await seen()).toEqual([true, true, false]);
    await ask('erin', `${path}/${id}/chmod`, { permissions: { group: { use: false }, other: { use: true } } });
    // Whatever all others may, members of the group may, too.
    expect(await seen()).toEqual([true, true, true]);
    await ask('erin', `${path}/${id}/chmod`, { octet: '660' });
    const taken = await ask('carol', `${path}/${id}/chown`, { uid: idOf.carol });
    expect(taken.body).toMatchObject({ uid: idOf.carol, gid: team });
    expect((await world.ask('carol', 'get', `${path}/${id}`)).body).toEqual(taken.body);
    expect(await seen()).toEqual([true, true, false]);
  });

  it('is refused to who may not, each time with the right that is missing, and stays as it is', async () => {
    const id = await makeOne[kind]('oneadmin');
    await ask('oneadmin', `${path}/${id}/chown`, { uid: idOf.erin, gid: team });
    await ask('erin', `${path}/${id}/chmod`, { octet: '640' });
    const before = await world.digests();
    const what = `${noun} ${id}`;
    for (const [who, deed, body, status, detail] of [
      ['bob', 'chmod', { octet: '666' }, 403, `You need the MANAGE right on ${what}.`],
      ['carol', 'chmod', { octet: '640' }, 403, `You need the MANAGE right on ${what}.`],
      ['erin', 'chmod', { octet: '740' }, 403, `You need the ADMIN right on ${what}.`],
      ['erin', 'chmod', { permissions: { other: { admin: true } } }, 403, `You need the ADMIN right on ${what}.`],
      ['carol', 'chown', { uid: idOf.carol }, 403, `You need the MANAGE right on ${what}.`],
      ['erin', 'chown', { uid: idOf.bob }, 403, `You need the MANAGE right on user ${idOf.bob}`],
      ['erin', 'chown', { uid: 0 }, 403, 'You need the MANAGE right on user 0'],
      ['erin', 'chown', { gid: 0 }, 403, 'You need the USE right on group 0.'],
      ['oneadmin', 'chown', { uid: 999, gid: 998 }, 400, 'there is no user 999, and there is no group 998'],
      ['erin', 'chmod', {}, 400, 'must have either octet or permissions'],
      ['erin', 'chown', { uid: 'bob' }, 400, '/uid must be a number, not "bob"'],
    ] as const) {
      const response = await ask(who, `${path}/${id}/${deed}`, body);
      const said = `${who} ${deed} ${JSON.stringify(body)}: ${JSON.stringify(response.body)}`;
      expect(response.status, said).toBe(status);
      expect(response.body.detail, said).toContain(detail);
    }
    expect(await world.digests()).toEqual(before);
  });

  it('is not given away with an ADMIN bit by who may only MANAGE it', async () => {
    const id = await makeOne[kind]('oneadmin');
    await ask('oneadmin', `${path}/${id}/chmod`, { octet: '760' });
    await ask('oneadmin', `${path}/${id}/chown`, { gid: team });
    const response = await ask('erin', `${path}/${id}/chown`, { uid: idOf.erin });
    expect(response.body).toMatchObject({ status: 403, detail: `You need the ADMIN right on ${noun} ${id}.` });
  });

  it('is as the umask of its maker says', async () => {
    const made = async (who: string): Promise<string> => {
      const id = await makeOne[kind](who);
      const { permissions } = (await world.ask('oneadmin', 'get', `${path}/${id}`)).body;
      return octetOf(permissions);
    };
    expect([await made('oneadmin'), await made('grace')]).toEqual(['600', '751']);
  });
});

describe.each(managedKinds.filter((kind) => rowOf(kind).unique === 'owner'))('a %s', (kind) => {
  // Some are made by administrators alone, unless somebody lets others; rules call several kinds alike.
  beforeAll(async () => {
    const { status, body } = await ask('oneadmin', '/acls', { rule: `* ${kinds[kind].acl}/* CREATE` });
    if (status >= 300) expect(body.type).toBe('/problems/already_there');
  });

  it('does not go to somebody who has one of this name already', async () => {
    const { path } = kinds[kind];
    const own = async (who: string) => make(who, path, made[kind].body(`same ${kind}`, vmTemplate));
    await own('alice');
    const { id } = await own('bob');
    const before = await world.digests();
    const response = await ask('oneadmin', `${path}/${id}/chown`, { uid: idOf.alice, gid: team });
    expect(response.body).toMatchObject({ status: 409, type: '/problems/name_taken' });
    expect(await world.digests()).toEqual(before);
  });
});

describe('an operation', () => {
  it('is seen by who may use what it is about, and cancelled by who may manage that', async () => {
    const { id, resource } = await make('erin', '/vms', { template_id: vmTemplate });
    const operations = '/operations?limit=1000';
    expect(await ids('carol', operations)).not.toContain(id);
    expect((await ask('erin', `/vms/${resource.id}/chown`, { gid: team })).status).toBe(200);
    expect((await ask('erin', `/vms/${resource.id}/chmod`, { octet: '640' })).status).toBe(200);
    expect(await ids('carol', operations)).toContain(id);
    expect(await ids('bob', operations)).not.toContain(id);
    expect((await world.ask('carol', 'get', `/operations/${id}`)).body.id).toBe(id);
    const cancel = () => world.ask('carol', 'post', `/operations/${id}/cancel`);
    expect((await cancel()).status).toBe(403);
    await ask('erin', `/vms/${resource.id}/chmod`, { permissions: { group: { manage: true } } });
    expect((await cancel()).body).toMatchObject({ id, state: 'cancelled' });
  });

  it('on a service has its permissions from the beginning, as its VMs will have', async () => {
    const { id, resource } = await make('dave', '/services', { template_id: serviceTemplate });
    const { permissions } = (await world.ask('dave', 'get', `/services/${resource.id}`)).body;
    expect(octetOf(permissions)).toBe('644');
    expect(await ids('bob', '/operations?limit=1000')).toContain(id);
    expect((await ask('dave', `/services/${resource.id}/chmod`, { octet: '600' })).status).toBe(200);
    expect(await ids('bob', '/operations?limit=1000')).not.toContain(id);
    const busy = await ask('oneadmin', `/services/${resource.id}/chown`, { uid: idOf.bob });
    expect(busy.body).toMatchObject({ status: 409, type: '/problems/operation_in_progress', operation: id });
  });
});

describe('a quota', () => {
  it('that is full keeps a VM from coming to its user', async () => {
    const quota = `/quotas/users/${idOf.bob}`;
    await world.ask('oneadmin', 'patch', quota, { vms: 0 });
    const { resource } = await make('alice', '/vms', { template_id: vmTemplate });
    const before = await world.digests();
    const response = await ask('oneadmin', `/vms/${resource.id}/chown`, { uid: idOf.bob });
    expect(response.body).toMatchObject({ status: 409, type: '/problems/quota_exceeded' });
    expect(response.body.detail).toContain(`The quota of user ${idOf.bob} (bob) on VMs is 0 VMs`);
    expect(await world.digests()).toEqual(before);
    await world.ask('oneadmin', 'patch', quota, { vms: 1 });
    expect((await ask('oneadmin', `/vms/${resource.id}/chown`, { uid: idOf.bob })).status).toBe(200);
    expect((await world.ask('bob', 'get', '/quotas')).body.user.vms.used).toBe(1);
  });
});

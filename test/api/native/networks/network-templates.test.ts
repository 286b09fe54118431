import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idleEngine } from '../../../support/idle-engine.js';
import { createWorld, type Method, type World } from '../../world.js';

let world: World;
let template = -1;
const ranges = [{ type: 'IP4', ip: '10.0.0.1', size: 50 }];
beforeAll(async () => {
  world = await createWorld({ withTemporal: false, engine: idleEngine });
  await ask('post', '/acls', { rule: '@1 VNTEMPLATE/* CREATE' });
  const body = {
    name: 'isolated',
    vn_mad: 'vxlan',
    phydev: 'eth0',
    attributes: { mtu: '1450' },
    address_ranges: ranges,
  };
  template = (await ask('post', '/network-templates', body)).body.id;
});
afterAll(() => world.stop());

const ask = (method: Method, path: string, body?: object) => world.ask('oneadmin', method, path, body);
const alice = (method: Method, path: string, body?: object) => world.ask('alice', method, path, body);
const instantiate = (who: typeof ask, body: object = {}) =>
  who('post', `/network-templates/${template}/instantiate`, body);

describe('a network template', () => {
  it('makes networks for whoever may USE it, and may make none himself, connected as it says', async () => {
    expect((await alice('post', '/virtual-networks', { name: 'own' })).status).toBe(403);
    expect((await instantiate(alice)).status).toBe(403);
    await ask('post', `/network-templates/${template}/chmod`, { octet: '604' });
    const first = await instantiate(alice, {
      ...{ name: 'lab', attributes: { GATEWAY: '10.0.0.254', MTU: '1400' } },
      address_ranges: [{ type: 'ETHER', size: 4 }],
    });
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({
      ...{ name: 'lab', uname: 'alice', vn_mad: 'vxlan', phydev: 'eth0', vlan_id_automatic: true },
      ...{ bridge: `onebr${first.body.id}`, attributes: { GATEWAY: '10.0.0.254', MTU: '1400' } },
      address_ranges: [
        { ip: '10.0.0.1', size: 50 },
        { type: 'ETHER', size: 4 },
      ],
    });
    const second = (await instantiate(alice)).body;
    expect(second).toMatchObject({ name: `isolated-${second.id}`, attributes: { MTU: '1450' } });
    expect(second.vlan_id).not.toBe(first.body.vlan_id);
    expect((await alice('get', '/quotas')).body.user.networks.used).toBe(2);
    expect((await instantiate(alice, { name: 'lab' })).body).toMatchObject({ type: '/problems/name_taken' });
    await ask('patch', '/quotas/users/2', { networks: 2 });
    expect((await instantiate(alice)).body).toMatchObject({ type: '/problems/quota_exceeded' });
    await ask('patch', '/quotas/users/2', { networks: null });
  });

  it('makes each once, whoever asks at once', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => instantiate(alice)));
    const vlans = answers.map(({ body }) => body.vlan_id);
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 201));
    expect(new Set(vlans).size).toBe(12);
  });

  it('says how VMs are connected by administrators alone, and what is wrong where it stands', async () => {
    const make = (body: object) => alice('post', '/network-templates', { name: 'mine', ...body });
    expect((await make({ vn_mad: 'vxlan', phydev: 'eth0' })).body).toMatchObject({ type: '/problems/not_authorized' });
    const { body } = await make({ address_ranges: ranges });
    const own = `/network-templates/${body.id}`;
    expect((await alice('patch', own, { bridge: 'br0' })).body).toMatchObject({ type: '/problems/not_authorized' });
    // One that was given to her is hers to change, but for that.
    await ask('patch', own, { bridge: 'br0' });
    expect((await alice('patch', own, { attributes: { dns: '9.9.9.9' } })).body).toMatchObject({
      ...{ bridge: 'br0', attributes: { DNS: '9.9.9.9' } },
    });
    expect((await alice('patch', own, { bridge: null })).status).toBe(403);
    expect((await ask('patch', own, { bridge: null, address_ranges: null })).body).toMatchObject({
      ...{ bridge: null, address_ranges: [] },
    });
    const wrong: [object, string][] = [
      [{ attributes: { GATEWAY: 'here' } }, '/attributes/GATEWAY'],
      [{ address_ranges: [...ranges, ...ranges] }, '/address_ranges/1/ip'],
      [{ vn_mad: '802.1Q' }, '/phydev'],
    ];
    for (const [change, pointer] of wrong) {
      expect((await ask('patch', own, change)).body).toMatchObject({ status: 400, errors: [{ pointer }] });
      expect((await ask('post', '/network-templates', { name: 'wrong', ...change })).body).toMatchObject({
        ...{ status: 400, errors: [{ pointer }] },
      });
    }
    const over = await instantiate(ask, { address_ranges: ranges });
    expect(over.body).toMatchObject({ status: 400, errors: [{ pointer: '/address_ranges/1/ip' }] });
    expect((await ask('delete', own)).status).toBe(204);
    expect((await ask('post', `${own}/instantiate`, {})).status).toBe(404);
  });
});

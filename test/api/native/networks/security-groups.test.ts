import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idleEngine } from '../../../support/idle-engine.js';
import { createWorld, type Method, type World } from '../../world.js';

let world: World;
let last = 0;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false, engine: idleEngine });
  await ask('post', '/acls', { rule: '@1 SECGROUP/* CREATE' });
  // Alice may be on it, and MANAGE it not.
  const address_ranges = [{ type: 'IP4', ip: '10.0.0.1', size: 200 }];
  await ask('post', '/virtual-networks', { name: 'office', address_ranges });
  await ask('post', '/virtual-networks/0/chmod', { octet: '604' });
});
afterAll(() => world.stop());

const ask = (method: Method, path: string, body?: object) => world.ask('oneadmin', method, path, body);
const alice = (method: Method, path: string, body?: object) => world.ask('alice', method, path, body);

/** A group of somebody, without rules unless some are given; its id. */
async function newGroup(who: typeof ask, rules: object[] = []): Promise<number> {
  last += 1;
  const { status, body } = await who('post', '/security-groups', { name: `group ${last}`, rules });
  expect(status).toBe(201);
  return body.id;
}

/** A VM with a NIC on the network, of these groups; the answer. */
async function vmOf(who: typeof ask, groups: string, network = 0) {
  last += 1;
  const NIC = [{ NETWORK_ID: network, ...(groups !== '' && { SECURITY_GROUPS: groups }) }];
  const made = await who('post', '/vm-templates', { name: `vm ${last}`, template: { CPU: 0.1, MEMORY: 1, NIC } });
  if (made.status !== 201) return made;
  return who('post', '/vms', { template_id: made.body.id });
}
const groupsOf = async (vm: number) => (await ask('get', `/vms/${vm}`)).body.nics[0].security_groups;

type Finding = { pointer: string; detail: string };
const findings = async (rule: object) => {
  last += 1;
  const rules = [{ rule_type: 'inbound', ...rule }];
  const { body } = await ask('post', '/security-groups', { name: `group ${last}`, rules });
  return (body.errors ?? []).map(({ pointer, detail }: Finding) => `${pointer} ${detail}`);
};

describe('security groups', () => {
  it('are refused with what a rule is to be', async () => {
    expect(await findings({ protocol: 'TCP', range: '90:80' })).toEqual([
      '/rules/0/range has a span whose last port is before its first: 80:90, not 90:80',
    ]);
    expect(await findings({ protocol: 'TCP', range: '1:x' })).toEqual([
      '/rules/0/range must be ports from 0 to 65535, such as 22,53,80:90',
    ]);
    for (const icmp_type of ['echo', 300, null])
      expect(await findings({ protocol: 'ICMP', icmp_type })).toEqual([
        '/rules/0/icmp_type must be the number of a type, 0 to 255',
      ]);
    expect(await findings({ protocol: 'ALL', ip: '255.255.255.250', size: 10 })).toEqual([
      '/rules/0/size goes beyond the last address: from 255.255.255.250 on there are 6',
    ]);
    expect(await findings({ protocol: 'ALL', ip: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', size: 2 })).toEqual([
      '/rules/0/size goes beyond the last address: from ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff on there is 1',
    ]);
    expect(await findings({ protocol: 'ALL', ip: '255.255.255.250', size: 6 })).toEqual([]);
    expect(await findings({ protocol: 'ALL', ip: 'ffff::', size: 65_536 })).toEqual([]);
  });

  it('are one in a new home that everybody may use, that lets everything pass, and that stays as it is', async () => {
    const { body } = await alice('get', '/security-groups/0');
    expect(body).toMatchObject({
      name: 'default',
      rules: [
        { protocol: 'ALL', rule_type: 'inbound' },
        { protocol: 'ALL', rule_type: 'outbound' },
      ],
    });
    await world.store.securityGroups.ensureDefault();
    for (const answer of [
      await ask('delete', '/security-groups/0'),
      await ask('patch', '/security-groups/0', { rules: [] }),
    ])
      expect(answer.body).toMatchObject({ type: '/problems/wrong_state' });
    expect((await ask('patch', '/security-groups/0', { name: 'default' })).status).toBe(200);
  });

  it('have rules, which are judged where they are written', async () => {
    const { status, body } = await alice('post', '/security-groups', {
      name: 'wrong',
      rules: [{ protocol: 'ICMP', rule_type: 'inbound', range: '80' }, { protocol: 'SCTP' }],
    });
    expect(status).toBe(400);
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(
      expect.arrayContaining(['/rules/0/range', '/rules/1/protocol']),
    );
    const { body: hidden } = await ask('post', '/virtual-networks', { name: 'hidden' });
    const { body: named } = await alice('post', '/security-groups', {
      name: 'wrong',
      rules: [{ protocol: 'ALL', rule_type: 'inbound', network_id: hidden.id }],
    });
    expect(named.errors).toEqual([
      { pointer: '/rules/0/network_id', detail: `there is no virtual network ${hidden.id} that you may USE` },
    ]);
    expect(await newGroup(alice, [{ protocol: 'ALL', rule_type: 'inbound', network_id: 0 }])).toBeGreaterThanOrEqual(
      100,
    );
  });

  it('are those of NICs: what the network names, what the NIC does, and the default one where nobody does', async () => {
    const [one, other] = [await newGroup(ask), await newGroup(ask)];
    expect(await groupsOf((await vmOf(ask, '')).body.resource.id)).toEqual([0]);
    expect(await groupsOf((await vmOf(ask, `${one}`)).body.resource.id)).toEqual([one]);
    const { body: network } = await ask('post', '/virtual-networks', {
      name: 'guarded',
      attributes: { SECURITY_GROUPS: `${other}`, FILTER_IP_SPOOFING: 'YES' },
      address_ranges: [{ type: 'IP4', ip: '10.0.1.1', size: 9 }],
    });
    const { body } = await vmOf(ask, `${one},${other}`, network.id);
    expect(await groupsOf(body.resource.id)).toEqual([other, one]);
    const { body: shown } = await ask('get', `/security-groups/${other}`);
    expect(shown).toMatchObject({ vms: [body.resource.id], networks: [network.id] });
  });

  it('are named by those alone who may use them, where they are there', async () => {
    const secret = await newGroup(ask);
    for (const [groups, status] of [
      [`${secret}`, 403],
      ['99999', 400],
      ['web', 400],
    ] as const)
      expect((await vmOf(alice, groups)).status, groups).toBe(status);
    const own = await newGroup(alice);
    expect((await vmOf(alice, `${own}`)).status).toBe(202);
    const update = (groups: string) => ask('patch', '/virtual-networks/0', { attributes: { SECURITY_GROUPS: groups } });
    for (const [groups, detail] of [
      ['99999', 'there is no security group 99999 that you may USE'],
      ['x', 'must be at most 16 ids'],
    ] as const)
      expect((await update(groups)).body.errors).toMatchObject([
        { pointer: '/attributes/SECURITY_GROUPS', detail: expect.stringContaining(detail) },
      ]);
  });

  it('stay as long as anybody has them, and say who', async () => {
    const id = await newGroup(ask);
    const { body: network } = await ask('post', '/virtual-networks', {
      name: 'keeping',
      attributes: { SECURITY_GROUPS: `0,${id}` },
    });
    const { body } = await vmOf(ask, `${id}`);
    const vm = body.resource.id;
    const refused = await ask('delete', `/security-groups/${id}`);
    expect(refused.body).toMatchObject({ type: '/problems/in_use' });
    expect(refused.body.detail).toContain(`in use, by virtual network ${network.id} and VM ${vm}.`);
    await ask('patch', `/virtual-networks/${network.id}`, { attributes: { SECURITY_GROUPS: null } });
    expect((await ask('delete', `/security-groups/${id}`)).body.detail).toContain(`by VM ${vm}.`);
    await world.store.vms.model.updateOne({ _id: vm }, { state: 'DONE' });
    expect((await ask('delete', `/security-groups/${id}`)).status).toBe(204);
  });

  it('are never removed from under a VM that is made at the same time', async () => {
    for (let round = 0; round < 6; round += 1) {
      const id = await newGroup(ask);
      last += 1;
      const NIC = [{ NETWORK_ID: 0, SECURITY_GROUPS: `${id}` }];
      const { body: template } = await ask('post', '/vm-templates', {
        name: `vm ${last}`,
        template: { CPU: 1, MEMORY: 1, NIC },
      });
      const [made, removed] = await Promise.all([
        ask('post', '/vms', { template_id: template.id }),
        ask('delete', `/security-groups/${id}`),
      ]);
      expect([
        [202, 409],
        [400, 204],
      ]).toContainEqual([made.status, removed.status]);
    }
  });
});

import { ApplicationFailure } from '@temporalio/activity';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { problemOf } from '../../../domain/problems.js';
import { unconditional } from '../../../requests/precondition.js';
import { newWorld, type World } from '../../support/world.js';
import { type NetworkOfTest, newNetworks } from '../../support/world-networks.js';
import { twice } from '../../support/world-steps.js';

let world: World;
const network = newNetworks(() => world, '10.20');
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());
afterEach(() => world.steps.watch());

const done = { state: 'succeeded', error: null };
const onBoth = [
  { name: 'front', cardinality: 2, vm_template_contents: 'NIC=[NETWORK_ID="$Public"]\nNIC=[NETWORK_ID="$Private"]' },
  { name: 'back', parents: ['front'], vm_template_contents: 'NIC=[NETWORK_ID="$Private"]' },
];
const asksForBoth = {
  deployment: 'straight',
  networks: { Public: 'M|network|Public addresses| |id:', Private: 'M|network|For the traffic of the service' },
} as const;

/** With what is reserved for it of the second. */
const chosen = (one: NetworkOfTest, other: NetworkOfTest, size = 4) => ({
  networks: { Public: { network_id: one.id }, Private: { reserve_from: other.id, size } },
});
const shown = async (id: number) => (await world.operations.services.show(world.caller, id)).virtual_networks;
const used = async ({ id }: { id: number }) => (await world.operations.networks.show(world.caller, id)).used_leases;
const isThere = async (id: number) => (await world.store.networks.find(id)) !== null;
const refusal = (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    (error: unknown) => problemOf(error),
  );
const made = async (id: number): Promise<number> =>
  (await shown(id)).find(({ name }) => name === 'Private')?.network_id ?? -1;

describe('a service with networks', () => {
  it('has one that is there and one that is made before its VMs, and removed after them', async () => {
    const [one, other] = [await network(8), await network(16)];
    const { id } = await world.running(onBoth, asksForBoth, chosen(one, other));
    const network_id = await made(id);
    expect(await shown(id)).toEqual([
      { name: 'Public', network_id: one.id, reserved_from: null, template_id: null, size: null, made: true },
      { name: 'Private', network_id, reserved_from: other.id, template_id: null, size: 4, made: true },
    ]);
    const reservation = await world.operations.networks.show(world.caller, network_id);
    expect(reservation).toMatchObject({
      ...{ name: `Private-${id}`, service_id: id, parent_network_id: other.id, used_leases: 3 },
    });
    expect([await used(one), await used(other)]).toEqual([2, 4]);
    const nics = (await world.vms(id)).map((vm) => (vm.nics ?? []).map((nic) => nic.lease?.network));
    expect(nics).toEqual([[one.id, network_id], [one.id, network_id], [network_id]]);
    const removal = world.operations.networks.remove(world.caller, network_id, unconditional);
    expect(await refusal(removal)).toMatchObject({ code: 'in_use', message: expect.stringContaining(`service ${id}`) });

    expect(await world.ended((await world.scale(id, 'back', 2)).op)).toMatchObject(done);
    expect(await used({ id: network_id })).toBe(4);
    expect(await world.ended((await world.undeploy(id)).op)).toMatchObject(done);
    expect(await isThere(network_id)).toBe(false);
    expect([await used(one), await used(other)]).toEqual([0, 0]);
    expect((await shown(id)).map(({ made: is }) => is)).toEqual([true, false]);
    await world.accounted();
  });
});

describe('the networks that a service asks for', () => {
  const missing = { pointer: '/networks/Private', detail: 'is required: For the traffic of the service' };

  it('are refused with the request where they are missing, not there, not to be used, or too small', async () => {
    const [one, other, small] = [await network(8), await network(16), await network(3)];
    const services = await world.store.services.model.countDocuments();
    const ids = await world.store.counters.one('vnet');
    const problem = (networks: Record<string, object>) =>
      refusal(world.deploy(onBoth, asksForBoth, { networks } as Parameters<World['deploy']>[2]));
    expect(await problem({ Public: { network_id: one.id } })).toMatchObject({
      ...{ code: 'invalid_request', findings: [missing] },
    });
    const lacking = { Public: { network_id: 999 }, Private: { reserve_from: other.id, size: 4, ar_id: 7 } };
    expect(await problem(lacking)).toMatchObject({
      code: 'invalid_request',
      findings: [
        { pointer: '/networks/Public', detail: 'There is no virtual network 999.' },
        { pointer: '/networks/Private', detail: `Virtual network ${other.id} has no address range 7.` },
      ],
    });
    expect(await problem(chosen(one, small).networks)).toMatchObject({
      code: 'in_use',
      findings: [{ pointer: '/networks/Private', detail: expect.stringContaining('has not 4 free addresses') }],
    });
    expect(
      await problem({ Public: { network_id: one.id }, Private: { reserve_from: other.id, size: 2 } }),
    ).toMatchObject({
      code: 'invalid_request',
      findings: [
        {
          pointer: '/networks/Private',
          detail: 'reserves 2 addresses, and the VMs that roles front and back begin with need 3',
        },
      ],
    });
    const { id } = await world.running(onBoth, asksForBoth, chosen(one, other));
    expect(
      await problem({ Public: { network_id: one.id }, Private: { reserve_from: await made(id), size: 3 } }),
    ).toMatchObject({
      findings: [{ pointer: '/networks/Private', detail: expect.stringContaining('is a reservation itself') }],
    });
    expect(await world.store.services.model.countDocuments()).toBe(services + 1);
    // Nothing was drawn for what was refused.
    expect(await world.store.counters.one('vnet')).toBe(ids + 2);
    expect(await world.ended((await world.remove(id)).op)).toMatchObject(done);
  });

  it('are given in the words of OneFlow, too, and those of 5.0 as custom attributes', async () => {
    const [one, other] = [await network(8), await network(16)];
    const merge_template = {
      networks_values: [
        { Public: { id: String(one.id) } },
        { Private: { reserve_from: String(other.id), extra: 'SIZE=4' } },
      ],
    };
    const later = await world.running(onBoth, asksForBoth, { merge_template });
    const { networks_values } = await world.operations.services.show(world.caller, later.id);
    expect(networks_values).toEqual([
      { Public: { id: String(one.id) } },
      { Private: { id: String(await made(later.id)), reserve_from: String(other.id), extra: 'SIZE=4' } },
    ]);
    const role = [{ name: 'only', vm_template_contents: 'NIC=[NETWORK_ID="$PRIVATE_NET"]' }];
    const wish = { deployment: 'none', custom_attrs: { PRIVATE_NET: 'M|network|For its VMs' } } as const;
    const first = await world.running(role, wish, {
      merge_template: { custom_attrs_values: { PRIVATE_NET: String(one.id) } },
    });
    expect(await shown(first.id)).toMatchObject([{ name: 'PRIVATE_NET', network_id: one.id, reserved_from: null }]);
    const reserved = await world.running(role, wish, { inputs: { PRIVATE_NET: `reserve_from:${other.id}:SIZE=2` } });
    expect(await shown(reserved.id)).toMatchObject([{ reserved_from: other.id, size: 2, made: true }]);
    expect([await used(one), await used(other)]).toEqual([3, 6]);
    // A role that comes later has the same.
    const added = { name: 'later', vm_template_contents: 'NIC=[NETWORK_ID="$Private"]' };
    expect(await world.ended((await world.addRole(later.id, added)).op)).toMatchObject(done);
    expect(await used({ id: await made(later.id) })).toBe(4);
    for (const { id } of [later, first, reserved])
      expect(await world.ended((await world.undeploy(id)).op)).toMatchObject(done);
    expect([await used(one), await used(other)]).toEqual([0, 0]);
  });

  it('fail the deployment where others have taken the addresses meanwhile, and it can be tried again', async () => {
    const [one, other] = [await network(8), await network(4)];
    let first = true;
    world.steps.watch(async ({ name }, run) => {
      if (name === 'makeNetworks' && first) {
        first = false;
        await world.operations.networks.reserve(world.caller, other.id, { name: 'theirs', size: 2 });
      }
      return run();
    });
    const { id, op } = await world.deploy(onBoth, asksForBoth, chosen(one, other));
    expect(await world.ended(op)).toMatchObject({
      ...{ state: 'failed', error: { code: 'in_use', detail: expect.stringContaining('has not 4 free addresses') } },
    });
    expect((await world.service(id)).state).toBe('FAILED_DEPLOYING');
    expect([(await world.vms(id)).length, await isThere(await made(id)), await used(other)]).toEqual([0, false, 2]);
    const theirs = await world.store.networks.named('theirs', world.caller.id);
    await world.operations.networks.remove(world.caller, theirs?._id ?? -1, unconditional);
    expect(await world.ended((await world.recover(id)).op)).toMatchObject(done);
    expect((await world.service(id)).state).toBe('RUNNING');
    expect(await used(other)).toBe(4);
    expect(await world.ended((await world.remove(id)).op)).toMatchObject(done);
    await world.accounted();
  });

  it('are made once, by whoever has the service: a try that thaws after the end of its operation makes none', async () => {
    const [one, other] = [await network(8), await network(16)];
    const late: (() => Promise<unknown>)[] = [];
    world.steps.watch(async ({ name }, run) => {
      if (name === 'makeNetworks') late.push(run);
      return run();
    });
    const { id } = await world.running(onBoth, asksForBoth, chosen(one, other));
    for (const run of late) await run();
    expect(await used(other)).toBe(4);
    expect(await world.ended((await world.undeploy(id)).op)).toMatchObject(done);
    for (const run of late) await run();
    expect([late.length, await used(other), await isThere(await made(id))]).toEqual([1, 0, false]);
  });

  it('stay where somebody else has an address of them, which is said, and go with the next undeployment', async () => {
    const [one, other] = [await network(8), await network(16)];
    const { id } = await world.running(onBoth, asksForBoth, chosen(one, other));
    const network_id = await made(id);
    const { op, id: vm } = await world.createVm();
    await world.ended(op);
    const nic = { action: 'nic-attach', nic: { network: network_id } } as const;
    expect(await world.ended((await world.changeDevices(vm, nic)).op)).toMatchObject(done);
    expect(await world.ended((await world.undeploy(id)).op)).toMatchObject({
      ...{ state: 'failed', error: { code: 'in_use', detail: expect.stringContaining(`in use, by VM ${vm}`) } },
    });
    const { state, roles } = await world.service(id);
    expect([state, ...roles.map((role) => role.state)]).toEqual(['FAILED_UNDEPLOYING', 'DONE', 'DONE']);
    expect(await world.ended((await world.terminate(vm)).op)).toMatchObject(done);
    expect(await world.ended((await world.recover(id)).op)).toMatchObject(done);
    expect([(await world.service(id)).state, await isThere(network_id)]).toEqual(['DONE', false]);
    await world.accounted();
  });

  it('go with the service to whoever it is given to', async () => {
    const [one, other] = [await network(8), await network(16)];
    const { id } = await world.running(onBoth, asksForBoth, chosen(one, other));
    await world.operations.ownership.service.chown(world.caller, id, { uid: 0, gid: 0 }, unconditional);
    const { uid, gid } = (await world.store.networks.find(await made(id))) ?? {};
    expect({ uid, gid }).toEqual({ uid: 0, gid: 0 });
  });
});

describe('a network of a template', () => {
  const role = [{ name: 'only', cardinality: 2, vm_template_contents: 'NIC=[NETWORK_ID="$Private"]' }];
  const asks = { deployment: 'none', networks: { Private: 'M|network|For its traffic' } } as const;
  const ranges = (ip: string) => [{ type: 'IP4' as const, ip, size: 8 }];
  const wish = { vn_mad: 'vxlan', phydev: 'eth0', address_ranges: ranges('10.21.0.1') } as const;
  let templates = 0;
  const template = async () => {
    templates += 1;
    return world.operations.networkTemplates.create(world.caller, { name: `isolated-${templates}`, ...wish });
  };
  const of = (id: number, more: object = {}) => ({ networks: { Private: { template_id: id, ...more } } });
  const vlans = async () => (await world.store.networks.vlansOf('vxlan')).size;

  it('is made before the VMs and removed after them, once however often each step runs', async () => {
    const { id: template_id } = await template();
    world.steps.watch(twice);
    const request = of(template_id, { address_ranges: ranges('10.22.0.1') });
    const { id } = await world.running(role, asks, request);
    world.steps.watch();
    const network_id = await made(id);
    const is = { name: 'Private', network_id, reserved_from: null, template_id, size: null };
    expect(await shown(id)).toEqual([{ ...is, made: true }]);
    expect(await world.operations.networks.show(world.caller, network_id)).toMatchObject({
      ...{ name: `Private-${id}`, service_id: id, vn_mad: 'vxlan', vlan_id_automatic: true, used_leases: 2 },
      address_ranges: [{ ip: '10.21.0.1' }, { ip: '10.22.0.1' }],
    });
    const { networks_values } = await world.operations.services.show(world.caller, id);
    expect(networks_values).toEqual([
      {
        Private: {
          ...{ id: String(network_id), template_id: String(template_id) },
          extra: 'AR=[TYPE="IP4",IP="10.22.0.1",SIZE="8"]',
        },
      },
    ]);
    await world.accounted();
    const before = await vlans();
    world.steps.watch(twice);
    expect(await world.ended((await world.undeploy(id)).op)).toMatchObject(done);
    world.steps.watch();
    expect([await isThere(network_id), await vlans()]).toEqual([false, before - 1]);
    expect(await shown(id)).toEqual([{ ...is, made: false }]);
    await world.accounted();
  });

  it('is undone with a deployment that comes to no VM, whenever that ends, and made by the next', async () => {
    const { id: template_id } = await template();
    const before = await vlans();
    const begun = (name: string) => world.steps.names().includes(name);
    for (const when of ['before', 'after'] as const) {
      world.steps.watch(async ({ name }, run) => {
        if (name !== 'makeNetworks') return run();
        if (when === 'after') await run();
        throw ApplicationFailure.nonRetryable('an injected failure', 'injected');
      });
      const { id, op } = await world.deploy(role, asks, of(template_id));
      expect(await world.ended(op)).toMatchObject({ state: 'failed' });
      expect([begun('makeNetworks'), await isThere(await made(id)), await vlans()]).toEqual([true, false, before]);
      world.steps.watch();
      expect(await world.ended((await world.recover(id)).op)).toMatchObject(done);
      expect(await isThere(await made(id))).toBe(true);
      expect(await world.ended((await world.remove(id)).op)).toMatchObject(done);
    }
    await world.accounted();
  });

  it('is refused with the request where there is no such template, or its ranges meet; without it later, the deployment fails', async () => {
    const { id: template_id } = await template();
    const refused = (request: object) => refusal(world.deploy(role, asks, request));
    expect(await refused(of(999))).toMatchObject({
      findings: [{ pointer: '/networks/Private', detail: 'There is no network template 999.' }],
    });
    expect(await refused(of(template_id, { address_ranges: ranges('10.21.0.4') }))).toMatchObject({
      findings: [{ pointer: '/networks/Private', detail: expect.stringContaining('meets another range') }],
    });
    world.steps.watch(async ({ name }, run) => {
      if (name === 'makeNetworks') await world.store.networkTemplates.model.deleteOne({ _id: template_id });
      return run();
    });
    const { id, op } = await world.deploy(role, asks, of(template_id));
    expect(await world.ended(op)).toMatchObject({
      ...{ state: 'failed', error: { detail: expect.stringContaining(`no network template ${template_id}`) } },
    });
    world.steps.watch();
    expect(await world.ended((await world.remove(id)).op)).toMatchObject(done);
    await world.accounted();
  });
});

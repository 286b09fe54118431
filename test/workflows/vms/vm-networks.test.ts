import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { FoundNic } from '../../../adapters/network/port.js';
import { unconditional } from '../../../requests/precondition.js';
import { CreateNetwork } from '../../../schemas/networks/network.js';
import { CreateSecurityGroup } from '../../../schemas/networks/security-group.js';
import { simulatedHost } from '../../support/simulated-vm.js';
import { newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { failingAt, twice } from '../../support/world-steps.js';

let world: World;
let network: number;
let group: number;
beforeAll(async () => {
  // A cancel that comes while a try is at work which then fails is forgotten by the time-skipping server.
  world = await newWorld({ server: development });
  const ranges = { address_ranges: [{ type: 'IP4', ip: '10.0.0.1', size: 50 }] };
  ({ id: network } = await world.operations.networks.create(
    world.caller,
    CreateNetwork.parse({ name: 'office', attributes: { MTU: '1400' }, ...ranges }),
  ));
  const rules = [{ protocol: 'TCP', rule_type: 'inbound', range: '80' }];
  ({ id: group } = await world.operations.securityGroups.create(
    world.caller,
    CreateSecurityGroup.parse({ name: 'web', rules }),
  ));
});
afterAll(() => world.stop());

const done = { state: 'succeeded', error: null };
const NIC = () => [{ NETWORK_ID: network, SECURITY_GROUPS: `${group}` }];

async function createVm(): Promise<{ op: string; id: number }> {
  const request = { template_id: await world.vmTemplate(), template: { NIC: NIC() } };
  const { id: op, resource } = await world.operations.vms.create(world.caller, request, { requestId: 'test' });
  return { op, id: Number(resource.id) };
}
const ended = async (asked: Promise<{ op: string }>) => expect(await world.ended((await asked).op)).toMatchObject(done);

/** What every host has of NICs. */
async function plugged(vm: number): Promise<(FoundNic & { host: string })[]> {
  const all = await world.store.hosts.all();
  const found = await Promise.all(
    all.map(async ({ name }) =>
      (await world.networks.of(simulatedHost(name)).found(new AbortController().signal)).map((nic) => ({
        ...nic,
        host: name,
      })),
    ),
  );
  return found.flat().filter((nic) => nic.vm === vm);
}
const hostOf = async (vm: number) => (await world.vm(vm)).history.at(-1)?.hostname;

it('has its NICs plugged on its host as long as it is there, and on no other', async () => {
  const { op, id } = await createVm();
  expect(await world.ended(op)).toMatchObject(done);
  const { epoch } = await world.vm(id);
  const [first] = await plugged(id);
  expect(first).toEqual({
    ...{ vm: id, nic: 0, bridge: `onebr${network}`, revision: 1 },
    ...{ host: await hostOf(id), epoch: expect.any(Number) },
  });
  expect(first?.epoch).toBeLessThanOrEqual(epoch);

  await ended(world.changeDevices(id, { action: 'nic-attach', nic: { network } }));
  expect(new Set((await plugged(id)).map(({ nic }) => nic))).toEqual(new Set([0, 1]));
  await ended(world.changeDevices(id, { action: 'nic-detach', nic_id: 1 }));
  expect((await plugged(id)).map(({ nic }) => nic)).toEqual([0]);

  const before = await hostOf(id);
  await ended(world.migrate(id));
  expect(await hostOf(id)).not.toBe(before);
  expect(await plugged(id)).toMatchObject([{ host: await hostOf(id), nic: 0 }]);

  await ended(world.terminate(id, true));
  expect(await plugged(id)).toEqual([]);
});

it('is read for many VMs at once, when they come and when they go', async () => {
  const read = vi.spyOn(world.store.nics, 'places');
  world.inTemplates = { NIC: NIC() };
  const { id } = await world.running([{ name: 'web', cardinality: 40, cpu: 0.01 }]);
  world.inTemplates = {};
  const vms = await world.vms(id);
  expect(await Promise.all(vms.map(async ({ _id }) => (await plugged(_id)).length))).toEqual(Array(40).fill(1));
  await ended(world.undeploy(id, true));
  for (const { _id } of vms) expect(await plugged(_id)).toEqual([]);
  const most = Math.max(...read.mock.calls.map(([ids]) => ids.length));
  expect([most > 1, read.mock.calls.length < 40]).toEqual([true, true]);
  read.mockRestore();
});

it('is plugged once and gone when each step is taken twice, or fails after it was done', async () => {
  for (const around of [twice, failingAt(2, 'after')]) {
    world.steps.watch(around);
    const { op, id } = await createVm();
    const { state } = await world.ended(op);
    if (state === 'succeeded') expect(await plugged(id)).toMatchObject([{ host: await hostOf(id), nic: 0 }]);
    world.steps.watch(twice);
    await ended(world.terminate(id, true));
    world.steps.watch();
    expect(await plugged(id)).toEqual([]);
  }
});

it('hears of other rules of its groups at the next look at its host, until then as before', async () => {
  const { op, id } = await createVm();
  expect(await world.ended(op)).toMatchObject(done);
  await world.operations.securityGroups.update(world.caller, group, {
    revise: (present) => ({ wish: { ...present, rules: [] }, named: new Set(['rules']) }),
    precondition: unconditional,
  });
  expect(await plugged(id)).toMatchObject([{ revision: 1 }]);
  for (const _ of [1, 2]) {
    await world.tick('monitorHosts');
    expect(await plugged(id)).toMatchObject([{ revision: 2 }]);
  }
  await ended(world.terminate(id, true));
});

it('leaves nothing of a NIC that was given up', async () => {
  const { op, id } = await createVm();
  expect(await world.ended(op)).toMatchObject(done);
  world.hypervisor.failVm(id, { call: 'attachNic' });
  const { op: attach } = await world.changeDevices(id, { action: 'nic-attach', nic: { network } });
  await expect.poll(async () => (await plugged(id)).length).toBe(2);
  await world.cancel(attach);
  await world.ended(attach);
  world.hypervisor.mend();
  expect((await world.vm(id)).nics).toHaveLength(1);
  await world.tick('monitorHosts');
  expect((await plugged(id)).map(({ nic }) => nic)).toEqual([0]);
  await ended(world.terminate(id, true));
});

it('leaves nothing where a host kept something of a VM that is gone', async () => {
  const { op, id } = await createVm();
  expect(await world.ended(op)).toMatchObject(done);
  const [nic] = await plugged(id);
  const host = world.networks.of(simulatedHost(nic?.host ?? ''));
  await ended(world.terminate(id, true));
  const wire = { vn_mad: 'dummy' as const, bridge: 'onebr0', phydev: null, vlan_id: null, mtu: null };
  const filter = { revision: 1, inbound: [], outbound: [], mac: null, ips: null };
  await host.plug({ vm: id, nic: 0, epoch: 1, mac: '02:00:0a:00:00:01', wire, filter }, new AbortController().signal);
  expect(await plugged(id)).toHaveLength(1);
  await world.tick('monitorHosts');
  expect(await plugged(id)).toEqual([]);
});

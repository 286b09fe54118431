import { afterAll, beforeAll, expect, it } from 'vitest';
import { problemOf } from '../../../domain/problems.js';
import { unconditional } from '../../../requests/precondition.js';
import { CreateNetwork } from '../../../schemas/networks/network.js';
import { newWorld, type World } from '../../support/world.js';

let world: World;
let networks = 0;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());

const admission = { requestId: 'test' };
const done = { state: 'succeeded', error: null };

/** A network of so many addresses, from 10.0.n.1 on. */
async function network(size: number): Promise<{ id: number; name: string; first: string }> {
  networks += 1;
  const [name, first] = [`net-${networks}`, `10.0.${networks}.1`];
  const ranges = { attributes: { gateway: '10.0.0.254' }, address_ranges: [{ type: 'IP4', ip: first, size }] };
  const { id } = await world.operations.networks.create(world.caller, CreateNetwork.parse({ name, ...ranges }));
  return { id, name, first };
}

async function createVm(...nics: Record<string, unknown>[]): Promise<{ op: string; id: number }> {
  const template_id = await world.vmTemplate();
  const request = {
    template_id,
    template: { NIC: nics, CONTEXT: { NETWORK: 'YES', WHERE: '$NIC[IP, NIC_ID=1]' }, VCPU: undefined },
  };
  const { id: op, resource } = await world.operations.vms.create(world.caller, request, admission);
  return { op, id: Number(resource.id) };
}
const refused = (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    (error: unknown) => problemOf(error),
  );
const used = async (id: number) => (await world.operations.networks.show(world.caller, id)).used_leases;
const holders = async (id: number) =>
  (await world.operations.networks.leases(world.caller, id, { limit: 100 })).items.map(({ ip, holder }) => [
    ip,
    holder.id,
    holder.nic_id,
  ]);
const ended = async (asked: Promise<{ op: string }>) => expect(await world.ended((await asked).op)).toMatchObject(done);

it('has an address of each network that its template names, and its host is told', async () => {
  const [one, other] = [await network(4), await network(4)];
  const { op, id } = await createVm({ NETWORK: one.name }, { NETWORK_ID: other.id, IP: '10.0.2.3', MODEL: 'virtio' });
  expect(await world.ended(op)).toMatchObject(done);
  const { nics } = await world.operations.vms.show(world.caller, id);
  expect(nics).toMatchObject([
    { network: one.name, network_id: one.id, ip: one.first, mac: '02:00:0a:00:01:01', bridge: `onebr${one.id}` },
    { network: other.name, network_id: other.id, ip: '10.0.2.3', mac: '02:00:0a:00:02:03', model: 'virtio' },
  ]);
  expect(world.hypervisor.domains().find(({ vm }) => vm === id)?.devices.nics).toMatchObject([
    { ip: one.first, mac: '02:00:0a:00:01:01', bridge: `onebr${one.id}` },
    { ip: '10.0.2.3' },
  ]);
  expect(await holders(one.id)).toEqual([[one.first, id, 0]]);
  expect(await refused(world.operations.networks.remove(world.caller, one.id, unconditional))).toMatchObject({
    code: 'in_use',
    message: expect.stringContaining(`VM ${id}`),
  });
  const told = await world.operations.vms.context(world.caller, id);
  expect(told.variables).toMatchObject({ ETH0_IP: one.first, ETH0_GATEWAY: '10.0.0.254', WHERE: '10.0.2.3' });
  await ended(world.terminate(id));
  expect([await used(one.id), await used(other.id)]).toEqual([0, 0]);
});

it('is not made where a network is not there, has no address left, or the one that is asked for is somebody’s', async () => {
  const { id, name, first } = await network(1);
  const vms = await world.store.vms.model.countDocuments();
  expect(await refused(createVm({ NETWORK: 'nowhere' }))).toMatchObject({ code: 'invalid_request' });
  const vm = await createVm({ NETWORK: name });
  expect(await refused(createVm({ NETWORK: name }))).toMatchObject({
    code: 'in_use',
    message: expect.stringContaining('of its 1, none is free'),
  });
  expect(await refused(createVm({ NETWORK: name, IP: first }))).toMatchObject({
    code: 'in_use',
    message: expect.stringContaining(`by VM ${vm.id}`),
  });
  expect(await refused(createVm({ NETWORK: name, IP: '10.9.9.9' }))).toMatchObject({ code: 'invalid_request' });
  expect(await world.store.vms.model.countDocuments()).toBe(vms + 1);
  await world.ended(vm.op);
  await ended(world.terminate(vm.id, true));
  expect(await used(id)).toBe(0);
});

it('keeps its address while it is off, and when it is made anew; and is rid of it when it is deleted', async () => {
  const { id: net, name, first } = await network(2);
  const { op, id } = await createVm({ NETWORK: name });
  await world.ended(op);
  await ended(world.switch(id, 'poweroff'));
  await ended(world.switch(id, 'undeploy'));
  expect(await holders(net)).toEqual([[first, id, 0]]);
  await ended(world.resume(id));
  await ended(world.recoverVm(id, 'recreate'));
  expect(await holders(net)).toEqual([[first, id, 0]]);
  await ended(world.recoverVm(id, 'delete'));
  expect(await holders(net)).toEqual([]);
});

it('is not made where one address is asked for twice, nor are VMs of a role, which says so at once', async () => {
  const { id: net, name, first } = await network(4);
  const twice = { code: 'invalid_request', message: expect.stringContaining(`${first} of virtual network ${net}`) };
  expect(await refused(createVm({ NETWORK: name, IP: first }, { NETWORK: name, IP: first }))).toMatchObject(twice);
  const contents = { vm_template_contents: `NIC=[NETWORK=${name},IP=${first}]` };
  // Of one role, and of two that are made together.
  for (const roles of [
    [{ name: 'web', cardinality: 2, ...contents }],
    [
      { name: 'web', ...contents },
      { name: 'db', ...contents },
    ],
  ]) {
    const { id, op } = await world.deploy(roles);
    expect(await world.ended(op)).toMatchObject({
      ...{ state: 'failed', error: { detail: expect.stringContaining('is asked for twice') } },
    });
    await ended(world.undeploy(id));
  }
  expect(await used(net)).toBe(0);
});

it('of a service has one each, in roles that grow and shrink; a role for which there are too few fails, and says so', async () => {
  const { id: net, name } = await network(4);
  const contents = { vm_template_contents: `NIC=[NETWORK=${name}]` };
  const { id } = await world.running([{ name: 'web', cardinality: 3, max_vms: 9, ...contents }]);
  expect(await used(net)).toBe(3);
  const grown = await world.scale(id, 'web', 6);
  expect(await world.ended(grown.op)).toMatchObject({ state: 'failed' });
  expect(await used(net)).toBe(3);
  await world.recover(id, { give_up: true }).then(
    ({ op }) => world.ended(op),
    () => undefined,
  );
  await ended(world.undeploy(id));
  expect(await used(net)).toBe(0);
});

it('is kept by a VM that is stopped, goes to another host, or is lost with its own', async () => {
  const { id: net, name, first } = await network(2);
  const { op, id } = await createVm({ NETWORK: name });
  await world.ended(op);
  const isKept = async (after: string) => {
    expect(await holders(net), after).toEqual([[first, id, 0]]);
    expect((await world.vm(id)).nics, after).toMatchObject([{ lease: { network: net, ip: first } }]);
  };
  await ended(world.switch(id, 'stop'));
  await isKept('stop');
  await ended(world.resume(id));
  await ended(world.migrate(id));
  await isKept('migrate');
  const host = (await world.vm(id)).history.at(-1)?.hostname ?? '';
  world.hypervisor.cutOff(host);
  await world.tick('monitorHosts');
  await world.tick('monitorHosts');
  expect((await world.vm(id)).lcm_state).toBe('UNKNOWN');
  await isKept('the loss of its host');
  world.hypervisor.reach(host);
  await world.tick('monitorHosts');
  await ended(world.recoverVm(id, 'recreate'));
  await isKept('recreate');
  await ended(world.terminate(id));
  expect(await used(net)).toBe(0);
});

it('comes back from each VM by which a role shrinks', async () => {
  const { id: net, name } = await network(4);
  const contents = { vm_template_contents: `NIC=[NETWORK=${name}]` };
  const { id } = await world.running([{ name: 'web', cardinality: 3, min_vms: 1, max_vms: 3, ...contents }]);
  await ended(world.scale(id, 'web', 1));
  const [left] = (await world.vms(id)).filter(({ state }) => state !== 'DONE');
  expect((await holders(net)).map(([, vm]) => vm)).toEqual([left?._id]);
  await ended(world.undeploy(id));
  expect(await used(net)).toBe(0);
});

it('gives an address back with the NIC that had it', async () => {
  const { id: net, name } = await network(2);
  const { op, id } = await createVm({ NETWORK: name }, { NETWORK: name });
  await world.ended(op);
  expect(await used(net)).toBe(2);
  await ended(world.changeDevices(id, { action: 'nic-detach', nic_id: 0 }));
  expect(await holders(net)).toEqual([[`10.0.${networks}.2`, id, 1]]);
  await ended(world.terminate(id));
  expect(await used(net)).toBe(0);
});

it('why tells who has which, as far as whoever asks may see it, and what can be done', async () => {
  const { id, first } = await network(5);
  const told = () => world.operations.why.network(world.caller, id);
  expect((await told()).text).toContain('has 5 addresses, and nobody has one');
  const vm = await createVm({ NETWORK_ID: id });
  await world.ended(vm.op);
  const { networks } = world.operations;
  const reserved = await networks.reserve(world.caller, id, { name: `of-${id}`, size: 2 });
  await networks.hold(world.caller, id, { ip: first.replace(/1$/, '5') });
  const held = await told();
  expect(held.text).toContain(
    `has 5 addresses: 1 is had by VM ${vm.id}, 2 are reserved for network ${reserved.id} (of-${id}), 1 is held back and one is free.`,
  );
  expect(held.actions.map(({ name, body }) => [name, body])).toEqual([
    ['release_address', { ip: first.replace(/1$/, '5') }],
  ]);
  const last = await createVm({ NETWORK_ID: id });
  await world.ended(last.op);
  expect(await told()).toMatchObject({
    ...{ resource: { state: 'FULL' }, text: expect.stringContaining('You can release what is held or add a range') },
  });
  expect((await world.operations.why.network(world.caller, reserved.id)).text).toMatch(
    new RegExp(`^Virtual network ${reserved.id} \\(of-${id}\\) is made of addresses of network ${id} \\(`),
  );
  for (const one of [vm, last]) await world.ended((await world.terminate(one.id)).op);
});

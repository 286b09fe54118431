import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { problemOf } from '../../../domain/problems.js';
import { unconditional } from '../../../requests/precondition.js';
import type { OnResources } from '../../../schemas/identity/amounts.js';
import { addUser } from '../../support/people.js';
import { newWorld, type World } from '../../support/world.js';
import { newImage } from '../../support/world-images.js';
import { type NetworkOfTest, newNetworks } from '../../support/world-networks.js';
import { diesOnce, twice } from '../../support/world-steps.js';

// Quotas on addresses, and on single networks, datastores and images.

let world: World;
const network = newNetworks(() => world, '10.40');
beforeAll(async () => {
  world = await newWorld();
  bob = (await addUser(world.directory, 'bob', { password_hash: '' }))._id;
});
afterAll(() => world.stop());
afterEach(async () => {
  world.steps.watch();
  world.inTemplates = {};
  await limit({ leases: -1, on: {} });
});

const user = { type: 'user', id: 2 } as const;
const limit = (limits: { leases?: number; on?: OnResources }) => world.store.quotas.setLimits(user, limits);
let bob = -1;
const used = async (id: number = user.id) => (await world.store.quotas.find({ type: 'user', id }))?.used;
/** How many addresses, and how many of a network. */
const leases = async ({ id }: { id: number }, of: number = user.id) => {
  const { leases: all = 0, on = {} } = (await used(of)) ?? {};
  return [all, on[`network/${id}/leases`] ?? 0];
};
const onNetworks = (...networks: NetworkOfTest[]) => ({ NIC: networks.map(({ id }) => ({ NETWORK_ID: String(id) })) });
const ok = async (asked: Promise<{ op: string }>) =>
  expect(await world.ended((await asked).op)).toMatchObject({ state: 'succeeded', error: null });
const refused = (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    (error: unknown) => problemOf(error),
  );
async function running(over: Record<string, unknown>): Promise<number> {
  world.inTemplates = over;
  const { id, op } = await world.createVm();
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
  return id;
}
const attach = (id: number, { id: net }: NetworkOfTest) =>
  world.changeDevices(id, { action: 'nic-attach', nic: { network: net } });

describe('addresses of a VM', () => {
  it('are charged with it and with each NIC, once however often a step runs, and come back with them', async () => {
    const [one, other] = [await network(16), await network(16)];
    await limit({ on: { [`network/${one.id}/leases`]: 2 } });
    const id = await running(onNetworks(one));
    expect([await leases(one), await leases(other)]).toEqual([
      [1, 1],
      [1, 0],
    ]);
    world.steps.watch(twice);
    await ok(attach(id, one));
    await ok(attach(id, other));
    world.steps.watch();
    expect([await leases(one), await leases(other)]).toEqual([
      [3, 2],
      [3, 1],
    ]);
    await world.accounted();
    const problem = await refused(attach(id, one));
    expect(problem).toMatchObject({
      code: 'quota_exceeded',
      message: `The quota of user 2 (alice) on leases of virtual network ${one.id} is 2 addresses: 2 addresses in use, and this takes 1 address more.`,
      quota: { quota: 'leases', of: { type: 'network', id: one.id }, limit: 2, used: 2, asked: 1 },
    });
    world.inTemplates = onNetworks(one);
    expect(await refused(world.createVm())).toMatchObject({ code: 'quota_exceeded' });
    world.steps.watch(twice);
    await ok(world.changeDevices(id, { action: 'nic-detach', nic_id: 0 }));
    world.steps.watch();
    expect(await leases(one)).toEqual([2, 1]);
    await ok(attach(id, one));
    await ok(world.terminate(id));
    expect([await leases(one), await leases(other)]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect((await used())?.on).toEqual({});
    await world.accounted();
  });

  it('are limited together, too; what is admitted and finds no room any more is not attached, and says why', async () => {
    const one = await network(16);
    const id = await running(onNetworks(one));
    await limit({ leases: 2 });
    // Between the request and the step somebody lowers the limit.
    world.steps.watch(async ({ name }, run) => {
      if (name === 'prepareDeviceChange') await limit({ leases: 1 });
      return run();
    });
    const { op } = await attach(id, one);
    expect(await world.ended(op)).toMatchObject({
      state: 'failed',
      error: { detail: expect.stringContaining('on leases is 1 address') },
    });
    world.steps.watch();
    expect(await leases(one)).toEqual([1, 1]);
    await world.accounted();
    await limit({ leases: 2 });
    world.steps.watch(diesOnce());
    await ok(attach(id, one));
    world.steps.watch();
    expect(await leases(one)).toEqual([2, 2]);
    await ok(world.terminate(id));
    await world.accounted();
  });
});

describe('addresses of a service', () => {
  const role = (cardinality: number) => [{ name: 'only', cardinality }];

  it('are charged with the whole of it, and a service of too many is refused', async () => {
    const one = await network(16);
    await limit({ leases: 3 });
    world.inTemplates = onNetworks(one);
    expect(await refused(world.deploy(role(4)))).toMatchObject({
      code: 'quota_exceeded',
      quota: { quota: 'leases', limit: 3, used: 0, asked: 4 },
    });
    const { id } = await world.running(role(2));
    expect(await leases(one)).toEqual([2, 2]);
    await ok(world.scale(id, 'only', 3));
    expect(await refused(world.scale(id, 'only', 4))).toMatchObject({ code: 'quota_exceeded' });
    const [first] = await world.vms(id);
    await ok(world.terminate(first?._id ?? -1));
    expect(await leases(one)).toEqual([2, 2]);
    await world.accounted();
    await ok(world.undeploy(id));
    expect(await leases(one)).toEqual([0, 0]);
    await world.accounted();
  });

  it('have those beside them that are attached to its VMs, or that a changed template has, and go with it to others', async () => {
    const one = await network(32);
    world.inTemplates = onNetworks(one);
    const { id } = await world.running(role(2));
    const [first, second] = await world.vms(id);
    await ok(attach(first?._id ?? -1, one));
    expect(await leases(one)).toEqual([3, 3]);
    await world.accounted();
    const template = second?.template_id ?? -1;
    await world.operations.vmTemplates.update(world.caller, template, {
      revise: ({ name, template: body }) => ({
        wish: { name, template: { ...body, ...onNetworks(one, one) } },
        named: new Set(['template']),
      }),
      precondition: unconditional,
    });
    await ok(world.scale(id, 'only', 3));
    expect(await leases(one)).toEqual([5, 5]);
    await world.accounted();
    await world.operations.ownership.service.chown(world.caller, id, { uid: bob });
    expect(await leases(one)).toEqual([0, 0]);
    expect(await leases(one, bob)).toEqual([5, 5]);
    await world.accounted();
    await ok(world.changeDevices(first?._id ?? -1, { action: 'nic-detach', nic_id: 0 }));
    expect(await leases(one, bob)).toEqual([4, 4]);
    await ok(world.changeDevices(first?._id ?? -1, { action: 'nic-detach', nic_id: 1 }));
    // The role is to have it, and a VM that is made anew will.
    expect(await leases(one, bob)).toEqual([4, 4]);
    await ok(world.undeploy(id));
    expect(await leases(one, bob)).toEqual([0, 0]);
    await world.accounted();
  });

  it('are those, too, that are reserved for it', async () => {
    const one = await network(16);
    await limit({ on: { [`network/${one.id}/leases`]: 4 } });
    const roles = [{ name: 'only', cardinality: 2, vm_template_contents: 'NIC=[NETWORK_ID="$Private"]' }];
    const asks = { networks: { Private: 'M|network|For its traffic' } };
    const reserving = (size: number) => ({ networks: { Private: { reserve_from: one.id, size } } });
    expect(await refused(world.deploy(roles, asks, reserving(5)))).toMatchObject({ code: 'quota_exceeded' });
    const { id } = await world.running(roles, asks, reserving(4));
    expect(await leases(one)).toEqual([4, 4]);
    const [made] = (await world.operations.services.show(world.caller, id)).virtual_networks;
    expect(await leases({ id: made?.network_id ?? -1 })).toEqual([4, 2]);
    await world.accounted();
    await ok(world.undeploy(id));
    expect(await leases(one)).toEqual([0, 0]);
    await world.accounted();
  });
});

it('a reservation is charged its addresses as long as it has them', async () => {
  const one = await network(32);
  const { networks } = world.operations;
  await limit({ leases: 10 });
  const reserved = await networks.reserve(world.caller, one.id, { name: 'mine', size: 6 });
  expect(await leases(one)).toEqual([6, 6]);
  expect(await refused(networks.reserve(world.caller, one.id, { name: 'more', size: 5 }))).toMatchObject({
    code: 'quota_exceeded',
  });
  await networks.reserve(world.caller, one.id, { network_id: reserved.id, size: 4 });
  expect(await leases(one)).toEqual([10, 10]);
  const id = await running({ NIC: [{ NETWORK_ID: String(reserved.id) }] }).then(async (vm) => {
    // It was counted when it was reserved.
    expect(await leases({ id: reserved.id })).toEqual([10, 1]);
    return vm;
  });
  await networks.hold(world.caller, one.id, { ip: `10.40.${one.name.slice(4)}.30` }, unconditional);
  expect(await leases(one)).toEqual([10, 10]);
  await world.accounted();
  await ok(world.terminate(id));
  await networks.removeRange(world.caller, reserved.id, 1, unconditional);
  expect(await leases(one)).toEqual([6, 6]);
  await networks.remove(world.caller, reserved.id, unconditional);
  expect(await leases(one)).toEqual([0, 0]);
  await world.accounted();
});

describe('images', () => {
  const DISK = (id: number) => ({ DISK: [{ IMAGE_ID: String(id) }] });

  it('are limited in a datastore by number and by size', async () => {
    const on = (what: string) => `datastore/1/${what}`;
    await limit({ on: { [on('images')]: 2, [on('size')]: 40 } });
    const sized = (size_mb: number) => ({ source: { empty: { size_mb } } });
    const first = await newImage(world, 'first', sized(16));
    expect(await refused(newImage(world, 'large', sized(32)))).toMatchObject({
      quota: { quota: 'size', of: { type: 'datastore', id: 1 }, limit: 40, used: 16, asked: 32 },
    });
    const second = await newImage(world, 'second', sized(16));
    expect(await refused(newImage(world, 'third', sized(1)))).toMatchObject({ quota: { quota: 'images' } });
    expect((await used())?.on).toEqual({ [on('images')]: 2, [on('size')]: 32 });
    await world.accounted();
    for (const id of [first, second]) {
      const { id: op } = await world.operations.images.remove(world.caller, id, { requestId: 'test' });
      await world.ended(op);
    }
    expect((await used())?.on).toEqual({});
    await world.accounted();
  });

  it('are limited in how many VMs have a disk of them', async () => {
    const id = await newImage(world, 'system', {});
    const key = `image/${id}/rvms`;
    await limit({ on: { [key]: 1 } });
    const vm = await running({});
    world.inTemplates = DISK(id);
    expect(await refused(world.deploy([{ name: 'only', cardinality: 2 }]))).toMatchObject({
      quota: { quota: 'rvms', of: { type: 'image', id }, limit: 1, used: 0, asked: 2 },
    });
    await ok(world.changeDevices(vm, { action: 'disk-attach', disk: { image: id } }));
    expect((await used())?.on?.[key]).toBe(1);
    // A second disk of it makes no second VM.
    await ok(world.changeDevices(vm, { action: 'disk-attach', disk: { image: id } }));
    expect((await used())?.on?.[key]).toBe(1);
    expect(await refused(world.createVm())).toMatchObject({ code: 'quota_exceeded' });
    await world.accounted();
    await ok(world.changeDevices(vm, { action: 'disk-detach', disk_id: 0 }));
    expect((await used())?.on?.[key]).toBe(1);
    await ok(world.changeDevices(vm, { action: 'disk-detach', disk_id: 1 }));
    expect((await used())?.on?.[key]).toBeUndefined();
    const other = await running(DISK(id));
    expect((await used())?.on?.[key]).toBe(1);
    await ok(world.terminate(other));
    await ok(world.terminate(vm));
    await world.accounted();
  });
});

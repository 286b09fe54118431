import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { placeVms } from '../../../activities/vms/place-vms.js';
import { problemOf } from '../../../domain/problems.js';
import { placeOf } from '../../../domain/vms/stays.js';
import { newWorld, type World } from '../../support/world.js';
import { twice } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());
afterEach(() => world.steps.watch());

const stateOf = async (id: number) => (await world.vm(id)).state;
const end = async (id: number) =>
  expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'succeeded' });
const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'none',
    (error: unknown) => problemOf(error)?.code ?? String(error),
  );
/** One that fits on no host. */
async function waiting(): Promise<{ id: number; op: string }> {
  const made = await world.createVm({ cpu: 4_000 });
  await expect.poll(async () => (await world.operation(made.op)).state).toBe('waiting');
  return made;
}

describe('a VM on hold', () => {
  it('is made so, and deployed when it is released, every step done twice', async () => {
    world.steps.watch(twice);
    const { id, op } = await world.createVm({ hold: true });
    expect(await world.ended(op)).toMatchObject({ kind: 'deployVm', state: 'succeeded' });
    expect(await world.vm(id)).toMatchObject({ state: 'HOLD', operation: null, history: [] });
    await world.accounted();
    expect(await codeOf(world.resume(id))).toBe('wrong_state');
    expect(await codeOf(world.recoverVm(id, 'retry'))).toBe('wrong_state');
    expect(await world.ended((await world.releaseVm(id)).op)).toMatchObject({ state: 'succeeded' });
    expect(await world.vm(id)).toMatchObject({ state: 'ACTIVE', lcm_state: 'RUNNING' });
    expect(await codeOf(world.hold(id))).toBe('wrong_state');
    expect(await codeOf(world.releaseVm(id))).toBe('wrong_state');
    await end(id);
    await world.accounted();
  });

  it('was one that waited for a host, whose deployment has ended for it; it is ended as it is', async () => {
    const { id, op } = await waiting();
    for (const _ of [1, 2]) expect(await world.hold(id)).toMatchObject({ id, state: 'HOLD', operation: null });
    expect(await world.operation(op)).toMatchObject({ state: 'cancelled' });
    await world.accounted();
    const released = await world.releaseVm(id);
    await expect.poll(async () => (await world.operation(released.op)).state).toBe('waiting');
    await world.hold(id);
    await end(id);
    expect(await stateOf(id)).toBe('DONE');
    await world.accounted();
  });

  it('is not one of a service, whose role is put on hold', async () => {
    const { id } = await world.deploy([{ name: 'web', cpu: 4_000 }]);
    await expect.poll(async () => (await world.vms(id))[0]?.reason ?? null).not.toBeNull();
    const [vm] = await world.vms(id);
    expect(await codeOf(world.hold(vm?._id ?? -1))).toBe('wrong_state');
    expect(await world.ended((await world.remove(id)).op)).toMatchObject({ state: 'succeeded' });
  });
});

describe('a VM that is deployed to a host that is named', () => {
  it('goes there from PENDING, HOLD and UNDEPLOYED, whatever it requires', async () => {
    const hosts = (await world.store.hosts.all()).map(({ _id }) => _id);
    for (const [at, host] of [...hosts, ...hosts].entries()) {
      const { id, op } = await world.createVm({ hold: true });
      await world.ended(op);
      await world.store.vms.model.updateOne(
        { _id: id },
        { $set: { 'user_template.SCHED_REQUIREMENTS': 'NAME = "x"' } },
      );
      if (at >= hosts.length) {
        const released = await world.releaseVm(id);
        await expect.poll(async () => (await world.operation(released.op)).state).toBe('waiting');
      }
      expect(await world.ended((await world.deployOn(id, host)).op)).toMatchObject({ state: 'succeeded' });
      expect(placeOf(await world.vm(id))?.hid).toBe(host);
      expect(await world.ended((await world.switch(id, 'undeploy')).op)).toMatchObject({ state: 'succeeded' });
      const other = hosts.find((one) => one !== host) ?? -1;
      expect(await world.ended((await world.deployOn(id, other)).op)).toMatchObject({ state: 'succeeded' });
      expect(placeOf(await world.vm(id))?.hid).toBe(other);
      expect(await codeOf(world.deployOn(id, host))).toBe('wrong_state');
      await end(id);
    }
    await world.accounted();
  });

  it('is refused before anything changes when the host does not take it', async () => {
    const [host] = (await world.store.hosts.all()).map(({ _id }) => _id);
    const { id, op } = await waiting();
    expect(await codeOf(world.deployOn(id, host ?? -1))).toBe('wrong_state');
    expect(await codeOf(world.deployOn(id, 999))).toBe('not_found');
    expect(await world.operation(op)).toMatchObject({ state: 'waiting' });
    await end(id);
    await world.accounted();
  });
});

describe('a VM that is given another size', () => {
  const reservedOn = async (id: number) =>
    (await world.store.hosts.reservationsOf([id])).map(({ capacity }) => capacity);
  const domainOf = (id: number) => world.hypervisor.domains().find((domain) => domain.vm === id);
  const sizeOf = async (id: number) => (await world.vm(id)).capacity;
  async function off(): Promise<number> {
    const { id, op } = await world.createVm();
    await world.ended(op);
    expect(await world.ended((await world.switch(id, 'poweroff')).op)).toMatchObject({ state: 'succeeded' });
    return id;
  }

  it('has it reserved where it is, and in its domain from its next start on, made of what it is said to be made of', async () => {
    const id = await off();
    expect(await world.resize(id, { cpu: 2, vcpu: 4, memory: 256 })).toMatchObject({
      ...{ cpu: 2, memory: 256, template: { CPU: 2, VCPU: 4, MEMORY: 256 } },
    });
    await world.configure(id, { OS: { MACHINE: 'q35' } });
    await world.resize(id, { vcpu: 4 });
    expect(await reservedOn(id)).toEqual([{ cpu: 200, memory: 256 }]);
    expect(domainOf(id)?.capacity).toEqual({ cpu: 100, memory: 128 });
    await world.accounted();
    expect(await world.ended((await world.resume(id)).op)).toMatchObject({ state: 'succeeded' });
    expect(domainOf(id)?.capacity).toEqual({ cpu: 200, memory: 256 });
    expect(world.hypervisor.madeOf.get(id)).toMatchObject({ CPU: 2, VCPU: 4, OS: { MACHINE: 'q35' } });
    expect(await codeOf(world.resize(id, { cpu: 1 }))).toBe('wrong_state');
    expect(await codeOf(world.configure(id, {}))).toBe('wrong_state');
    expect(await world.ended((await world.switch(id, 'undeploy')).op)).toMatchObject({ state: 'succeeded' });
    await world.resize(id, { memory: 64 });
    expect(await reservedOn(id)).toEqual([]);
    await end(id);
    await world.accounted();
  });

  it('keeps that which it has where its host has no room', async () => {
    const id = await off();
    expect(await codeOf(world.resize(id, { cpu: 4_000 }))).toBe('wrong_state');
    expect(await sizeOf(id)).toEqual({ cpu: 100, memory: 128 });
    expect(await reservedOn(id)).toEqual([{ cpu: 100, memory: 128 }]);
    // Of what it has less there is always room.
    await world.store.hosts.model.updateMany({}, { $inc: { 'total.cpu': -1_000_000 } });
    expect(await codeOf(world.resize(id, { memory: 64 }))).toBe('none');
    await world.store.hosts.model.updateMany({}, { $inc: { 'total.cpu': 1_000_000 } });
    await end(id);
    await world.accounted();
  });

  it('finds a host for which it was too large', async () => {
    const { id, op } = await waiting();
    await world.resize(id, { cpu: 1 });
    await expect.poll(async () => (await world.operation(op)).state).toBe('succeeded');
    expect(domainOf(id)?.capacity.cpu).toBe(100);
    await end(id);
    await world.accounted();
  });

  it('is placed by what it has now, although a place for what it had was reserved already', async () => {
    const { id, op } = await waiting();
    const [host] = await world.store.hosts.all();
    await world.store.vms.model.updateOne({ _id: id }, { $set: { 'capacity.cpu': 300 } });
    await world.store.hosts.reserve([{ vm: id, host: host?._id ?? -1, capacity: { cpu: 300, memory: 128 } }]);
    const read = await world.store.vms.byIds([id]);
    await world.resize(id, { cpu: 1 });
    await expect.poll(async () => (await world.operation(op)).state).toBe('succeeded');
    expect(await reservedOn(id)).toEqual([{ cpu: 100, memory: 128 }]);
    // A try that has read it before, and comes to it now, takes nothing from it.
    await placeVms(world.store, read);
    expect(await reservedOn(id)).toEqual([{ cpu: 100, memory: 128 }]);
    await end(id);
    await world.accounted();
  });

  it.each(['resume', 'terminate', 'releaseVm'] as const)(
    'twice at once, beside %s, has one size everywhere',
    async (deed) => {
      for (const _ of [1, 2, 3]) {
        const id = deed === 'releaseVm' ? (await world.createVm({ hold: true })).id : await off();
        await expect.poll(async () => (await world.vm(id)).operation).toBeNull();
        const [begun, ...sizes] = await Promise.allSettled([
          world[deed](id),
          world.resize(id, { cpu: 2 }),
          world.resize(id, { cpu: 3, memory: 64 }),
        ]);
        if (begun.status === 'rejected') throw begun.reason;
        expect(await world.ended(begun.value.op)).toMatchObject({ state: 'succeeded' });
        for (const { status } of sizes) expect(['fulfilled', 'rejected']).toContain(status);
        if (deed !== 'terminate') {
          const capacity = await sizeOf(id);
          expect(await reservedOn(id)).toEqual([capacity]);
          expect(domainOf(id)?.capacity).toEqual(capacity);
          await end(id);
        }
        await world.accounted();
      }
    },
  );

  it('is none of a service', async () => {
    const { id } = await world.running([{ name: 'web' }]);
    const [vm] = await world.vms(id);
    expect(await codeOf(world.resize(vm?._id ?? -1, { cpu: 2 }))).toBe('wrong_state');
    expect(await world.ended((await world.remove(id)).op)).toMatchObject({ state: 'succeeded' });
  });
});

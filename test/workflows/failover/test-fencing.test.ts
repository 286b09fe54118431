import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isArmed } from '../../../domain/failover/armed.js';
import { Problem, problemOf } from '../../../domain/problems.js';
import { unconditional } from '../../../requests/precondition.js';
import { HaPolicy } from '../../../schemas/hosts/ha.js';
import { newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { diesOnce, holding, twice } from '../../support/world-steps.js';

let world: World;
/** The one that is tested, and another one. */
let id: number;
let name: string;
let other: string;
beforeAll(async () => {
  world = await newWorld({ server: development });
  world.settings.monitoringInterval = 0;
  world.settings.insistence = 0;
  world.settings.powerPatience = { going: 1, booting: 1 };
  const [one, two] = await world.store.hosts.all();
  if (!one || !two) throw new Error('there are two');
  [id, name, other] = [one._id, one.name, two.name];
});
afterAll(() => world.stop());
afterEach(async () => {
  world.steps.watch();
  world.power = world.usualPower;
  world.fenced.length = 0;
  for (const host of [name, other]) world.hypervisor.reach(host);
  await world.tick('monitorHosts');
});

const command = { kind: 'command', program: 'off', arguments: [] };
const policy = (ha: object | null) =>
  world.operations.hosts.update(world.caller, id, {
    revise: (present) => ({ wish: { ...present, ha: ha && HaPolicy.parse(ha) }, named: new Set(['ha']) }),
    precondition: unconditional,
  });
const put = (state: 'DISABLED' | 'MONITORED') => world.store.hosts.update(id, { state, error: null });
/** A policy that nobody has tried, of a host that takes no VMs. */
async function untried(fencing: object[] = [command]): Promise<void> {
  await policy(null);
  await policy({ action: 'recreate', polls: 2, fencing });
  await put('DISABLED');
}
const host = async () => {
  const found = await world.store.hosts.find(id);
  if (!found) throw new Error('it is gone');
  return found;
};
const tested = async () => world.ended((await world.testFencing(id)).op);
const refusal = (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    (error: unknown) => problemOf(error),
  );
const shown = () => world.operations.hosts.show(world.caller, id);

describe('testFencing', () => {
  it.each([
    ['', undefined],
    ['; each step is done twice', twice],
    ['; the worker is lost after each step', diesOnce()],
  ])('turns a host off and on by each of its methods, and arms its policy%s', async (_, around) => {
    await untried([command, { ...command, program: 'other' }, { kind: 'manual' }]);
    expect(await shown()).toMatchObject({ armed: false, expected_recovery: null });
    world.steps.watch(around, /^host-/);
    const { _id: op, ...operation } = await tested();
    expect(operation).toMatchObject({ state: 'succeeded', error: null });
    expect(world.fenced.length).toBeGreaterThanOrEqual(2);
    expect(world.hypervisor.isCutOff(name)).toBe(false);
    expect(await host()).toMatchObject({
      ...{ state: 'DISABLED', operation: null, power_cut: null, fence_test: { op, failed: null } },
    });
    expect(await shown()).toMatchObject({
      ...{ armed: true, expected_recovery: expect.any(Number) },
      fence_test: { operation: op, passed: true, failed: null },
    });
  });

  it('is forgotten when the methods are others, and not when the rest of the policy is', async () => {
    await untried();
    await tested();
    await policy({ action: 'migrate', polls: 5, fencing: [command] });
    expect(isArmed(await host())).toBe(true);
    await policy({ action: 'migrate', polls: 5, fencing: [{ ...command, arguments: ['rack-2'] }] });
    expect(isArmed(await host())).toBe(false);
    await policy({ action: 'migrate', polls: 5, fencing: [command] });
    expect(isArmed(await host())).toBe(false);
  });

  it('turns nothing off where the method says that a host is off which answers', async () => {
    await untried();
    world.power = { ...world.usualPower, status: async () => 'off' };
    expect(await tested()).toMatchObject({
      ...{ state: 'failed', error: { code: 'not_fenced', detail: expect.stringContaining('it is another one') } },
    });
    expect(world.fenced).toEqual([]);
    expect(isArmed(await host())).toBe(false);
    expect((await shown()).fence_test).toMatchObject({ passed: false, failed: expect.stringContaining('another one') });
  });

  it('finds out that it is another host which goes, and turns that on again', async () => {
    await untried();
    world.power = {
      ...world.usualPower,
      off: async () => world.hypervisor.cutOff(other),
      on: async () => world.hypervisor.reach(other),
    };
    expect(await tested()).toMatchObject({
      ...{ state: 'failed', error: { code: 'not_fenced', detail: expect.stringContaining('another one that was') } },
    });
    expect([name, other].map((one) => world.hypervisor.isCutOff(one))).toEqual([false, false]);
    expect(isArmed(await host())).toBe(false);
  });

  it('says so where the host does not come back, or cannot be turned off', async () => {
    await untried();
    world.power = { ...world.usualPower, on: async () => {} };
    expect(await tested()).toMatchObject({
      ...{ state: 'failed', error: { detail: expect.stringContaining('has not answered for 1 s since') } },
    });
    // Left off, and not answering, it is turned on first by who asks again.
    await world.tick('monitorHosts');
    expect(await host()).toMatchObject({ error: expect.any(String), power_cut: { at: 0 } });
    world.power = world.usualPower;
    expect(await tested()).toMatchObject({ state: 'succeeded', error: null });
    expect(world.hypervisor.isCutOff(name)).toBe(false);
    await untried();
    const off = async () => {
      throw new Problem('not_fenced', 'off ended with 1: no route');
    };
    world.power = { ...world.usualPower, off };
    expect(await tested()).toMatchObject({ state: 'failed', error: { detail: 'off ended with 1: no route' } });
    expect(isArmed(await host())).toBe(false);
  });

  it('that is cancelled while the host is off turns it on, and says nothing of its methods', async () => {
    await untried();
    const held = holding('restorePower');
    world.steps.watch(held.around, /^host-/);
    const { op } = await world.testFencing(id);
    await held.reached;
    expect(world.hypervisor.isCutOff(name)).toBe(true);
    const cancelled = world.cancel(op);
    held.release();
    await cancelled;
    const { state } = await world.ended(op);
    expect(['cancelled', 'succeeded']).toContain(state);
    expect(world.hypervisor.isCutOff(name)).toBe(false);
    expect(isArmed(await host())).toBe(state === 'succeeded');
  });

  it('that was lost while the host was off turns it on before anything else', async () => {
    await untried();
    await world.rest();
    world.steps.watch();
    const { op } = await world.testFencing(id);
    const { methods = '' } = (await host()).ha ?? {};
    await world.store.failovers.notePowerCut(id, op, { methods, at: 0 });
    world.powerOff(name);
    await world.work();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(world.steps.names().slice(0, 3)).toEqual(['beginFencingTest', 'restorePower', 'checkPower']);
    expect(isArmed(await host())).toBe(true);
  });

  it('is refused while the host has VMs, or takes them, or does not answer, or has nothing to test', async () => {
    await untried();
    await put('MONITORED');
    expect(await refusal(world.testFencing(id))).toMatchObject({
      ...{ code: 'wrong_state', message: expect.stringContaining('has to be DISABLED') },
    });
    const vm = await world.createVm();
    await world.ended(vm.op);
    const at = Object.keys((await host()).vms).length > 0 ? vm : await world.createVm();
    await world.ended(at.op);
    await put('DISABLED');
    expect(await refusal(world.testFencing(id))).toMatchObject({
      message: expect.stringContaining('its power is cut'),
    });
    for (const { op } of [await world.terminate(vm.id, true)]) await world.ended(op);
    if (at !== vm) await world.ended((await world.terminate(at.id, true)).op);
    await world.store.hosts.update(id, { error: 'no route' });
    expect(await refusal(world.testFencing(id))).toMatchObject({ message: expect.stringContaining('does not answer') });
    await put('DISABLED');
    await policy({ action: 'recreate' });
    expect(isArmed(await host())).toBe(true);
    expect(await refusal(world.testFencing(id))).toMatchObject({ message: expect.stringContaining('by a person') });
    await policy(null);
    expect(await refusal(world.testFencing(id))).toMatchObject({ message: expect.stringContaining('has no policy') });
    expect(world.fenced).toEqual([]);
  });

  it('has the host for itself: neither its policy nor its state is changed meanwhile', async () => {
    await untried();
    const held = holding('checkPower');
    world.steps.watch(held.around, /^host-/);
    const { op } = await world.testFencing(id);
    await held.reached;
    expect(await refusal(world.testFencing(id))).toMatchObject({ code: 'operation_in_progress', operation: op });
    expect(await refusal(policy(null))).toMatchObject({ code: 'operation_in_progress', operation: op });
    const enable = world.operations.hosts.update(world.caller, id, {
      revise: (present) => ({ wish: { ...present, state: 'enabled' }, named: new Set(['state']) }),
      precondition: unconditional,
    });
    expect(await refusal(enable)).toMatchObject({ code: 'operation_in_progress' });
    held.release();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
  });

  it('is what failovers wait for that begin by themselves, and none that somebody asks for', async () => {
    await untried();
    await put('MONITORED');
    world.powerOff(name);
    for (let poll = 0; poll < 3; poll++) await world.tick('monitorHosts');
    expect(await host()).toMatchObject({ state: 'ERROR', missed: 3 });
    expect((await host()).operation ?? null).toBeNull();
    const { op } = await world.failOver(id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(world.fenced).toEqual([name]);
  });
});

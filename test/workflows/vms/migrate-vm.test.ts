import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem, problemOf } from '../../../domain/problems.js';
import { placeOf } from '../../../domain/vms/stays.js';
import { type VmStateName, vmStateName } from '../../../domain/vms/vm-states.js';
import type { VmCall } from '../../../domain/vms/vm-verbs.js';
import type { VmSwitch } from '../../../schemas/operations/vm-action.js';
import { type Asked, newWorld, type World } from '../../support/world.js';
import { twice } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());
afterEach(() => {
  world.hypervisor.mend();
  world.hypervisor.afterEach = () => {};
  for (const host of ['host-1', 'host-2']) world.hypervisor.reach(host);
  world.steps.watch();
});

const stateOf = async (id: number): Promise<VmStateName> => vmStateName(await world.vm(id));
const hostOf = async (id: number) => placeOf(await world.vm(id))?.hostname;
const hostnames = async () => (await world.store.hosts.all()).map(({ name }) => name);
const domainsOf = (id: number) => world.hypervisor.domains().filter(({ vm }) => vm === id);

async function made(action?: VmSwitch): Promise<number> {
  const { id, op } = await world.createVm();
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
  if (action) expect(await world.ended((await world.switch(id, action)).op)).toMatchObject({ state: 'succeeded' });
  return id;
}
const end = async (id: number) =>
  expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'succeeded' });
const problem = (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    (error: unknown) => problemOf(error),
  );

describe('migrateVm', () => {
  it.each([
    ['running', undefined, false, 'ACTIVE/RUNNING'],
    ['running', undefined, true, 'ACTIVE/RUNNING'],
    ['powered off', 'poweroff', false, 'POWEROFF'],
    // Of what does not run there is nothing to interrupt.
    ['suspended', 'suspend', true, 'SUSPENDED'],
  ] as const)(
    'takes a VM that is %s (%s) to the other host, live: %s, every step done twice',
    async (_, action, live, state) => {
      const id = await made(action);
      const before = await world.vm(id);
      const from = await hostOf(id);
      world.steps.watch(twice);
      const { op } = await world.migrate(id, { live });
      expect(await world.ended(op)).toMatchObject({ kind: 'migrateVm', state: 'succeeded', error: null });
      expect(await stateOf(id)).toBe(state);
      expect(await hostOf(id)).not.toBe(from);
      const vm = await world.vm(id);
      expect(vm).toMatchObject({ hold: null, operation: null, reason: null, moving: null });
      expect(vm.history.map(({ etime }) => etime === null)).toEqual([false, true]);
      // What it was made under before is stale: a copy that came back would be refused.
      expect(vm.history[1]?.epoch).toBeGreaterThan(before.epoch);
      expect(domainsOf(id)).toMatchObject([{ host: await hostOf(id) }]);
      await world.accounted();
      world.steps.watch();
      if (action) expect(await world.ended((await world.resume(id)).op)).toMatchObject({ state: 'succeeded' });
      expect(await stateOf(id)).toBe('ACTIVE/RUNNING');
      expect(domainsOf(id)).toMatchObject([{ host: await hostOf(id), down: null }]);
      await end(id);
      await world.accounted();
    },
  );

  it.each([
    ['migrate', true],
    ['suspend', false],
    ['move', false],
  ] as const)('leaves a VM running where it was when %s is refused', async (call, live) => {
    const id = await made();
    const from = await hostOf(id);
    const error = new Problem('action_refused', 'its processor is another one');
    world.hypervisor.failVm(id, { call, times: 1, error });
    expect(await world.ended((await world.migrate(id, { live })).op)).toMatchObject({
      state: 'failed',
      error: { code: 'vm_failed', detail: error.message },
    });
    expect(await world.vm(id)).toMatchObject({ lcm_state: 'RUNNING', moving: null, hold: null, reason: null });
    expect(domainsOf(id)).toMatchObject([{ host: from, down: null }]);
    expect(await hostOf(id)).toBe(from);
    await world.accounted();
    await end(id);
  });

  it.each(['before', 'after'] as const)('moves a VM once when answers are lost %s the work', async (when) => {
    for (const call of ['migrate', 'suspend', 'move', 'resume'] satisfies VmCall[]) {
      const id = await made();
      const from = await hostOf(id);
      world.hypervisor.failVm(id, { call, times: 2, when });
      const { op } = await world.migrate(id, { live: call === 'migrate' });
      expect(await world.ended(op), call).toMatchObject({ state: 'succeeded' });
      expect(await stateOf(id)).toBe('ACTIVE/RUNNING');
      expect(await hostOf(id)).not.toBe(from);
      expect(world.hypervisor.timesMade(id)).toBe(1);
      await end(id);
    }
    await world.accounted();
  });

  it.each([true, false])('finds a VM on its new host of which nobody has said so, live: %s', async (live) => {
    const id = await made();
    const from = await hostOf(id);
    world.hypervisor.failVm(id, { call: live ? 'migrate' : 'move', when: 'after' });
    const { op } = await world.migrate(id, { live });
    expect(await world.server.skipping(world.ended(op))).toMatchObject({ state: 'succeeded', error: null });
    expect(await stateOf(id)).toBe('ACTIVE/RUNNING');
    expect(await hostOf(id)).not.toBe(from);
    await world.accounted();
    await end(id);
  });

  it('leaves a VM running where it was when the other host does not answer', async () => {
    const id = await made();
    const from = await hostOf(id);
    const [to = ''] = (await hostnames()).filter((name) => name !== from);
    world.hypervisor.cutOff(to);
    const { op } = await world.migrate(id);
    expect(await world.server.skipping(world.ended(op))).toMatchObject({
      state: 'failed',
      error: { code: 'vm_failed' },
    });
    world.hypervisor.reach(to);
    expect(await world.vm(id)).toMatchObject({ lcm_state: 'RUNNING', moving: null });
    expect(domainsOf(id)).toMatchObject([{ host: from, down: null }]);
    await world.accounted();
    await end(id);
    await world.tick('monitorHosts');
  });

  it('of one whose host falls silent on the way nobody starts another, until a migration has asked both hosts', async () => {
    const id = await made();
    const from = (await hostOf(id)) ?? '';
    // What it had to say of it never came.
    world.hypervisor.failVm(id, { call: 'migrate', when: 'after' });
    world.hypervisor.afterEach = ({ call, host }) => {
      if (call === 'migrate') world.hypervisor.cutOff(host);
    };
    const { op } = await world.migrate(id, { live: true });
    expect(await world.server.skipping(world.ended(op))).toMatchObject({ state: 'failed' });
    world.hypervisor.afterEach = () => {};
    expect(await stateOf(id)).toBe('ACTIVE/UNKNOWN');
    await world.accounted();
    const refused = [() => world.resume(id), () => world.recoverVm(id, 'success'), () => world.switch(id, 'poweroff')];
    for (const ask of refused)
      expect(await problem(ask())).toMatchObject({
        code: 'wrong_state',
        message: expect.stringContaining('one of two hosts'),
      });
    expect(await problem(world.resched(id, true))).toMatchObject({ code: 'wrong_state' });
    const { text } = await world.operations.why.vm(world.caller, id);
    expect(text).toMatch(/is on host-\d or on host-\d, and it is not known on which/);
    world.hypervisor.reach(from);
    world.hypervisor.mend();
    await world.tick('monitorHosts');
    expect(await world.ended((await world.retry(op)).op)).toMatchObject({ state: 'succeeded' });
    expect(await stateOf(id)).toBe('ACTIVE/RUNNING');
    expect(await hostOf(id)).not.toBe(from);
    await world.accounted();
    await end(id);
  });

  it('gives way to a termination, which leaves nothing of it on either host', async () => {
    const id = await made();
    world.hypervisor.failVm(id, { call: 'migrate', when: 'after' });
    const { op } = await world.migrate(id, { live: true });
    await expect.poll(() => domainsOf(id)[0]?.host).not.toBe(await hostOf(id));
    await end(id);
    // Its step may have seen that it is to give way before the cancel has come.
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled' });
    expect(domainsOf(id)).toEqual([]);
    await world.accounted();
  });

  it.each([
    ['suspend', false, 'move'],
    ['poweroff', false, 'move'],
    [undefined, true, 'migrate'],
    [undefined, false, 'move'],
  ] as const)(
    'keeps nothing reserved of a VM (%s, live: %s) that is terminated as it arrives',
    async (action, live, call) => {
      const id = await made(action);
      const waiting: Promise<never>[] = [];
      world.steps.watch((step, run) => {
        if (step.name === 'moveVms') waiting.push(step.cancelled);
        return run();
      });
      let ending: Promise<Asked> | undefined;
      // Its host goes on with what it was asked for: the VM is there when its step has heard that it is to stop.
      world.hypervisor.afterEach = async (made) => {
        if (made.call !== call || made.vm !== id) return;
        ending ??= world.terminate(id);
        await ending;
        await waiting.at(-1)?.catch(() => {});
      };
      const { op } = await world.migrate(id, { live });
      await world.ended(op);
      expect(await world.ended((await ending)?.op ?? '')).toMatchObject({ state: 'succeeded' });
      expect(domainsOf(id)).toEqual([]);
      await world.accounted();
    },
  );

  it('goes to the host that is named, and says why it does not go there', async () => {
    const id = await made();
    const hosts = await world.store.hosts.all();
    const place = placeOf(await world.vm(id))?.hid ?? -1;
    expect(await problem(world.migrate(id, { host: place }))).toMatchObject({ code: 'wrong_state' });
    expect(await problem(world.migrate(id, { host: 999 }))).toMatchObject({ code: 'not_found' });
    const other = hosts.find(({ _id }) => _id !== place)?._id ?? -1;
    expect(await world.ended((await world.migrate(id, { host: other })).op)).toMatchObject({ state: 'succeeded' });
    await world.store.hosts.model.updateOne({ _id: place }, { $set: { cluster_id: 100 } });
    expect(await world.ended((await world.migrate(id, { host: place })).op)).toMatchObject({
      state: 'failed',
      error: { detail: expect.stringContaining('cluster') },
    });
    expect(await world.ended((await world.migrate(id)).op)).toMatchObject({ state: 'failed' });
    await world.store.hosts.model.updateOne({ _id: place }, { $set: { cluster_id: 0 } });
    await world.store.hosts.model.updateOne({ _id: place }, { $set: { state: 'DISABLED' } });
    expect(await world.ended((await world.migrate(id)).op)).toMatchObject({ state: 'failed' });
    await world.store.hosts.model.updateOne({ _id: place }, { $set: { state: 'MONITORED' } });
    expect(await stateOf(id)).toBe('ACTIVE/RUNNING');
    await world.accounted();
    await end(id);
  });
});

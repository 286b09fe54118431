import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { storage } from '../../../adapters/hypervisor/simulated/simulated.js';
import { Problem, problemOf } from '../../../domain/problems.js';
import { stoppedOutside } from '../../../domain/vms/sightings.js';
import { placeOf } from '../../../domain/vms/stays.js';
import { type VmStateName, vmStateName } from '../../../domain/vms/vm-states.js';
import { VmSwitch } from '../../../schemas/operations/vm-action.js';
import { someOf } from '../../support/some-of.js';
import { newWorld, type World } from '../../support/world.js';
import { twice } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());
afterEach(() => {
  world.hypervisor.mend();
  world.steps.watch();
});

const stateOf = async (id: number): Promise<VmStateName> => vmStateName(await world.vm(id));
async function running(): Promise<number> {
  const { id, op } = await world.createVm();
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
  return id;
}
const end = async (id: number) =>
  expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'succeeded' });
const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'none',
    (error: unknown) => problemOf(error)?.code ?? String(error),
  );

/** Where each switch leads a VM that runs, and how often its domain has been made when it was resumed. */
const leads: Record<VmSwitch, readonly [VmStateName, times: number]> = {
  poweroff: ['POWEROFF', 2],
  'poweroff-hard': ['POWEROFF', 2],
  reboot: ['ACTIVE/RUNNING', 1],
  'reboot-hard': ['ACTIVE/RUNNING', 1],
  suspend: ['SUSPENDED', 1],
  stop: ['STOPPED', 1],
  undeploy: ['UNDEPLOYED', 2],
  'undeploy-hard': ['UNDEPLOYED', 2],
  'snapshot-create': ['ACTIVE/RUNNING', 1],
  'snapshot-revert': ['ACTIVE/RUNNING', 1],
  'snapshot-delete': ['ACTIVE/RUNNING', 1],
};

describe('performOnVm', () => {
  it.each(someOf(VmSwitch.options, 3))('%s leads where it says, every step done twice, and back', async (action) => {
    const id = await running();
    const [state, times] = leads[action];
    const about = action === 'snapshot-revert' || action === 'snapshot-delete' ? { snapshot: 0 } : {};
    if ('snapshot' in about) await world.ended((await world.switch(id, 'snapshot-create')).op);
    world.steps.watch(twice);
    const { op } = await world.switch(id, action, about);
    expect(await world.ended(op)).toMatchObject({ kind: 'performOnVm', state: 'succeeded', error: null });
    expect(await stateOf(id)).toBe(state);
    const vm = await world.vm(id);
    expect(vm).toMatchObject({ hold: null, operation: null, reason: null });
    expect(vm.history.at(-1)?.etime === null).toBe(state !== 'UNDEPLOYED' && state !== 'STOPPED');
    await world.accounted();
    if (state !== 'ACTIVE/RUNNING') {
      expect(await world.ended((await world.resume(id)).op)).toMatchObject({ kind: 'deployVm', state: 'succeeded' });
      expect(await stateOf(id)).toBe('ACTIVE/RUNNING');
    }
    const entries = world.hypervisor.journal.filter((entry) => entry.vm === id);
    expect(world.hypervisor.timesMade(id)).toBe(times);
    if (action.startsWith('reboot')) expect(entries.filter(({ outcome }) => outcome === 'rebooted')).toHaveLength(1);
    expect(world.hypervisor.domains().filter((domain) => domain.vm === id)).toHaveLength(1);
    await end(id);
    await world.accounted();
  });

  it('goes from one to another where that is allowed, and ends from each', async () => {
    const ways: readonly (readonly [VmSwitch, VmSwitch, VmStateName])[] = [
      ['poweroff', 'undeploy', 'UNDEPLOYED'],
      ['suspend', 'stop', 'STOPPED'],
    ];
    for (const [first, second, state] of ways) {
      const id = await running();
      await world.ended((await world.switch(id, first)).op);
      await world.ended((await world.switch(id, second)).op);
      expect(await stateOf(id)).toBe(state);
      expect(await codeOf(world.switch(id, second))).toBe('wrong_state');
      await end(id);
    }
    await world.accounted();
  });

  it.each(['before', 'after'] as const)('is tried again when its host is away %s the work', async (when) => {
    const id = await running();
    world.hypervisor.failVm(id, { call: 'reboot', times: 2, when });
    expect(await world.ended((await world.switch(id, 'reboot')).op)).toMatchObject({ state: 'succeeded' });
    expect(world.hypervisor.journal.filter((entry) => entry.vm === id && entry.outcome === 'rebooted')).toHaveLength(1);
    await end(id);
  });

  it('fails in plain words where its host is silent for too long', async () => {
    const id = await running();
    const host = placeOf(await world.vm(id))?.hostname ?? '';
    world.hypervisor.cutOff(host);
    const ended = await world.server.skipping(world.ended((await world.switch(id, 'poweroff')).op));
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'vm_failed' } });
    expect(ended.error?.detail).toContain(host);
    expect(ended.error?.detail).not.toMatch(/timeout|ScheduleToClose|retry/i);
    world.hypervisor.reach(host);
    await world.tick('monitorHosts');
    await end(id);
  });

  it('is not asked of a host that is OFFLINE, and no other one is; the VM can be ended', async () => {
    const id = await running();
    await world.ended((await world.switch(id, 'poweroff')).op);
    const place = placeOf(await world.vm(id));
    await world.store.hosts.update(place?.hid ?? -1, { state: 'OFFLINE' });
    for (const ask of [() => world.switch(id, 'undeploy'), () => world.resume(id), () => world.migrate(id)])
      await expect(ask()).rejects.toMatchObject({
        code: 'wrong_state',
        message: `VM ${id} is on host ${place?.hostname}, which is OFFLINE: nothing is asked of it. Enable the host, if it answers; else terminate the VM.`,
      });
    await end(id);
    await world.store.hosts.update(place?.hid ?? -1, { state: 'MONITORED' });
    await world.accounted();
  });

  it('fails in the hypervisor’s own words; what the VM is, the next look at its host says', async () => {
    const id = await running();
    const error = new Problem('action_refused', 'there is no room for what it has in memory');
    world.hypervisor.failVm(id, { call: 'suspend', times: 1, error });
    expect(await world.ended((await world.switch(id, 'suspend')).op)).toMatchObject({
      state: 'failed',
      error: { code: 'vm_failed', detail: error.message },
    });
    expect(await stateOf(id)).toBe('ACTIVE/UNKNOWN');
    await world.tick('monitorHosts');
    expect(await stateOf(id)).toBe('ACTIVE/RUNNING');
    world.hypervisor.bringDown(id, 'stopped');
    for (const _ of ['missed', 'missed again']) await world.tick('monitorHosts');
    expect(await world.vm(id)).toMatchObject({ state: 'POWEROFF', reason: stoppedOutside });
    await end(id);
  });

  it('gives way to a termination, and to nobody else', async () => {
    const id = await running();
    world.hypervisor.failVm(id, { call: 'poweroff' });
    const { op } = await world.switch(id, 'poweroff');
    await expect.poll(() => stateOf(id)).toBe('ACTIVE/SHUTDOWN_POWEROFF');
    expect(await codeOf(world.switch(id, 'reboot'))).toBe('operation_in_progress');
    expect(await codeOf(world.resume(id))).toBe('operation_in_progress');
    await end(id);
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled' });
    expect(await stateOf(id)).toBe('DONE');
    await world.accounted();
  });

  it('is cancelled, and has not failed, when its steps see the one that wants the VM before the cancel comes', async () => {
    const id = await running();
    world.hypervisor.failVm(id, { call: 'poweroff' });
    const { op } = await world.switch(id, 'poweroff');
    await expect.poll(() => stateOf(id)).toBe('ACTIVE/SHUTDOWN_POWEROFF');
    const { model } = world.store.vms;
    await model.updateOne({ _id: id }, { $set: { wanted: 'SOMEBODY' } });
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
    await model.updateOne({ _id: id }, { $set: { wanted: null } });
    await end(id);
    await world.accounted();
  });

  it('leaves room on the host of a VM that was undeployed, and waits for some when it is resumed', async () => {
    const cpu = 990;
    const first = await world.createVm({ cpu });
    await world.ended(first.op);
    const filler = await world.createVm({ cpu });
    await world.ended(filler.op);
    const second = await world.createVm({ cpu });
    await expect.poll(async () => (await world.operation(second.op)).state).toBe('waiting');
    await world.ended((await world.switch(first.id, 'undeploy')).op);
    await expect.poll(async () => (await world.operation(second.op)).state).toBe('succeeded');
    const resumed = await world.resume(first.id);
    await expect.poll(async () => (await world.operation(resumed.op)).state).toBe('waiting');
    expect(await stateOf(first.id)).toBe('PENDING');
    await end(second.id);
    await expect.poll(async () => (await world.operation(resumed.op)).state).toBe('succeeded');
    expect(await stateOf(first.id)).toBe('ACTIVE/RUNNING');
    for (const id of [first.id, filler.id]) await end(id);
    await world.accounted();
  });

  it('switches the VMs of a role, which is as well as it was, and can be scaled and removed', async () => {
    const { id } = await world.running([{ name: 'web', cardinality: 3, min_vms: 1, max_vms: 9 }]);
    const vms = (await world.vms(id, 'web')).map(({ _id }) => _id);
    for (const [action, state] of [
      ['suspend', 'SUSPENDED'],
      ['resume', 'ACTIVE/RUNNING'],
      ['stop', 'STOPPED'],
      ['resume', 'ACTIVE/RUNNING'],
      ['stop', 'STOPPED'],
    ] as const) {
      expect(await world.ended((await world.perform(id, 'web', { action })).op)).toMatchObject({ state: 'succeeded' });
      await expect.poll(() => Promise.all(vms.map(stateOf))).toEqual(vms.map(() => state));
      expect(await world.service(id)).toMatchObject({ state: 'RUNNING', roles: [{ state: 'RUNNING' }] });
    }
    expect(await world.ended((await world.scale(id, 'web', 4)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
    expect(await world.ended((await world.undeploy(id)).op)).toMatchObject({ state: 'succeeded' });
    expect(await Promise.all(vms.map(stateOf))).toEqual(vms.map(() => 'DONE'));
    await world.accounted();
  });
});

describe('a VM that is stopped', () => {
  const keptOf = (id: number) =>
    world.hypervisor.domains().filter(({ vm, host }) => vm === id && host === storage.name);
  const domainOf = (id: number) => world.hypervisor.domains().find(({ vm }) => vm === id);
  const ok = async (asked: Promise<{ op: string }>) =>
    expect(await world.ended((await asked).op)).toMatchObject({ state: 'succeeded' });
  const refused = new Problem('action_refused', 'no space left on it');
  const hostsAre = async (state: 'DISABLED' | 'MONITORED') => {
    for (const host of await world.store.hosts.snapshot()) await world.store.hosts.update(host.id, { state });
  };
  async function stopped(): Promise<number> {
    const id = await running();
    await ok(world.switch(id, 'stop'));
    return id;
  }

  it('goes on in the domain that it had, on a host that is named, too', async () => {
    const id = await running();
    const before = domainOf(id)?.deploy_id;
    await ok(world.switch(id, 'stop'));
    expect(keptOf(id)).toMatchObject([{ deploy_id: before, down: 'suspended' }]);
    const host = (await world.store.hosts.snapshot()).at(-1);
    await ok(world.deployOn(id, host?.id ?? -1));
    expect(domainOf(id)).toMatchObject({ host: host?.name, deploy_id: before, down: null });
    expect(await world.vm(id)).toMatchObject({ stored: null, deploy_id: before });
    expect((await world.vm(id)).log?.map(({ lcm_state }) => lcm_state)).toEqual(
      expect.arrayContaining(['SAVE_STOP', 'EPILOG_STOP', 'PROLOG_RESUME', 'BOOT_STOPPED']),
    );
    await end(id);
    await world.accounted();
  });

  it('is stopped from SUSPENDED without being saved again', async () => {
    const id = await running();
    await ok(world.switch(id, 'suspend'));
    const calls = () => world.hypervisor.journal.filter(({ vm, call }) => vm === id && call === 'suspend').length;
    const before = calls();
    await ok(world.switch(id, 'stop'));
    expect([calls(), await stateOf(id), keptOf(id).length]).toEqual([before, 'STOPPED', 1]);
    await ok(world.resume(id));
    await end(id);
  });

  it.each(['terminate', 'recreate'] as const)('leaves nothing behind by %s, waiting for a host or not', async (way) => {
    for (const waits of way === 'terminate' ? [false, true] : [false]) {
      const id = await stopped();
      if (waits) {
        await hostsAre('DISABLED');
        const { op } = await world.resume(id);
        await expect.poll(async () => (await world.operation(op)).state).toBe('waiting');
        expect([await stateOf(id), keptOf(id).length]).toEqual(['PENDING', 1]);
      }
      await (way === 'terminate' ? end(id) : ok(world.recoverVm(id, 'recreate')));
      expect(keptOf(id)).toEqual([]);
      if (waits) await hostsAre('MONITORED');
      if (way === 'recreate') {
        expect([await stateOf(id), world.hypervisor.timesMade(id)]).toEqual(['ACTIVE/RUNNING', 2]);
        await end(id);
      }
      await world.accounted();
    }
  });

  it('is EPILOG_STOP_FAILURE where it cannot be taken from its host: stopped again, called SUSPENDED, or ended', async () => {
    for (const way of ['retry', 'failure', 'stop', 'terminate'] as const) {
      const id = await running();
      world.hypervisor.failVm(id, { call: 'store', times: 1, error: refused });
      expect(await world.ended((await world.switch(id, 'stop')).op)).toMatchObject({
        ...{ state: 'failed', error: { detail: refused.message } },
      });
      expect(await stateOf(id)).toBe('ACTIVE/EPILOG_STOP_FAILURE');
      await world.accounted();
      // Its domain is there: nobody calls it STOPPED.
      expect(await world.ended((await world.recoverVm(id, 'success')).op)).toMatchObject({ state: 'failed' });
      if (way === 'stop') await ok(world.switch(id, 'stop'));
      else if (way !== 'terminate') await ok(world.recoverVm(id, way));
      if (way !== 'terminate') {
        expect(await stateOf(id), way).toBe(way === 'failure' ? 'SUSPENDED' : 'STOPPED');
        await ok(world.resume(id));
        expect([world.hypervisor.timesMade(id), (await world.vm(id)).stored]).toEqual([1, null]);
      }
      await end(id);
      await world.accounted();
    }
  });

  it('is PROLOG_RESUME_FAILURE where it cannot be brought to its host: resumed there, stopped again, or ended', async () => {
    for (const way of ['retry', 'stop', 'recreate', 'terminate'] as const) {
      const id = await stopped();
      world.hypervisor.failVm(id, { call: 'fetch', times: 1, error: refused });
      expect(await world.ended((await world.resume(id)).op)).toMatchObject({ state: 'failed' });
      expect(await stateOf(id)).toBe('ACTIVE/PROLOG_RESUME_FAILURE');
      await world.accounted();
      if (way === 'stop') {
        await ok(world.switch(id, 'stop'));
        expect([await stateOf(id), keptOf(id).length]).toEqual(['STOPPED', 1]);
        await ok(world.resume(id));
      } else if (way !== 'terminate') await ok(world.recoverVm(id, way));
      if (way !== 'terminate') expect(world.hypervisor.timesMade(id), way).toBe(way === 'recreate' ? 2 : 1);
      expect(keptOf(id).length).toBe(way === 'terminate' ? 1 : 0);
      await end(id);
      expect(keptOf(id)).toEqual([]);
      await world.accounted();
    }
  });

  it('is SUSPENDED on its new host where that cannot resume it, and EPILOG_FAILURE where what is kept cannot be ended', async () => {
    const id = await stopped();
    world.hypervisor.failVm(id, { call: 'resume', times: 1, error: refused });
    expect(await world.ended((await world.resume(id)).op)).toMatchObject({
      ...{ state: 'failed', error: { detail: refused.message } },
    });
    expect(await stateOf(id)).toBe('SUSPENDED');
    await ok(world.switch(id, 'stop'));
    world.hypervisor.failVm(id, { call: 'discard', times: 1, error: refused });
    expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'failed' });
    expect([await stateOf(id), keptOf(id).length]).toEqual(['ACTIVE/EPILOG_FAILURE', 1]);
    await world.accounted();
    await ok(world.recoverVm(id, 'retry'));
    expect([await stateOf(id), keptOf(id)]).toEqual(['DONE', []]);
    await world.accounted();
  });

  it('is not given another size before it runs', async () => {
    const id = await stopped();
    await hostsAre('DISABLED');
    const { op } = await world.resume(id);
    await expect.poll(async () => (await world.operation(op)).state).toBe('waiting');
    expect(await codeOf(world.resize(id, { memory: 512 }))).toBe('wrong_state');
    await hostsAre('MONITORED');
    await end(id);
    await world.accounted();
  });
});

describe('snapshots of a VM', () => {
  const list = async (id: number) =>
    ((await world.vm(id)).snapshots ?? []).map(({ id: number, name, active }) => [number, name, active]);
  const kept = (id: number) =>
    world.hypervisor
      .domains()
      .find(({ vm }) => vm === id)
      ?.snapshots.map((one) => one.id);
  const made = async (id: number, name?: string) => {
    const { op } = await world.switch(id, 'snapshot-create', name === undefined ? {} : { name });
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
  };

  it('are made, reverted to and deleted, in its domain and in its list, under numbers that are given once', async () => {
    const id = await running();
    await made(id, 'before');
    await made(id);
    expect(await list(id)).toEqual([
      [0, 'before', false],
      [1, 'snapshot-1', true],
    ]);
    await world.ended((await world.switch(id, 'snapshot-revert', { snapshot: 0 })).op);
    expect((await list(id)).map(([, , active]) => active)).toEqual([true, false]);
    await world.ended((await world.switch(id, 'snapshot-delete', { snapshot: 1 })).op);
    expect([await list(id), kept(id)]).toEqual([[[0, 'before', true]], [0]]);
    await made(id);
    expect(kept(id)).toEqual([0, 2]);
    expect(await codeOf(world.switch(id, 'snapshot-revert', { snapshot: 1 }))).toBe('not_found');
    await end(id);
  });

  it.each(someOf(['suspend', 'poweroff', 'migrate-live', 'migrate'] as const, 2))('are lost by %s', async (lost) => {
    const id = await running();
    await made(id);
    const { op } = await (lost === 'migrate' || lost === 'migrate-live'
      ? world.migrate(id, { live: lost === 'migrate-live' })
      : world.switch(id, lost));
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    expect(await list(id)).toEqual([]);
    if (!lost.startsWith('migrate')) await world.ended((await world.resume(id)).op);
    expect(kept(id)).toEqual([]);
    await made(id);
    expect(await list(id)).toEqual([[1, 'snapshot-1', true]]);
    await end(id);
  });

  it('that a host refuses are not in its list, and it runs; what was made unheard is replaced', async () => {
    const id = await running();
    const error = new Problem('action_refused', 'no space left');
    for (const when of ['before', 'after'] as const) {
      world.hypervisor.failVm(id, { call: 'snapshotCreate', times: 1, when, error });
      const { op } = await world.switch(id, 'snapshot-create', { name: 'first' });
      expect(await world.ended(op)).toMatchObject({ state: 'failed' });
      expect([await stateOf(id), await list(id), kept(id)]).toEqual([
        'ACTIVE/RUNNING',
        [],
        when === 'after' ? [0] : [],
      ]);
    }
    await made(id, 'second');
    const [one] = world.hypervisor.domains().find(({ vm }) => vm === id)?.snapshots ?? [];
    expect(one).toEqual({ id: 0, name: 'second', epoch: (await world.vm(id)).epoch });
    await end(id);
    await world.accounted();
  });

  it('are as many as are possible, and no more', async () => {
    const id = await running();
    const one = { name: 's', at: new Date(), active: false, op: 'op' };
    const snapshots = Array.from({ length: 16 }, (_, at) => ({ id: at, ...one }));
    await world.store.vms.model.updateOne({ _id: id }, { $set: { snapshots, next_snapshot: 16 } });
    expect(await codeOf(world.switch(id, 'snapshot-create'))).toBe('wrong_state');
    await end(id);
  });
});

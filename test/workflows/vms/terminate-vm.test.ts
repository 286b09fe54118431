import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { vmOperationActivities } from '../../../activities/vms/vm-operations.js';
import { Problem } from '../../../domain/problems.js';
import { MemoryHypervisor } from '../../support/memory-hypervisor.js';
import { eventually } from '../../support/processes.js';
import { simulatedHost } from '../../support/simulated-vm.js';
import { wildOn } from '../../support/wilds.js';
import { newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { holding, twice } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development });
});
afterAll(() => world.stop());
afterEach(() => {
  world.hypervisor.bootMilliseconds = 0;
  world.hypervisor.mend();
  world.hypervisor.afterEach = () => {};
  world.steps.watch();
});

const parked = (op: string) => eventually(async () => (await world.operation(op)).state === 'waiting');

async function running(): Promise<number> {
  const { id, op } = await world.createVm();
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
  return id;
}

describe('terminateVm', () => {
  it('pre-empts the deployment of a VM that boots', async () => {
    world.hypervisor.bootMilliseconds = 3_600_000;
    const deployment = await world.createVm();
    await eventually(() => world.hypervisor.domains().some(({ vm }) => vm === deployment.id));
    const { op } = await world.terminate(deployment.id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await world.operation(deployment.op)).toMatchObject({ state: 'cancelled' });
    expect((await world.vm(deployment.id)).state).toBe('DONE');
    expect(world.hypervisor.domains().filter(({ vm }) => vm === deployment.id)).toEqual([]);
    await world.accounted();
  });

  it('takes nothing from whoever has come since, for a termination that has ended while its worker was frozen', async () => {
    const ended = await world.createVm();
    await world.ended(ended.op);
    world.hypervisor.bootMilliseconds = 3_600_000;
    const { id, op } = await world.createVm();
    await eventually(() => world.hypervisor.domains().some(({ vm }) => vm === id));
    const late = vmOperationActivities(world);
    expect(await late.takeForRemoval({ op: ended.op, vm: id, force: true })).toBe('busy');
    expect((await world.vm(id)).hold).toMatchObject({ op });
    for (const vm of [id, ended.id]) await world.ended((await world.terminate(vm)).op);
    await world.accounted();
  });

  it('ends a VM that waits for capacity, and with it the operation that waits', async () => {
    const deployment = await world.createVm({ cpu: 3_000 });
    await parked(deployment.op);
    const { op } = await world.terminate(deployment.id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    expect((await world.operation(deployment.op)).state).toBe('cancelled');
    expect((await world.vm(deployment.id)).state).toBe('DONE');
    await world.accounted();
  });

  it('waits for a VM that its service is booting, then takes it', async () => {
    world.hypervisor.bootMilliseconds = 1_000;
    const service = await world.deploy([{ name: 'only', cardinality: 2 }]);
    await eventually(
      () => world.hypervisor.domains().filter(({ labels }) => labels.service === service.id).length === 2,
    );
    const [vm] = await world.vms(service.id);
    const { op } = await world.terminate(vm?._id ?? -1);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    expect((await world.vm(vm?._id ?? -1)).state).toBe('DONE');
    await world.ended(service.op);
    await world.accounted();
    expect(await world.ended((await world.remove(service.id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('takes a VM out of a service that runs', async () => {
    const service = await world.running([{ name: 'only', cardinality: 2 }]);
    const [vm] = await world.vms(service.id);
    expect(await world.ended((await world.terminate(vm?._id ?? -1)).op)).toMatchObject({ state: 'succeeded' });
    expect(await world.vms(service.id)).toHaveLength(1);
    await world.accounted();
    expect(await world.ended((await world.undeploy(service.id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('gives way to a hard termination, and refuses a second soft one', async () => {
    const id = await running();
    const held = holding('destroyVms');
    world.steps.watch(held.around);
    const soft = await world.terminate(id);
    await held.reached;
    await expect(world.terminate(id)).rejects.toMatchObject({ code: 'operation_in_progress', operation: soft.op });
    const hard = await world.terminate(id, true);
    held.release();
    expect(await world.ended(hard.op)).toMatchObject({ state: 'succeeded' });
    expect((await world.vm(id)).state).toBe('DONE');
    await world.accounted();
  });
});

const wild = (does: 'runs' | 'is off' | 'is suspended' = 'runs') => wildOn(world, 'host-1', does);

describe('importVm', () => {
  it.each([
    ['runs', { state: 'ACTIVE', lcm_state: 'RUNNING' }],
    ['is off', { state: 'POWEROFF', lcm_state: 'LCM_INIT' }],
    ['is suspended', { state: 'SUSPENDED', lcm_state: 'LCM_INIT' }],
  ] as const)(
    'makes a domain that %s a VM as it is, every step done twice, which is ended like any other',
    async (does, is) => {
      const { host, deployId, look, name, theirs, books } = await wild(does);
      const before = await books();
      world.steps.watch(twice);
      const { id, op } = await world.importWild(host, name);
      expect(await world.ended(op)).toMatchObject({ kind: 'importVm', state: 'succeeded', error: null });
      const vm = await world.vm(id);
      expect(vm).toMatchObject({ ...is, name, deploy_id: deployId, adopts: null, hold: null, operation: null, uid: 2 });
      expect(vm).toMatchObject({ capacity: { cpu: 200, memory: 512 }, template_id: null, charge: expect.anything() });
      expect(await theirs()).toEqual([]);
      expect(world.hypervisor.domains().filter((one) => one.vm === id)).toMatchObject([
        { deploy_id: deployId, epoch: vm.epoch },
      ]);
      // Counted once, whoever looks.
      const after = await books();
      const sum = ({ used, outside }: typeof after) => (used?.cpu ?? 0) + outside.cpu;
      expect(sum(after) - sum(before)).toBe(does === 'runs' ? 0 : 200);
      expect(after).toMatchObject({ wilds: before.wilds - 1, vms: before.vms + 1 });
      for (const _ of [1, 2]) await look();
      expect(await books()).toEqual(after);
      expect(await world.vm(id)).toMatchObject(is);
      await world.accounted();
      expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'succeeded' });
      expect(world.hypervisor.domains().filter((one) => one.vm === id)).toEqual([]);
      await world.accounted();
    },
  );

  it('makes it one VM, though two ask at once and the answers are lost; who comes later is told whose it is', async () => {
    const { host, deployId, look, name } = await wild();
    let lost = 2;
    world.hypervisor.afterEach = ({ call }) => {
      if (call === 'adopt' && lost-- > 0) throw new Problem('backend_unavailable', 'its answer was lost');
    };
    const asked = await Promise.allSettled([world.importWild(host, name), world.importWild(host, deployId)]);
    const [one, ...others] = asked.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    expect(others).toEqual([]);
    expect(await world.ended(one?.op ?? '')).toMatchObject({ state: 'succeeded' });
    await look();
    await expect(world.importWild(host, deployId)).rejects.toThrow(`is that of VM ${one?.id}`);
    await world.accounted();
    await world.ended((await world.terminate(one?.id ?? -1)).op);
  });

  it.each(['a cancel', 'a termination'] as const)(
    'gives the domain back as it was, after %s, and nobody destroys it',
    async (by) => {
      const { host, look, name, theirs, books } = await wild();
      const [seen, before] = [await theirs(), await books()];
      let adopted = false;
      world.hypervisor.afterEach = ({ call }) => {
        if (call !== 'adopt') return;
        adopted = true;
        throw new Problem('backend_unavailable', 'its answer was lost');
      };
      const { id, op } = await world.importWild(host, name);
      await eventually(() => adopted);
      expect(await theirs()).toEqual([]);
      await look();
      expect(await books()).toMatchObject({ wilds: before.wilds - 1, vms: before.vms + 1 });
      if (by === 'a cancel') await world.cancel(op);
      else expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'succeeded' });
      expect(await world.ended(op)).toMatchObject({ state: 'cancelled' });
      expect(await world.vm(id)).toMatchObject({ state: 'DONE', hold: null, operation: null, deploy_id: null });
      expect((await world.vm(id)).charge).toBeUndefined();
      for (const _ of [1, 2, 3]) await look();
      expect(await theirs()).toMatchObject(seen.map(({ deployId, epoch, state }) => ({ deployId, epoch, state })));
      expect(await books()).toEqual(before);
      await world.accounted();
      if (by === 'a cancel') await expect(world.retry(op)).rejects.toThrow('import it from its host');
    },
  );

  it('keeps its domain when it is switched off and resumed; where that is gone, none is made in its place', async () => {
    const { host, deployId, name } = await wild();
    const { id, op } = await world.importWild(host, name);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    const does = async (asked: Promise<{ op: string }>) => (await world.ended((await asked).op)).state;
    const its = () => world.hypervisor.domains().filter((one) => one.vm === id);
    expect(await does(world.switch(id, 'poweroff-hard'))).toBe('succeeded');
    expect(await does(world.resume(id))).toBe('succeeded');
    expect(its()).toMatchObject([{ deploy_id: deployId, down: null, epoch: (await world.vm(id)).epoch }]);
    expect(await does(world.switch(id, 'poweroff-hard'))).toBe('succeeded');
    world.hypervisor.lose(id);
    expect(await does(world.resume(id))).toBe('failed');
    expect(its()).toEqual([]);
    expect(await world.vm(id)).toMatchObject({ reason: expect.stringContaining('none is made in place') });
    await expect(world.migrate(id)).rejects.toThrow('was imported');
    expect(await does(world.terminate(id))).toBe('succeeded');
    await world.accounted();
  });

  it('is one home’s, of two that import the same domain at the same time, and the other one’s import fails', async () => {
    const { host, deployId, name, look, books } = await wild();
    const before = await books();
    // Another home, on the same hypervisor, has seen the same, and is first.
    const other = new MemoryHypervisor('zone-c', world.hypervisor);
    const { signal } = new AbortController();
    const [at] = await world.store.hosts.byIds([host]);
    if (!at) throw new Error('there is no such host');
    const theirs = { id: 3, domain: 'one-3', host: simulatedHost(at.name, at.total), epoch: 1 };
    let first = true;
    world.hypervisor.beforeEach = async ({ call }) => {
      if (call !== 'adopt' || !first) return;
      first = false;
      await other.adopt({ ...theirs, deployId, from: 'zone-b' }, signal);
    };
    const { id, op } = await world.importWild(host, name);
    expect(await world.ended(op)).toMatchObject({
      ...{ state: 'failed', error: { detail: expect.stringContaining('somebody else has taken it') } },
    });
    world.hypervisor.beforeEach = () => {};
    expect((await world.vm(id)).state).toBe('DONE');
    for (const _ of [1, 2, 3]) await look();
    expect((await other.probe(theirs.host, signal)).domains).toMatchObject([{ vm: 3, deployId, state: 'running' }]);
    expect(await books()).toEqual(before);
    await world.accounted();
    await other.destroy({ ...theirs, hard: true }, signal);
    await look();
  });

  it('fails where the domain has gone, and where it is not given back at once the looks at its host do it', async () => {
    const gone = await wild();
    await gone.ends();
    const failed = await world.importWild(gone.host, gone.name);
    expect(await world.ended(failed.op)).toMatchObject({
      state: 'failed',
      error: { detail: expect.stringContaining('has no domain') },
    });
    expect((await world.vm(failed.id)).state).toBe('DONE');
    const { host, look, name, theirs, books } = await wild();
    const [seen, before] = [await theirs(), await books()];
    world.hypervisor.afterEach = ({ call }) => {
      if (call === 'adopt') throw new Problem('action_refused', 'it says no, and has done it');
    };
    world.hypervisor.beforeEach = ({ call }) => {
      if (call === 'disown') throw new Problem('action_refused', 'it says no');
    };
    const { id, op } = await world.importWild(host, name);
    expect(await world.ended(op)).toMatchObject({ state: 'failed', error: { detail: 'it says no, and has done it' } });
    world.hypervisor.beforeEach = () => {};
    expect(await world.vm(id)).toMatchObject({ state: 'DONE', hold: null, operation: null });
    expect(await theirs()).toEqual([]);
    for (const _ of [1, 2, 3]) await look();
    expect(await theirs()).toMatchObject(seen.map(({ deployId, epoch, state }) => ({ deployId, epoch, state })));
    expect(await books()).toEqual(before);
    await world.accounted();
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/processes.js';
import { newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { holding } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development });
});
afterAll(() => world.stop());
afterEach(() => {
  world.steps.watch();
  world.hypervisor.beforeEach = () => {};
  world.hypervisor.afterEach = () => {};
  world.hypervisor.bootMilliseconds = 0;
});

async function running(): Promise<number> {
  const { id, op } = await world.createVm();
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
  return id;
}

async function stateOf(id: number): Promise<string> {
  const { state, lcm_state } = await world.vm(id);
  return state === 'ACTIVE' ? lcm_state : state;
}

const hostOf = async (id: number): Promise<string> => (await world.vm(id)).history.at(-1)?.hostname ?? '';

async function ticks(count: number): Promise<void> {
  for (let nth = 0; nth < count; nth++) await world.tick('monitorHosts');
}

/** The nth probe of this host, when it has its answer and has not given it, does this first. */
function afterProbe(host: string, nth: number, deed: () => Promise<void>): void {
  let probes = 0;
  world.hypervisor.afterEach = async (call) => {
    if (call.call === 'probe' && call.host === host && ++probes === nth) await deed();
  };
}

describe('monitoring', () => {
  it('calls a VM that vanished POWEROFF at the second look, and RUNNING when it is there again', async () => {
    const id = await running();
    world.hypervisor.bringDown(id, 'stopped');
    await ticks(1);
    expect(await stateOf(id)).toBe('RUNNING');
    await ticks(1);
    expect(await world.vm(id)).toMatchObject({ state: 'POWEROFF', reason: 'stopped outside Arcus' });
    await world.accounted();
    world.hypervisor.bringUp(id);
    await ticks(1);
    expect(await world.vm(id)).toMatchObject({ state: 'ACTIVE', lcm_state: 'RUNNING', reason: null });
    world.hypervisor.lose(id);
    await ticks(2);
    expect(await stateOf(id)).toBe('POWEROFF');
    expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('forgets a first look when the VM is there at the second', async () => {
    const id = await running();
    world.hypervisor.bringDown(id, 'stopped');
    await ticks(1);
    world.hypervisor.bringUp(id);
    await ticks(1);
    world.hypervisor.bringDown(id, 'stopped');
    await ticks(1);
    expect(await stateOf(id)).toBe('RUNNING');
    await ticks(1);
    expect(await stateOf(id)).toBe('POWEROFF');
  });

  it('calls a VM whose guest crashed UNKNOWN', async () => {
    const id = await running();
    world.hypervisor.bringDown(id, 'failed');
    await ticks(2);
    expect(await stateOf(id)).toBe('UNKNOWN');
    expect((await world.vm(id)).reason).toMatch(/^its guest crashed on host-/);
  });

  it('calls a VM that had failed to boot RUNNING, when its domain runs after all', async () => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    // As if the answer to its boot had come too late.
    await world.store.vms.model.updateOne(
      { _id: id },
      { $set: { lcm_state: 'BOOT_FAILURE', reason: 'it took too long' } },
    );
    await ticks(1);
    expect(await world.vm(id)).toMatchObject({ state: 'ACTIVE', lcm_state: 'RUNNING', reason: null });
    expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('calls VMs of a host that stays silent UNKNOWN, and RUNNING when it answers again', async () => {
    const ids = [await running(), await running()];
    const host = await hostOf(ids[0] ?? -1);
    const there: number[] = [];
    for (const id of ids) if ((await hostOf(id)) === host) there.push(id);
    world.hypervisor.cutOff(host);
    await ticks(1);
    for (const id of there) expect(await stateOf(id)).toBe('RUNNING');
    await ticks(1);
    for (const id of there) expect(await stateOf(id)).toBe('UNKNOWN');
    for (const id of ids.filter((id) => !there.includes(id))) expect(await stateOf(id)).toBe('RUNNING');
    world.hypervisor.reach(host);
    await ticks(1);
    for (const id of ids) expect(await stateOf(id)).toBe('RUNNING');
  });

  it('calls VMs of a disabled host that stays silent UNKNOWN too', async () => {
    const id = await running();
    const host = await hostOf(id);
    const [found] = (await world.store.hosts.all()).filter(({ name }) => name === host);
    await world.store.hosts.update(found?._id ?? -1, { state: 'DISABLED' });
    world.hypervisor.cutOff(host);
    await ticks(2);
    expect(await stateOf(id)).toBe('UNKNOWN');
    world.hypervisor.reach(host);
    await world.store.hosts.update(found?._id ?? -1, { state: 'MONITORED' });
    await ticks(1);
    expect(await stateOf(id)).toBe('RUNNING');
  });

  it('leaves a VM alone that an operation has its hands on', async () => {
    const id = await running();
    const held = holding('destroyVms');
    world.steps.watch(held.around);
    const asked = await world.terminate(id);
    await held.reached;
    world.hypervisor.lose(id);
    await ticks(3);
    expect(await stateOf(id)).toBe('RUNNING');
    held.release();
    expect(await world.ended(asked.op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('says nothing by a report that is older than the boot of the VM', async () => {
    const id = await running();
    const host = await hostOf(id);
    world.hypervisor.bringDown(id, 'stopped');
    await ticks(2);
    world.hypervisor.bringUp(id);
    await ticks(1);
    world.hypervisor.bringDown(id, 'stopped');
    await ticks(1);
    // The second look has heard that it is down; before it writes, the VM is there again and another look has seen that.
    afterProbe(host, 1, async () => {
      world.hypervisor.bringUp(id);
      await ticks(1);
    });
    await ticks(1);
    expect(await stateOf(id)).toBe('RUNNING');
  });

  it('says nothing by a report that is older than the termination of the VM', async () => {
    const id = await running();
    const host = await hostOf(id);
    world.hypervisor.bringDown(id, 'failed');
    await ticks(1);
    afterProbe(host, 1, async () => {
      expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'succeeded' });
    });
    await ticks(1);
    expect(await stateOf(id)).toBe('DONE');
    await world.accounted();
  });

  it('says nothing by a report that is older than the VM', async () => {
    const host = await hostOf(await running());
    let id = -1;
    afterProbe(host, 1, async () => {
      while (id < 0 || (await hostOf(id)) !== host) id = await running();
    });
    await ticks(1);
    expect(await stateOf(id)).toBe('RUNNING');
    await ticks(1);
    expect((await world.vm(id)).sighting?.missing).toBe(false);
    await eventually(async () => (await stateOf(id)) === 'RUNNING');
  });
});

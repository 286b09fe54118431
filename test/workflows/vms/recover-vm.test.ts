import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../../domain/problems.js';
import { eventually } from '../../support/processes.js';
import { newWorld, type World } from '../../support/world.js';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());
afterEach(() => {
  world.hypervisor.bootMilliseconds = 0;
  world.hypervisor.mend();
});

async function running(): Promise<number> {
  const { id, op } = await world.createVm();
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
  return id;
}

async function refused(): Promise<number> {
  world.hypervisor.failOn(1, { error: new Problem('deploy_refused', 'there is no such image') });
  const { id, op } = await world.createVm();
  expect(await world.ended(op)).toMatchObject({ state: 'failed' });
  return id;
}

async function stateOf(id: number): Promise<string> {
  const { state, lcm_state } = await world.vm(id);
  return state === 'ACTIVE' ? lcm_state : state;
}

const set = (id: number, state: 'ACTIVE' | 'POWEROFF', lcm_state: string) =>
  world.store.vms.model.updateOne({ _id: id }, { $set: { state, lcm_state } });

describe('a VM that hangs', () => {
  it('is deployed again where it is, by retry', async () => {
    const id = await refused();
    const asked = await world.recoverVm(id, 'retry');
    expect(await world.ended(asked.op)).toMatchObject({ kind: 'deployVm', state: 'succeeded' });
    expect(await stateOf(id)).toBe('RUNNING');
    await world.accounted();
  });

  it('is ended, by delete', async () => {
    const id = await refused();
    expect(await world.ended((await world.recoverVm(id, 'delete')).op)).toMatchObject({ state: 'succeeded' });
    expect(await stateOf(id)).toBe('DONE');
    await world.accounted();
  });

  it('is ended and deployed anew, by recreate', async () => {
    const id = await running();
    const before = await world.vm(id);
    expect(await world.ended((await world.recoverVm(id, 'recreate')).op)).toMatchObject({ state: 'succeeded' });
    const after = await world.vm(id);
    expect(await stateOf(id)).toBe('RUNNING');
    expect(after.history).toHaveLength(before.history.length + 1);
    expect(after.history[0]?.etime).not.toBeNull();
    expect(after.epoch).toBeGreaterThan(before.epoch);
    expect(world.hypervisor.timesMade(id)).toBe(2);
    await world.accounted();
  });

  it('is where an administrator says that it is', async () => {
    const id = await running();
    await set(id, 'ACTIVE', 'UNKNOWN');
    world.hypervisor.bringDown(id, 'stopped');
    const failure = await world.recoverVm(id, 'failure');
    expect(await world.ended(failure.op)).toMatchObject({ kind: 'recoverVm', state: 'succeeded' });
    expect(await stateOf(id)).toBe('POWEROFF');
    await set(id, 'ACTIVE', 'UNKNOWN');
    world.hypervisor.bringUp(id);
    expect(await world.ended((await world.recoverVm(id, 'success')).op)).toMatchObject({ state: 'succeeded' });
    expect(await world.vm(id)).toMatchObject({ state: 'ACTIVE', lcm_state: 'RUNNING', reason: null });
    await world.accounted();
  });

  it('is not what somebody says that it is where its host shows something else', async () => {
    const id = await running();
    const hostname = (await world.vm(id)).history.at(-1)?.hostname ?? '';
    const said = async (claim: 'success' | 'failure') => {
      const { state, error } = await world.ended((await world.recoverVm(id, claim)).op);
      return state === 'failed' ? error : state;
    };
    const lie = (is: string) => ({
      code: 'wrong_state',
      detail: `VM ${id} ${is} on ${hostname}, which answers: what was said of it is not so.`,
    });
    await set(id, 'ACTIVE', 'SHUTDOWN');
    expect(await said('success')).toEqual(lie('runs'));
    expect(await stateOf(id)).toBe('SHUTDOWN');
    await set(id, 'ACTIVE', 'UNKNOWN');
    expect(await said('failure')).toEqual(lie('runs'));
    world.hypervisor.bringDown(id, 'failed');
    expect(await said('success')).toEqual(lie('has crashed, and its domain is there'));
    expect(await stateOf(id)).toBe('UNKNOWN');
    // Of a host that is silent nobody knows better.
    world.hypervisor.cutOff(hostname);
    await world.tick('monitorHosts');
    const believed = await world.recoverVm(id, 'success');
    expect(await world.ended(believed.op)).toMatchObject({
      state: 'succeeded',
      warnings: [expect.stringContaining(`Host ${hostname} did not answer its last look: `)],
    });
    expect(await stateOf(id)).toBe('RUNNING');
    world.hypervisor.reach(hostname);
    await world.tick('monitorHosts');
    expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('is not what somebody says of it because its host failed to answer once', async () => {
    const id = await running();
    await set(id, 'ACTIVE', 'SHUTDOWN');
    const { probe } = world.hypervisor;
    let tries = 0;
    world.hypervisor.probe = (...asked) => {
      tries += 1;
      if (tries === 1) return Promise.reject(new Problem('backend_unavailable', 'the connection was lost'));
      return probe.apply(world.hypervisor, asked);
    };
    const { op } = await world.recoverVm(id, 'success');
    expect(await world.ended(op)).toMatchObject({ state: 'failed', error: { code: 'wrong_state' } });
    world.hypervisor.probe = probe;
    expect(tries).toBeGreaterThan(1);
    expect(await stateOf(id)).toBe('SHUTDOWN');
    expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('gives back what it had when somebody says that it is gone', async () => {
    const id = await running();
    world.hypervisor.lose(id);
    await set(id, 'ACTIVE', 'EPILOG_FAILURE');
    expect(await world.ended((await world.recoverVm(id, 'success')).op)).toMatchObject({ state: 'succeeded' });
    expect(await stateOf(id)).toBe('DONE');
    await world.accounted();
  });

  it('is started again when it is powered off, and ended on a host that was taken offline', async () => {
    const id = await running();
    world.hypervisor.bringDown(id, 'stopped');
    await world.tick('monitorHosts');
    await world.tick('monitorHosts');
    expect(await stateOf(id)).toBe('POWEROFF');
    await expect(world.recoverVm(id, 'retry')).rejects.toMatchObject({
      code: 'wrong_state',
      message: `VM ${id} cannot be recovered with retry: it is powered off: resume it or end it.`,
    });
    expect(await world.ended((await world.resume(id)).op)).toMatchObject({ state: 'succeeded' });
    expect(await stateOf(id)).toBe('RUNNING');
    const stay = (await world.vm(id)).history.at(-1);
    world.hypervisor.cutOff(stay?.hostname ?? '');
    await world.store.hosts.update(stay?.hid ?? -1, { state: 'OFFLINE' });
    expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'succeeded' });
    world.hypervisor.reach(stay?.hostname ?? '');
    world.hypervisor.lose(id);
    await world.store.hosts.update(stay?.hid ?? -1, { state: 'MONITORED' });
    await world.accounted();
  });

  it('is left alone while an operation is at work, but for its end', async () => {
    world.hypervisor.bootMilliseconds = 3_600_000;
    const { id, op } = await world.createVm();
    await eventually(async () => (await stateOf(id)) === 'BOOT');
    for (const action of ['success', 'failure', 'retry', 'recreate'] as const)
      await expect(world.recoverVm(id, action), action).rejects.toMatchObject({
        code: 'operation_in_progress',
        operation: op,
      });
    expect(await world.ended((await world.recoverVm(id, 'delete')).op)).toMatchObject({ state: 'succeeded' });
    expect(await stateOf(id)).toBe('DONE');
    await world.accounted();
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../../domain/problems.js';
import { eventually } from '../../support/processes.js';
import { newWorld, type World } from '../../support/world.js';
import { diesOnce, twice } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());
afterEach(() => {
  world.steps.watch();
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

describe('what failed, gone through action by action', () => {
  const debuggingOf = async (id: number) => (await world.operations.vms.show(world.caller, id)).debugging;
  /** Where it stands, and each action with what it came to. */
  const standing = async (id: number) => {
    const { current, actions = [] } = (await debuggingOf(id)) ?? {};
    return [current, ...actions.map(({ state, error }) => (error === null ? state : `${state}: ${error}`))];
  };
  const answered = async (
    id: number,
    ...answer: Parameters<World['debug']> extends [number, ...infer A] ? A : never
  ) => {
    const { state, kind, error } = await world.ended((await world.debug(id, ...answer)).op);
    expect(kind).toBe('debugVm');
    expect(await world.vm(id)).toMatchObject({ hold: null, operation: null });
    return state === 'failed' ? error : state;
  };
  const domains = (id: number) => world.hypervisor.domains().filter(({ vm }) => vm === id);

  it('stays failed from run to run, and is what an administrator says at its end', async () => {
    const id = await refused();
    const host = (await world.vm(id)).history.at(-1)?.hostname;
    expect((await debuggingOf(id))?.actions.map(({ action }) => action)).toEqual([
      `DESTROY simulated ${host} one-${id}`,
      `DEPLOY simulated ${host} one-${id}`,
    ]);
    expect(await standing(id)).toEqual([1, 'pending', 'failed: there is no such image']);
    expect(await answered(id, 'run')).toBe('succeeded');
    expect(await standing(id)).toEqual([2, 'succeeded', 'failed: there is no such image']);
    // What a host says is told at once, and not tried again: whoever mends it asks again.
    for (const error of [new Problem('deploy_refused', 'no space'), new Problem('backend_unavailable', 'no answer')]) {
      world.hypervisor.failVm(id, { times: 1, error });
      expect(await answered(id, 'run')).toEqual({ code: 'vm_failed', detail: error.message });
      expect(await standing(id)).toEqual([2, 'succeeded', `failed: ${error.message}`]);
      expect(await stateOf(id)).toBe('BOOT_FAILURE');
    }
    expect(await answered(id, 'run')).toBe('succeeded');
    expect(await standing(id)).toEqual([null, 'succeeded', 'succeeded']);
    expect(await stateOf(id)).toBe('BOOT_FAILURE');
    expect(domains(id)).toHaveLength(1);
    await expect(world.debug(id, 'run', { number: 3 })).rejects.toMatchObject({
      code: 'wrong_state',
      message: `Every action of VM ${id} was done or skipped: say that it has succeeded (recover with success), or retry all of it.`,
    });
    expect(await world.ended((await world.recoverVm(id, 'success')).op)).toMatchObject({ state: 'succeeded' });
    expect(await world.vm(id)).toMatchObject({ lcm_state: 'RUNNING', deploy_id: domains(id)[0]?.deploy_id });
    expect(await debuggingOf(id)).toBeNull();
    expect(world.hypervisor.timesMade(id)).toBe(1);
    await world.accounted();
  });

  it('does nothing at a host when an action is skipped, and what is claimed then is compared with it', async () => {
    const id = await refused();
    const calls = world.hypervisor.journal.length;
    expect([await answered(id, 'skip'), await answered(id, 'skip')]).toEqual(['succeeded', 'succeeded']);
    expect(await standing(id)).toEqual([null, 'skipped', 'skipped']);
    expect(world.hypervisor.journal).toHaveLength(calls);
    expect(await world.ended((await world.recoverVm(id, 'success')).op)).toMatchObject({
      ...{ state: 'failed', error: { code: 'wrong_state' } },
    });
    // As a whole it is tried from the beginning, whatever was skipped.
    expect(await world.ended((await world.recoverVm(id, 'retry')).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('is answered by one of two, and not for an action or a failure that is over', async () => {
    const id = await refused();
    const { session = -1 } = (await debuggingOf(id)) ?? {};
    const both = await Promise.allSettled([world.debug(id, 'run'), world.debug(id, 'run')]);
    const let_in = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value.op] : []));
    expect(let_in).toHaveLength(1);
    for (const op of let_in) expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    for (const answer of ['run', 'skip'] as const)
      await expect(world.debug(id, answer, { number: 1 }), answer).rejects.toMatchObject({
        code: 'wrong_state',
        message: expect.stringContaining(
          `Action 1 of VM ${id} is not the one that is to be done next: that is action 2,`,
        ),
      });
    world.hypervisor.failVm(id, { times: 1, error: new Problem('deploy_refused', 'there is no such image either') });
    expect(await world.ended((await world.recoverVm(id, 'retry')).op)).toMatchObject({ state: 'failed' });
    expect(await standing(id)).toEqual([1, 'pending', 'failed: there is no such image either']);
    await expect(world.debug(id, 'skip', { session, number: 1 })).rejects.toMatchObject({
      code: 'wrong_state',
      message: `VM ${id} has failed anew, or was tried as a whole, since this was seen: look at it again.`,
    });
    await expect(world.debug(await running(), 'run')).rejects.toMatchObject({ code: 'wrong_state' });
    await world.accounted();
  });

  it.each([
    ['each step twice', () => twice],
    ['a worker that dies after each step', diesOnce],
  ])('is done once, by %s', async (_, around) => {
    const id = await refused();
    world.steps.watch(around());
    expect(await answered(id, 'run')).toBe('succeeded');
    world.hypervisor.failVm(id, { times: 1, error: new Problem('deploy_refused', 'no space') });
    expect(await answered(id, 'run')).toEqual({ code: 'vm_failed', detail: 'no space' });
    expect(await standing(id)).toEqual([2, 'succeeded', 'failed: no space']);
    expect(await answered(id, 'run')).toBe('succeeded');
    world.steps.watch();
    expect(await standing(id)).toEqual([null, 'succeeded', 'succeeded']);
    expect(world.hypervisor.timesMade(id)).toBe(1);
    const skipped = await refused();
    world.steps.watch(around());
    expect(await answered(skipped, 'skip')).toBe('succeeded');
    expect(await standing(skipped)).toEqual([2, 'skipped', 'failed: there is no such image']);
    await world.accounted();
  });

  it('is where it was when an answer is cancelled, and gives way to a termination', async () => {
    const id = await refused();
    expect(await answered(id, 'run')).toBe('succeeded');
    const untilCancelled = async (ask: (op: string) => Promise<{ op: string }>) => {
      let reach = () => {};
      const reached = new Promise<void>((resolve) => {
        reach = resolve;
      });
      world.steps.watch(async ({ name, cancelled }, run) => {
        if (name !== 'debugVms') return run();
        reach();
        return cancelled;
      });
      const { op } = await world.debug(id, 'run');
      await reached;
      const last = await ask(op);
      expect(await world.ended(op)).toMatchObject({ state: 'cancelled' });
      world.steps.watch();
      return last.op;
    };
    await untilCancelled((op) => world.cancel(op));
    expect(await standing(id)).toEqual([2, 'succeeded', 'failed: there is no such image']);
    expect(await world.vm(id)).toMatchObject({ lcm_state: 'BOOT_FAILURE', hold: null, operation: null });
    expect(await world.ended(await untilCancelled(() => world.terminate(id)))).toMatchObject({ state: 'succeeded' });
    expect(await stateOf(id)).toBe('DONE');
    expect(domains(id)).toEqual([]);
    await world.accounted();
  });

  it('is there for what could not be cleaned up, and what was never begun at a host', async () => {
    const id = await running();
    await set(id, 'ACTIVE', 'EPILOG_FAILURE');
    expect(await standing(id)).toEqual([1, 'failed']);
    expect(await answered(id, 'run')).toBe('succeeded');
    expect(await world.ended((await world.recoverVm(id, 'success')).op)).toMatchObject({ state: 'succeeded' });
    expect(await stateOf(id)).toBe('DONE');
    const other = await running();
    await set(other, 'ACTIVE', 'PROLOG_FAILURE');
    expect(await answered(other, 'run')).toBe('succeeded');
    expect(domains(other)).toEqual([]);
    expect(await world.ended((await world.recoverVm(other, 'success')).op)).toMatchObject({
      kind: 'deployVm',
      state: 'succeeded',
    });
    expect(await stateOf(other)).toBe('RUNNING');
    await world.accounted();
  });

  it('is there for what was stopped, on its way from a host and to one', async () => {
    const id = await running();
    const error = new Problem('action_refused', 'no space');
    world.hypervisor.failVm(id, { call: 'store', times: 1, error });
    expect(await world.ended((await world.switch(id, 'stop')).op)).toMatchObject({ state: 'failed' });
    expect(await standing(id)).toEqual([1, 'failed: no space']);
    expect(await answered(id, 'run')).toBe('succeeded');
    expect(await world.ended((await world.recoverVm(id, 'success')).op)).toMatchObject({ state: 'succeeded' });
    expect(await stateOf(id)).toBe('STOPPED');
    world.hypervisor.failVm(id, { call: 'fetch', times: 1, error });
    expect(await world.ended((await world.resume(id)).op)).toMatchObject({ state: 'failed' });
    expect(await standing(id)).toEqual([1, 'failed: no space']);
    expect(await answered(id, 'run')).toBe('succeeded');
    expect(await stateOf(id)).toBe('PROLOG_RESUME_FAILURE');
    expect(await world.ended((await world.recoverVm(id, 'success')).op)).toMatchObject({ state: 'succeeded' });
    expect(await stateOf(id)).toBe('RUNNING');
    expect(world.hypervisor.timesMade(id)).toBe(1);
    await world.accounted();
  });
});

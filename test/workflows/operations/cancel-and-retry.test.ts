import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { temporalEngine } from '../../../adapters/engine/temporal.js';
import { Problem } from '../../../domain/problems.js';
import { createOperations } from '../../../requests/operations.js';
import { noSealer, noStorages } from '../../support/no-storages.js';
import { eventually } from '../../support/processes.js';
import { newWorld, pair, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { holding } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development });
});
afterAll(() => world.stop());
afterEach(() => {
  world.hypervisor.bootMilliseconds = 0;
  world.hypervisor.mend();
  world.steps.watch();
});

const refused = { error: new Problem('deploy_refused', 'there is no such image') };

async function failedVm(): Promise<{ id: number; op: string }> {
  world.hypervisor.failOn(1, refused);
  const vm = await world.createVm();
  expect((await world.ended(vm.op)).state).toBe('failed');
  return vm;
}

describe('a cancel', () => {
  it('of an operation that waits for capacity ends it at once, and its VM can be deployed later', async () => {
    const { id, op } = await world.createVm({ cpu: 4_000 });
    await eventually(async () => (await world.operation(op)).state === 'waiting');
    await world.cancel(op);
    expect(await world.operation(op)).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
    expect(await world.vm(id)).toMatchObject({ state: 'PENDING', operation: null, hold: null });
    await world.addHost({ cpu: 4_000 });
    const again = await world.retry(op);
    expect(await world.ended(again.op)).toMatchObject({ state: 'succeeded', kind: 'deployVm', retry_of: op });
    expect(world.hypervisor.timesMade(id)).toBe(1);
    await world.ended((await world.terminate(id)).op);
    await world.accounted();
  });

  it('of an operation whose run has not begun ends it at once; the run then does nothing', async () => {
    const held = holding('beginDeployment');
    world.steps.watch(held.around);
    const { id, op } = await world.deploy(pair);
    await held.reached;
    await world.cancel(op);
    expect((await world.operation(op)).state).toBe('cancelled');
    held.release();
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled', run_id: null });
    expect(await world.service(id)).toMatchObject({ state: 'FAILED_DEPLOYING', operation: null });
    expect(await world.vms(id)).toEqual([]);
    expect(await world.ended((await world.retry(op)).op)).toMatchObject({ state: 'succeeded', retry_of: op });
    await world.accounted();
  });

  it('of an operation that asks a person ends it at once, and it is not to be answered any more', async () => {
    world.hypervisor.failOn(1, refused);
    const { id, op } = await world.deploy([{ name: 'web', failure_policy: { finally: 'wait' } }]);
    expect((await world.ended(op)).state).toBe('waiting_for_you');
    await world.cancel(op);
    expect(await world.operation(op)).toMatchObject({ state: 'cancelled', question: null });
    await expect(world.answer(op, 'retry')).rejects.toMatchObject({ code: 'wrong_state' });
    expect(await world.service(id)).toMatchObject({ state: 'FAILED_DEPLOYING', operation: null });
    await world.accounted();
  });

  it('is said to the run that is at work, which stops; said twice it is the same', async () => {
    world.hypervisor.bootMilliseconds = 3_600_000;
    const { id, op } = await world.deploy(pair);
    await eventually(() => world.hypervisor.domains().some(({ labels }) => labels.service === id));
    await world.cancel(op);
    const { cancel_requested } = await world.operation(op);
    await world.cancel(op);
    expect((await world.operation(op)).cancel_requested).toEqual(cancel_requested);
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled' });
    expect((await world.service(id)).state).toBe('FAILED_DEPLOYING');
    await expect(world.cancel(op)).rejects.toMatchObject({ code: 'wrong_state' });
    await world.accounted();
  });

  it('that comes when all is there but the last words changes nothing, and the operation says that it has succeeded', async () => {
    const held = holding('finishRoles');
    world.steps.watch(held.around);
    const { id, op } = await world.deploy([{ name: 'only' }]);
    await held.reached;
    const { workflow_id: workflowId } = await world.operation(op);
    const run = await world.engine.latestRun(workflowId);
    await world.engine.cancel(workflowId, { firstRunId: run?.firstRunId ?? '' });
    held.release();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect((await world.service(id)).state).toBe('RUNNING');
    await world.accounted();
  });

  it('that the engine has not heard of is repeated by reconciliation', async () => {
    world.hypervisor.bootMilliseconds = 3_600_000;
    const { id, op } = await world.deploy(pair);
    await eventually(() => world.hypervisor.domains().some(({ labels }) => labels.service === id));
    const delayed: string[] = [];
    const cutOff = createOperations({
      store: world.store,
      directory: world.directory,
      engine: temporalEngine({ address: '127.0.0.1:1' }),
      settings: { temporalUiUrl: undefined, failedLogins: 10 },
      storages: noStorages,
      sealer: noSealer,
      onDelayed: (message) => delayed.push(message),
    });
    expect(await cutOff.operations.cancel(world.caller, op)).toMatchObject({
      state: 'running',
      cancel_requested: { by: { name: 'alice' } },
    });
    expect(delayed).toEqual([`operation ${op} is cancelled when Temporal answers`]);
    expect((await world.operation(op)).state).toBe('running');
    await world.reconcile();
    await world.reconcile();
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled' });
    await world.accounted();
  });

  it.each(['accepted', 'waiting_for_you'] as const)(
    'that was written down and no more, of an operation that was %s, is carried out by reconciliation',
    async (state) => {
      world.hypervisor.failOn(1, refused);
      const { op } = await world.deploy([{ name: 'web', failure_policy: { finally: 'wait' } }]);
      expect((await world.ended(op)).state).toBe('waiting_for_you');
      if (state === 'accepted')
        await world.store.questions.answer(await world.operation(op), 'retry', { id: 0, name: 'oneadmin' });
      await world.store.operations.requestCancel(op, { id: 0, name: 'oneadmin' });
      expect((await world.operation(op)).state).toBe(state);
      await expect(world.answer(op, 'retry')).rejects.toMatchObject({ code: 'wrong_state' });
      await world.reconcile();
      expect((await world.operation(op)).state).toBe('cancelled');
      await world.accounted();
    },
  );
});

describe('an answer', () => {
  it('whose api died before it had the run started is carried out by reconciliation', async () => {
    world.hypervisor.failOn(1, refused);
    const { op } = await world.deploy([{ name: 'web', failure_policy: { finally: 'wait' } }]);
    expect((await world.ended(op)).state).toBe('waiting_for_you');
    await world.store.questions.answer(await world.operation(op), 'retry', { id: 0, name: 'oneadmin' });
    await world.reconcile();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('that finds an undeployment taking over is refused, naming it', async () => {
    world.hypervisor.failOn(1, refused);
    const { id, op } = await world.deploy([{ name: 'web', failure_policy: { finally: 'wait' } }]);
    expect((await world.ended(op)).state).toBe('waiting_for_you');
    const held = holding('beginUndeployment');
    world.steps.watch(held.around);
    const undeployment = await world.undeploy(id);
    await held.reached;
    await expect(world.answer(op, 'retry')).rejects.toMatchObject({
      code: 'operation_in_progress',
      operation: undeployment.op,
    });
    held.release();
    expect(await world.ended(undeployment.op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });
});

describe('a retry', () => {
  it('of a deployment is its recovery, and names what it tries again, as a recovery does', async () => {
    world.hypervisor.failOn(1, refused);
    const first = await world.deploy(pair);
    expect((await world.ended(first.op)).state).toBe('failed');
    world.hypervisor.failOn(1, refused);
    const second = await world.recover(first.id);
    expect(await world.ended(second.op)).toMatchObject({ state: 'failed', retry_of: first.op });
    await expect(world.retry(first.op)).rejects.toMatchObject({
      code: 'wrong_state',
      message: expect.stringContaining(second.op),
    });
    const third = await world.retry(second.op);
    expect(await world.ended(third.op)).toMatchObject({ state: 'succeeded', retry_of: second.op });
    await expect(world.retry(third.op)).rejects.toMatchObject({ code: 'wrong_state' });
    await world.accounted();
  });

  it('of an undeployment goes on with what that was asked to do', async () => {
    const { id } = await world.running(pair);
    world.hypervisor.failOn(1, { error: new Problem('destroy_refused', 'the disk is locked') });
    const { op } = await world.undeploy(id, true);
    expect((await world.ended(op)).state).toBe('failed');
    const again = await world.retry(op);
    expect(await world.ended(again.op)).toMatchObject({
      state: 'succeeded',
      retry_of: op,
      input: { hard: true, remove: false },
    });
    await world.accounted();
  });

  it('of a VM’s deployment deploys it in its place, under a higher epoch', async () => {
    const { id, op } = await failedVm();
    const before = await world.vm(id);
    const again = await world.retry(op);
    expect(await world.ended(again.op)).toMatchObject({ state: 'succeeded', retry_of: op });
    const after = await world.vm(id);
    expect(after.lcm_state).toBe('RUNNING');
    expect(after.history.map(({ hid }) => hid)).toEqual(before.history.map(({ hid }) => hid));
    expect(after.epoch).toBeGreaterThan(before.epoch);
    await world.accounted();
  });

  it('of a VM’s termination terminates it', async () => {
    const { id, op: first } = await world.createVm();
    await world.ended(first);
    world.hypervisor.failOn(1, { error: new Problem('destroy_refused', 'the disk is locked') });
    const { op } = await world.terminate(id, true);
    expect((await world.ended(op)).state).toBe('failed');
    const again = await world.retry(op);
    expect(await world.ended(again.op)).toMatchObject({ state: 'succeeded', retry_of: op, input: { hard: true } });
    expect((await world.vm(id)).state).toBe('DONE');
    await world.accounted();
  });

  it('is admitted once of two at once', async () => {
    const { op } = await failedVm();
    const answers = await Promise.allSettled([world.retry(op), world.retry(op)]);
    const won = answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value.op] : []));
    expect(won).toHaveLength(1);
    expect(await world.ended(won[0] ?? '')).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../domain/problems.js';
import { eventually } from '../support/processes.js';
import { type Asked, newWorld, pair, type World } from '../support/world.js';
import { development } from '../support/world-server.js';
import { holding } from '../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development });
});
afterAll(() => world.stop());
afterEach(() => {
  world.hypervisor.mend();
  world.steps.watch();
});

async function failedDeploying(): Promise<Asked> {
  world.hypervisor.failOn(1, { error: new Problem('deploy_refused', 'there is no such image') });
  const service = await world.deploy(pair);
  await world.ended(service.op);
  return service;
}

const operationsOf = (id: number) =>
  world.store.operations.model.countDocuments({ 'resource.type': 'service', 'resource.id': id });

describe('the guard of admission', () => {
  it('lets one of two requests at once in; the other is told which, and has written nothing', async () => {
    const { id } = await failedDeploying();
    const held = holding('beginDeployment');
    world.steps.watch(held.around);
    const answers = await Promise.allSettled([world.recover(id), world.recover(id)]);
    const won = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.op] : []));
    const lost = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
    expect(won).toHaveLength(1);
    expect(lost).toEqual([expect.objectContaining({ code: 'operation_in_progress', operation: won[0] })]);
    expect(await operationsOf(id)).toBe(2);
    const { operation, wanted, roles } = await world.service(id);
    expect([operation, wanted]).toEqual([null, null]);
    expect(new Set(roles.flatMap((role) => role.operation ?? []))).toEqual(new Set(won));
    held.release();
    expect(await world.ended(won[0] ?? '')).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('lets one of two undeployments at once in', async () => {
    const { id } = await world.running(pair);
    const answers = await Promise.allSettled([world.undeploy(id), world.undeploy(id)]);
    const won = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.op] : []));
    expect(won).toHaveLength(1);
    expect(await operationsOf(id)).toBe(2);
    expect(await world.ended(won[0] ?? '')).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });
});

describe('the claim of a run', () => {
  it('makes a stale start, of an operation that has ended, end as a no-op', async () => {
    const { id, op } = await world.running(pair);
    const [before, journal] = [await world.service(id), world.hypervisor.journal.length];
    const operation = await world.operation(op);
    world.steps.watch();
    expect(await world.engine.start(operation)).toBe('started');
    await eventually(async () => (await world.engine.latestRun(operation.workflow_id))?.status === 'completed');
    expect(world.steps.names()).toEqual(['beginDeployment']);
    expect(await world.service(id)).toEqual(before);
    expect(await world.operation(op)).toEqual(operation);
    expect(world.hypervisor.journal).toHaveLength(journal);
    await world.accounted();
  });

  it('is granted again to the same run only', async () => {
    const { op } = await world.running([{ name: 'only' }]);
    const { run_id } = await world.operation(op);
    expect(await world.store.operations.claim(op, run_id ?? '')).toMatchObject({ result: 'ended' });
    expect(await world.store.operations.claim(op, 'another run')).toEqual({ result: 'foreign' });
  });
});

describe('a cancel that names its run', () => {
  it('comes too late for an operation that has ended, and does not hit the next one', async () => {
    const { id, op } = await world.running(pair);
    const { workflow_id: workflowId, run_id } = await world.operation(op);
    const held = holding('destroyVms');
    world.steps.watch(held.around);
    const undeployment = await world.undeploy(id);
    await held.reached;
    await world.engine.cancel(workflowId, { firstRunId: run_id ?? '' });
    await world.engine.terminate(workflowId, { firstRunId: run_id ?? '' }, 'too late');
    held.release();
    expect(await world.ended(undeployment.op)).toMatchObject({ state: 'succeeded', error: null });
    await world.accounted();
  });
});

describe('a run that is terminated in Temporal', () => {
  it('has its service fail with the reason and free of holds, and what its worker still does changes nothing', async () => {
    const held = holding('bootVms');
    world.steps.watch(held.around);
    const { id, op } = await world.deploy(pair);
    await held.reached;
    const { workflow_id: workflowId } = await world.operation(op);
    const run = await world.engine.latestRun(workflowId);
    await world.engine.terminate(workflowId, { firstRunId: run?.firstRunId ?? '' }, 'by hand');
    await world.reconcile();
    expect(await world.operation(op)).toMatchObject({
      state: 'failed',
      error: { code: 'run_lost', detail: 'its run was terminated in Temporal: by hand' },
    });
    const { state, roles, holds } = await world.service(id);
    expect({ state, holds }).toEqual({ state: 'FAILED_DEPLOYING', holds: {} });
    expect(roles[0]).toMatchObject({
      state: 'FAILED_DEPLOYING',
      reason: 'its run was terminated in Temporal: by hand',
    });
    await world.accounted();
    held.release();
    await eventually(() => world.steps.done().includes('bootVms'));
    expect(world.hypervisor.domains().filter(({ labels }) => labels.service === id)).toEqual([]);
    const { op: recovery } = await world.recover(id);
    expect(await world.ended(recovery)).toMatchObject({ state: 'succeeded', error: null });
    for (const vm of await world.vms(id)) expect(world.hypervisor.timesMade(vm._id)).toBe(1);
    await world.accounted();
  });

  it('of an undeployment leaves a service that recovery undeploys', async () => {
    const { id } = await world.running(pair);
    const held = holding('destroyVms');
    world.steps.watch(held.around);
    const { op } = await world.undeploy(id);
    await held.reached;
    const run = await world.engine.latestRun(`service-${id}`);
    await world.engine.terminate(`service-${id}`, { firstRunId: run?.firstRunId ?? '' }, 'by hand');
    await world.reconcile();
    held.release();
    expect(await world.operation(op)).toMatchObject({ state: 'failed', error: { code: 'run_lost' } });
    expect((await world.service(id)).state).toBe('FAILED_UNDEPLOYING');
    expect(await world.ended((await world.recover(id)).op)).toMatchObject({ state: 'succeeded' });
    expect(await world.vms(id)).toEqual([]);
    await world.accounted();
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { temporalEngine } from '../../../adapters/engine/temporal.js';
import { built } from '../../../adapters/process/checkout.js';
import { isVmRunning } from '../../../domain/vms/vm-states.js';
import { createOperations } from '../../../requests/operations.js';
import { ownDirectory } from '../../support/directories.js';
import { noSealer, noStorages } from '../../support/no-storages.js';
import { eventually } from '../../support/processes.js';
import { newWorld, pair, type World, worldOn } from '../../support/world.js';
import { timeSkipping } from '../../support/world-server.js';
import { failingAt } from '../../support/world-steps.js';

let faulty: string;
beforeAll(async () => {
  const logger = new DefaultLogger('ERROR');
  faulty = (await bundleWorkflowCode({ workflowsPath: built('test/workflows/faulty-workflows.js'), logger })).code;
});

let world: World;
afterEach(() => world.stop());

describe('reconciliation', () => {
  it('starts what was admitted while the engine could not be reached', async () => {
    world = await newWorld();
    const away = temporalEngine({ address: '127.0.0.1:1' });
    const delayed: string[] = [];
    const operations = createOperations({
      store: world.store,
      directory: world.directory,
      engine: away,
      settings: { temporalUiUrl: undefined, failedLogins: 10 },
      storages: noStorages,
      sealer: noSealer,
      onDelayed: (message) => delayed.push(message),
    });
    const template_id = await world.vmTemplate();
    const { id: op, state } = await operations.vms.create(world.caller, { template_id }, { requestId: 'test' });
    expect(state).toBe('accepted');
    await eventually(() => delayed.length > 0);
    expect(await world.engine.latestRun((await world.operation(op)).workflow_id)).toBeNull();
    await world.reconcile();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    await world.accounted();
  });

  it('fails the operation of a run that an unplanned error in workflow code has ended, and recovery gets there', async () => {
    world = await newWorld({ idle: true });
    const codePath = join(ownDirectory(), 'faulty.js');
    writeFileSync(codePath, faulty);
    await world.work({ codePath });
    await world.addHost();
    const { id, op } = await world.deploy(pair);
    const left = await world.ended(op);
    expect(left.state).toBe('running');
    expect((await world.engine.latestRun(left.workflow_id))?.status).toBe('failed');
    await world.reconcile();
    expect(await world.operation(op)).toMatchObject({
      state: 'failed',
      error: { code: 'run_lost', detail: 'its run failed: an unplanned error' },
    });
    expect((await world.service(id)).state).toBe('FAILED_DEPLOYING');
    await world.accounted();
    await world.rest();
    await world.work();
    expect(await world.ended((await world.recover(id)).op)).toMatchObject({ state: 'succeeded', error: null });
    await world.accounted();
  });

  it('runs open operations again on a Temporal that has lost all its data', async () => {
    world = await newWorld();
    const settled = await world.running(pair);
    world.hypervisor.bootMilliseconds = 3_600_000;
    const service = await world.deploy(pair);
    await eventually(
      () => world.hypervisor.domains().filter(({ labels }) => labels.service === service.id).length === 2,
    );
    const parked = await world.createVm({ cpu: 2_000 });
    await eventually(async () => (await world.operation(parked.op)).state === 'waiting');
    const undeployment = await world.undeploy(settled.id);
    await world.forget();
    world.hypervisor.bootMilliseconds = 0;

    world = await worldOn(await timeSkipping(), world);
    await world.work();
    await world.reconcile();
    expect(await world.ended(service.op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await world.ended(undeployment.op)).toMatchObject({ state: 'succeeded', error: null });
    expect((await world.vms(service.id)).filter(isVmRunning)).toHaveLength(4);
    expect(await world.vms(settled.id)).toEqual([]);
    await world.addHost({ cpu: 2_000 });
    expect(await world.ended(parked.op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('leaves alone what is at work, and what has ended', async () => {
    world = await newWorld();
    world.steps.watch(failingAt(3, 'before'));
    const failed = await world.deploy(pair);
    await world.ended(failed.op);
    const before = await world.service(failed.id);
    const waiting = await world.deploy([{ name: 'only' }], { deployment: 'none', ready_status_gate: true });
    await eventually(async () => (await world.operation(waiting.op)).waiting_for !== null);
    const run = await world.engine.latestRun(`service-${waiting.id}`);
    await world.reconcile();
    expect(await world.service(failed.id)).toEqual(before);
    expect(await world.engine.latestRun(`service-${waiting.id}`)).toEqual(run);
    await world.accounted();
  });
});

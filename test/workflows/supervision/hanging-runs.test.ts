import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { built } from '../../../adapters/process/checkout.js';
import { ownDirectory } from '../../support/directories.js';
import { eventually } from '../../support/processes.js';
import { newWorld, pair, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';

let world: World;
let faulty: string;
beforeAll(async () => {
  const logger = new DefaultLogger('ERROR');
  faulty = (
    await bundleWorkflowCode({ workflowsPath: built('test/workflows/supervision/hanging-workflows.js'), logger })
  ).code;
  world = await newWorld({ server: development });
});
afterAll(() => world.stop());
afterEach(() => {
  world.hypervisor.mend();
  world.steps.watch();
});

/** The world's workers have these faulty workflows until the test ends. */
async function withFaults(): Promise<void> {
  const codePath = join(ownDirectory(), 'hanging.js');
  writeFileSync(codePath, faulty);
  await world.rest();
  await world.work({ codePath });
  onTestFinished(async () => {
    await world.rest();
    await world.work();
  });
}

const whyOf = (op: string) => world.operations.why.operation(world.caller, op);
const failing = (op: string, tries: number) =>
  eventually(async () => {
    const { workflow_id } = await world.operation(op);
    return ((await world.engine.latestRun(workflow_id))?.failing?.tried ?? 0) >= tries;
  });

/** A minute later, as far as the processes of this test know. */
function aMinuteLater(): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

describe('a run whose workflow task fails for good', () => {
  it('ends its operation, with the reason and what to do, and why says so meanwhile', async () => {
    const { id } = await world.running(pair);
    await withFaults();
    const { op } = await world.undeploy(id);
    await failing(op, 10);
    const meanwhile = await whyOf(op);
    expect(meanwhile.text).toContain(
      'Its workflow task fails: what it has to write down is larger than Temporal takes.',
    );
    expect(meanwhile.text).toMatch(/It was tried \d+ times, first .* ago.*\. If it still fails in /);
    expect(meanwhile.text).not.toContain('Nothing needs to be done');
    // It may be the rollout of a new version that makes it fail: for a minute, nothing is done about it.
    await world.reconcile();
    expect((await world.operation(op)).state).toBe('accepted');
    aMinuteLater();
    await world.reconcile();
    vi.useRealTimers();
    expect(await world.operation(op)).toMatchObject({
      state: 'failed',
      error: {
        code: 'run_lost',
        detail: expect.stringMatching(/^its workflow task failed \d+ times since .*larger than Temporal takes\. Make /),
      },
    });
    expect((await world.engine.latestRun(`service-${id}`))?.status).toBe('terminated');
    expect((await world.service(id)).wanted).toBeNull();
    await world.rest();
    await world.work();
    expect(await world.ended((await world.undeploy(id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('ends as cancelled what was asked to stop, which its run cannot hear', async () => {
    await withFaults();
    const { op } = await world.createVm();
    await failing(op, 10);
    await world.cancel(op);
    aMinuteLater();
    await world.reconcile();
    vi.useRealTimers();
    expect((await world.operation(op)).state).toBe('cancelled');
    await world.rest();
    await world.work();
    await world.accounted();
  });

  it('is not taken for one that no worker is there for, however long', async () => {
    await world.rest();
    const { op } = await world.createVm();
    await world.work();
    await world.rest();
    const { workflow_id } = await world.operation(op);
    expect((await world.engine.latestRun(workflow_id))?.failing ?? null).toBeNull();
    await world.work();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('says why when Temporal itself ends it, for what it has to write down', async () => {
    await withFaults();
    const { op, id } = await world.deploy(pair);
    await eventually(async () => (await world.engine.latestRun(`service-${id}`))?.status === 'terminated');
    await world.reconcile();
    expect(await world.operation(op)).toMatchObject({
      state: 'failed',
      error: {
        code: 'run_lost',
        detail: 'its run was terminated in Temporal: what it has to write down is larger than Temporal takes',
      },
    });
    await world.accounted();
  });
});

describe('a step that fails for good', () => {
  it('ends its operation, though it needs nothing but our database', async () => {
    let tried = 0;
    world.steps.watch(async ({ name }, run) => {
      if (name !== 'startRoles') return run();
      tried += 1;
      throw new TypeError('x is not a function');
    });
    const { op } = await world.deploy([{ name: 'only' }]);
    expect(await world.ended(op)).toMatchObject({
      state: 'failed',
      error: { detail: expect.stringContaining('a step failed 10 times, for a fault in Arcus: x is not a function') },
    });
    expect(tried).toBe(10);
    await world.accounted();
  });
});

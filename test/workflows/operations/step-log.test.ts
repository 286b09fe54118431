import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createStepLog } from '../../../activities/operations/step-log.js';
import { computeSteps, orchestrationSteps, storageSteps } from '../../../activities/steps.js';
import { titledSteps } from '../../../domain/operations/step-title.js';
import { Problem } from '../../../domain/problems.js';
import type { Step } from '../../../schemas/operations/step.js';
import type { StepNote } from '../../../store/operations/steps.js';
import { eventually } from '../../support/processes.js';
import { newWorld, pair, type World } from '../../support/world.js';
import { failingAt, holding } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());
afterEach(() => {
  world.hypervisor.mend();
  world.steps.watch();
});

/** The steps of an operation once so many are told of as they must be. */
function steps(op: string, isThere: (steps: Step[]) => boolean): Promise<Step[]> {
  return eventually(async () => {
    const seen = await world.store.steps.ofOperation(op, 200);
    return isThere(seen) ? seen : undefined;
  });
}

const over = (steps: readonly Step[]): boolean =>
  steps.some(({ name, state }) => name === 'endOperation' && state === 'done');

describe('the steps of a run', () => {
  it('are written down with their roles, batches and times, in their order', async () => {
    const { op } = await world.running(pair);
    const seen = await steps(op, over);
    expect(seen.map(({ name, role, vms, attempts, state }) => ({ name, role, vms, attempts, state }))).toEqual(
      [
        { name: 'beginDeployment', role: null, vms: null },
        { name: 'startRoles', role: 'front', vms: null },
        { name: 'bootVms', role: 'front', vms: 2 },
        { name: 'finishRoles', role: 'front', vms: null },
        { name: 'startRoles', role: 'back', vms: null },
        { name: 'bootVms', role: 'back', vms: 2 },
        { name: 'finishRoles', role: 'back', vms: null },
        { name: 'endOperation', role: null, vms: null },
      ].map((step) => ({ ...step, attempts: 1, state: 'done' })),
    );
    const { workflow_id: workflowId } = await world.operation(op);
    const run = await world.engine.latestRun(workflowId);
    expect(new Set(seen.map((step) => step.run))).toEqual(new Set([run?.runId]));
    for (const { started_at, ended_at } of seen)
      expect(ended_at?.getTime()).toBeGreaterThanOrEqual(started_at.getTime());
  });

  it('say while they are at work that they run', async () => {
    const held = holding('bootVms');
    world.steps.watch(held.around);
    const { op } = await world.deploy([{ name: 'only' }]);
    await held.reached;
    const [boot] = (await steps(op, (seen) => seen.some(({ name }) => name === 'bootVms'))).slice(-1);
    expect(boot).toMatchObject({ name: 'bootVms', state: 'running', ended_at: null, error: null, local: false });
    held.release();
    await world.ended(op);
  });

  it('tell of a try that failed, and count the tries', async () => {
    world.hypervisor.failOn(1, {
      error: new Problem(
        'backend_unavailable',
        'host-1 does not answer at https://root:secret@host-1/\n  at its stack',
      ),
    });
    const { op } = await world.deploy([{ name: 'only' }]);
    await world.server.skipping(world.ended(op));
    const seen = await steps(op, over);
    expect(seen.filter(({ name }) => name === 'bootVms')).toMatchObject([
      {
        attempts: 2,
        state: 'done',
        error: { code: 'backend_unavailable', detail: 'host-1 does not answer at https://…@host-1/' },
      },
    ]);
  });

  it('say that they failed for good, and with what', async () => {
    world.steps.watch(failingAt(3, 'before'));
    const { op } = await world.deploy([{ name: 'only' }]);
    await world.server.skipping(world.ended(op));
    const seen = await steps(op, over);
    expect(seen.filter(({ name }) => name === 'bootVms')).toMatchObject([
      { attempts: 1, state: 'failed', error: { code: 'internal', detail: 'an injected failure before bootVms' } },
    ]);
  });

  it('say that they were cancelled', async () => {
    world.hypervisor.bootMilliseconds = 60_000;
    const { id, op } = await world.deploy([{ name: 'only' }]);
    await steps(op, (seen) => seen.some(({ name }) => name === 'bootVms'));
    const removal = await world.undeploy(id, true);
    await world.server.skipping(world.ended(removal.op));
    world.hypervisor.bootMilliseconds = 0;
    const seen = await steps(op, (steps) => steps.some(({ state }) => state === 'failed'));
    expect(seen.filter(({ name }) => name === 'bootVms')).toMatchObject([
      { state: 'failed', error: { code: 'cancelled' } },
    ]);
  });
});

describe('every step of operations', () => {
  it('has a title in words', () => {
    const { store, directory, engine, hypervisor } = world;
    const settings = { vmNameTemplate: '', shutdownAction: 'terminate' as const };
    const ports = {
      ...{ store, directory, engine, hypervisors: { of: () => hypervisor }, ...world.storage.ports },
      ...{ markets: world.market.markets, settings },
    };
    const { wakeWaiting: _forNoOperation, ...orchestration } = orchestrationSteps(ports);
    const names = [
      ...Object.keys(orchestration),
      ...Object.keys(computeSteps(ports)),
      ...Object.keys(storageSteps(ports)),
      'handOver',
    ];
    expect(names.filter((name) => !titledSteps.includes(name))).toEqual([]);
    expect(titledSteps.filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe('the log of a worker', () => {
  const note = (nth: number, over: Partial<StepNote> = {}): StepNote => ({
    _id: `op/run/${nth}`,
    op: 'op',
    run: 'run',
    name: 'startRoles',
    role: null,
    vms: null,
    local: true,
    started_at: new Date(0),
    attempt: 1,
    ended: null,
    error: null,
    ...over,
  });

  it('gathers what happens at once into one write, and one note a step', async () => {
    const written: (readonly StepNote[])[] = [];
    const log = createStepLog({ write: async (notes) => void written.push(notes) });
    log.note(note(1));
    log.note(note(2));
    log.note(note(1, { ended: { state: 'done', at: new Date(5) } }));
    await log.flush();
    expect(written).toEqual([[note(1, { ended: { state: 'done', at: new Date(5) } }), note(2)]]);
  });

  it('writes again what the database did not take, by itself', async () => {
    const written: (readonly StepNote[])[] = [];
    let isAway = true;
    const log = createStepLog({
      write: async (notes) => {
        if (isAway) throw new Error('the database is away');
        written.push(notes);
      },
    });
    log.note(note(1));
    await log.flush();
    isAway = false;
    await eventually(() => written.length > 0);
    expect(written).toEqual([[note(1)]]);
  });

  it('forgets what is too much rather than hold it all', async () => {
    let count = 0;
    const log = createStepLog({
      write: async (notes) => {
        count += notes.length;
      },
    });
    for (let nth = 0; nth < 20_000; nth++) log.note(note(nth));
    await log.flush();
    expect(count).toBeGreaterThan(1_000);
    expect(count).toBeLessThan(10_000);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OperationDetail } from '../../../schemas/operations/operation-resource.js';
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
  world.hypervisor.mend();
  for (const host of ['host-1', 'host-2']) world.hypervisor.reach(host);
  world.steps.watch();
});

/** The operation as it is shown, in the shape that is promised. */
const shown = async (op: string): Promise<OperationDetail> =>
  OperationDetail.parse(await world.operations.operations.show(world.caller, op));

const once = (op: string, isThere: (detail: OperationDetail) => boolean): Promise<OperationDetail> =>
  eventually(async () => {
    const detail = await shown(op);
    return isThere(detail) ? detail : undefined;
  });

const names = ({ actions }: OperationDetail): string[] => actions.map(({ name }) => name);

describe('an operation in full', () => {
  it('shows how far each role is, what its steps do, and what may be done', async () => {
    const held = holding('bootVms');
    world.steps.watch(held.around);
    const { id, op } = await world.deploy(pair);
    await held.reached;
    const detail = await once(op, ({ steps }) => steps.some(({ name }) => name === 'bootVms'));
    expect(detail.progress).toEqual({
      done: 0,
      total: 4,
      unit: 'VMs',
      roles: [
        { name: 'front', state: 'DEPLOYING', done: 0, total: 2 },
        { name: 'back', state: 'PENDING', done: 0, total: 2 },
      ],
    });
    expect(detail.steps.map(({ title, state }) => `${title}: ${state}`)).toEqual([
      'plan the deployment: done',
      'make the VMs of role front and find hosts for them: done',
      'boot 2 VMs of role front: running',
    ]);
    expect(names(detail)).toEqual(['cancel', 'undeploy', 'delete']);
    expect(detail.eta).toBeNull();
    held.release();
    await world.ended(op);
    const after = await shown(op);
    expect(after.progress).toMatchObject({ done: 4, total: 4 });
    expect(names(after)).toEqual(['undeploy', 'delete']);

    const removal = await world.undeploy(id);
    await world.ended(removal.op);
    expect(await shown(removal.op)).toMatchObject({
      progress: { done: 4, total: 4, roles: [{ name: 'front', state: 'DONE', done: 2, total: 2 }, { done: 2 }] },
      actions: [{ name: 'delete' }],
    });
    // What is there now is the undeployment's: it says nothing of how far the deployment had come.
    expect((await shown(op)).progress).toBeNull();
  });

  it('says how often a step was tried, with what error, and when next', async () => {
    world.hypervisor.cutOff('host-1');
    const { op } = await world.deploy([{ name: 'only', cardinality: 2 }]);
    const detail = await once(op, ({ steps }) => steps.some(({ next_retry_at }) => next_retry_at !== null));
    expect(detail).toMatchObject({ asked_engine: true, progress: { done: 1, total: 2 } });
    expect(detail.steps.at(-1)).toMatchObject({
      name: 'bootVms',
      state: 'running',
      error: { code: 'backend_unavailable', detail: 'host-1 cannot be reached: it was cut off.' },
      ended_at: null,
    });
    expect(detail.steps.at(-1)?.attempts).toBeGreaterThan(0);
    world.hypervisor.reach('host-1');
    await world.ended(op);
    // What a step says of its end is written behind it: the operation can be over first.
    const after = await once(op, ({ steps }) => steps.every(({ ended_at }) => ended_at !== null));
    expect(after.steps.filter(({ name }) => name === 'bootVms')).toMatchObject([
      { state: 'done', next_retry_at: null },
    ]);
  });

  it('tells from earlier runs of the same template when it should end, and of none when it is overdue', async () => {
    const first = await world.running([{ name: 'only' }]);
    const { template_id } = await world.operation(first.op);
    const again = (milliseconds: number) =>
      world.store.operations.model.updateOne(
        { _id: first.op },
        [{ $set: { ended_at: { $add: ['$started_at', milliseconds] } } }],
        { updatePipeline: true },
      );
    const held = holding('bootVms');
    world.steps.watch(held.around);
    await again(600_000);
    const { id: op } = await world.operations.serviceTemplates.instantiate(
      world.caller,
      template_id ?? -1,
      {},
      { requestId: 'test' },
    );
    await held.reached;
    const { eta, started_at } = await shown(op);
    expect(eta).toMatchObject({ typical_seconds: 600, runs: 1 });
    expect(Date.parse(eta?.at ?? '') - Date.parse(started_at ?? '')).toBe(600_000);
    await again(1);
    expect((await shown(op)).eta).toBeNull();
    held.release();
    await world.ended(op);
    expect((await shown(op)).eta).toBeNull();
  });

  it('of a VM counts that VM, and of a VM that waits for a host says what it waits for', async () => {
    const fitting = await world.createVm();
    await world.ended(fitting.op);
    expect((await shown(fitting.op)).progress).toEqual({ done: 1, total: 1, unit: 'VMs', roles: [] });
    const large = await world.createVm({ cpu: 4_000 });
    const detail = await once(large.op, ({ state }) => state === 'waiting');
    expect(detail).toMatchObject({ progress: { done: 0, total: 1 }, eta: null, asked_engine: true });
    expect(detail.waiting_for).toContain('needs 4000 CPU');
    await world.ended((await world.terminate(large.id)).op);
  });
});

describe('the operations of a resource', () => {
  it('are listed newest first, and filtered', async () => {
    const { id, op } = await world.running([{ name: 'only' }]);
    const removal = await world.undeploy(id);
    await world.ended(removal.op);
    const page = { limit: 100 };
    const list = async (query: object) =>
      (await world.operations.operations.listOn(world.caller, { type: 'service', id }, { ...page, ...query })).items;
    expect((await list({})).map((item) => item.id)).toEqual([removal.op, op]);
    expect(await list({ state: 'failed' })).toEqual([]);
    expect((await list({ limit: 1 })).map((item) => item.id)).toEqual([removal.op]);
    const unknown = world.operations.operations.listOn(world.caller, { type: 'vm', id: 9_999 }, page);
    await expect(unknown).rejects.toMatchObject({ code: 'not_found' });
  });
});

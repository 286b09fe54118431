import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isPerformance, type Operation } from '../../../schemas/operations/operation.js';
import { giveDisk } from '../../support/own-disk.js';
import { newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { failingAt, holding, twice } from '../../support/world-steps.js';

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

const web = [{ name: 'web', cardinality: 4, min_vms: 1, max_vms: 9 }];
const idsOf = async (id: number): Promise<number[]> => (await world.vms(id, 'web')).map(({ _id }) => _id);
const ofVms = (vms: readonly number[]): Promise<Operation[]> =>
  world.store.operations.model
    .find({ 'resource.type': 'vm', 'resource.id': { $in: [...vms] } })
    .sort({ _id: 1 })
    .lean<Operation[]>()
    .exec();
const performedOf = async (op: string) => {
  const operation = await world.operation(op);
  return (isPerformance(operation) && operation.performed) || {};
};
/** The operations of VMs have ended, too. */
async function settled(vms: readonly number[]): Promise<Operation[]> {
  await expect.poll(async () => (await ofVms(vms)).every(({ ended_at }) => ended_at !== null)).toBe(true);
  return ofVms(vms);
}

describe('an action on a role', () => {
  it('comes to some VMs at a time, its period after one another; each has an operation of its own', async () => {
    const { id } = await world.running(web);
    const vms = await idsOf(id);
    const { op } = await world.perform(id, 'web', { action: 'recreate', number: 2, period: 1 });
    expect(await world.operation(op)).toMatchObject({ role: 'web', workflow_id: `service-${id}/web/actions-${op}` });
    expect((await world.service(id)).roles[0]?.operation ?? null).toBeNull();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(world.steps.names().filter((name) => name === 'performOnVms')).toHaveLength(2);
    const performed = await performedOf(op);
    const [first = 0, second = 0, third = 0, fourth = 0] = vms.map((vm) => performed[vm]?.at.getTime() ?? 0);
    expect(Math.min(third, fourth) - Math.max(first, second)).toBeGreaterThanOrEqual(900);
    const its = await settled(vms);
    expect(its.map(({ kind, state }) => [kind, state])).toEqual(vms.map(() => ['deployVm', 'succeeded']));
    expect(its.map(({ _id }) => _id).sort()).toEqual(vms.map((vm) => performed[vm]?.op ?? '').sort());
    await world.accounted();
  });

  it('leaves out VMs that come later, and says of each what forbids it, while the role is scaled beside it', async () => {
    const { id } = await world.running(web);
    const vms = await idsOf(id);
    const held = holding('performOnVms');
    world.steps.watch(held.around);
    const { op } = await world.perform(id, 'web', { action: 'resume' });
    await held.reached;
    const scaling = await world.scale(id, 'web', 6);
    expect(await world.ended(scaling.op)).toMatchObject({ state: 'succeeded' });
    const gone = await world.terminate(vms[3] ?? 0);
    expect(await world.ended(gone.op)).toMatchObject({ state: 'succeeded' });
    held.release();
    const ended = await world.ended(op);
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'vm_failed' } });
    expect(ended.error?.detail).toContain(`3 of 4 VMs refused resume: VM ${vms[0]}: `);
    const performed = await performedOf(op);
    expect(vms.map((vm) => performed[vm]?.outcome)).toEqual(['refused', 'refused', 'refused', 'gone']);
    expect(Object.keys(performed)).toHaveLength(4);
    expect(performed[vms[0] ?? 0]?.why).toContain('RUNNING');
    const detail = await world.operations.operations.show(world.caller, op);
    expect(detail.performed).toMatchObject({ action: 'resume', asked: 0, refused: 3, gone: 1, left: 0 });
    expect(detail.actions.map(({ name }) => name)).toContain('retry');
    await world.accounted();
  });

  it('that the state of its VMs forbids says so of each: hold and release are for those that no host has', async () => {
    const { id } = await world.running(web);
    const vms = await idsOf(id);
    for (const [action, why] of [
      ['hold', 'is of a service: put its role on hold, or terminate it.'],
      ['release', 'is RUNNING'],
    ] as const) {
      const { op } = await world.perform(id, 'web', { action, number: 3, period: 0 });
      expect(await world.ended(op)).toMatchObject({ state: 'failed', error: { code: 'vm_failed' } });
      const performed = await performedOf(op);
      expect(vms.map((vm) => performed[vm])).toEqual(
        vms.map(() => expect.objectContaining({ outcome: 'refused', op: null, why: expect.stringContaining(why) })),
      );
    }
    expect(await ofVms(vms)).toEqual([]);
    await world.accounted();
  });

  it('takes a snapshot of a disk of each VM that has it, reverts to it and deletes it', async () => {
    const { id } = await world.running([{ name: 'web', cardinality: 2 }]);
    const vms = await idsOf(id);
    const [without = 0, ...having] = vms;
    for (const vm of having) {
      await giveDisk(world, vm);
      await world.store.vms.model.updateOne({ _id: vm }, { $set: { device_ids: { nic: 0, disk: 1 } } });
      await world.ended((await world.switch(vm, 'undeploy')).op);
      await world.ended((await world.resume(vm)).op);
    }
    const snapshots = async () =>
      Promise.all(having.map(async (vm) => (await world.vm(vm)).disks?.[0]?.snapshots.map(({ name }) => name)));
    const { op } = await world.perform(id, 'web', { action: 'disk-snapshot-create', disk: 0, name: 'before' });
    expect(await world.ended(op)).toMatchObject({ state: 'failed' });
    expect((await performedOf(op))[without]).toMatchObject({
      outcome: 'refused',
      why: expect.stringContaining('disk'),
    });
    await settled(having);
    expect(await snapshots()).toEqual(having.map(() => ['before']));
    for (const vm of having) await world.ended((await world.switch(vm, 'poweroff')).op);
    const reverted = await world.perform(id, 'web', { action: 'disk-snapshot-revert', disk: 0, snapshot: 0 });
    await world.ended(reverted.op);
    const its = (await settled(having)).filter(({ kind }) => kind === 'changeDevices');
    expect(its.map(({ state, input }) => ['change' in input && input.change?.action, state])).toEqual([
      ...having.map(() => ['disk-snapshot-create', 'succeeded']),
      ...having.map(() => ['disk-snapshot-revert', 'succeeded']),
    ]);
    await world.accounted();
  });

  it('whose step is done twice, or whose run is lost, asks each VM once', async () => {
    const { id } = await world.running(web);
    const vms = await idsOf(id);
    world.steps.watch(twice);
    const { op } = await world.perform(id, 'web', { action: 'recreate', number: 3, period: 0 });
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    expect(await settled(vms)).toHaveLength(4);
    world.steps.watch(failingAt(2, 'after'));
    const lost = await world.perform(id, 'web', { action: 'recreate', number: 3, period: 0 });
    expect(await world.ended(lost.op)).toMatchObject({ state: 'failed' });
    expect(Object.keys(await performedOf(lost.op))).toEqual(vms.slice(0, 3).map(String));
    world.steps.watch();
    expect(await settled(vms)).toHaveLength(7);
    const again = await world.retry(lost.op);
    expect(await world.ended(again.op)).toMatchObject({ state: 'succeeded', input: { vms: vms.slice(3) } });
    expect(await settled(vms)).toHaveLength(8);
    await world.accounted();
  });

  it('whose step has asked and died before it wrote that down finds what it has asked for', async () => {
    const { id } = await world.running(web);
    const vms = await idsOf(id);
    let died = false;
    world.steps.watch(async ({ name }, run) => {
      const result = await run();
      if (name !== 'performOnVms' || died) return result;
      died = true;
      await settled(vms);
      await world.store.operations.model.updateMany(
        { kind: 'performOnRole', state: 'running' },
        { $unset: { performed: 1 } },
      );
      throw new Error('the worker was killed');
    });
    const { op } = await world.perform(id, 'web', { action: 'terminate-hard' });
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    expect(died).toBe(true);
    expect(Object.values(await performedOf(op)).map(({ outcome }) => outcome)).toEqual(vms.map(() => 'asked'));
    expect(await ofVms(vms)).toHaveLength(4);
    await world.accounted();
  });

  it('goes on under other workers where the first ones have stopped between two slices', async () => {
    const { id } = await world.running(web);
    const vms = await idsOf(id);
    const { op } = await world.perform(id, 'web', { action: 'recreate', number: 2, period: 2 });
    await expect.poll(async () => Object.keys(await performedOf(op)).length).toBe(2);
    await world.rest();
    await world.work();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    expect((await settled(vms)).map(({ state }) => state)).toEqual(vms.map(() => 'succeeded'));
    await world.accounted();
  });

  it('that is cancelled stops before its next slice', async () => {
    const { id } = await world.running(web);
    const vms = await idsOf(id);
    const { op } = await world.perform(id, 'web', { action: 'terminate', number: 1, period: 3_600 });
    await expect.poll(async () => Object.keys(await performedOf(op)).length).toBe(1);
    await settled(vms);
    await expect.poll(() => world.steps.done()).toContain('performOnVms');
    await world.cancel(op);
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
    expect(await idsOf(id)).toEqual(vms.slice(1));
    await world.accounted();
  });

  it('gives way to an undeployment', async () => {
    const { id } = await world.running(web);
    const { op } = await world.perform(id, null, { action: 'terminate', number: 1, period: 3_600 });
    await expect.poll(async () => Object.keys(await performedOf(op)).length).toBe(1);
    const undeployment = await world.undeploy(id);
    expect(await world.ended(undeployment.op)).toMatchObject({ state: 'succeeded' });
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled', error: { code: 'taken' } });
    await expect(world.perform(id, 'web', { action: 'terminate' })).rejects.toMatchObject({ code: 'wrong_state' });
    await world.accounted();
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { vmOperationActivities } from '../../../activities/vms/vm-operations.js';
import { Problem } from '../../../domain/problems.js';
import { eventually } from '../../support/processes.js';
import { newWorld, type World } from '../../support/world.js';

let world: World;
let able: World['hypervisor']['can'];
beforeAll(async () => {
  world = await newWorld();
  able = world.hypervisor.can;
});
afterAll(() => world.stop());
afterEach(() => {
  world.hypervisor.bootMilliseconds = 0;
  world.hypervisor.can = { ...able };
  world.hypervisor.mend();
  world.steps.watch();
});

const parked = (op: string) => eventually(async () => (await world.operation(op)).state === 'waiting');

describe('deployVm', () => {
  it('waits with no run open for capacity, and goes on within a second after it has come', async () => {
    const { id, op } = await world.createVm({ cpu: 2_000 });
    await parked(op);
    const { state, waiting_for, workflow_id } = await world.operation(op);
    expect({ state, waiting_for }).toEqual({
      state: 'waiting',
      waiting_for: expect.stringMatching(/^needs 2000 CPU; the freest of 2 enabled hosts has \d+$/),
    });
    await eventually(async () => (await world.engine.latestRun(workflow_id))?.status === 'completed');
    await world.accounted();
    await world.addHost({ cpu: 2_000 });
    // The host is there and nothing is asked for any more: what places the VM must have been told. Placement looks by itself after 30 s.
    await eventually(async () => (await world.vm(id)).lcm_state === 'RUNNING');
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', waiting_for: null });
    expect(world.hypervisor.timesMade(id)).toBe(1);
    await world.accounted();
    await world.ended((await world.terminate(id)).op);
  });

  it('goes on when another VM makes room for it', async () => {
    const first = await world.createVm({ cpu: 2_000 });
    expect(await world.ended(first.op)).toMatchObject({ state: 'succeeded' });
    const second = await world.createVm({ cpu: 2_000 });
    await parked(second.op);
    await world.ended((await world.terminate(first.id)).op);
    // Its run has closed, and the next one may not have begun yet.
    await eventually(async () => (await world.vm(second.id)).lcm_state === 'RUNNING');
    expect(await world.ended(second.op)).toMatchObject({ state: 'succeeded' });
    expect(world.hypervisor.timesMade(second.id)).toBe(1);
    await world.accounted();
    await world.ended((await world.terminate(second.id)).op);
  });

  it('goes on when a host takes it again, of a service, too', async () => {
    const service = await world.running();
    const [vm] = await world.vms(service.id);
    const id = vm?._id ?? -1;
    const setHosts = (state: 'DISABLED' | 'MONITORED') => world.store.hosts.model.updateMany({}, { $set: { state } });
    await setHosts('DISABLED');
    const { op } = await world.recoverVm(id, 'recreate');
    await parked(op);
    await setHosts('MONITORED');
    await world.reconcile();
    await eventually(async () => (await world.vm(id)).lcm_state === 'RUNNING');
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', waiting_for: null });
    await world.accounted();
    expect(await world.ended((await world.undeploy(service.id)).op)).toMatchObject({ state: 'succeeded' });
  });

  it('fails where the kind of hypervisor cannot do it at all, which is not tried', async () => {
    world.hypervisor.can = { ...able, deploy: false };
    const { id, op } = await world.createVm();
    const detail = expect.stringMatching(/^host-\d+: simulated hypervisors cannot deploy VMs\.$/);
    expect(await world.ended(op)).toMatchObject({ state: 'failed', error: { code: 'vm_failed', detail } });
    expect(await world.vm(id)).toMatchObject({ lcm_state: 'BOOT_FAILURE' });
    expect(world.hypervisor.journal.filter(({ vm }) => vm === id)).toEqual([]);
    expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'succeeded' });
  });

  it('fails with the hypervisor’s own words when that refuses, and the VM can be terminated', async () => {
    world.hypervisor.failOn(1, { error: new Problem('deploy_refused', 'there is no such image') });
    const { id, op } = await world.createVm();
    expect(await world.ended(op)).toMatchObject({
      state: 'failed',
      error: { code: 'vm_failed', detail: 'there is no such image' },
    });
    expect(await world.vm(id)).toMatchObject({ lcm_state: 'BOOT_FAILURE', reason: 'there is no such image' });
    await world.accounted();
    expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it.each(['before', 'after'] as const)('makes its VM once when the hypervisor is away %s the work', async (when) => {
    for (const nth of [1, 2]) world.hypervisor.failOn(nth, { when });
    const { id, op } = await world.createVm();
    expect(await world.server.skipping(world.ended(op))).toMatchObject({ state: 'succeeded' });
    expect(world.hypervisor.timesMade(id)).toBe(1);
    await world.accounted();
  });

  it('gives up after three minutes without a hypervisor, in its own words', async () => {
    world.hypervisor.beforeEach = () => {
      throw new Problem('backend_unavailable', 'the rack has no power');
    };
    const { id, op } = await world.createVm();
    const operation = await world.server.skipping(world.ended(op));
    world.hypervisor.beforeEach = () => {};
    expect(operation).toMatchObject({
      state: 'failed',
      error: { detail: expect.stringContaining('the rack has no power') },
    });
    await world.accounted();
    expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('takes nothing for an operation that has ended while its worker was frozen', async () => {
    const { id, op } = await world.createVm({ cpu: 3_000 });
    await parked(op);
    await world.cancel(op);
    await eventually(async () => (await world.operation(op)).state === 'cancelled');
    await world.addHost({ cpu: 3_000 });
    const { store, engine } = world;
    const late = vmOperationActivities({ store, engine, settings: world.settings });
    expect(await late.placeVm({ op, vm: id })).toBe('gone');
    expect(await world.vm(id)).toMatchObject({ state: 'PENDING', hold: null });
    await world.accounted();
    await world.ended((await world.terminate(id)).op);
  });
});

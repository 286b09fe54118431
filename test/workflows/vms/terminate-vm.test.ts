import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { vmOperationActivities } from '../../../activities/vms/vm-operations.js';
import { eventually } from '../../support/processes.js';
import { newWorld, type World } from '../../support/world.js';
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

const parked = (op: string) => eventually(async () => (await world.operation(op)).state === 'waiting');

async function running(): Promise<number> {
  const { id, op } = await world.createVm();
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
  return id;
}

describe('terminateVm', () => {
  it('pre-empts the deployment of a VM that boots', async () => {
    world.hypervisor.bootMilliseconds = 3_600_000;
    const deployment = await world.createVm();
    await eventually(() => world.hypervisor.domains().some(({ vm }) => vm === deployment.id));
    const { op } = await world.terminate(deployment.id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await world.operation(deployment.op)).toMatchObject({ state: 'cancelled' });
    expect((await world.vm(deployment.id)).state).toBe('DONE');
    expect(world.hypervisor.domains().filter(({ vm }) => vm === deployment.id)).toEqual([]);
    await world.accounted();
  });

  it('takes nothing from whoever has come since, for a termination that has ended while its worker was frozen', async () => {
    const ended = await world.createVm();
    await world.ended(ended.op);
    world.hypervisor.bootMilliseconds = 3_600_000;
    const { id, op } = await world.createVm();
    await eventually(() => world.hypervisor.domains().some(({ vm }) => vm === id));
    const late = vmOperationActivities(world);
    expect(await late.takeForRemoval({ op: ended.op, vm: id, force: true })).toBe('busy');
    expect((await world.vm(id)).hold).toMatchObject({ op });
    for (const vm of [id, ended.id]) await world.ended((await world.terminate(vm)).op);
    await world.accounted();
  });

  it('ends a VM that waits for capacity, and with it the operation that waits', async () => {
    const deployment = await world.createVm({ cpu: 3_000 });
    await parked(deployment.op);
    const { op } = await world.terminate(deployment.id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    expect((await world.operation(deployment.op)).state).toBe('cancelled');
    expect((await world.vm(deployment.id)).state).toBe('DONE');
    await world.accounted();
  });

  it('waits for a VM that its service is booting, then takes it', async () => {
    world.hypervisor.bootMilliseconds = 1_000;
    const service = await world.deploy([{ name: 'only', cardinality: 2 }]);
    await eventually(
      () => world.hypervisor.domains().filter(({ labels }) => labels.service === service.id).length === 2,
    );
    const [vm] = await world.vms(service.id);
    const { op } = await world.terminate(vm?._id ?? -1);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    expect((await world.vm(vm?._id ?? -1)).state).toBe('DONE');
    await world.ended(service.op);
    await world.accounted();
    expect(await world.ended((await world.remove(service.id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('takes a VM out of a service that runs', async () => {
    const service = await world.running([{ name: 'only', cardinality: 2 }]);
    const [vm] = await world.vms(service.id);
    expect(await world.ended((await world.terminate(vm?._id ?? -1)).op)).toMatchObject({ state: 'succeeded' });
    expect(await world.vms(service.id)).toHaveLength(1);
    await world.accounted();
    expect(await world.ended((await world.undeploy(service.id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('gives way to a hard termination, and refuses a second soft one', async () => {
    const id = await running();
    const held = holding('destroyVms');
    world.steps.watch(held.around);
    const soft = await world.terminate(id);
    await held.reached;
    await expect(world.terminate(id)).rejects.toMatchObject({ code: 'operation_in_progress', operation: soft.op });
    const hard = await world.terminate(id, true);
    held.release();
    expect(await world.ended(hard.op)).toMatchObject({ state: 'succeeded' });
    expect((await world.vm(id)).state).toBe('DONE');
    await world.accounted();
  });
});

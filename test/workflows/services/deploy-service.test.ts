import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../../domain/problems.js';
import { isVmRunning } from '../../../domain/vms/vm-states.js';
import type { MemoryCall } from '../../support/memory-hypervisor.js';
import { eventually } from '../../support/processes.js';
import { newWorld, pair, type World } from '../../support/world.js';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());
afterEach(() => {
  world.hypervisor.beforeEach = () => {};
  world.hypervisor.mend();
  world.steps.watch();
});

const gated = { deployment: 'straight', ready_status_gate: true } as const;
const ordinals = async (service: number, role: string): Promise<number[]> =>
  (await world.vms(service, role)).map((vm) => vm.service?.ordinal ?? -1);
const madeOnce = async (service: number): Promise<void> => {
  for (const vm of await world.vms(service)) expect(world.hypervisor.timesMade(vm._id), vm.name).toBe(1);
};

/** What a service's roles were when a hypervisor was first called for one of its VMs. */
function seenAtFirstDeploy(role: string): Promise<Record<string, string>> {
  return new Promise((resolve) => {
    world.hypervisor.beforeEach = async ({ call, vm: id }: MemoryCall) => {
      const vm = id === null ? null : await world.store.vms.find(id);
      if (call !== 'deploy' || vm?.service?.role !== role) return;
      const { roles } = await world.service(vm.service.id);
      resolve(Object.fromEntries(roles.map(({ name, state }) => [name, state])));
    };
  });
}

describe('the order of roles', () => {
  it('has parents RUNNING before a hypervisor hears of their children, when straight', async () => {
    const seen = seenAtFirstDeploy('back');
    const { id } = await world.running(pair);
    expect(await seen).toEqual({ front: 'RUNNING', back: 'DEPLOYING' });
    await madeOnce(id);
    await world.accounted();
  });

  it('is no order at all when the deployment is none: all are called before any has answered', async () => {
    const calls: MemoryCall[] = [];
    world.hypervisor.beforeEach = async (call) => {
      if (call.call !== 'deploy') return;
      calls.push(call);
      await eventually(() => calls.length === 4);
    };
    const { id } = await world.running(pair, { deployment: 'none' });
    await madeOnce(id);
  });

  it('leaves the children of a role that failed unmade', async () => {
    world.hypervisor.failOn(1, { error: new Problem('deploy_refused', 'there is no such image') });
    const { id, op } = await world.deploy(pair);
    await world.ended(op);
    const { roles } = await world.service(id);
    expect(roles.map(({ state }) => state)).toEqual(['FAILED_DEPLOYING', 'PENDING']);
    expect(await world.vms(id, 'back')).toEqual([]);
  });
});

describe('a fault of a hypervisor', () => {
  it.each(['before', 'after'] as const)(
    'that passes is tried again: nothing is made twice when it struck %s the work',
    async (when) => {
      for (const nth of [1, 2, 3]) world.hypervisor.failOn(nth, { when });
      const { id, op } = await world.deploy(pair);
      expect(await world.server.skipping(world.ended(op))).toMatchObject({ state: 'succeeded', error: null });
      expect(world.steps.seen.filter(({ name }) => name === 'bootVms').map(({ attempt }) => attempt)).toContain(2);
      await madeOnce(id);
      await world.accounted();
    },
  );

  it('that is a refusal fails its VM alone, and recovery replaces that VM under a new number', async () => {
    world.hypervisor.failOn(1, { error: new Problem('deploy_refused', 'there is no such image') });
    const { id, op } = await world.deploy(pair);
    expect(await world.ended(op)).toMatchObject({ state: 'failed', error: { code: 'roles_failed' } });
    const { state, roles, log } = await world.service(id);
    expect(state).toBe('FAILED_DEPLOYING');
    expect(roles[0]?.reason).toMatch(/^1 of 2 VMs run: VM \d+ \(front_\d_\(service_\d+\)\): there is no such image$/);
    expect(log.map(({ message }) => message)).toContainEqual(expect.stringContaining('there is no such image'));
    const before = await world.vms(id, 'front');
    expect(before.map(({ lcm_state }) => lcm_state).sort()).toEqual(['BOOT_FAILURE', 'RUNNING']);
    await world.accounted();

    const recovery = await world.recover(id);
    expect(await world.ended(recovery.op)).toMatchObject({ state: 'succeeded', error: null });
    const survivor = before.filter(isVmRunning).map((vm) => vm.service?.ordinal);
    expect(await ordinals(id, 'front')).toEqual([...survivor, 2]);
    expect(await ordinals(id, 'back')).toEqual([0, 1]);
    expect((await world.service(id)).state).toBe('RUNNING');
    await madeOnce(id);
    await world.accounted();
  });

  it('that does not pass fails the deployment after three minutes of tries, in its own words', async () => {
    world.hypervisor.beforeEach = ({ call }) => {
      if (call === 'deploy') throw new Problem('backend_unavailable', 'the rack has no power');
    };
    const { id, op } = await world.deploy(pair);
    expect(await world.server.skipping(world.ended(op))).toMatchObject({ state: 'failed' });
    const tries = world.steps.seen.filter(({ name }) => name === 'bootVms').length;
    // Pauses of 0.25 s that double up to 5 s: some forty in three minutes.
    expect(tries).toBeGreaterThan(30);
    expect(tries).toBeLessThan(45);
    expect((await world.service(id)).roles[0]?.reason).toContain('the rack has no power');
    await world.accounted();

    world.hypervisor.beforeEach = () => {};
    const { op: recovery } = await world.recover(id);
    expect(await world.ended(recovery)).toMatchObject({ state: 'succeeded', error: null });
    expect(await ordinals(id, 'front')).toEqual([2, 3]);
    await madeOnce(id);
    await world.accounted();
  });
});

describe('the ready gate', () => {
  const waits = (op: string, what: RegExp) =>
    eventually(async () => what.test((await world.operation(op)).waiting_for ?? ''));

  it('keeps the children waiting until every VM of the parent has reported READY=YES', async () => {
    const { id, op } = await world.deploy(pair, gated);
    await waits(op, /^2 VMs of role front to report READY=YES$/);
    const [first, second, ...others] = await world.vms(id);
    expect([first, second].map((vm) => vm?.lcm_state)).toEqual(['RUNNING', 'RUNNING']);
    expect(others).toEqual([]);
    await world.report(first?._id ?? -1);
    await waits(op, /^1 VMs of role front/);
    expect(await world.vms(id, 'back')).toEqual([]);
    await world.report(second?._id ?? -1);
    await waits(op, /^2 VMs of role back/);
    for (const vm of await world.vms(id, 'back')) await world.report(vm._id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', waiting_for: null });
    await world.accounted();
  });

  it('looks again after 30 s, so that a report whose signal was lost only delays', async () => {
    const { id, op } = await world.deploy([{ name: 'only' }], gated);
    await waits(op, /READY=YES/);
    for (const vm of await world.vms(id))
      await world.store.vms.model.updateOne({ _id: vm._id }, { $set: { 'user_template.READY': 'YES' } });
    expect((await world.operation(op)).state).toBe('running');
    expect(await world.server.skipping(world.ended(op))).toMatchObject({ state: 'succeeded' });
  });

  it('goes on as a new run when its history is full, and forgets nothing', async () => {
    const { id, op } = await world.deploy([{ name: 'only' }], gated);
    await waits(op, /READY=YES/);
    const { workflow_id: workflowId, run_id: claimed } = await world.operation(op);
    const handle = world.client.workflow.getHandle(workflowId);
    for (let sent = 0; sent < 1_500; sent += 50)
      await Promise.all(Array.from({ length: 50 }, () => handle.signal('vmReported')));
    await eventually(async () => (await world.engine.latestRun(workflowId))?.runId !== claimed);
    expect(await world.operation(op)).toMatchObject({ state: 'running', run_id: claimed });
    await world.accounted();
    for (const vm of await world.vms(id)) await world.report(vm._id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    await madeOnce(id);
    await world.accounted();
  });
});

describe('a VM that fits nowhere', () => {
  it('is PENDING with its reason, and its service goes on when a host is added', async () => {
    const { id, op } = await world.deploy([{ name: 'small' }, { name: 'large', cpu: 2_000 }], { deployment: 'none' });
    await eventually(async () => (await world.vms(id)).filter(isVmRunning).length === 1);
    const [large] = await eventually(async () => {
      const vms = await world.vms(id, 'large');
      return vms[0]?.reason ? vms : undefined;
    });
    expect(large).toMatchObject({
      state: 'PENDING',
      reason: expect.stringMatching(/^needs 2000 CPU; the freest of 2 enabled hosts has \d+$/),
    });
    expect(await world.operation(op)).toMatchObject({ state: 'running' });
    await world.accounted();
    await world.addHost({ cpu: 2_500 });
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', waiting_for: null });
    await madeOnce(id);
    await world.accounted();
  });

  it('is looked at again after 30 s, so that capacity of which nobody told only delays', async () => {
    const { op } = await world.deploy([{ name: 'huge', cpu: 4_000 }]);
    await eventually(async () => world.steps.names().includes('startRoles'));
    const [host] = await world.store.hosts.all();
    await world.store.hosts.update(host?._id ?? -1, { total: { cpu: 500_000, memory: 1_000_000 } });
    expect(await world.server.skipping(world.ended(op))).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Problem } from '../../../domain/problems.js';
import { isVmRunning } from '../../../domain/vms/vm-states.js';
import type { MemoryCall } from '../../support/memory-hypervisor.js';
import { eventually } from '../../support/processes.js';
import { someOf } from '../../support/some-of.js';
import { newWorld, pair, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { holding } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development });
});
afterAll(() => world.stop());
afterEach(() => {
  world.hypervisor.beforeEach = () => {};
  world.hypervisor.bootMilliseconds = 0;
  world.hypervisor.mend();
  world.steps.watch();
});

const forever = 3_600_000;
const gone = async (id: number): Promise<boolean> => (await world.store.services.find(id)) === null;
const stateOf = async (id: number): Promise<string> => (await world.service(id)).state;

/** Booting without end, so that whatever ends it must have come in between. */
async function deploying(): Promise<{ id: number; op: string }> {
  world.hypervisor.bootMilliseconds = forever;
  const service = await world.deploy(pair);
  await eventually(() => world.hypervisor.domains().filter(({ labels }) => labels.service === service.id).length === 2);
  return service;
}

async function failedDeploying(): Promise<{ id: number }> {
  world.hypervisor.failOn(1, { error: new Problem('deploy_refused', 'there is no such image') });
  const service = await world.deploy(pair);
  await world.ended(service.op);
  return service;
}

async function failedUndeploying(): Promise<{ id: number }> {
  const service = await world.running(pair);
  world.hypervisor.failOn(1, { error: new Problem('destroy_refused', 'the disk is locked') });
  await world.ended((await world.undeploy(service.id)).op);
  return service;
}

describe('the order of roles', () => {
  it('has the children gone before a hypervisor hears of their parents, when straight', async () => {
    const { id } = await world.running(pair);
    const seen: Record<string, string>[] = [];
    world.hypervisor.beforeEach = async ({ call, vm: number }: MemoryCall) => {
      const vm = number === null ? null : await world.store.vms.find(number);
      if (call !== 'destroy' || vm?.service?.role !== 'front') return;
      seen.push(Object.fromEntries((await world.service(id)).roles.map(({ name, state }) => [name, state])));
    };
    const { op } = await world.undeploy(id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(seen).toHaveLength(2);
    for (const states of seen) expect(states).toEqual({ front: 'UNDEPLOYING', back: 'DONE' });
    expect(await stateOf(id)).toBe('DONE');
    await world.accounted();
  });

  it('is no order at all when the deployment is none: all are called before any has answered', async () => {
    const { id } = await world.running(pair, { deployment: 'none' });
    const calls: MemoryCall[] = [];
    world.hypervisor.beforeEach = async (call) => {
      if (call.call !== 'destroy') return;
      calls.push(call);
      await eventually(() => calls.length === 4);
    };
    const { op } = await world.undeploy(id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });
});

describe('a hypervisor that refuses to remove a VM', () => {
  it('leaves the service FAILED_UNDEPLOYING with the reason, and recovery goes on to DONE', async () => {
    const { id } = await failedUndeploying();
    const { state, roles } = await world.service(id);
    expect(state).toBe('FAILED_UNDEPLOYING');
    expect(roles.map((role) => role.state)).toEqual(['RUNNING', 'FAILED_UNDEPLOYING']);
    expect(roles[1]?.reason).toMatch(/^1 VMs are left: VM \d+ \(.*\): the disk is locked$/);
    await world.accounted();
    const { op } = await world.recover(id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await stateOf(id)).toBe('DONE');
    await world.accounted();
  });

  it('that cannot be reached is tried again until it can', async () => {
    const { id } = await world.running(pair);
    for (const nth of [1, 2, 3]) world.hypervisor.failOn(nth, { when: 'after' });
    const { op } = await world.undeploy(id);
    expect(await world.server.skipping(world.ended(op))).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });
});

describe('an undeployment of a service one of whose VMs somebody terminates when its role is taken already', () => {
  it('waits for that, and both end well', async () => {
    const { id } = await world.running();
    const [vm] = await world.vms(id);
    let termination: string | undefined;
    world.steps.watch(async ({ name }, run) => {
      const result = await run();
      if (name === 'startRoleRemovals') termination ??= (await world.terminate(vm?._id ?? -1)).op;
      return result;
    });
    const { op } = await world.remove(id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await world.ended(termination ?? '')).toMatchObject({ state: 'succeeded' });
    expect(await world.vms(id)).toEqual([]);
    await world.accounted();
  });
});

describe('an undeployment of a service one of whose VMs another operation is about to terminate', () => {
  it('leaves that VM to it, and both end well', async () => {
    const { id } = await world.running();
    const [vm] = await world.vms(id);
    const held = holding('beginVmTermination');
    world.steps.watch(held.around);
    const termination = await world.terminate(vm?._id ?? -1);
    await held.reached;
    const { op } = await world.remove(id);
    await eventually(() => world.steps.done().includes('retakeRoleVms'));
    held.release();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await world.ended(termination.op)).toMatchObject({ state: 'succeeded' });
    expect(await world.vms(id)).toEqual([]);
    await world.accounted();
  });
});

describe('an undeployment of a service one of whose VMs waits for a host, by an operation of its own', () => {
  it('ends that operation, which has no run that would let go of the VM', async () => {
    const { id } = await world.running();
    const [vm] = await world.vms(id);
    const setHosts = (state: 'DISABLED' | 'MONITORED') => world.store.hosts.model.updateMany({}, { $set: { state } });
    await setHosts('DISABLED');
    const recreation = await world.recoverVm(vm?._id ?? -1, 'recreate');
    await eventually(async () => (await world.operation(recreation.op)).state === 'waiting');
    const { op } = await world.undeploy(id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await world.operation(recreation.op)).toMatchObject({ state: 'cancelled', error: { code: 'taken' } });
    expect(await world.vms(id)).toEqual([]);
    await setHosts('MONITORED');
    await world.accounted();
  });
});

describe('an undeployment of a service that is DEPLOYING', () => {
  it('pre-empts it: what was being made is gone, and the deployment says that it was cancelled', async () => {
    const { id, op: deployment } = await deploying();
    const { op } = await world.undeploy(id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await world.operation(deployment)).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
    expect(await stateOf(id)).toBe('DONE');
    expect(await world.vms(id)).toEqual([]);
    await world.accounted();
  });

  it('takes over after 30 s from a run that does not heed the cancel, and what that does later changes nothing', async () => {
    const held = holding('startRoles');
    world.steps.watch(held.around);
    const { id, op: deployment } = await world.deploy(pair);
    await held.reached;
    const { op } = await world.undeploy(id);
    const { workflow_id: workflowId } = await world.operation(deployment);
    await eventually(async () => {
      const { events } = await world.client.workflow.getHandle(workflowId).fetchHistory();
      return events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes);
    });
    const now = performance.now.bind(performance);
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 31_000);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    clock.mockRestore();
    expect(await world.operation(deployment)).toMatchObject({ state: 'cancelled', error: { code: 'taken' } });
    const done = await world.service(id);
    held.release();
    await eventually(() => world.steps.done().includes('startRoles'));
    expect(await world.service(id)).toEqual(done);
    expect(await world.vms(id)).toEqual([]);
    await world.accounted();
  });

  it('starts no more roles once it has been asked for', async () => {
    const held = holding('finishRoles');
    world.steps.watch(held.around);
    const { id, op: deployment } = await world.deploy(pair);
    await held.reached;
    const { op } = await world.undeploy(id);
    held.release();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    expect((await world.operation(deployment)).state).toBe('cancelled');
    const made = await world.store.vms.model.find({ 'service.id': id }).lean();
    expect(made.map((vm) => vm.service?.role)).toEqual(['front', 'front']);
    await world.accounted();
  });

  it('that comes before a role is begun has the deployment give way, not fail', async () => {
    const held = holding('startRoles');
    world.steps.watch(held.around);
    const { id, op: deployment } = await world.deploy([{ name: 'only' }]);
    await held.reached;
    // Only what the document says reaches the run: the moment before any cancel does.
    await world.store.services.model.updateOne({ _id: id }, { $set: { wanted: 'ANOTHER' } });
    held.release();
    expect(await world.ended(deployment)).toMatchObject({
      state: 'cancelled',
      error: { code: 'taken', detail: 'Operation ANOTHER took over.' },
    });
    expect(await world.vms(id)).toEqual([]);
    await world.store.services.model.updateOne({ _id: id }, { $set: { wanted: null } });
    expect(await world.ended((await world.recover(id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });
});

describe('a deletion', () => {
  const states: Record<string, () => Promise<number>> = {
    DEPLOYING: async () => (await deploying()).id,
    RUNNING: async () => (await world.running(pair)).id,
    FAILED_DEPLOYING: async () => (await failedDeploying()).id,
    FAILED_UNDEPLOYING: async () => (await failedUndeploying()).id,
    DONE: async () => {
      const { id } = await world.running(pair);
      await world.ended((await world.undeploy(id)).op);
      return id;
    },
    PENDING: async () => {
      const held = holding('beginDeployment');
      world.steps.watch(held.around);
      const { id } = await world.deploy(pair);
      await held.reached;
      // Let go when the deletion has been admitted: what the deployment then finds is a service that another wants.
      void eventually(async () => (await world.store.services.find(id))?.wanted !== null).then(held.release);
      return id;
    },
    UNDEPLOYING: async () => {
      const { id } = await world.running(pair);
      const held = holding('destroyVms');
      world.steps.watch(held.around);
      const { op } = await world.undeploy(id);
      await held.reached;
      void eventually(async () => (await world.store.services.find(id))?.wanted !== op).then(held.release);
      return id;
    },
  };

  it.each(someOf(Object.entries(states), 2))(
    'of a service that is %s removes every VM, then the document',
    async (state, bring) => {
      const id = await bring();
      expect(await stateOf(id)).toBe(state);
      const { op } = await world.remove(id);
      expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
      expect(await gone(id)).toBe(true);
      expect(await world.vms(id)).toEqual([]);
      await world.accounted();
    },
  );

  it('outbids an undeployment, which is then cancelled; an undeployment does not outbid it', async () => {
    const { id } = await world.running(pair);
    const held = holding('destroyVms');
    // Its first batch begins when the cancel has come: else the undeployment may be done before it does.
    world.steps.watch(async (step, run) => {
      const first = step.name === 'destroyVms' && world.steps.names().filter((name) => name === step.name).length === 1;
      return first ? held.around(step, () => step.cancelled.catch(run)) : run();
    });
    const undeployment = await world.undeploy(id);
    await held.reached;
    const deletion = await world.remove(id);
    await expect(world.undeploy(id)).rejects.toMatchObject({ code: 'operation_in_progress', operation: deletion.op });
    held.release();
    expect(await world.ended(deletion.op)).toMatchObject({ state: 'succeeded' });
    expect((await world.operation(undeployment.op)).state).toBe('cancelled');
    expect(await gone(id)).toBe(true);
    await world.accounted();
  });
});

describe('how VMs go', () => {
  it.each([
    { ofService: undefined, ofRole: undefined, asked: undefined, expected: 'terminate' },
    { ofService: 'terminate-hard', ofRole: undefined, asked: undefined, expected: 'terminate-hard' },
    { ofService: 'terminate-hard', ofRole: 'terminate', asked: undefined, expected: 'terminate' },
    { ofService: 'shutdown-hard', ofRole: undefined, asked: undefined, expected: 'terminate-hard' },
    { ofService: 'terminate', ofRole: 'terminate', asked: true, expected: 'terminate-hard' },
  ])('is $expected when the service says $ofService, the role $ofRole and the request $asked', async (one) => {
    const role = { name: 'only', ...(one.ofRole && { shutdown_action: one.ofRole }) };
    const { id } = await world.running([role], { ...(one.ofService && { shutdown_action: one.ofService }) });
    const { op } = await world.undeploy(id, one.asked);
    const operation = await world.ended(op);
    const { events } = await world.client.workflow.getHandle(operation.workflow_id).fetchHistory();
    const sent = events?.find(
      ({ activityTaskScheduledEventAttributes: step }) => step?.activityType?.name === 'destroyVms',
    );
    const [payload] = sent?.activityTaskScheduledEventAttributes?.input?.payloads ?? [];
    const { hard } = JSON.parse(Buffer.from(payload?.data ?? []).toString());
    expect(hard ? 'terminate-hard' : 'terminate').toBe(one.expected);
    expect((await world.vms(id)).filter(isVmRunning)).toEqual([]);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { judgeServices } from '../../../domain/consistency/judge-services.js';
import { Problem } from '../../../domain/problems.js';
import { isVmRunning } from '../../../domain/vms/vm-states.js';
import type { Vm } from '../../../schemas/vms/vm.js';
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
  world.hypervisor.bootMilliseconds = 0;
  world.hypervisor.mend();
  world.steps.watch();
});

const refused = { error: new Problem('deploy_refused', 'there is no such image') };
const inUse = { call: 'destroy', error: new Problem('destroy_refused', 'the disk is locked') } as const;
const succeeded = { state: 'succeeded', error: null };

const of = (count: number) => [{ name: 'web', cardinality: count }];
const idsOf = async (service: number, role?: string): Promise<number[]> =>
  (await world.vms(service, role)).map(({ _id }) => _id);
const charged = async (service: number): Promise<number | undefined> => (await world.service(service)).charge?.vms;

/** The service and its roles as they are called, with their cardinality. */
async function told(service: number): Promise<string[]> {
  const { state, roles } = await world.service(service);
  return [state, ...roles.map((role) => `${role.name} ${role.state} ${role.cardinality}`)];
}

async function terminated(...vms: number[]): Promise<void> {
  const asked = await Promise.all(vms.map((vm) => world.terminate(vm)));
  for (const { op } of asked) expect(await world.ended(op)).toMatchObject(succeeded);
}

async function crashed(vm: number): Promise<void> {
  world.hypervisor.bringDown(vm, 'failed');
  for (let look = 0; look < 2; look++) await world.tick('monitorHosts');
}

/** All books agree, and a check of consistency would find nothing wrong with the service. */
async function accounted(service: number): Promise<void> {
  await world.accounted();
  const reads = world.store.consistency.reads;
  const seen = await reads.services({ ids: [service] });
  const known = { operations: new Map(), counts: await reads.counts([service]), operationsOn: new Map() };
  expect(judgeServices(seen, known)).toEqual([]);
}

async function gone(service: number): Promise<void> {
  expect(await world.ended((await world.remove(service)).op)).toMatchObject(succeeded);
  await world.accounted();
}

describe('a VM of a service that somebody terminates', () => {
  it('takes its place and its charge with it, at once and for good; the log and “why” say who it was', async () => {
    const { id } = await world.running(of(3));
    const [first = -1] = await idsOf(id);
    const { connection } = world.store;
    const database = connection.getClient().db(connection.name);
    const changes = database.watch([{ $match: { 'ns.coll': { $in: ['vms', 'services'] } } }]);
    await changes.tryNext();
    await terminated(first);
    expect(await told(id)).toEqual(['RUNNING', 'web RUNNING 2']);
    // Nobody has to look at it: one transaction has written that the VM is DONE, and that its role has one fewer.
    const written = new Map<string, string[]>();
    const done = await eventually(async () => {
      for (let change = await changes.tryNext(); change; change = await changes.tryNext()) {
        if (change.operationType !== 'update' || change.txnNumber === undefined) continue;
        const { updatedFields = {} } = change.updateDescription;
        const transaction = `${JSON.stringify(change.lsid)} ${change.txnNumber}`;
        const what = change.ns.coll === 'vms' ? `VM ${updatedFields.state}` : Object.keys(updatedFields).join(' ');
        written.set(transaction, [...(written.get(transaction) ?? []), what]);
      }
      const ended = [...written.values()].filter((its) => its.includes('VM DONE'));
      return ended.length > 0 && ended;
    });
    await changes.close();
    expect(done).toEqual([expect.arrayContaining([expect.stringMatching(/roles\S*( |$)/)])]);
    expect(await charged(id)).toBe(2);
    const said = `VM ${first} was terminated by alice: cardinality of web is now 2`;
    expect((await world.service(id)).log.map(({ message }) => message)).toContain(said);
    expect((await world.operations.why.service(world.caller, id)).text).toContain(said);
    await expect(world.repair(id)).rejects.toMatchObject({ code: 'wrong_state' });
    await accounted(id);
    await gone(id);
  });

  it('may be each of them at the same time: a role of none runs, and so do its children', async () => {
    const { id } = await world.running(pair);
    await terminated(...(await idsOf(id, 'front')));
    expect(await told(id)).toEqual(['RUNNING', 'front RUNNING 0', 'back RUNNING 2']);
    expect(await charged(id)).toBe(2);
    await accounted(id);
    await gone(id);
  });

  it('has nothing changed by its termination while that goes on, and when it fails or is cancelled', async () => {
    const { id } = await world.running(of(2));
    const [first = -1, second = -1] = await idsOf(id);
    world.steps.watch((step, run) => (step.name === 'destroyVms' ? step.cancelled : run()));
    const cancelled = await world.terminate(first);
    await eventually(() => world.steps.names().includes('destroyVms'));
    await world.store.health.refresh([id]);
    expect(await told(id)).toEqual(['RUNNING', 'web RUNNING 2']);
    await world.cancel(cancelled.op);
    expect(await world.ended(cancelled.op)).toMatchObject({ state: 'cancelled' });
    expect(isVmRunning(await world.vm(first))).toBe(true);
    world.steps.watch();
    world.hypervisor.failVm(second, inUse);
    const failed = await world.terminate(second);
    expect(await world.ended(failed.op)).toMatchObject({ state: 'failed' });
    await eventually(async () => (await world.service(id)).state === 'WARNING');
    expect(await told(id)).toEqual(['WARNING', 'web WARNING 2']);
    expect(await charged(id)).toBe(2);
    world.hypervisor.mend();
    // The domain is there and runs: what was wrong with the service is over once the VM goes.
    await terminated(second);
    expect(await told(id)).toEqual(['RUNNING', 'web RUNNING 1']);
    await accounted(id);
    await gone(id);
  });

  it('was the one that was amiss: its service is RUNNING without it', async () => {
    const { id } = await world.running(of(2));
    const [first = -1] = await idsOf(id);
    await crashed(first);
    expect(await told(id)).toEqual(['WARNING', 'web WARNING 2']);
    await terminated(first);
    expect(await told(id)).toEqual(['RUNNING', 'web RUNNING 1']);
    await accounted(id);
    await gone(id);
  });

  it('is not waited for any more by a deployment that has no room for it', async () => {
    const { id, op } = await world.deploy([
      { name: 'big', cardinality: 3, cpu: 900 },
      { name: 'child', cardinality: 1, parents: ['big'] },
    ]);
    const waits = ({ state, reason }: Vm) => state === 'PENDING' && reason !== null;
    const vm = await eventually(async () => (await world.vms(id)).find(waits));
    await terminated(vm._id);
    expect(await world.ended(op)).toMatchObject(succeeded);
    expect(await told(id)).toEqual(['RUNNING', 'big RUNNING 2', 'child RUNNING 1']);
    expect(await world.store.vms.model.countDocuments({ 'service.id': id })).toBe(4);
    await accounted(id);
    await gone(id);
  });

  it('is not made again by the deployment that is at work on its role', async () => {
    const held = holding('finishRoles');
    world.steps.watch(held.around);
    const { id, op } = await world.deploy(of(2));
    await held.reached;
    const [first = -1] = await idsOf(id);
    await terminated(first);
    held.release();
    expect(await world.ended(op)).toMatchObject(succeeded);
    expect(await told(id)).toEqual(['RUNNING', 'web RUNNING 1']);
    expect((await world.operations.operations.show(world.caller, op)).progress).toMatchObject({ done: 1, total: 1 });
    await accounted(id);
    await gone(id);
  });

  it('is missed by nobody in a service whose deployment failed; one that is lost there is, and made again', async () => {
    world.hypervisor.failOn(5, refused);
    const { id, op } = await world.deploy([
      { name: 'front', cardinality: 3 },
      { name: 'back', cardinality: 2, parents: ['front'] },
    ]);
    expect(await world.ended(op)).toMatchObject({ state: 'failed' });
    const [first = -1, second = -1] = await idsOf(id, 'front');
    await terminated(first);
    expect(await told(id)).toEqual(['FAILED_DEPLOYING', 'front RUNNING 2', 'back FAILED_DEPLOYING 2']);
    await crashed(second);
    expect(await told(id)).toEqual(['FAILED_DEPLOYING', 'front WARNING 2', 'back FAILED_DEPLOYING 2']);
    expect(await world.ended((await world.recover(id)).op)).toMatchObject(succeeded);
    expect(await told(id)).toEqual(['RUNNING', 'front RUNNING 2', 'back RUNNING 2']);
    expect((await world.vms(id)).every(isVmRunning)).toBe(true);
    await accounted(id);
    await gone(id);
  });

  it('was all that had failed of a deployment: the service is RUNNING', async () => {
    world.hypervisor.failOn(2, refused);
    const { id, op } = await world.deploy(of(3));
    expect(await world.ended(op)).toMatchObject({ state: 'failed' });
    const [failed] = (await world.vms(id)).filter((vm) => !isVmRunning(vm));
    await terminated(failed?._id ?? -1);
    expect(await told(id)).toEqual(['RUNNING', 'web RUNNING 2']);
    await accounted(id);
    await gone(id);
  });

  it('is asked about no more: its deployment waits for an answer, and goes on without it', async () => {
    world.hypervisor.failOn(2, refused);
    const { id, op } = await world.deploy([{ ...of(2)[0], name: 'web', failure_policy: { finally: 'wait' } }]);
    await eventually(async () => (await world.operation(op)).state === 'waiting_for_you');
    const [failed] = (await world.vms(id)).filter((vm) => !isVmRunning(vm));
    await terminated(failed?._id ?? -1);
    expect(await told(id)).toEqual(['DEPLOYING', 'web FAILED_DEPLOYING 1']);
    await world.answer(op, 'retry');
    expect(await world.ended(op)).toMatchObject(succeeded);
    expect(await told(id)).toEqual(['RUNNING', 'web RUNNING 1']);
    await accounted(id);
    await gone(id);
  });

  it('is not what a repair makes again, which goes on meanwhile', async () => {
    const { id } = await world.running(of(3));
    const [first = -1, second = -1] = await idsOf(id);
    await crashed(first);
    const held = holding('destroyVms');
    world.steps.watch((step, run) =>
      step.workflowId.startsWith(`service-${id}/roles-`) ? held.around(step, run) : run(),
    );
    const { op } = await world.repair(id);
    await held.reached;
    await terminated(second);
    held.release();
    expect(await world.ended(op)).toMatchObject(succeeded);
    // What was replaced is no loss, and what was terminated is.
    expect(await told(id)).toEqual(['RUNNING', 'web RUNNING 2']);
    await accounted(id);
    await gone(id);
  });

  it('lowers the cardinality, too, of a service that is undeployed or could not be', async () => {
    const { id } = await world.running(of(3));
    const [first = -1, second = -1] = await idsOf(id);
    world.hypervisor.failVm(first, inUse);
    const held = holding('startRoleRemovals');
    world.steps.watch(held.around);
    const { op } = await world.undeploy(id);
    await held.reached;
    await terminated(second);
    expect(await told(id)).toEqual(['UNDEPLOYING', 'web RUNNING 2']);
    held.release();
    expect(await world.ended(op)).toMatchObject({ state: 'failed' });
    expect(await told(id)).toEqual(['FAILED_UNDEPLOYING', 'web FAILED_UNDEPLOYING 2']);
    world.hypervisor.mend();
    await terminated(first);
    expect(await told(id)).toEqual(['FAILED_UNDEPLOYING', 'web FAILED_UNDEPLOYING 1']);
    await accounted(id);
    expect(await world.ended((await world.recover(id)).op)).toMatchObject(succeeded);
    expect(await told(id)).toEqual(['DONE', 'web DONE 1']);
    expect(await charged(id)).toBeUndefined();
    await accounted(id);
  });
});

describe('an operation that succeeds', () => {
  it('is not failed by a role that it does not have: what that lost meanwhile puts it in WARNING', async () => {
    world.hypervisor.failOn(3, refused);
    const { id, op } = await world.deploy(pair);
    expect(await world.ended(op)).toMatchObject({ state: 'failed' });
    const held = holding('startRoles');
    world.steps.watch(held.around);
    const recovery = await world.recover(id);
    await held.reached;
    const [first = -1] = await idsOf(id, 'front');
    await crashed(first);
    held.release();
    expect(await world.ended(recovery.op)).toMatchObject(succeeded);
    await expect.poll(() => told(id)).toEqual(['WARNING', 'front WARNING 2', 'back RUNNING 2']);
    expect(await world.ended((await world.repair(id)).op)).toMatchObject(succeeded);
    expect(await told(id)).toEqual(['RUNNING', 'front RUNNING 2', 'back RUNNING 2']);
    await accounted(id);
    await gone(id);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../../domain/problems.js';
import { isVmRunning } from '../../../domain/vms/vm-states.js';
import { newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { diesOnce, holding, twice } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development });
});
afterAll(() => world.stop());
afterEach(() => {
  world.hypervisor.mend();
  world.steps.watch();
});

/** db waits; web waits for it, and cache for nobody. */
const three = [
  { name: 'db', on_hold: true },
  { name: 'web', cardinality: 2, parents: ['db'] },
  { name: 'cache', cardinality: 1 },
];
const noImage = new Problem('deploy_refused', 'there is no such image');
const succeeded = { state: 'succeeded', error: null };

async function statesOf(id: number): Promise<Record<string, string>> {
  const { state, roles } = await world.service(id);
  return { service: state, ...Object.fromEntries(roles.map((role) => [role.name, role.state])) };
}
const runningVms = async (id: number): Promise<number> => (await world.vms(id)).filter(isVmRunning).length;

describe('a service on hold', () => {
  it('has no VMs until it is released, and then deploys its roles in their order', async () => {
    const { id } = await world.running([{ name: 'db' }, { name: 'web', cardinality: 2, parents: ['db'] }], {
      deployment: 'straight',
      on_hold: true,
    });
    expect(await statesOf(id)).toEqual({ service: 'HOLD', db: 'HOLD', web: 'HOLD' });
    expect(await world.vms(id)).toEqual([]);
    await world.accounted();
    expect((await world.operations.why.service(world.caller, id)).text).toContain(
      '2 roles are on hold, and are deployed once somebody releases them: db and web.',
    );
    await world.reconcile();
    expect(await statesOf(id)).toEqual({ service: 'HOLD', db: 'HOLD', web: 'HOLD' });

    const { op } = await world.release(id);
    expect(await world.operation(op)).toMatchObject({ kind: 'deployService' });
    expect(await world.ended(op)).toMatchObject(succeeded);
    expect(await statesOf(id)).toEqual({ service: 'RUNNING', db: 'RUNNING', web: 'RUNNING' });
    expect(await runningVms(id)).toBe(3);
    await world.accounted();
    await expect(world.release(id)).rejects.toMatchObject({
      code: 'wrong_state',
      message: `Service ${id} is RUNNING: nothing of it is on hold.`,
    });
  });

  it('is undeployed as any other', async () => {
    const { id } = await world.running([{ name: 'db' }], { on_hold: true });
    expect(await world.ended((await world.undeploy(id)).op)).toMatchObject(succeeded);
    expect(await statesOf(id)).toEqual({ service: 'DONE', db: 'DONE' });
    await world.accounted();
  });
});

describe('a role on hold', () => {
  it('holds back what waits for it, and nothing else', async () => {
    const { id, op: deployment } = await world.running(three);
    expect(await statesOf(id)).toEqual({ service: 'HOLD', db: 'HOLD', web: 'PENDING', cache: 'RUNNING' });
    expect((await world.operations.operations.show(world.caller, deployment)).progress).toMatchObject({
      ...{ done: 1, total: 1 },
    });
    const { text, actions } = await world.operations.why.service(world.caller, id);
    expect(text).toContain('Role db is on hold: it is deployed once somebody releases it. Behind that waits web.');
    expect(actions.map(({ name }) => name)).toContain('release');
    await world.accounted();
    for (const [role, code] of [
      ['cache', 'wrong_state'],
      ['bd', 'not_found'],
    ] as const)
      await expect(world.release(id, role)).rejects.toMatchObject({ code });

    expect(await world.ended((await world.release(id, 'db')).op)).toMatchObject(succeeded);
    expect(await statesOf(id)).toEqual({ service: 'RUNNING', db: 'RUNNING', web: 'RUNNING', cache: 'RUNNING' });
    expect(await runningVms(id)).toBe(4);
    await world.accounted();
  });

  it('does not keep others from being scaled, repaired and recovered, and stays on hold meanwhile', async () => {
    const { id } = await world.running(three);
    const up = await world.scale(id, 'cache', 2);
    expect(await world.ended(up.op)).toMatchObject(succeeded);
    expect(await statesOf(id)).toMatchObject({ service: 'HOLD', db: 'HOLD', web: 'PENDING', cache: 'RUNNING' });

    await world.failed(id, (vm) => vm.service?.role === 'cache' && vm.service.ordinal === 0);
    await expect(world.release(id)).rejects.toMatchObject({
      code: 'wrong_state',
      message: expect.stringContaining('Repair it first.'),
    });
    expect(await world.ended((await world.repair(id)).op)).toMatchObject(succeeded);
    expect(await statesOf(id)).toMatchObject({ service: 'HOLD', db: 'HOLD', web: 'PENDING', cache: 'RUNNING' });
    expect(await runningVms(id)).toBe(2);
    await world.accounted();
  });

  it('stays on hold when others fail to deploy, and when that is recovered', async () => {
    world.hypervisor.failOn(1, { error: noImage });
    const { id, op } = await world.deploy(three);
    expect(await world.ended(op)).toMatchObject({ state: 'failed' });
    expect(await statesOf(id)).toEqual({
      service: 'FAILED_DEPLOYING',
      db: 'HOLD',
      web: 'PENDING',
      cache: 'FAILED_DEPLOYING',
    });
    await expect(world.release(id)).rejects.toMatchObject({ code: 'wrong_state' });
    expect(await world.ended((await world.recover(id)).op)).toMatchObject(succeeded);
    expect(await statesOf(id)).toEqual({ service: 'HOLD', db: 'HOLD', web: 'PENDING', cache: 'RUNNING' });
    await world.accounted();
  });
});

describe('a release', () => {
  it('takes what is on hold and what waits for that: others are scaled, and released, meanwhile', async () => {
    const { id } = await world.running([...three, { name: 'queue', on_hold: true }]);
    const held = holding('startRoles');
    world.steps.watch(held.around);
    const { op } = await world.release(id, 'db');
    await held.reached;
    expect(await world.operation(op)).toMatchObject({ input: { roles: ['db', 'web'] } });
    expect(await world.ended((await world.scale(id, 'cache', 2)).op)).toMatchObject(succeeded);
    expect(await statesOf(id)).toMatchObject({ service: 'DEPLOYING', web: 'PENDING', cache: 'RUNNING', queue: 'HOLD' });
    await expect(world.release(id, 'db')).rejects.toMatchObject({
      ...{ code: 'operation_in_progress', operation: op },
      message: expect.stringContaining('role db'),
    });
    const other = await world.release(id, 'queue');
    held.release();
    for (const its of [op, other.op]) expect(await world.ended(its)).toMatchObject(succeeded);
    expect(new Set(Object.values(await statesOf(id)))).toEqual(new Set(['RUNNING']));
    expect((await world.service(id)).log.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['Release of role db, by alice', 'Release of role queue, by alice']),
    );
    await world.accounted();
  });

  it('asked for twice at once is done once, and by one key it is the same', async () => {
    const { id } = await world.running([{ name: 'db', on_hold: true }]);
    const key = { requestId: 'test', idempotencyKey: `release ${id}` };
    const release = () => world.operations.services.release(world.caller, id, {}, key);
    const [one, other] = await Promise.all([release(), release()]);
    expect(other.id).toBe(one.id);
    await expect(world.release(id)).rejects.toMatchObject({ code: 'operation_in_progress', operation: one.id });
    expect(await world.ended(one.id)).toMatchObject(succeeded);
    expect((await release()).id).toBe(one.id);
    for (const { _id } of await world.vms(id)) expect(world.hypervisor.timesMade(_id)).toBe(1);
  });

  it.each([
    ['does its steps twice', () => twice],
    ['loses its worker after each', diesOnce],
  ])('deploys what was on hold once, also when its run %s', async (_, around) => {
    const { id } = await world.running(three);
    world.steps.watch(around());
    expect(await world.ended((await world.release(id)).op)).toMatchObject(succeeded);
    expect(await statesOf(id)).toEqual({ service: 'RUNNING', db: 'RUNNING', web: 'RUNNING', cache: 'RUNNING' });
    for (const { _id } of await world.vms(id)) expect(world.hypervisor.timesMade(_id)).toBe(1);
    await world.accounted();
  });

  it('that fails is recovered, not held again', async () => {
    const { id } = await world.running([{ name: 'db', on_hold: true }]);
    world.hypervisor.failOn(1, { error: noImage });
    const { op } = await world.release(id);
    expect(await world.ended(op)).toMatchObject({ state: 'failed' });
    expect(await statesOf(id)).toEqual({ service: 'FAILED_DEPLOYING', db: 'FAILED_DEPLOYING' });
    expect(await world.ended((await world.recover(id)).op)).toMatchObject(succeeded);
    expect(await statesOf(id)).toEqual({ service: 'RUNNING', db: 'RUNNING' });
  });
});

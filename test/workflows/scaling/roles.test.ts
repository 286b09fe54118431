import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../../domain/problems.js';
import { isVmRunning } from '../../../domain/vms/vm-states.js';
import { unconditional } from '../../../requests/precondition.js';
import { RoleSchedules } from '../../../schemas/scaling/schedules.js';
import { newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { diesOnce, holding, twice } from '../../support/world-steps.js';

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

const two = [
  { name: 'db', cardinality: 1 },
  { name: 'web', cardinality: 2, parents: ['db'] },
];
const straight = { deployment: 'straight' } as const;
const succeeded = { state: 'succeeded', error: null };
const noImage = new Problem('deploy_refused', 'there is no such image');

const rolesOf = async (id: number): Promise<string[]> =>
  (await world.service(id)).roles.map(({ name, state, cardinality }) => `${name} ${state} ${cardinality}`);
const charge = async (id: number) => (await world.service(id)).charge?.vms;
const policies = {
  ...{ min_vms: 1, max_vms: 3 },
  scheduled_policies: [{ type: 'CARDINALITY' as const, adjust: 2, recurrence: '0 3 * * *' }],
};

describe('a role that is added', () => {
  it('is deployed beside what goes on with others, with what it is charged and when its policies are due', async () => {
    const { id } = await world.running(two, straight);
    const held = holding('finishScaling');
    world.steps.watch(held.around);
    const scaling = await world.scale(id, 'web', 3);
    await held.reached;
    const added = await world.addRole(id, { name: 'cache', cardinality: 2, parents: ['db'], ...policies });
    held.release();
    expect(await world.operation(added.op)).toMatchObject({ kind: 'scaleRole', role: 'cache' });
    for (const { op } of [scaling, added]) expect(await world.ended(op)).toMatchObject(succeeded);
    expect(await rolesOf(id)).toEqual(['db RUNNING 1', 'web RUNNING 3', 'cache RUNNING 2']);
    expect((await world.vms(id, 'cache')).filter(isVmRunning)).toHaveLength(2);
    const service = await world.service(id);
    expect(service).toMatchObject({ state: 'RUNNING', charge: { vms: 6 } });
    expect(service.schedule?.of).toMatchObject([{ role: 'cache', policy: 0 }]);
    expect(service.log.map(({ message }) => message)).toContain('Role cache is added, with 2 nodes, by alice');
    await world.accounted();
    expect((await world.operations.why.operation(world.caller, added.op)).text).toMatch(
      /The addition of role cache of service/,
    );

    const repaired = await world.scale(id, 'cache', 1);
    expect(await world.ended(repaired.op)).toMatchObject(succeeded);
    expect(await world.ended((await world.undeploy(id)).op)).toMatchObject(succeeded);
    await world.accounted();
  });

  it('is refused with what is wrong with it, by its place in it, and with what stands in the way', async () => {
    const { id } = await world.running([{ name: 'db', on_hold: true }, { name: 'web' }], straight);
    const wrongs = [
      [{ name: 'web' }, 'invalid_request', '/name'],
      [{ name: 'a', parents: ['bd'] }, 'invalid_request', '/parents/0'],
      [{ name: 'a', vm_template: 404 }, 'invalid_request', '/vm_template'],
      [{ name: 'a', min_vms: 2 }, 'invalid_request', '/cardinality'],
      [{ name: 'a', vm_template_contents: 'CPU=' }, 'invalid_request', '/vm_template_contents'],
      [{ name: 'a', user_inputs: { SIZE: 'M|number|How many?' } }, 'invalid_request', '/user_inputs_values/SIZE'],
      [{ name: 'a', placement: { anti_affinity: ['web'] } }, 'invalid_request', '/placement/anti_affinity/0'],
      [{ name: 'a', parents: ['db'] }, 'wrong_state', undefined],
    ] as const;
    for (const [role, code, pointer] of wrongs) {
      const refusal = await world.addRole(id, role).then(
        () => null,
        (error: unknown) => error,
      );
      expect(refusal, JSON.stringify(role)).toBeInstanceOf(Problem);
      if (!(refusal instanceof Problem)) continue;
      expect([refusal.code, refusal.findings[0]?.pointer], refusal.message).toEqual([code, pointer]);
    }
    expect((await world.service(id)).roles).toHaveLength(2);
    expect(await charge(id)).toBe(2);
    const waits = await world.addRole(id, { name: 'a', parents: ['db'], on_hold: true });
    expect(await world.ended(waits.op)).toMatchObject(succeeded);
    expect(await rolesOf(id)).toEqual(['db HOLD 1', 'web RUNNING 1', 'a HOLD 1']);
    expect(await world.ended((await world.release(id)).op)).toMatchObject(succeeded);
    expect(await rolesOf(id)).toEqual(['db RUNNING 1', 'web RUNNING 1', 'a RUNNING 1']);
    await world.accounted();
  });

  it('that fails keeps what runs, and is recovered or removed', async () => {
    const { id } = await world.running(two, straight);
    const fails = async (name: string) => {
      world.hypervisor.failOn(1, { error: noImage });
      const { op } = await world.addRole(id, { name, cardinality: 2 });
      expect(await world.ended(op)).toMatchObject({ state: 'failed' });
      world.hypervisor.mend();
    };
    await fails('cache');
    expect(await rolesOf(id)).toContain('cache FAILED_SCALING 2');
    expect(await world.ended((await world.recover(id)).op)).toMatchObject(succeeded);
    expect(await rolesOf(id)).toContain('cache RUNNING 2');
    await fails('mail');
    expect(await world.ended((await world.removeRole(id, 'mail')).op)).toMatchObject(succeeded);
    expect(await rolesOf(id)).toEqual(['db RUNNING 1', 'web RUNNING 2', 'cache RUNNING 2']);
    expect(await charge(id)).toBe(5);
    await world.accounted();
  });
});

describe('a role that is removed', () => {
  it('is gone with its VMs, its charge and its policies, and numbers go on when it comes again', async () => {
    const { id } = await world.running([...two, { name: 'cache', cardinality: 2 }], straight);
    await world.operations.schedules.replace(world.caller, id, 'cache', RoleSchedules.parse(policies), unconditional);
    const { op } = await world.removeRole(id, 'cache');
    expect(await world.ended(op)).toMatchObject(succeeded);
    expect(await rolesOf(id)).toEqual(['db RUNNING 1', 'web RUNNING 2']);
    const service = await world.service(id);
    expect(service).toMatchObject({ state: 'RUNNING', charge: { vms: 3 }, schedule: { of: [], due_at: null } });
    expect(Object.keys(service.capacities ?? {})).toEqual(['db', 'web']);
    expect(await world.vms(id, 'cache')).toEqual([]);
    await world.accounted();
    expect((await world.operations.why.operation(world.caller, op)).text).toMatch(
      /The removal of role cache of service/,
    );
    const again = await world.addRole(id, { name: 'cache', cardinality: 1 });
    expect(await world.ended(again.op)).toMatchObject(succeeded);
    expect((await world.vms(id, 'cache')).map(({ service: of }) => of?.ordinal)).toEqual([2]);
  });

  it('is none that others depend on, and none with protected VMs but by force', async () => {
    const { id } = await world.running([{ name: 'db' }, { name: 'web', parents: ['db'] }], straight);
    await expect(world.removeRole(id, 'db')).rejects.toMatchObject({
      code: 'wrong_state',
      message: 'Other roles depend on role db. Remove those first.',
      findings: [{ pointer: '/roles/1/parents/0', detail: 'role web waits for it' }],
    });
    await expect(world.removeRole(id, 'wbe')).rejects.toMatchObject({ code: 'not_found' });
    const [vm] = await world.vms(id, 'web');
    await world.store.vms.model.updateOne({ _id: vm?._id }, { $set: { 'user_template.PROTECTED': 'YES' } });
    await expect(world.removeRole(id, 'web')).rejects.toMatchObject({
      code: 'wrong_state',
      message: `VM ${vm?._id} of role web is protected: use force to have it go all the same.`,
    });
    expect(await world.ended((await world.removeRole(id, 'web', true)).op)).toMatchObject(succeeded);
    expect(await world.ended((await world.removeRole(id, 'db')).op)).toMatchObject(succeeded);
    expect(await world.service(id)).toMatchObject({ state: 'RUNNING', roles: [], charge: { vms: 0 } });
    await world.accounted();
  });

  it('that is on hold was never there', async () => {
    const { id } = await world.running([{ name: 'db', on_hold: true, cardinality: 2 }, { name: 'web' }]);
    expect(await world.ended((await world.removeRole(id, 'db')).op)).toMatchObject(succeeded);
    expect(await rolesOf(id)).toEqual(['web RUNNING 1']);
    expect(await world.service(id)).toMatchObject({ state: 'RUNNING', charge: { vms: 1 } });
    await world.accounted();
  });

  it('and cannot be, stays to be removed: a recovery goes on, and another scaling keeps it', async () => {
    const { id } = await world.running([{ name: 'web', cardinality: 2 }, { name: 'db' }]);
    const fails = async () => {
      world.hypervisor.failOn(1, { error: new Problem('destroy_refused', 'the disk is locked') });
      const { op } = await world.removeRole(id, 'web');
      expect(await world.ended(op)).toMatchObject({ state: 'failed' });
      world.hypervisor.mend();
      expect((await rolesOf(id))[0]).toBe('web FAILED_SCALING 0');
      await world.accounted();
    };
    await fails();
    const other = await world.scale(id, 'db', 2);
    expect(await world.ended(other.op)).toMatchObject(succeeded);
    expect(await world.ended((await world.scale(id, 'web', 2)).op)).toMatchObject(succeeded);
    // What could not be removed is one of its VMs again, of which it is not known whether it runs.
    expect(await rolesOf(id)).toEqual(['web WARNING 2', 'db RUNNING 2']);
    expect(await world.ended((await world.repair(id)).op)).toMatchObject(succeeded);
    expect(await rolesOf(id)).toEqual(['web RUNNING 2', 'db RUNNING 2']);
    await fails();
    expect(await world.ended((await world.recover(id)).op)).toMatchObject(succeeded);
    expect(await rolesOf(id)).toEqual(['db RUNNING 2']);
    await world.accounted();
  });

  it('gives way to an undeployment', async () => {
    const { id } = await world.running(two);
    const held = holding('staffRole');
    world.steps.watch(held.around);
    const { op } = await world.removeRole(id, 'web');
    await held.reached;
    const undeployment = await world.undeploy(id);
    held.release();
    expect(await world.ended(undeployment.op)).toMatchObject(succeeded);
    expect((await world.ended(op)).state).toBe('cancelled');
    expect((await world.service(id)).state).toBe('DONE');
    await world.accounted();
  });
});

describe.each([
  ['done twice', () => twice],
  ['lost with its worker once it is done', diesOnce],
])('with each step %s', (_, around) => {
  it('a role is added once, and removed once', async () => {
    const { id } = await world.running(two);
    world.steps.watch(around());
    expect(await world.ended((await world.addRole(id, { name: 'cache', cardinality: 2 })).op)).toMatchObject(succeeded);
    for (const { _id } of await world.vms(id)) expect(world.hypervisor.timesMade(_id)).toBe(1);
    expect(await charge(id)).toBe(5);
    world.steps.watch(around());
    expect(await world.ended((await world.removeRole(id, 'cache')).op)).toMatchObject(succeeded);
    expect(await rolesOf(id)).toEqual(['db RUNNING 1', 'web RUNNING 2']);
    expect(await charge(id)).toBe(3);
    await world.accounted();
  });
});

describe('two at once', () => {
  it('that add the same role: one does, and nothing is charged twice', async () => {
    const { id } = await world.running([{ name: 'db' }]);
    const asked = await Promise.allSettled([0, 1].map(() => world.addRole(id, { name: 'web' })));
    const ops = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value.op] : []));
    expect(ops).toHaveLength(1);
    for (const op of ops) expect(await world.ended(op)).toMatchObject(succeeded);
    expect(await rolesOf(id)).toEqual(['db RUNNING 1', 'web RUNNING 1']);
    expect(await charge(id)).toBe(2);
    await world.accounted();
  });

  it('of which one removes what the other’s new role waits for: never is a role left without its parent', async () => {
    const { id } = await world.running([{ name: 'db' }], straight);
    const asked = await Promise.allSettled([
      world.removeRole(id, 'db'),
      world.addRole(id, { name: 'web', parents: ['db'] }),
    ]);
    for (const one of asked) if (one.status === 'fulfilled') await world.ended(one.value.op);
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const names = (await world.service(id)).roles.map(({ name }) => name);
    expect([[], ['db', 'web']]).toContainEqual(names);
    await world.accounted();
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deploymentActivities } from '../../../activities/services/deployment.js';
import { Problem } from '../../../domain/problems.js';
import { isVmRunning } from '../../../domain/vms/vm-states.js';
import { eventually } from '../../support/processes.js';
import { newWorld, type World } from '../../support/world.js';

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

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const settings = { vmNameTemplate: '$ROLE_NAME_$VM_NUMBER', shutdownAction: 'terminate' } as const;

/** The id that the next VM would get. */
const nextId = async (): Promise<number> => (await world.store.counters.one('vm')) + 1;

/** How many of the steps since they were last watched have this name. */
const times = (name: string): number => world.steps.names().filter((seen) => seen === name).length;

/** Steps of these VMs’ deployment wait until they are let go; resolves when the first of them is there. */
function slowly(isSlow: (role: string) => boolean): { reached: Promise<void>; release: () => void } {
  let [release, reach] = [() => {}, () => {}];
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  world.hypervisor.beforeEach = async ({ call, vm: id }) => {
    if (call !== 'deploy' || id === null) return;
    if (!isSlow((await world.vm(id)).service?.role ?? '')) return;
    reach();
    await released;
  };
  return { reached, release };
}

describe('a service of many roles', () => {
  it('is deployed and undeployed in a few steps, however many roles there are', async () => {
    const roles = many(120, (at) => ({ name: `r${at}` }));
    const { id } = await world.running(roles, { deployment: 'none' });
    // A hundred roles go together at most, and fifty VMs.
    expect([times('startRoles'), times('bootVms'), times('finishRoles')]).toEqual([2, 3, expect.any(Number)]);
    // A batch that takes long tells of those that are done before it ends: the slower the machine, the more often.
    expect(times('finishRoles')).toBeLessThanOrEqual(12);
    await world.accounted();
    world.steps.watch();
    const { op } = await world.undeploy(id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect([times('startRoleRemovals'), times('destroyVms')]).toEqual([2, 3]);
    expect(times('finishRoleRemovals')).toBeLessThanOrEqual(12);
    await world.accounted();
  });

  it('whose VMs fit nowhere has all of them PENDING with a reason, looks for hosts at once, and draws no id twice', async () => {
    const before = await nextId();
    const roles = many(60, (at) => ({ name: `r${at}`, cardinality: 10, cpu: at % 2 === 0 ? 1_100 : 1_200 }));
    const { id, op } = await world.deploy(roles, { deployment: 'none' });
    await eventually(async () => {
      const vms = await world.vms(id);
      return vms.length === 600 && vms.every(({ state, reason }) => state === 'PENDING' && reason !== null);
    });
    // Who waits is noted after its VMs are: of the second call a moment later.
    await eventually(async () =>
      /^(capacity for 10 VMs of role r\d+; ){3}and 57 more roles wait$/.test(
        (await world.operation(op)).waiting_for ?? '',
      ),
    );
    expect(times('startRoles')).toBe(2);
    expect((await world.vms(id)).map(({ _id }) => _id)).toEqual(many(600, (at) => before + at));
    expect(await nextId()).toBe(before + 601);
    await world.addHost({ cpu: 1_150 });
    // One host, one VM: whoever waits looks together, however many roles they are of.
    await eventually(async () => (await world.vms(id)).filter(isVmRunning).length === 1);
    expect(times('placeRoles')).toBeLessThanOrEqual(3);
    await world.accounted();
    const removal = await world.remove(id);
    expect(await world.ended(removal.op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await world.vms(id)).toEqual([]);
    await world.accounted();
  });

  it('has a role fail by itself, and those that were begun with it run', async () => {
    const roles = many(5, (at) => ({ name: `r${at}`, cpu: at === 2 ? 2 : 1 }));
    let removed: number | undefined;
    world.steps.watch(async ({ name }, run) => {
      if (name === 'startRoles' && removed === undefined) {
        const [service] = await world.store.services.model.find({ state: 'DEPLOYING' }).lean();
        removed = service?.roles[2]?.vm_template;
        await world.store.vmTemplates.model.deleteOne({ _id: removed });
      }
      return run();
    });
    const second = await world.deploy(roles, { deployment: 'none' });
    expect(await world.ended(second.op)).toMatchObject({ state: 'failed', error: { code: 'roles_failed' } });
    const after = await world.service(second.id);
    expect(after.roles.map(({ state }) => state)).toEqual(many(5, (at) => (at === 2 ? 'FAILED_DEPLOYING' : 'RUNNING')));
    expect(after.roles[2]?.reason).toContain('there is no such VM template');
    await world.accounted();
  });

  it('has a step that fails for several done for each of them alone: what fails for one is no matter of the others', async () => {
    world.steps.watch(async ({ name }, run) => {
      const result = run();
      if (name === 'finishRoles' && times('finishRoles') === 1)
        throw new Problem('internal', 'an injected failure, though all was done');
      return result;
    });
    const { op } = await world.deploy(
      many(5, (at) => ({ name: `r${at}` })),
      { deployment: 'none' },
    );
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    await world.accounted();
  });
});

describe('a slow VM', () => {
  const roles = [{ name: 'quick' }, { name: 'slow' }, { name: 'child', parents: ['quick'] }];

  it('holds up no role but its own and those that wait for it, though they are booted together', async () => {
    const slow = slowly((role) => role === 'slow');
    const { id, op } = await world.deploy(roles);
    await slow.reached;
    await eventually(async () => (await world.service(id)).roles[2]?.state === 'RUNNING');
    expect((await world.service(id)).roles.map(({ state }) => state)).toEqual(['RUNNING', 'DEPLOYING', 'RUNNING']);
    expect(times('bootVms')).toBe(2);
    slow.release();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    await world.accounted();
  });

  it('whose host does not answer is tried again by itself, and its role fails by itself', async () => {
    world.hypervisor.beforeEach = async ({ call, vm: id }) => {
      if (call === 'deploy' && id !== null && (await world.vm(id)).service?.role === 'slow')
        throw new Problem('backend_unavailable', 'the rack has no power');
    };
    const { id, op } = await world.deploy(roles);
    await eventually(async () => (await world.service(id)).roles[2]?.state === 'RUNNING');
    expect(await world.server.skipping(world.ended(op))).toMatchObject({ state: 'failed' });
    const { roles: after } = await world.service(id);
    expect(after.map(({ state }) => state)).toEqual(['RUNNING', 'FAILED_DEPLOYING', 'RUNNING']);
    expect(after[1]?.reason).toContain('the rack has no power');
    await world.accounted();
  });
});

describe('a step on several roles', () => {
  it('that is done again, or twice at once, draws no ids and makes nothing twice', async () => {
    const held = many(4, (at) => ({ name: `r${at}`, cardinality: at + 1 }));
    let [again, drawn] = [0, 0];
    world.steps.watch(async ({ name, workflowId }, run) => {
      if (name !== 'startRoles' || again > 0) return run();
      const first = await run();
      again += 1;
      const service = Number(workflowId.split('-')[1]);
      const { operation } = await world.service(service);
      const before = await nextId();
      const { startRoles } = deploymentActivities({ store: world.store, directory: world.directory, settings });
      const input = { op: operation ?? '', service, roles: held.map(({ name: role }) => ({ role, step: 1 })) };
      expect(await Promise.all([startRoles(input), startRoles(input)])).toEqual([first, first]);
      drawn = (await nextId()) - before - 1;
      return first;
    });
    const { id } = await world.running(held, { deployment: 'none' });
    expect([again, drawn]).toEqual([1, 0]);
    expect((await world.vms(id)).map(({ name }) => name)).toHaveLength(10);
    await world.accounted();
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../../domain/problems.js';
import { isVmRunning } from '../../../domain/vms/vm-states.js';
import { eachMetric } from '../../../schemas/hosts/metrics.js';
import { type Asked, newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { holding } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development });
});
afterAll(() => world.stop());
afterEach(() => {
  delete world.settings.scalingPatience;
  world.hypervisor.bootMilliseconds = 0;
  world.hypervisor.mend();
  world.steps.watch();
});

const two = [
  { name: 'web', cardinality: 2, min_vms: 1, max_vms: 6 },
  { name: 'db', cardinality: 1 },
];

const role = async (id: number, name: string) => {
  const found = (await world.service(id)).roles.find((one) => one.name === name);
  if (!found) throw new Error(`there is no role ${name}`);
  return found;
};
const runningOf = async (id: number, name: string): Promise<number[]> =>
  (await world.vms(id, name)).filter(isVmRunning).map(({ _id }) => _id);
const domainsOf = (vms: readonly number[]): number =>
  world.hypervisor.domains().filter(({ vm }) => vms.includes(vm)).length;

async function booting(id: number, name: string): Promise<void> {
  await expect.poll(async () => (await world.vms(id, name)).some(({ lcm_state }) => lcm_state === 'BOOT')).toBe(true);
}

describe('a role', () => {
  it('is given more VMs, and then fewer: the oldest go, and no number is given twice', async () => {
    const { id } = await world.running(two);
    const up = await world.scale(id, 'web', 5);
    expect(await world.operation(up.op)).toMatchObject({
      kind: 'scaleRole',
      role: 'web',
      workflow_id: `service-${id}/web`,
    });
    expect(await world.ended(up.op)).toMatchObject({ state: 'succeeded', error: null });
    const five = await runningOf(id, 'web');
    expect(five).toHaveLength(5);
    expect(domainsOf(five)).toBe(5);
    expect(await role(id, 'web')).toMatchObject({ state: 'RUNNING', cardinality: 5, operation: null });
    expect((await world.service(id)).state).toBe('RUNNING');
    await world.accounted();

    const down = await world.scale(id, 'web', 1);
    expect(await world.ended(down.op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await runningOf(id, 'web')).toEqual(five.slice(-1));
    expect(domainsOf(five)).toBe(1);
    expect(await role(id, 'web')).toMatchObject({ state: 'RUNNING', cardinality: 1, last_vmname: 5 });
    expect((await world.service(id)).log.map(({ message }) => message)).toEqual([
      ...['Deployment, by alice', 'New state: DEPLOYING', 'New state: RUNNING'],
      ...[
        'Role web scaling up from 2 to 5 nodes, by alice',
        'New state: SCALING',
        'Role web : RUNNING',
        'New state: RUNNING',
      ],
      ...[
        'Role web scaling down from 5 to 1 nodes, by alice',
        'New state: SCALING',
        'Role web : RUNNING',
        'New state: RUNNING',
      ],
    ]);
    await world.accounted();
  });
});

describe('scalings of one service', () => {
  it('go on side by side, each under its own ID, and the service is SCALING until the last is over', async () => {
    const { id } = await world.running(two);
    const held = holding('finishScaling');
    world.steps.watch(held.around);
    const [web, db] = [await world.scale(id, 'web', 3), await world.scale(id, 'db', 2)];
    await held.reached;
    expect((await world.service(id)).state).toBe('SCALING');
    expect((await world.operation(db.op)).workflow_id).toBe(`service-${id}/db`);
    held.release();
    for (const { op } of [web, db]) expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    expect((await world.service(id)).state).toBe('RUNNING');
    expect([await runningOf(id, 'web'), await runningOf(id, 'db')].map(({ length }) => length)).toEqual([3, 2]);
    await world.accounted();
  });

  it('refuse one another on the same role, by naming the operation and who asked for it', async () => {
    const { id } = await world.running(two);
    world.hypervisor.bootMilliseconds = 3_600_000;
    const { op } = await world.scale(id, 'web', 3);
    await expect(world.scale(id, 'web', 4)).rejects.toMatchObject({
      code: 'operation_in_progress',
      operation: op,
      message: expect.stringContaining(
        `Operation ${op} (scaleRole) is at work on role web of service ${id}, for alice.`,
      ),
    });
    await booting(id, 'web');
    await world.cancel(op);
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled' });
    await world.accounted();
  });
});

describe('a scaling', () => {
  it('is over when its role is no more SCALING: whoever sees that may scale it again', async () => {
    const { id } = await world.running(two);
    const { op } = await world.scale(id, 'web', 3);
    // Between its last two steps, where it had said so and not ended yet.
    const again: Promise<Asked>[] = [];
    world.steps.watch(async ({ name }, run) => {
      if (name === 'endOperation' && again.length === 0) {
        expect(await role(id, 'web')).toMatchObject({ state: 'RUNNING', operation: null });
        again.push(world.scale(id, 'web', 1));
        await again[0];
      }
      return run();
    });
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    await expect.poll(() => again.length).toBe(1);
    const next = await again[0];
    expect(await world.ended(next?.op ?? '')).toMatchObject({ state: 'succeeded', error: null });
    expect(await runningOf(id, 'web')).toHaveLength(1);
    await world.accounted();
  });

  it('that is cancelled in the middle has failed, keeps what runs, and goes on when it is recovered', async () => {
    const { id } = await world.running(two);
    const before = await runningOf(id, 'web');
    world.hypervisor.bootMilliseconds = 3_600_000;
    const { op } = await world.scale(id, 'web', 4);
    await booting(id, 'web');
    await world.cancel(op);
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
    expect(await role(id, 'web')).toMatchObject({
      state: 'FAILED_SCALING',
      reason: 'cancelled',
      cardinality: 4,
      operation: null,
    });
    expect((await world.service(id)).state).toBe('FAILED_SCALING');
    expect(await runningOf(id, 'web')).toEqual(before);
    await world.accounted();
    world.hypervisor.bootMilliseconds = 0;
    const again = await world.recover(id);
    expect(await world.operation(again.op)).toMatchObject({ kind: 'scaleRole', role: 'web', retry_of: op });
    expect(await world.ended(again.op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await runningOf(id, 'web')).toHaveLength(4);
    expect((await world.service(id)).state).toBe('RUNNING');
    await world.accounted();
  });

  it('that lost a VM to its hypervisor has failed with the reason of that, is tried again, and replaces it', async () => {
    const { id } = await world.running(two);
    world.hypervisor.failOn(1, { error: new Problem('deploy_refused', 'there is no such image') });
    const { op } = await world.scale(id, 'web', 3);
    const ended = await world.ended(op);
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'roles_failed' } });
    expect(ended.error?.detail).toContain('role web: 2 of 3 VMs run: VM');
    expect(ended.error?.detail).toContain('there is no such image');
    expect((await role(id, 'web')).reason).toContain('there is no such image');
    const again = await world.retry(op);
    expect(await world.ended(again.op)).toMatchObject({ state: 'succeeded', retry_of: op });
    expect(await runningOf(id, 'web')).toHaveLength(3);
    expect((await role(id, 'web')).last_vmname).toBe(4);
    await world.accounted();
  });

  it('whose removal the hypervisor refuses has failed, and goes on when the same is asked for again', async () => {
    const { id } = await world.running(two);
    world.hypervisor.failOn(1, { error: new Problem('destroy_refused', 'the disk is locked') });
    const { op } = await world.scale(id, 'web', 1);
    expect(await world.ended(op)).toMatchObject({ state: 'failed' });
    expect(await role(id, 'web')).toMatchObject({ state: 'FAILED_SCALING', cardinality: 1, surplus: 1 });
    await world.accounted();
    const again = await world.scale(id, 'web', 1);
    expect(await world.ended(again.op)).toMatchObject({ state: 'succeeded' });
    expect(await role(id, 'web')).toMatchObject({ state: 'RUNNING', cardinality: 1, surplus: 0 });
    await world.accounted();
  });

  it('waits for room, and goes on as soon as there is some', async () => {
    const { id } = await world.running([{ name: 'web', cardinality: 1, cpu: 900 }]);
    const { op } = await world.scale(id, 'web', 3);
    await expect.poll(async () => (await world.operation(op)).waiting_for).toBe('capacity for 1 VM of role web');
    await world.addHost();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await runningOf(id, 'web')).toHaveLength(3);
    expect(await world.ended((await world.undeploy(id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('waits behind a ready gate until its VMs have reported', async () => {
    const { id, op: deployment } = await world.deploy([{ name: 'web', cardinality: 1 }], { ready_status_gate: true });
    const report = async (count: number) => {
      await expect.poll(async () => (await runningOf(id, 'web')).length).toBe(count);
      for (const vm of await runningOf(id, 'web')) await world.report(vm);
    };
    await report(1);
    expect(await world.ended(deployment)).toMatchObject({ state: 'succeeded' });
    const { op } = await world.scale(id, 'web', 2);
    await expect
      .poll(async () => (await world.operation(op)).waiting_for)
      .toBe('1 VMs of role web to report READY=YES');
    await report(2);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
  });

  it('removes one VM fewer when somebody terminates one by hand meanwhile', async () => {
    const { id } = await world.running([{ name: 'web', cardinality: 4 }]);
    const four = await runningOf(id, 'web');
    const held = holding('staffRole');
    world.steps.watch(held.around);
    const { op } = await world.scale(id, 'web', 2);
    await held.reached;
    const byHand = await world.terminate(four[3] ?? -1);
    expect(await world.ended(byHand.op)).toMatchObject({ state: 'succeeded' });
    held.release();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await runningOf(id, 'web')).toEqual(four.slice(1, 3));
    expect(await role(id, 'web')).toMatchObject({ cardinality: 2, state: 'RUNNING' });
    await world.accounted();
  });

  it('gives way to an undeployment, whose run ends at once', async () => {
    const { id } = await world.running(two);
    world.hypervisor.bootMilliseconds = 3_600_000;
    const scalings = [await world.scale(id, 'web', 4), await world.scale(id, 'db', 2)];
    for (const name of ['web', 'db']) await booting(id, name);
    const undeployment = await world.undeploy(id);
    expect(await world.ended(undeployment.op)).toMatchObject({ state: 'succeeded', error: null });
    for (const { op } of scalings) {
      expect(await world.ended(op)).toMatchObject({ state: 'cancelled', error: { code: 'taken' } });
      const { workflow_id } = await world.operation(op);
      expect(await world.engine.latestRun(workflow_id)).toMatchObject({ status: 'cancelled' });
    }
    expect(await world.vms(id)).toEqual([]);
    await world.accounted();
  });

  it('whose run was terminated in Temporal has failed, and is recovered', async () => {
    const { id } = await world.running(two);
    world.hypervisor.bootMilliseconds = 3_600_000;
    const { op } = await world.scale(id, 'web', 3);
    await booting(id, 'web');
    const { workflow_id } = await world.operation(op);
    const run = await world.engine.latestRun(workflow_id);
    if (run) await world.engine.terminate(workflow_id, run, 'by mistake');
    await world.reconcile();
    expect(await world.operation(op)).toMatchObject({ state: 'failed', error: { code: 'run_lost' } });
    expect(await role(id, 'web')).toMatchObject({ state: 'FAILED_SCALING', operation: null });
    world.hypervisor.bootMilliseconds = 0;
    expect(await world.ended((await world.recover(id)).op)).toMatchObject({ state: 'succeeded' });
    expect(await runningOf(id, 'web')).toHaveLength(3);
    await world.accounted();
  });

  it('has its role rest as that says, which only force ends earlier, and reconciliation in time', async () => {
    const { id } = await world.running([{ name: 'web', cardinality: 1, cooldown: 3_600 }]);
    expect(await world.ended((await world.scale(id, 'web', 2)).op)).toMatchObject({ state: 'succeeded' });
    expect(await role(id, 'web')).toMatchObject({ state: 'COOLDOWN' });
    expect((await world.service(id)).state).toBe('COOLDOWN');
    await expect(world.scale(id, 'web', 3)).rejects.toMatchObject({ code: 'wrong_state' });
    expect(await world.ended((await world.scale(id, 'web', 3, { force: true })).op)).toMatchObject({
      state: 'succeeded',
    });
    await world.reconcile();
    expect((await world.service(id)).state).toBe('COOLDOWN');
    await world.store.services.model.updateOne({ _id: id }, { $set: { 'roles.0.cooldown_until': new Date() } });
    await world.reconcile();
    expect(await role(id, 'web')).toMatchObject({ state: 'RUNNING' });
    expect((await world.service(id)).state).toBe('RUNNING');
    await world.accounted();
  });

  it('leaves a role that rests alone when another is repaired', async () => {
    const { id } = await world.running([{ name: 'web', cooldown: 3_600 }, { name: 'db' }]);
    expect(await world.ended((await world.scale(id, 'web', 2)).op)).toMatchObject({ state: 'succeeded' });
    await world.failed(id, (vm) => vm.service?.role === 'db');
    expect(await world.ended((await world.repair(id)).op)).toMatchObject({ state: 'succeeded', error: null });
    expect((await world.service(id)).roles.map(({ state }) => state)).toEqual(['COOLDOWN', 'RUNNING']);
    expect((await world.service(id)).state).toBe('COOLDOWN');
  });
});

describe('a scaling that does not get on', () => {
  it('for want of room has failed when it has waited for as long as it may, and keeps what runs', async () => {
    await world.addHost();
    const { id } = await world.running([{ name: 'web', cardinality: 1, cpu: 1_000 }]);
    world.settings.scalingPatience = 1;
    const tooMany = 1 + (await world.store.hosts.model.countDocuments());
    const { op } = await world.scale(id, 'web', tooMany);
    const { state, error } = await world.ended(op);
    expect([state, error?.code]).toEqual(['failed', 'roles_failed']);
    expect(error?.detail).toMatch(/^role web: \d of \d VMs run: /);
    expect((await world.operation(op)).waiting_for).toBeNull();
    const running = await runningOf(id, 'web');
    // What runs is enough.
    const given = await world.recover(id, { give_up: true });
    expect(await world.ended(given.op)).toMatchObject({ state: 'succeeded', error: null });
    expect((await world.vms(id)).map(({ _id }) => _id)).toEqual(running);
    expect(await role(id, 'web')).toMatchObject({ state: 'RUNNING', cardinality: running.length });
    expect((await world.service(id)).log.map(({ message }) => message)).toContain(
      `Role web keeps what runs: its scaling is given up, cardinality ${tooMany} → ${running.length}, by alice`,
    );
    expect(await world.ended((await world.undeploy(id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('for want of reports has failed likewise; given up, its VMs are taken as they are', async () => {
    world.settings.scalingPatience = 1;
    const { id, op: deployment } = await world.deploy([{ name: 'web', cardinality: 1 }], { ready_status_gate: true });
    await expect.poll(async () => (await runningOf(id, 'web')).length).toBe(1);
    for (const vm of await runningOf(id, 'web')) await world.report(vm);
    expect(await world.ended(deployment)).toMatchObject({ state: 'succeeded' });
    const { op } = await world.scale(id, 'web', 2);
    expect(await world.ended(op)).toMatchObject({
      state: 'failed',
      error: {
        detail: 'role web: 1 of 2 VMs have not reported READY=YES: it has waited 1 s for its VMs to report READY=YES',
      },
    });
    expect(await role(id, 'web')).toMatchObject({ state: 'FAILED_SCALING', cardinality: 2 });
    const given = await world.recover(id, { role: 'web', give_up: true });
    expect(await world.ended(given.op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await role(id, 'web')).toMatchObject({ state: 'RUNNING', cardinality: 2 });
    expect(await runningOf(id, 'web')).toHaveLength(2);
    await world.accounted();
  });

  it('boots no more VMs when ten in a row have failed', async () => {
    await world.addHost();
    const { id } = await world.running([{ name: 'web', cardinality: 1 }]);
    const error = new Problem('deploy_refused', 'there is no such image');
    for (let nth = 1; nth <= 18; nth++) world.hypervisor.failOn(nth, { error });
    const calls = world.hypervisor.journal.length;
    const { op } = await world.scale(id, 'web', 19);
    expect(await world.ended(op)).toMatchObject({ state: 'failed' });
    expect(world.hypervisor.journal.slice(calls)).toHaveLength(10);
    expect((await role(id, 'web')).reason).toContain('10 VMs in a row failed: no more are booted');
    world.hypervisor.mend();
    expect(await world.ended((await world.recover(id)).op)).toMatchObject({ state: 'succeeded' });
    expect(await runningOf(id, 'web')).toHaveLength(19);
    await world.accounted();
  });

  it('boots no more either when ten in a row have failed after some that run', async () => {
    const { id } = await world.running([{ name: 'web', cardinality: 1 }]);
    const error = new Problem('deploy_refused', 'there is no such image');
    for (let nth = 2; nth <= 59; nth++) world.hypervisor.failOn(nth, { error });
    const calls = world.hypervisor.journal.length;
    const { op } = await world.scale(id, 'web', 60);
    expect((await world.ended(op)).error?.detail).toMatch(/: 1\d VMs in a row failed: no more are booted/);
    expect(world.hypervisor.journal.slice(calls)).toHaveLength(20);
    world.hypervisor.mend();
    expect(await world.ended((await world.recover(id)).op)).toMatchObject({ state: 'succeeded' });
    expect(await runningOf(id, 'web')).toHaveLength(60);
    await world.accounted();
  });
});

describe('a role that is made smaller', () => {
  const protect = async (vm: number) => {
    await world.store.vms.model.updateOne({ _id: vm }, { $set: { 'user_template.PROTECTED': 'YES' } });
  };

  it('keeps VMs that are protected, and loses those that are named; the newest first, when it says so', async () => {
    const { id } = await world.running([{ name: 'web', cardinality: 5, scale_in: 'newest' }]);
    const [one = 0, two = 0, three = 0, four = 0, five = 0] = await runningOf(id, 'web');
    for (const vm of [two, five]) await protect(vm);
    expect(await world.ended((await world.scale(id, 'web', 3, { vms: [one] })).op)).toMatchObject({
      state: 'succeeded',
    });
    expect(await runningOf(id, 'web')).toEqual([two, three, five]);
    expect((await world.vms(id)).map(({ _id }) => _id)).not.toContain(four);
    await expect(world.scale(id, 'web', 1)).rejects.toMatchObject({
      findings: [{ pointer: '/cardinality', detail: expect.stringContaining('2 VMs of role web are protected') }],
    });
    await expect(world.scale(id, 'web', 2, { vms: [five] })).rejects.toMatchObject({
      findings: [{ pointer: '/vms/0', detail: expect.stringContaining('use force') }],
    });
    const forced = await world.scale(id, 'web', 2, { vms: [five], force: true });
    expect(await world.ended(forced.op)).toMatchObject({ state: 'succeeded' });
    expect(await runningOf(id, 'web')).toEqual([two, three]);
    await world.accounted();
  });

  it('loses those that use the least, as hypervisors tell, and last those of which they tell nothing', async () => {
    const { id } = await world.running([{ name: 'web', cardinality: 4, scale_in: 'least_loaded' }]);
    const [one = 0, two = 0, three = 0, four = 0] = await runningOf(id, 'web');
    const sample = { host: 0, epoch: 9, ...eachMetric(() => 0), memory: 1 };
    const told = { one: [one, 80], three: [three, 20], four: [four, 30] } as const;
    const at = new Date();
    await world.store.metrics.add(Object.values(told).map(([vm, cpu]) => ({ ...sample, vm, cpu, at })));
    await world.store.metrics.add([{ ...sample, vm: two, cpu: 0, at: new Date(at.getTime() - 90_000) }]);
    expect(await world.ended((await world.scale(id, 'web', 2)).op)).toMatchObject({ state: 'succeeded' });
    expect(await runningOf(id, 'web')).toEqual([one, two]);
    expect(await world.ended((await world.scale(id, 'web', 1)).op)).toMatchObject({ state: 'succeeded' });
    expect(await runningOf(id, 'web')).toEqual([two]);
    await world.accounted();
  });

  it('has failed when its VMs were protected meanwhile, and says so', async () => {
    const { id } = await world.running([{ name: 'web', cardinality: 2 }]);
    const held = holding('staffRole');
    world.steps.watch(held.around);
    const { op } = await world.scale(id, 'web', 0);
    await held.reached;
    for (const vm of await runningOf(id, 'web')) await protect(vm);
    held.release();
    expect(await world.ended(op)).toMatchObject({
      state: 'failed',
      error: { detail: 'role web: 2 VMs are there, and 0 are to be; 2 of them are protected' },
    });
    expect(await runningOf(id, 'web')).toHaveLength(2);
    await world.accounted();
  });
});

describe('a scaling that waits', () => {
  it('gives way to the next one of its role, whose wish counts from then on', async () => {
    await world.addHost();
    const { id } = await world.running([{ name: 'web', cardinality: 1, cpu: 1_000 }]);
    const tooMany = 1 + (await world.store.hosts.model.countDocuments());
    const first = await world.scale(id, 'web', tooMany);
    await expect.poll(async () => (await world.operation(first.op)).waiting_for).toContain('capacity for');
    await expect(world.scale(id, 'web', tooMany)).rejects.toMatchObject({ code: 'invalid_request' });
    expect((await role(id, 'web')).operation).toBe(first.op);

    const second = await world.scale(id, 'web', tooMany + 1);
    expect(await world.ended(first.op)).toMatchObject({
      state: 'cancelled',
      error: { code: 'taken', detail: `Operation ${second.op} took over.` },
    });
    await expect.poll(async () => (await world.operation(second.op)).waiting_for).toContain('capacity for');
    expect(await role(id, 'web')).toMatchObject({ state: 'SCALING', cardinality: tooMany + 1, operation: second.op });

    const third = await world.scale(id, 'web', 1);
    expect(await world.ended(third.op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await world.ended(second.op)).toMatchObject({ state: 'cancelled', error: { code: 'taken' } });
    expect(await world.vms(id)).toHaveLength(1);
    expect(await role(id, 'web')).toMatchObject({ state: 'RUNNING', cardinality: 1, operation: null });
    expect(await world.ended((await world.undeploy(id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('does so when its run was terminated', async () => {
    await world.addHost();
    const { id } = await world.running([{ name: 'web', cardinality: 1, cpu: 1_000 }]);
    const tooMany = 1 + (await world.store.hosts.model.countDocuments());
    const { op } = await world.scale(id, 'web', tooMany);
    await expect.poll(async () => (await world.operation(op)).waiting_for).toContain('capacity for');
    const { workflow_id } = await world.operation(op);
    const run = await world.engine.latestRun(workflow_id);
    if (run) await world.engine.terminate(workflow_id, run, 'by mistake');
    const next = await world.scale(id, 'web', 1);
    expect(await world.ended(next.op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await world.operation(op)).toMatchObject({ state: 'cancelled', error: { code: 'taken' } });
    expect(await world.vms(id)).toHaveLength(1);
    expect(await world.ended((await world.undeploy(id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });
});

describe('a recovery', () => {
  it('ends the cooldown of a role, and makes nothing', async () => {
    const { id } = await world.running([{ name: 'web', cardinality: 1, cooldown: 3_600 }, { name: 'db' }]);
    expect(await world.ended((await world.scale(id, 'web', 2)).op)).toMatchObject({ state: 'succeeded' });
    const vms = await runningOf(id, 'web');
    await expect(world.recover(id, { role: 'db' })).rejects.toMatchObject({ code: 'wrong_state' });
    await expect(world.recover(id, { give_up: true })).rejects.toMatchObject({ code: 'wrong_state' });
    await expect(world.recover(id, { role: 'wbe' })).rejects.toMatchObject({ code: 'not_found' });
    const { op } = await world.recover(id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await role(id, 'web')).toMatchObject({ state: 'RUNNING', cardinality: 2 });
    expect((await world.service(id)).state).toBe('RUNNING');
    expect(await runningOf(id, 'web')).toEqual(vms);
    expect(await world.ended((await world.scale(id, 'web', 3)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('of a service in WARNING repairs it', async () => {
    const { id } = await world.running(two);
    await world.failed(id, (vm) => vm.service?.role === 'db');
    const { op } = await world.recover(id);
    expect(await world.operation(op)).toMatchObject({ kind: 'repairService' });
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
  });
});

describe('a scheduled policy', () => {
  it('scales its role once, as its owner would, though everything that looks was away when it was due', async () => {
    const start_time = new Date(Math.floor(Date.now() / 1_000) * 1_000 - 60_000).toISOString();
    const { id } = await world.running([
      {
        ...{ name: 'web', cardinality: 1, min_vms: 1, max_vms: 3 },
        scheduled_policies: [{ type: 'CARDINALITY', adjust: 2, start_time, cooldown: 600 }],
      },
    ]);
    const fired = async () => {
      await world.tick('evaluatePolicies');
      return (await world.service(id)).schedule?.of[0]?.last?.operation ?? null;
    };
    await expect.poll(fired).not.toBeNull();
    const op = await fired();
    expect(await world.ended(op ?? '')).toMatchObject({
      ...{ kind: 'scaleRole', role: 'web', state: 'succeeded', requester: { name: 'alice' } },
      idempotency_key: expect.stringMatching(`^schedule ${id}/web/0 .*${start_time}`),
    });
    expect(await runningOf(id, 'web')).toHaveLength(2);
    expect(await role(id, 'web')).toMatchObject({ state: 'COOLDOWN', cardinality: 2 });
    expect((await world.service(id)).log.map(({ message }) => message)).toContain(
      `Role web scaling up from 1 to 2 nodes, by scheduled policy 0, due at ${start_time}`,
    );
    await world.reconcile();
    expect((await world.store.operations.lastOf({ type: 'service', id }, 'web'))?._id).toBe(op);
    const shown = await world.operations.services.show(world.caller, id);
    expect(shown.roles[0]?.scheduled_policies).toMatchObject([
      { next_at: null, last: { due_at: start_time, verdict: 'scaled', why: 'from 1 to 2', operation: op } },
    ]);
    await world.accounted();
  });

  it('that is due goes before what goes by load, which is then judged by what has come of it', async () => {
    const start_time = new Date(Math.floor(Date.now() / 1_000) * 1_000 - 60_000).toISOString();
    const { id } = await world.running([
      {
        ...{ name: 'web', cardinality: 1, min_vms: 1, max_vms: 9 },
        scheduled_policies: [{ type: 'CARDINALITY', adjust: 4, start_time, cooldown: 0 }],
        elasticity_policies: [{ expression: 'ID >= 0', type: 'CHANGE', adjust: 2 }],
      },
    ]);
    const scalings = async () =>
      (await world.store.operations.model.find({ kind: 'scaleRole', 'resource.id': id }).sort({ _id: 1 })).map(
        ({ _id, input }) => ({ op: _id, input }),
      );
    await world.tick('evaluatePolicies');
    const [first, ...others] = await scalings();
    expect(first?.input).toMatchObject({ from: 1, cardinality: 4, policy: { by: { kind: 'schedule', policy: 0 } } });
    expect(others).toEqual([]);
    expect(await world.ended(first?.op ?? '')).toMatchObject({ state: 'succeeded' });
    await world.tick('evaluatePolicies');
    const [, second] = await scalings();
    expect(second?.input).toMatchObject({ from: 4, cardinality: 6, policy: { by: { kind: 'elasticity', policy: 0 } } });
    expect(await world.ended(second?.op ?? '')).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('has something done to every VM of its role, once, as its owner would', async () => {
    const start_time = new Date(Math.floor(Date.now() / 1_000) * 1_000 - 60_000).toISOString();
    const scheduled_policies = [{ action: 'recreate' as const, number: 1, period: 0, start_time }];
    const { id } = await world.running([{ name: 'web', cardinality: 2, scheduled_policies }]);
    const fired = async () => {
      await world.tick('evaluatePolicies');
      return (await world.service(id)).schedule?.of[0]?.last?.operation ?? null;
    };
    await expect.poll(fired).not.toBeNull();
    const op = (await fired()) ?? '';
    const vms = (await world.vms(id)).map(({ _id }) => _id);
    expect(await world.ended(op)).toMatchObject({
      ...{ kind: 'performOnRole', role: 'web', state: 'succeeded', requester: { name: 'alice' } },
      ...{ input: { action: 'recreate', vms, number: 1, period: 0, policy: { by: { kind: 'schedule', policy: 0 } } } },
      idempotency_key: expect.stringMatching(`^schedule ${id}/web/0 .*${start_time}`),
    });
    expect(await world.operations.operations.show(world.caller, op)).toMatchObject({
      ...{ requester: { name: 'alice' }, decided_by: 'scheduled policy 0' },
    });
    await world.reconcile();
    const performances = { kind: 'performOnRole', 'resource.id': id } as const;
    expect(await world.store.operations.model.countDocuments(performances)).toBe(1);
    const shown = await world.operations.services.show(world.caller, id);
    expect(shown.roles[0]?.scheduled_policies).toMatchObject([
      { next_at: null, last: { due_at: start_time, verdict: 'performed', operation: op } },
    ]);
    const ended = { 'resource.type': 'vm', 'resource.id': { $in: vms }, ended_at: { $ne: null } } as const;
    await expect.poll(() => world.store.operations.model.countDocuments(ended)).toBe(2);
    expect(vms.map((vm) => world.hypervisor.timesMade(vm))).toEqual([2, 2]);
    await world.accounted();
  });

  it('says that it was refused when every VM has refused it', async () => {
    const start_time = new Date(Math.floor(Date.now() / 1_000) * 1_000 - 60_000).toISOString();
    const scheduled_policies = [{ action: 'resume' as const, number: 5, period: 0, start_time }];
    const { id } = await world.running([{ name: 'web', cardinality: 2, scheduled_policies }]);
    const lastOf = async () => {
      await world.tick('evaluatePolicies');
      const shown = await world.operations.services.show(world.caller, id);
      return shown.roles[0]?.scheduled_policies?.[0]?.last ?? null;
    };
    await expect.poll(async () => (await lastOf())?.operation ?? null).not.toBeNull();
    expect(await world.ended((await lastOf())?.operation ?? '')).toMatchObject({ state: 'failed' });
    expect(await lastOf()).toMatchObject({
      verdict: 'refused',
      why: expect.stringContaining('2 of 2 VMs refused resume'),
    });
  });
});

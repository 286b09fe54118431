import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Problem, problemOf } from '../../../domain/problems.js';
import { placeOf } from '../../../domain/vms/stays.js';
import { unconditional } from '../../../requests/precondition.js';
import type { HostEdit, HostState } from '../../../schemas/hosts/host.js';
import { isFlush, type Operation } from '../../../schemas/operations/operation.js';
import type { VmSwitch } from '../../../schemas/operations/vm-action.js';
import { eventually } from '../../support/processes.js';
import { newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { diesOnce, holding, twice } from '../../support/world-steps.js';

let world: World;
/** The host that is flushed, and where its VMs go. */
let from: number;
let to: number;
beforeAll(async () => {
  world = await newWorld({ server: development });
  [from = -1, to = -1] = (await world.store.hosts.all()).map(({ _id }) => _id);
});
afterAll(() => world.stop());
const set = (host: number, state: HostState) => world.store.hosts.update(host, { state, error: null });
/** VMs come to the one host alone. */
beforeEach(async () => {
  await set(from, 'MONITORED');
  await set(to, 'DISABLED');
});
afterEach(async () => {
  world.steps.watch();
  world.hypervisor.mend();
  world.hypervisor.beforeEach = () => {};
  world.hypervisor.can.migrate = true;
  const left = await world.store.vms.model
    .find({ state: { $ne: 'DONE' }, service: null }, { _id: 1 })
    .lean()
    .exec();
  for (const { _id } of left) await world.ended((await world.terminate(_id, true)).op);
  const services = await world.store.services.model
    .find({ state: { $ne: 'DONE' } }, { _id: 1 })
    .lean()
    .exec();
  for (const { _id } of services) await world.ended((await world.undeploy(_id, true)).op);
});

async function made(action?: VmSwitch): Promise<number> {
  const { id, op } = await world.createVm();
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
  if (action) expect(await world.ended((await world.switch(id, action)).op)).toMatchObject({ state: 'succeeded' });
  return id;
}
const hostOf = async (id: number) => placeOf(await world.vm(id))?.hid;
const host = async (id: number) => (await world.store.hosts.find(id)) ?? { state: null, vms: {}, operation: null };
const migrations = (vm: number): Promise<Operation[]> =>
  world.store.operations.model
    .find({ 'resource.type': 'vm', 'resource.id': vm, kind: 'migrateVm' })
    .sort({ _id: 1 })
    .lean<Operation[]>()
    .exec();
const flushedOf = async (op: string) => {
  const operation = await world.operation(op);
  return (isFlush(operation) && operation.flushed) || {};
};
const problem = (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    (error: unknown) => problemOf(error),
  );

describe('flushHost', () => {
  it.each([
    ['every step is done twice', twice],
    ['the worker is lost after each step', diesOnce()],
  ])('frees a host: what runs goes live, what does not as it is; %s', async (_name, around) => {
    const vms = [await made(), await made(), await made('poweroff'), await made('suspend')];
    await set(to, 'MONITORED');
    world.steps.watch(around, /^host-/);
    const { op } = await world.flush(from);
    expect(await world.operation(op)).toMatchObject({ workflow_id: `host-${from}`, cluster_id: 0 });
    expect(await world.ended(op)).toMatchObject({ kind: 'flushHost', state: 'succeeded', error: null });
    expect(await host(from)).toMatchObject({ state: 'DISABLED', vms: {}, operation: null, error: null });
    for (const vm of vms) expect(await hostOf(vm)).toBe(to);
    for (const vm of vms) expect(await migrations(vm)).toMatchObject([{ state: 'succeeded' }]);
    expect(Object.values(await flushedOf(op)).map(({ outcome, live }) => [outcome, live])).toEqual([
      ...[true, true, false, false].map((live) => ['moved', live]),
    ]);
    const detail = await world.operations.operations.show(world.caller, op);
    expect(detail).toMatchObject({ progress: { done: 4, total: 4 }, flushed: { moved: 4, stays: 0, waits: 0 } });
    await world.accounted();
  });

  it('moves cold what is refused live, and says so', async () => {
    const vm = await made();
    await set(to, 'MONITORED');
    const error = new Problem('action_refused', 'its processor is another one');
    world.hypervisor.failVm(vm, { call: 'migrate', error });
    const { op } = await world.flush(from);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await hostOf(vm)).toBe(to);
    expect(await world.vm(vm)).toMatchObject({ lcm_state: 'RUNNING' });
    expect((await flushedOf(op))[vm]).toMatchObject({ outcome: 'moved', live: false, why: `live: ${error.message}` });
    expect((await migrations(vm)).map(({ state }) => state)).toEqual(['failed', 'succeeded']);
    await world.accounted();
  });

  it('where nothing migrates live takes VMs of a role one after the other, while others of it run', async () => {
    const { id } = await world.running([{ name: 'web', cardinality: 3 }]);
    const vms = (await world.vms(id)).map(({ _id }) => _id);
    await set(to, 'MONITORED');
    world.hypervisor.can.migrate = false;
    const running: number[] = [];
    world.hypervisor.beforeEach = ({ call }) => {
      if (call === 'suspend' || call === 'move' || call === 'resume')
        running.push(world.hypervisor.domains().filter((one) => vms.includes(one.vm) && one.down === null).length);
    };
    const { op } = await world.flush(from);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(running).toHaveLength(9);
    expect(Math.min(...running)).toBe(2);
    for (const vm of vms) expect(await hostOf(vm)).toBe(to);
    await world.accounted();
  });

  it('fails with what has no place elsewhere, and a retry goes on', async () => {
    const vms = [await made(), await made()];
    const { op } = await world.flush(from);
    const ended = await world.ended(op);
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'vm_failed' } });
    expect(ended.error?.detail).toMatch(/^2 of 2 VMs stay on host-1: VM \d+: .+; VM \d+: /);
    expect(await host(from)).toMatchObject({ state: 'DISABLED', operation: null });
    for (const vm of vms) expect(await migrations(vm)).toEqual([]);
    const why = await world.operations.why.host(world.caller, from);
    expect(why.text).toMatch(/The flush of host \d \(host-1\), asked for by alice, failed .*2 of 2 VMs stay/);
    expect(why.actions.map(({ name }) => name)).toEqual(['retry', 'enable']);
    await set(to, 'MONITORED');
    expect(await world.ended((await world.retry(op)).op)).toMatchObject({ state: 'succeeded', retry_of: op });
    for (const vm of vms) expect(await hostOf(vm)).toBe(to);
    await world.accounted();
  });

  it('waits for what another operation has, keeps the host as it is meanwhile, and asks for no more once it is cancelled', async () => {
    const [busy, other] = [await made(), await made('poweroff')];
    await set(to, 'MONITORED');
    const held = holding('switchVms');
    world.steps.watch(held.around);
    const reboot = await world.switch(busy, 'reboot');
    await held.reached;
    const { op } = await world.flush(from);
    await expect.poll(async () => (await flushedOf(op))[other]?.outcome).toBe('moved');
    expect((await flushedOf(op))[busy]).toMatchObject({
      outcome: 'waits',
      why: `operation ${reboot.op} is at work on it`,
    });
    const why = await world.operations.why.host(world.caller, from);
    expect(why.text).toMatch(/is being flushed for alice, since .*: 1 of 2 VMs .*Waiting: VM \d+ \(operation/);
    expect(await problem(world.flush(from))).toMatchObject({ code: 'operation_in_progress', operation: op });
    const enable = (before: HostEdit) => ({
      wish: { ...before, state: 'enabled' as const },
      named: new Set(['state']),
    });
    const edit = { revise: enable, precondition: unconditional };
    expect(await problem(world.operations.hosts.update(world.caller, from, edit))).toMatchObject({
      ...{ code: 'operation_in_progress', operation: op },
    });
    expect(await problem(world.operations.hosts.remove(world.caller, from, unconditional))).toMatchObject({
      code: 'operation_in_progress',
    });
    await world.cancel(op);
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled' });
    held.release();
    expect(await world.ended(reboot.op)).toMatchObject({ state: 'succeeded' });
    expect(await hostOf(busy)).toBe(from);
    expect(await migrations(busy)).toEqual([]);
    expect(await host(from)).toMatchObject({ state: 'DISABLED', operation: null });
    await world.accounted();
  });

  it.each([
    ['ERROR', /does not answer: it is off\./],
    ['OFFLINE', /is OFFLINE/],
  ] as const)('is refused of a host that is %s', async (state, words) => {
    await world.store.hosts.update(from, { state, error: 'it is off' });
    expect(await problem(world.flush(from))).toMatchObject({
      code: 'wrong_state',
      message: expect.stringMatching(words),
    });
  });

  it('leaves a role its last VM that runs, though the flushes of two hosts have planned at the same moment', async () => {
    await set(to, 'MONITORED');
    const { id } = await world.running([{ name: 'web', cardinality: 2 }]);
    const vms = (await world.vms(id)).map(({ _id }) => _id);
    expect(new Set(await Promise.all(vms.map(hostOf)))).toEqual(new Set([from, to]));
    const other = await world.addHost();
    world.hypervisor.can.migrate = false;
    const running: number[] = [];
    world.hypervisor.beforeEach = ({ call }) => {
      if (call === 'suspend' || call === 'move' || call === 'resume')
        running.push(world.hypervisor.domains().filter((one) => vms.includes(one.vm) && one.down === null).length);
    };
    let planned = 0;
    world.beforeFlushAsks = async () => {
      planned += 1;
      await eventually(() => planned >= 2);
    };
    const ops = [(await world.flush(from)).op, (await world.flush(to)).op];
    for (const op of ops) expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    world.beforeFlushAsks = async () => {};
    expect(Math.min(...running)).toBe(1);
    for (const vm of vms) expect(await hostOf(vm)).toBe(other);
    await world.accounted();
    await set(other, 'DISABLED');
  });

  it('says when it is asked for that snapshots are lost, and meanwhile what the VMs that are on their way wait for', async () => {
    const vm = await made('snapshot-create');
    const asIfImported = (template_id: number | null) =>
      world.store.vms.model.updateOne({ _id: vm }, { $set: { template_id } });
    const { template_id } = await world.vm(vm);
    await asIfImported(null);
    expect(await world.store.flushes.withSnapshots(from)).toEqual([]);
    await asIfImported(template_id);
    await set(to, 'MONITORED');
    const { name } = (await world.store.hosts.find(to)) ?? { name: '' };
    world.hypervisor.cutOff(name);
    const { op } = await world.flush(from);
    expect(await world.operation(op)).toMatchObject({
      warnings: [`VM ${vm} loses its snapshots on the way: they live with its domain.`],
    });
    const said = async () => (await world.operations.why.host(world.caller, from)).text;
    await expect.poll(said).toContain(`${name} cannot be reached`);
    expect(await said()).toMatch(new RegExp(`On their way: VM ${vm} \\(live, tried (?:once|twice|\\d+ times): `));
    world.hypervisor.reach(name);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await migrations(vm)).toMatchObject([{ warnings: [expect.stringContaining('loses its snapshots')] }]);
  });

  it('is refused of a host that was OFFLINE and is watched again, until somebody has looked', async () => {
    await set(from, 'OFFLINE');
    await world.operations.hosts.update(world.caller, from, {
      revise: (before) => ({ wish: { ...before, state: 'disabled' }, named: new Set(['state']) }),
      precondition: unconditional,
    });
    expect(await problem(world.flush(from))).toMatchObject({
      code: 'wrong_state',
      message: expect.stringContaining('nobody has looked at it since it was OFFLINE'),
    });
    await world.tick('monitorHosts');
    expect(await host(from)).toMatchObject({ state: 'DISABLED', error: null });
    expect(await world.ended((await world.flush(from)).op)).toMatchObject({ state: 'succeeded' });
  });

  it('is refused of a host that was disabled while it did not answer, until that has answered', async () => {
    const since = new Date(0);
    await world.store.hosts.model.updateOne({ _id: from }, { state: 'ERROR', error: 'it is off', silent_since: since });
    const to = (state: HostEdit['state']) =>
      world.operations.hosts.update(world.caller, from, {
        revise: (before) => ({ wish: { ...before, state }, named: new Set(['state']) }),
        precondition: unconditional,
      });
    await to('disabled');
    expect(await host(from)).toMatchObject({ state: 'DISABLED', error: 'it is off', silent_since: since });
    expect(await problem(world.flush(from))).toMatchObject({
      code: 'wrong_state',
      message: expect.stringMatching(/does not answer: it is off\./),
    });
    const { actions } = await world.operations.why.host(world.caller, from);
    expect(actions.map(({ name }) => name)).toEqual(['enable', 'offline', 'fenced']);
    await to('enabled');
    expect(await host(from)).toMatchObject({ error: null });
  });
});

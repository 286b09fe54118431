import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fireVmSchedules } from '../../../activities/vms/vm-schedules.js';
import { problemOf } from '../../../domain/problems.js';
import { placeOf } from '../../../domain/vms/stays.js';
import { unconditional } from '../../../requests/precondition.js';
import { limits } from '../../../schemas/common/limits.js';
import type { OperationKind } from '../../../schemas/operations/operation.js';
import type { ScheduledVmAction } from '../../../schemas/vms/vm-schedules.js';
import { newWorld, type World } from '../../support/world.js';
import { diesOnce, twice } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());

const hostOf = async (id: number) => placeOf(await world.vm(id))?.hid;

const fire = (performScheduled = world.performScheduled) =>
  new MockActivityEnvironment().run(() => fireVmSchedules({ store: world.store, performScheduled }));

/** A VM that runs, to which this is to be done; it is due by now. */
async function due(action: ScheduledVmAction, vm?: number): Promise<number> {
  const id = vm ?? (await running());
  const { schedules } = await world.operations.vmSchedules.add(
    world.caller,
    id,
    { action, start_time: '+3600' },
    unconditional,
  );
  const past = new Date(Date.now() - 60_000);
  const $set = { 'schedule.due_at': past, [`schedule.of.${schedules.length - 1}.next_at`]: past };
  await world.store.vms.model.updateOne({ _id: id }, { $set });
  return id;
}
async function running(): Promise<number> {
  const { id, op } = await world.createVm();
  await world.ended(op);
  return id;
}
const lastOf = async (id: number) =>
  (await world.operations.vmSchedules.show(world.caller, id)).schedules.map(({ next_at, last }) => [
    ...[next_at, last?.verdict, last?.operation],
  ]);
const operationsOn = (id: number, kind: OperationKind) =>
  world.store.operations.model.find({ kind, 'resource.id': id }).lean().exec();

describe('what is to be done to a VM at its time', () => {
  it('is done once by the tick, as whoever has asked for it, and what came of it is kept', async () => {
    const id = await due('poweroff');
    await world.reconcile();
    const [operation] = await operationsOn(id, 'performOnVm');
    expect(operation).toMatchObject({ input: { action: 'poweroff' }, requester: { id: world.caller.id } });
    expect(await world.ended(operation?._id ?? '')).toMatchObject({ state: 'succeeded' });
    expect(await lastOf(id)).toEqual([[null, 'performed', operation?._id]]);
    await world.reconcile();
    expect(await operationsOn(id, 'performOnVm')).toHaveLength(1);
    // Its state forbids the same again: that is said, and not tried for ever.
    await due('poweroff', id);
    await fire();
    await fire();
    expect((await lastOf(id))[1]).toEqual([null, 'refused', null]);
    const { schedules } = await world.operations.vmSchedules.show(world.caller, id);
    expect(schedules[1]?.last?.why).toContain('is POWEROFF: this is for RUNNING, UNKNOWN');
    expect((await world.vm(id)).schedule?.due_at).toBeNull();
  });

  it('is done once, though two look at once, or whoever looks dies before or after it is admitted', async () => {
    const id = await due('reboot');
    const dies = (before: boolean) =>
      fire(async (action) => {
        if (!before) await world.performScheduled(action);
        throw new Error('the worker dies');
      });
    await dies(true);
    expect(await operationsOn(id, 'performOnVm')).toEqual([]);
    await Promise.all([fire(), fire()]);
    await dies(false);
    await fire();
    const [operation, ...others] = await operationsOn(id, 'performOnVm');
    expect([others, await lastOf(id)]).toEqual([[], [[null, 'performed', operation?._id]]]);
    await world.ended(operation?._id ?? '');
    const again = await due('reboot', id);
    await dies(false);
    await fire();
    const all = await operationsOn(again, 'performOnVm');
    expect([all.length, (await lastOf(id))[1]]).toEqual([2, [null, 'performed', all.at(-1)?._id]]);
    await world.ended(all.at(-1)?._id ?? '');
  });

  it('marks, holds and lets go of it, each written with that it was done', async () => {
    const id = await due('resched');
    await fire();
    // Somebody changes his mind after it was done: whoever looks again leaves it so.
    await world.store.resched.mark(id, null);
    await fire();
    expect([(await world.vm(id)).resched, await lastOf(id)]).toEqual([null, [[null, 'performed', null]]]);
    const { id: held, op } = await world.createVm({ hold: true });
    await world.ended(op);
    await due('release', held);
    await fire();
    const released = (await world.vm(held)).schedule?.of[0]?.last?.operation ?? '';
    expect(await world.ended(released)).toMatchObject({ kind: 'deployVm', state: 'succeeded' });
    await due('hold', held);
    await fire();
    expect((await lastOf(held)).map(([, verdict]) => verdict)).toEqual(['performed', 'refused']);
  });

  it('waits for whoever is at work on it, and is over with its VM', async () => {
    const id = await due('suspend');
    await world.store.vms.model.updateOne({ _id: id }, { $set: { operation: 'somebody' } });
    await fire();
    expect(await lastOf(id)).toEqual([[expect.any(String), 'waits', null]]);
    await world.store.vms.model.updateOne({ _id: id }, { $set: { operation: null, 'schedule.due_at': new Date() } });
    await world.ended((await world.terminate(id)).op);
    await fire();
    expect(await operationsOn(id, 'performOnVm')).toEqual([]);
    expect([(await world.vm(id)).schedule?.due_at, await lastOf(id)]).toEqual([null, [[null, 'waits', null]]]);
  });

  it('is refused when whoever has asked for it may not do it any more', async () => {
    const id = await due('migrate');
    // The user is gone.
    await world.store.vms.model.updateOne({ _id: id }, { $set: { 'schedule.of.0.by': 999 } });
    await fire();
    expect((await world.vm(id)).schedule?.of[0]?.last).toMatchObject({ verdict: 'refused', operation: null });
    expect(await operationsOn(id, 'migrateVm')).toEqual([]);
  });

  it('comes with the VM template, of a role, too', async () => {
    const SCHED_ACTION = { ACTION: 'terminate', TIME: '+3600' };
    const template = { CPU: 1, MEMORY: 64, VCPU: undefined, SCHED_ACTION };
    const made = await world.operations.vmTemplates.create(world.caller, { name: 'passing', template });
    const { resource } = await world.operations.vms.create(
      world.caller,
      { template_id: made.id },
      { requestId: 'test' },
    );
    const vm = await world.vm(resource.id);
    expect(vm.schedule?.of.map(({ next_at }) => next_at)).toEqual([new Date(vm.created_at.getTime() + 3_600_000)]);
    expect([vm.template.SCHED_ACTION, vm.user_template.SCHED_ACTION]).toEqual([undefined, undefined]);
    const contents = 'SCHED_ACTION = [ ACTION = "reboot", RECURRENCE = "0 4 * * sun" ]';
    const service = await world.running([{ name: 'web', vm_template_contents: contents }], {});
    const [first] = await world.vms(service.id);
    expect(first?.schedule?.of).toMatchObject([{ action: 'reboot', by: world.caller.id, recurrence: '0 4 * * sun' }]);
  });
});

describe('what a VM has been through', () => {
  it('is written once, each change with what made it, though every step is done twice or dies', async () => {
    for (const around of [twice, diesOnce()]) {
      world.steps.watch(around);
      const id = await running();
      const from = await hostOf(id);
      await world.ended((await world.migrate(id)).op);
      await world.ended((await world.switch(id, 'poweroff')).op);
      await world.ended((await world.terminate(id)).op);
      world.steps.watch();
      const { log, history } = await world.operations.vms.log(world.caller, id);
      const short = ({ state, lcm_state }: { state: string; lcm_state: string }) =>
        state === 'ACTIVE' ? lcm_state : state;
      expect(log.map((line) => `${short(line)} ${line.action ?? '-'}`)).toEqual([
        ...['PENDING -', 'PROLOG deploy', 'BOOT deploy', 'RUNNING deploy'],
        ...['SAVE_MIGRATE migrate', 'PROLOG_MIGRATE migrate', 'BOOT_MIGRATE migrate', 'RUNNING migrate'],
        ...['SHUTDOWN_POWEROFF poweroff', 'POWEROFF poweroff', 'SHUTDOWN terminate', 'DONE terminate'],
      ]);
      expect(log.at(-1)).toMatchObject({ requester: world.caller.name, reason: null });
      expect(history).toMatchObject([
        { seq: 0, host_id: from, action: 'migrate', reason: 'user' },
        { seq: 1, action: 'terminate', reason: 'user', epilog: null },
      ]);
      const [first, second] = history;
      expect(first?.prolog?.until).toBe(first?.running?.from);
      expect(second?.running?.until).not.toBeNull();
    }
  });

  it('has what monitoring found, and is no longer than it may be', async () => {
    const id = await running();
    world.hypervisor.bringDown(id, 'failed');
    for (const _ of [1, 2]) await world.tick('monitorHosts');
    const log = () => world.vm(id).then(({ log: lines = [] }) => lines);
    expect((await log()).at(-1)).toMatchObject({ lcm_state: 'UNKNOWN', op: null, reason: expect.any(String) });
    const [line] = await log();
    await world.store.vms.model.updateOne(
      { _id: id },
      { $set: { log: Array.from({ length: limits.vmLog.most }, () => line) } },
    );
    await world.ended((await world.terminate(id, true)).op);
    const after = await log();
    expect([after.length, after.at(-1)?.state]).toEqual([limits.vmLog.most, 'DONE']);
  });
});

describe('a VM that is marked', () => {
  it('is migrated when another host takes it, as whoever has marked it would, and is not marked then', async () => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    const from = await hostOf(id);
    const others = { _id: { $ne: from } };
    await world.store.hosts.model.updateMany(others, { $set: { state: 'DISABLED' } });
    for (const _ of [1, 2]) expect(await world.resched(id, true)).toMatchObject({ id, resched: true });
    await world.reconcile();
    expect(await world.store.operations.lastOf({ type: 'vm', id })).toMatchObject({ _id: op });
    await world.store.hosts.model.updateMany(others, { $set: { state: 'MONITORED' } });
    // Its next try is a matter of time.
    await world.store.resched.later(id, new Date());
    await world.reconcile();
    const migration = await world.store.operations.lastOf({ type: 'vm', id });
    expect(migration).toMatchObject({ kind: 'migrateVm', requester: { id: 2 } });
    expect(await world.ended(migration?._id ?? '')).toMatchObject({ state: 'succeeded' });
    expect(await hostOf(id)).not.toBe(from);
    expect(await world.vm(id)).toMatchObject({ lcm_state: 'RUNNING', resched: null });
    await world.reconcile();
    expect(await world.store.operations.lastOf({ type: 'vm', id })).toMatchObject({ _id: migration?._id });
    await world.accounted();
  });

  it('is not marked any more once it was told to stay, or was switched', async () => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    await world.resched(id, true);
    expect(await world.resched(id, false)).toMatchObject({ resched: false });
    await world.resched(id, true);
    await world.ended((await world.switch(id, 'poweroff')).op);
    expect((await world.vm(id)).resched).toBeNull();
    const refused = await world.resched(id, true).catch((error: unknown) => problemOf(error)?.code);
    expect(refused).toBe('wrong_state');
  });
});

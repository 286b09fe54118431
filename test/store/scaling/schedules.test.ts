import { MockActivityEnvironment } from '@temporalio/testing';
import type { Connection } from 'mongoose';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scheduleActivities } from '../../../activities/scaling/schedules.js';
import { Problem } from '../../../domain/problems.js';
import { entriesOf, rescheduled, scheduleOf } from '../../../domain/services/schedule.js';
import type { Role, Service } from '../../../schemas/services/service.js';
import { ScheduledPolicy } from '../../../schemas/services/service-template.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { withTransaction } from '../../../store/mongo/transaction.js';
import { createStore, type Store } from '../../../store/store.js';
import { deployingService } from '../../support/deploying-service.js';
import { ownDatabaseUri } from '../../support/servers.js';

/** Two processes, as far as their stores know. */
let connections: [Connection, Connection];
let stores: [Store, Store];
beforeAll(async () => {
  const uri = ownDatabaseUri('schedules');
  connections = [await connectMongodb(uri), await connectMongodb(uri)];
  await bootstrapStore(connections[0]);
  stores = [createStore(connections[0]), createStore(connections[1])];
});
afterAll(async () => {
  await connections[0].dropDatabase();
  for (const connection of connections) await connection.close();
});

const minutes = 60_000;
const ago = (time: number): Date => new Date(Date.now() - time);
const policy = (over: object = {}): ScheduledPolicy =>
  ScheduledPolicy.parse({ type: 'CARDINALITY', adjust: 4, start_time: ago(5 * minutes).toISOString(), ...over });

let ids = 0;
/** A service whose role front has these policies. */
async function made(policies: ScheduledPolicy[], over: Partial<Service> = {}): Promise<number> {
  const id = ++ids;
  const service = deployingService(id, '');
  const roles = service.roles.map((each): Role => {
    const its = each.name === 'front' ? { min_vms: 1, max_vms: 9, scheduled_policies: policies } : {};
    return { ...each, state: 'RUNNING', cardinality: 2, ...its };
  });
  const clock = { zone: 'UTC', now: ago(10 * minutes) };
  const schedule = scheduleOf(
    roles.flatMap((role) => entriesOf(role, null, clock)),
    null,
    clock,
  );
  if (!schedule) throw new Error('there is no schedule');
  await stores[0].services.model.create([{ ...service, state: 'RUNNING', operation: null, roles, schedule, ...over }]);
  return id;
}
async function seen(id: number) {
  const service = await stores[0].services.find(id);
  if (!service) throw new Error(`there is no service ${id}`);
  const [front] = service.roles;
  return {
    ...service,
    cardinality: front?.cardinality,
    op: front?.operation ?? null,
    last: service.schedule?.of[0]?.last,
  };
}

/** What the worker does with requests, without the rest of these. `asked`: the keys that it was asked with. */
const scaling =
  (store: Store, asked: string[], dies = false) =>
  async ({
    service,
    role,
    cardinality,
    key,
    claim,
  }: Parameters<NonNullable<Parameters<typeof scheduleActivities>[0]['scaleByPolicy']>>[0]) => {
    const op = ulid();
    await withTransaction(store.connection, async (transaction) => {
      const owner =
        (await claim(op, transaction)) &&
        (await store.scalings.admit({ service, role, op }, { cardinality, force: false }, transaction));
      if (dies) throw new Error('the worker dies');
      if (!owner) throw new Problem('operation_in_progress', 'somebody was faster');
    });
    asked.push(key);
    return op;
  };
const fire = (store: Store, asked: string[] = [], dies = false) =>
  new MockActivityEnvironment().run(
    scheduleActivities({ store, scaleByPolicy: scaling(store, asked, dies) }).fireSchedules,
  );

/** As people would: reads the service and gives its role front these, in one transaction. */
async function changed(id: number, policies: ScheduledPolicy[]): Promise<void> {
  await withTransaction(connections[1], async (transaction) => {
    const service = await stores[1].services.find(id);
    const front = service?.roles.find(({ name }) => name === 'front');
    if (!service || !front) throw new Error(`there is no service ${id}`);
    const clock = { zone: 'UTC', now: ago(0) };
    const schedule = rescheduled({ ...front, scheduled_policies: policies }, service.schedule ?? null, clock);
    const log = { timestamp: clock.now, severity: 'I', message: 'changed' } as const;
    const change = { scheduled_policies: policies };
    await stores[1].schedules.change({ service: id, role: 'front', change, schedule, log }, transaction);
  });
}

describe('scheduled policies that people change', () => {
  it('are not carried out by a look that has read them before, and a new one is, once', async () => {
    const id = await made([policy()]);
    const asked: string[] = [];
    const meanwhile = scaling(stores[0], asked);
    const late = scheduleActivities({
      store: stores[0],
      scaleByPolicy: async (wish) => {
        await changed(id, [policy({ adjust: 6 })]);
        return meanwhile(wish);
      },
    }).fireSchedules;
    await new MockActivityEnvironment().run(late);
    expect([asked, (await seen(id)).cardinality]).toEqual([[], 2]);
    await fire(stores[0], asked);
    expect([asked.length, (await seen(id)).cardinality]).toEqual([1, 6]);
    expect(await fire(stores[0], asked)).toMatchObject({ looked: 0 });
  });

  it('do nothing while they are paused, and what was due then is not made up for', async () => {
    const due = policy();
    const id = await made([due]);
    await changed(id, [{ ...due, enabled: false }]);
    await fire(stores[0]);
    await changed(id, [due]);
    await fire(stores[0]);
    expect(await seen(id)).toMatchObject({ cardinality: 2, schedule: { due_at: null }, last: { verdict: 'paused' } });
  });

  it('can all be taken away, and a later one is not taken for one from before', async () => {
    const id = await made([policy()]);
    await changed(id, []);
    expect(await fire(stores[0])).toMatchObject({ looked: 0 });
    await changed(id, [policy({ adjust: 7 })]);
    expect((await seen(id)).schedule?.version).toBe(3);
    await fire(stores[0]);
    expect(await seen(id)).toMatchObject({ cardinality: 7 });
  });
});

describe('a scheduled policy that is due', () => {
  it('scales its role in one transaction with that it has, and does it once', async () => {
    const asked: string[] = [];
    const id = await made([policy()]);
    expect(await fire(stores[0], asked)).toEqual({ looked: 1, failed: 0 });
    const after = await seen(id);
    expect(after).toMatchObject({ cardinality: 4, schedule: { due_at: null }, last: { verdict: 'scaled' } });
    expect(after.last?.operation).toBe(after.op);
    expect(asked).toEqual([`schedule ${id}/front/0 1 ${after.last?.due_at.toISOString()}`]);
    expect(await fire(stores[1], asked)).toEqual({ looked: 0, failed: 0 });
    expect(asked).toHaveLength(1);
  });

  it('does not wait behind hundreds that wait for their roles', async () => {
    const waiting = [];
    for (let at = 0; at < 201; at++) waiting.push(await made([policy({ start_time: ago(9 * minutes).toISOString() })]));
    const resting = { state: 'COOLDOWN', cooldown_until: new Date(Date.now() + 60 * minutes) } as const;
    const model = stores[0].services.model;
    for (const [name, value] of Object.entries(resting))
      await model.updateMany({ _id: { $in: waiting } }, { $set: { [`roles.$[].${name}`]: value } });
    const id = await made([policy()]);
    expect(await fire(stores[0])).toEqual({ looked: 202, failed: 0 });
    expect(await seen(id)).toMatchObject({ cardinality: 4, last: { verdict: 'scaled' } });
    await model.deleteMany({ _id: { $in: waiting } });
  });

  it('scales once when two look at the same time', async () => {
    for (let round = 0; round < 10; round++) {
      const asked: string[] = [];
      const id = await made([policy({ type: 'CHANGE', adjust: 1 })]);
      await Promise.all([fire(stores[0], asked), fire(stores[1], asked), fire(stores[1], asked)]);
      expect([asked.length, (await seen(id)).cardinality]).toEqual([1, 3]);
    }
  });

  it('has done nothing where the worker dies in the middle, and is carried out by the next look', async () => {
    const id = await made([policy()]);
    expect(await fire(stores[0], [], true)).toEqual({ looked: 1, failed: 1 });
    expect(await seen(id)).toMatchObject({ cardinality: 2, op: null, last: null });
    await fire(stores[0]);
    expect(await seen(id)).toMatchObject({ cardinality: 4, last: { verdict: 'scaled' } });
  });

  it('waits for the one before it, of the same role', async () => {
    const id = await made([policy(), policy({ adjust: 7 })]);
    await fire(stores[0]);
    const { schedule, cardinality } = await seen(id);
    expect(cardinality).toBe(4);
    expect(schedule?.of.map(({ last }) => last?.verdict)).toEqual(['scaled', 'waits']);
    // And is looked at again soon, not at once: others have their turn.
    expect(schedule?.due_at?.getTime()).toBeGreaterThan(Date.now());
    expect(await fire(stores[0])).toMatchObject({ looked: 0 });
  });

  it('waits, and is told as missed in the log when it has waited for too long', async () => {
    const id = await made([policy({ start_time: ago(61 * minutes).toISOString() })]);
    await fire(stores[0]);
    const { last, log, cardinality } = await seen(id);
    expect(last).toMatchObject({ verdict: 'missed', operation: null });
    expect(log.at(-1)?.message).toMatch(/^Role front : scheduled policy 0, due at .*, was missed: /);
    expect(cardinality).toBe(2);
  });

  it('tells why it was refused, and is not tried again and again', async () => {
    const id = await made([policy()]);
    const refuse = async () => {
      throw new Problem('quota_exceeded', 'ann may have 3 VMs.');
    };
    const { fireSchedules } = scheduleActivities({ store: stores[0], scaleByPolicy: refuse });
    await new MockActivityEnvironment().run(fireSchedules);
    expect(await seen(id)).toMatchObject({
      ...{ cardinality: 2, schedule: { due_at: null }, last: { verdict: 'refused', why: 'ann may have 3 VMs.' } },
    });
    expect((await seen(id)).log.at(-1)).toMatchObject({ severity: 'E' });
  });

  it('is nobody’s any more when its service is DONE', async () => {
    const id = await made([policy()], { state: 'DONE' });
    const asked: string[] = [];
    await fire(stores[0], asked);
    expect([asked, (await seen(id)).schedule?.due_at]).toEqual([[], null]);
  });
});

it('of many services, only those that are due are read', async () => {
  const later = policy({ start_time: new Date(Date.now() + 60 * minutes).toISOString() });
  const quiet = await Promise.all(Array.from({ length: 200 }, () => made([later])));
  const id = await made([policy()]);
  const plan = await stores[0].services.model.collection
    .find({ 'schedule.due_at': { $gt: new Date(0), $lte: new Date() } })
    .hint('due')
    .explain('executionStats');
  expect(plan).toMatchObject({ executionStats: { nReturned: 1, totalDocsExamined: 1 } });
  await fire(stores[0]);
  expect(await seen(id)).toMatchObject({ cardinality: 4 });
  expect(await seen(quiet[0] ?? 0)).toMatchObject({ cardinality: 2 });
});

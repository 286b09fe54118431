import { MockActivityEnvironment } from '@temporalio/testing';
import fc from 'fast-check';
import type { Connection } from 'mongoose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elasticityActivities } from '../../../activities/scaling/elasticity.js';
import { scheduleActivities } from '../../../activities/scaling/schedules.js';
import type { RoleRecord } from '../../../domain/scaling/role-record.js';
import { entriesOf, scheduleOf } from '../../../domain/services/schedule.js';
import type { OperationsContext } from '../../../requests/context.js';
import { scaleByPolicy } from '../../../requests/scaling/scaling.js';
import { counterNames, eachCounter } from '../../../schemas/hosts/metrics.js';
import type { Operation } from '../../../schemas/operations/operation.js';
import type { Role, Service } from '../../../schemas/services/service.js';
import { ElasticityPolicy, ScheduledPolicy } from '../../../schemas/services/service-template.js';
import type { Vm } from '../../../schemas/vms/vm.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { createDirectory } from '../../../store/identity/mongodb-directory.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { withTransaction } from '../../../store/mongo/transaction.js';
import type { PolicyScaling } from '../../../store/scaling/policy-scaling.js';
import { createStore, type Store } from '../../../store/store.js';
import { deployingService } from '../../support/deploying-service.js';
import { idleEngine } from '../../support/idle-engine.js';
import { madeVm } from '../../support/made-vm.js';
import { noSealer, noStorages } from '../../support/no-storages.js';
import { addUser } from '../../support/people.js';
import { ownDatabaseUri } from '../../support/servers.js';

/** Two processes, as far as their stores know. */
let connections: [Connection, Connection];
let stores: [Store, Store];
let contexts: [OperationsContext, OperationsContext];
beforeAll(async () => {
  const uri = ownDatabaseUri('policies');
  const preparing = await connectMongodb(uri);
  await bootstrapStore(preparing);
  await preparing.close();
  connections = [await connectMongodb(uri), await connectMongodb(uri)];
  stores = [createStore(connections[0]), createStore(connections[1])];
  const contextOf = (store: Store): OperationsContext => ({
    ...{ store, directory: createDirectory(store.connection), engine: idleEngine },
    settings: { temporalUiUrl: undefined, failedLogins: 10 },
    storages: noStorages,
    sealer: noSealer,
    onDelayed: () => {},
  });
  contexts = [contextOf(stores[0]), contextOf(stores[1])];
});
afterAll(async () => {
  await connections[0].dropDatabase();
  for (const connection of connections) await connection.close();
});

const up = { type: 'CHANGE', adjust: 1, expression: 'ATT > 50', cooldown: 7 };
const capacity = { cpu: 100, memory: 64 };
let ids = 0;

/** A service of a user of its own, whose role front has two VMs with ATT = 60. Others of before have ended. */
async function elastic(policies: unknown[] = [up], role: Partial<Role> = {}): Promise<{ id: number; uid: number }> {
  await stores[0].services.model.updateMany({}, { $set: { state: 'DONE' } });
  const id = ids++;
  const { _id: uid } = await addUser(createDirectory(connections[0]), `owner-${id}`, { password_hash: 'none' });
  const made = deployingService(id, '');
  const front: Partial<Role> = {
    ...{ min_vms: 1, max_vms: 5, cardinality: 2 },
    elasticity_policies: policies.map((policy) => ElasticityPolicy.parse(policy)),
    ...role,
  };
  const roles = made.roles.map((each, at): Role => ({ ...each, state: 'RUNNING', ...(at === 0 && front) }));
  const charge = { services: 1, vms: 4, cpu: 400, memory: 256 };
  const of = { uid, gid: 1, charge, capacities: { front: capacity, middle: capacity, back: capacity } };
  await stores[0].services.model.create([{ ...made, ...of, roles, state: 'RUNNING', operation: null }]);
  const vms = [0, 1].map(
    (ordinal): Vm =>
      madeVm({
        ...{ _id: id * 100 + ordinal, state: 'ACTIVE', lcm_state: 'RUNNING', uid, user_template: { ATT: 60 } },
        service: { id, role: 'front', ordinal },
      }),
  );
  await stores[0].vms.model.insertMany(vms);
  return { id, uid };
}

type Asked = (scaling: PolicyScaling) => Promise<string>;
const asked =
  (at: 0 | 1): Asked =>
  (scaling) =>
    scaleByPolicy(contexts[at], scaling);
const tick = (at: 0 | 1 = 0, scale: Asked = asked(at), elasticityInterval = 10, store: Store = stores[at]) =>
  elasticityActivities({
    store,
    settings: { vmNameTemplate: '', shutdownAction: 'terminate', cooldown: 300, elasticityInterval },
    scaleByPolicy: scale,
  }).evaluatePolicies();

async function frontOf(id: number): Promise<{ service: Service; front: Role; record: RoleRecord | undefined }> {
  const service = await stores[0].services.find(id);
  const front = service?.roles[0];
  if (!service || !front) throw new Error(`there is no service ${id}`);
  return { service, front, record: (await stores[0].elasticity.ofRole(id, 'front')) ?? undefined };
}
const operationsOn = (id: number): Promise<Operation[]> =>
  stores[0].operations.model.find({ 'resource.id': id }).sort({ _id: 1 }).lean<Operation[]>().exec();

/** The scaling has ended, as its steps would say it, with so many VMs to be. */
async function ended(id: number, cardinality: number): Promise<void> {
  const [operation] = (await operationsOn(id)).toReversed();
  if (!operation) throw new Error('nothing was asked for');
  await withTransaction(connections[0], (transaction) =>
    stores[0].scalings.leave(
      { service: id, role: 'front', op: operation._id },
      () => ({ state: 'RUNNING', cardinality, scaled_at: new Date() }),
      transaction,
    ),
  );
  await stores[0].operations.model.updateOne({ _id: operation._id }, { $set: { state: 'succeeded' } });
}

describe('a policy that holds', () => {
  it('has its role scaled, as the owner of the service, and the logs say so', async () => {
    const { id, uid } = await elastic();
    expect(await tick()).toEqual({ looked: 1, decided: 1, refused: 0, failed: 0 });
    const [operation, ...others] = await operationsOn(id);
    expect(others).toEqual([]);
    expect(operation).toMatchObject({
      ...{ kind: 'scaleRole', role: 'front', state: 'accepted', uid, requester: { id: uid, name: `owner-${id}` } },
      input: {
        from: 2,
        cardinality: 3,
        force: false,
        rest: 7,
        policy: { from: 2, because: 'by policy 0: ATT[60] > 50', by: { kind: 'elasticity', policy: 0 } },
      },
    });
    const { service, front, record } = await frontOf(id);
    expect(front).toMatchObject({ state: 'SCALING', cardinality: 3, operation: operation?._id });
    expect(service.log.map(({ message }) => message)).toContain(
      'Role front scaling up from 2 to 3 nodes, by policy 0: ATT[60] > 50',
    );
    expect(service.charge).toMatchObject({ vms: 5 });
    const said = { verdict: 'scales', why: 'scales from 2 to 3', found: 'ATT[60] > 50', operation: operation?._id };
    expect(record).toMatchObject({ evaluation: 1, policies: [{ last: said, log: [said], count: { true_evals: 1 } }] });
  });

  it('has it scaled once, by whatever ticks come beside and behind it', async () => {
    for (let round = 0; round < 10; round++) {
      const { id } = await elastic();
      await Promise.all([tick(0), tick(1), tick(0), tick(1)]);
      await tick(1);
      expect((await operationsOn(id)).length, `round ${round}`).toBe(1);
      const { front, service } = await frontOf(id);
      expect([front.cardinality, service.charge?.vms]).toEqual([3, 5]);
    }
  });

  it('has it scaled once by a step that is done twice', async () => {
    const { id } = await elastic();
    const twice: Asked = async (scaling) => {
      const first = await asked(0)(scaling);
      expect(await asked(1)(scaling)).toBe(first);
      return first;
    };
    await tick(0, twice);
    expect(await operationsOn(id)).toHaveLength(1);
  });

  it('is not heard when its tick is late, though all is as it was', async () => {
    const { id } = await elastic();
    let thaw = (): void => {};
    const thawed = new Promise<void>((resolve) => {
      thaw = resolve;
    });
    let frozen = (): void => {};
    const freezing = new Promise<void>((resolve) => {
      frozen = resolve;
    });
    const late = tick(0, async (scaling) => {
      frozen();
      await thawed;
      return asked(0)(scaling);
    });
    await freezing;
    expect(await tick(1)).toMatchObject({ decided: 1 });
    await ended(id, 2);
    thaw();
    expect(await late).toMatchObject({ decided: 0, refused: 1 });
    expect(await operationsOn(id)).toHaveLength(1);
    expect((await frontOf(id)).front).toMatchObject({ state: 'RUNNING', cardinality: 2 });
  });

  it('is not heard when people have given the role another cardinality meanwhile', async () => {
    const { id } = await elastic();
    await tick(0, async (scaling) => {
      await stores[1].services.model.updateOne({ _id: id }, { $set: { 'roles.0.cardinality': 4 } });
      return asked(0)(scaling);
    });
    expect(await operationsOn(id)).toEqual([]);
    expect((await frontOf(id)).record?.policies[0]?.last).toMatchObject({ verdict: 'refused' });
  });

  it('counts its periods over ticks, and none that comes twice', async () => {
    const { id } = await elastic([{ ...up, period: 3_600, period_number: 2 }]);
    await Promise.all([tick(0), tick(1)]);
    await tick();
    const { record } = await frontOf(id);
    expect(record?.policies[0]).toMatchObject({ count: { true_evals: 1 }, last: { why: '1 of 2 periods' } });
    await stores[0].elasticity.model.updateOne(
      { _id: `${id}/front` },
      { $set: { 'policies.0.count.last_eval': new Date(Date.now() - 3_600_000) } },
    );
    await tick();
    expect(await operationsOn(id)).toHaveLength(1);
  });

  it('goes by what hypervisors have measured, and holds once that is stale', async () => {
    const counters = counterNames.map((name, at) => `${name.toUpperCase()} = ${at}`).join(' & ');
    const { id } = await elastic([{ ...up, expression: `CPU > 50 & max(MEMORY) < 9 & ${counters}` }]);
    const sample = (vm: number, at: Date) => ({
      ...{ host: 1, epoch: 1, vm, at, ...eachCounter((name) => counterNames.indexOf(name)), cpu: 90, memory: 8 },
    });
    const old = new Date(Date.now() - 70_000);
    await stores[0].metrics.add([sample(id * 100, old), sample(id * 100 + 1, old)]);
    await tick();
    expect((await frontOf(id)).record?.policies[0]?.last).toMatchObject({
      verdict: 'unknown',
      why: expect.stringMatching(/^CPU of VM \d+ .* is stale: it was told 7\d s ago$/),
    });
    await stores[0].metrics.add([sample(id * 100, new Date()), sample(id * 100 + 1, new Date())]);
    await tick();
    expect((await frontOf(id)).front).toMatchObject({ state: 'SCALING', cardinality: 3 });
  });
});

describe('ticks that come twice, beside one another and late, in whatever order their reads and writes meet,', () => {
  /** A process whose every look at policies waits for its turn: before it reads, before it writes, and before it asks. */
  const inTurns = (scheduler: fc.Scheduler, at: 0 | 1, nth: number) => {
    const turn = (what: string) => scheduler.schedule(Promise.resolve(), `tick ${nth} ${what}`);
    const { elasticity } = stores[at];
    const store: Store = {
      ...stores[at],
      elasticity: {
        ...elasticity,
        recordsOf: async (ids) => {
          await turn('reads');
          return elasticity.recordsOf(ids);
        },
        write: async (looks) => {
          await turn('writes');
          await elasticity.write(looks);
        },
      },
    };
    const scale: Asked = async (scaling) => {
      await turn('asks');
      return asked(at)(scaling);
    };
    return { store, scale };
  };
  const processes = fc.array(fc.constantFrom<0 | 1>(0, 1), { minLength: 2, maxLength: 5 });

  it('decide once for each evaluation of a policy, each from what the one before has made', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), processes, async (scheduler, ats) => {
        const { id } = await elastic([{ ...up, cooldown: 0 }], { max_vms: 9 });
        const all = ats.map(async (at, nth) => {
          const { store, scale } = inTurns(scheduler, at, nth);
          await scheduler.schedule(Promise.resolve(), `tick ${nth} begins`);
          const { decided } = await tick(at, scale, 10, store);
          if (decided === 0) return decided;
          // What it has asked for is done, and others may decide anew; those that are late still have what was before.
          await scheduler.schedule(Promise.resolve(), `the scaling of tick ${nth} ends`);
          await ended(id, (await frontOf(id)).front.cardinality);
          return decided;
        });
        const decided = await scheduler.waitFor(Promise.all(all));
        const operations = await operationsOn(id);
        expect(operations).toHaveLength(decided.reduce((sum, one) => sum + one, 0));
        expect(operations.length).toBeGreaterThan(0);
        const evaluations = operations.map(
          ({ idempotency_key: key }) => /^elasticity \S+ 0 (\d+) /.exec(key ?? '')?.[1],
        );
        expect(new Set(evaluations).size).toBe(operations.length);
        expect(operations.map(({ input }) => input)).toMatchObject(
          operations.map((_one, nth) => ({ from: 2 + nth, cardinality: 3 + nth })),
        );
        const { front, record, service } = await frontOf(id);
        expect([front.cardinality, service.charge?.vms]).toEqual([2 + operations.length, 4 + operations.length]);
        expect(record?.evaluation).toBeLessThanOrEqual(ats.length);
      }),
      { numRuns: 8 },
    );
  });

  it('count a period once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), processes, async (scheduler, ats) => {
        const { id } = await elastic([{ ...up, period: 3_600, period_number: 2 }]);
        const all = ats.map(async (at, nth) => {
          const { store, scale } = inTurns(scheduler, at, nth);
          await scheduler.schedule(Promise.resolve(), `tick ${nth} begins`);
          await tick(at, scale, 10, store);
        });
        await scheduler.waitFor(Promise.all(all));
        expect((await frontOf(id)).record?.policies[0]).toMatchObject({ count: { true_evals: 1 } });
        expect(await operationsOn(id)).toEqual([]);
      }),
      { numRuns: 5 },
    );
  });
});

describe('what is refused', () => {
  it('by a quota is said by the policy, and asked for again later', async () => {
    const { id, uid } = await elastic();
    const charge = { services: 1, vms: 4, cpu: 400, memory: 256 };
    await stores[0].quotas.models.user.create([
      { _id: uid, limits: { services: -1, vms: 4, cpu: -1, memory: -1 }, used: charge },
    ]);
    expect(await tick()).toMatchObject({ decided: 0, refused: 1, failed: 0 });
    const { record, front } = await frontOf(id);
    expect(front).toMatchObject({ state: 'RUNNING', cardinality: 2 });
    expect(record?.policies[0]?.last).toMatchObject({
      verdict: 'refused',
      why: expect.stringMatching(/^from 2 to 3: .*quota|VMs/),
    });
    await tick();
    const again = (await frontOf(id)).record?.policies[0];
    expect(again?.last?.why).toMatch(/^it wants 3, was refused, and asks again in \d\d s$/);
    expect(await operationsOn(id)).toEqual([]);
  });

  it('of a policy keeps nobody else from asking: not min_vms, which needs fewer VMs than it wished for', async () => {
    const greedy = { expression: 'ATT > 50', type: 'CHANGE', adjust: 4 } as const;
    const { id, uid } = await elastic([greedy], { cardinality: 1, min_vms: 2, max_vms: 9 });
    const charge = { services: 1, vms: 4, cpu: 400, memory: 256 };
    await stores[0].quotas.models.user.create([
      { _id: uid, limits: { services: -1, vms: 5, cpu: -1, memory: -1 }, used: charge },
    ]);
    expect(await tick()).toMatchObject({ decided: 0, refused: 1 });
    expect(await tick()).toMatchObject({ decided: 1, refused: 0 });
    const { front, record } = await frontOf(id);
    expect(front).toMatchObject({ state: 'SCALING', cardinality: 2 });
    expect(record?.policies[0]?.last?.why).toMatch(/^it wants 5, was refused/);
    expect(record?.least.last).toMatchObject({ verdict: 'scales', operation: front.operation });
  });

  it('because its owner may do nothing any more, too', async () => {
    const { id, uid } = await elastic();
    const directory = createDirectory(connections[0]);
    await directory.version.change((transaction) => directory.users.update(uid, { enabled: false }, transaction));
    expect(await tick()).toMatchObject({ refused: 1 });
    expect((await frontOf(id)).record?.policies[0]?.last?.why).toMatch(/who owns service \d+, is disabled/);
  });
});

describe('roles', () => {
  it('below min_vms are brought up to it, with no policy', async () => {
    const { id } = await elastic([], { cardinality: 1, min_vms: 2 });
    expect(await tick()).toMatchObject({ looked: 1, decided: 1 });
    const { front, record } = await frontOf(id);
    expect(front).toMatchObject({ cardinality: 2 });
    expect(record?.least.last).toMatchObject({ verdict: 'scales', operation: front.operation });
  });

  it('with nothing to do are not written, and without min_vms not even read', async () => {
    const { id } = await elastic([]);
    await stores[0].services.model.updateOne({ _id: id }, { $unset: { 'roles.0.max_vms': '' } });
    expect(await tick()).toEqual({ looked: 1, decided: 0, refused: 0, failed: 0 });
    expect((await frontOf(id)).record).toBeUndefined();
    await stores[0].services.model.updateOne({ _id: id }, { $unset: { 'roles.0.min_vms': '' } });
    expect(await tick()).toMatchObject({ looked: 0 });
    const plan = await connections[0]
      .collection('services')
      .find({ 'roles.min_vms': { $exists: true }, operation: null })
      .hint('elastic')
      .explain('executionStats');
    expect(plan.executionStats).toMatchObject({ totalDocsExamined: expect.any(Number) });
    expect(plan.executionStats.totalDocsExamined).toBeLessThan(await stores[0].services.model.countDocuments());
  });

  it('of which a scheduled policy is due are scaled by that first, also when it waits to be looked at again', async () => {
    const { id } = await elastic();
    const scheduled = ScheduledPolicy.parse({ type: 'CARDINALITY', adjust: 4, recurrence: '* * * * *', cooldown: 600 });
    const clock = { zone: 'UTC', now: new Date(Date.now() - 5 * 60_000) };
    const before = scheduleOf(entriesOf({ name: 'front', scheduled_policies: [scheduled] }, null, clock), null, clock);
    const [entry] = before?.of ?? [];
    if (!before || !entry) throw new Error('there is no schedule');
    // Its role was in cooldown when it was looked at last, and is not any more.
    const last = { due_at: new Date(Date.now() - 60_000), at: new Date(), verdict: 'waits', why: 'it was in COOLDOWN' };
    const due_at = new Date(Date.now() + 10_000);
    const schedule = { ...before, due_at, of: [{ ...entry, last: { ...last, operation: null } }] };
    const role = { 'roles.0.scheduled_policies': [scheduled], schedule };
    await stores[0].services.model.updateOne({ _id: id }, { $set: role });
    expect(await tick()).toEqual({ looked: 1, decided: 0, refused: 0, failed: 0 });
    expect((await frontOf(id)).record?.policies[0]?.last).toMatchObject({
      ...{ verdict: 'waits', why: 'scheduled policy 0 is due, and goes before it' },
    });
    await stores[0].services.model.updateOne({ _id: id }, { $set: { 'schedule.due_at': last.due_at } });
    const { fireSchedules } = scheduleActivities({ store: stores[0], scaleByPolicy: asked(0) });
    await new MockActivityEnvironment().run(fireSchedules);
    const [operation] = await operationsOn(id);
    expect(operation).toMatchObject({ input: { cardinality: 4, policy: { by: { kind: 'schedule', policy: 0 } } } });
    // It has scaled, and rested.
    await ended(id, 4);
    expect(await tick()).toMatchObject({ decided: 1 });
    expect((await frontOf(id)).front).toMatchObject({ state: 'SCALING', cardinality: 5 });
  });

  it('of which a scheduled policy waits have min_vms at least', async () => {
    const { id } = await elastic([up], { cardinality: 1, min_vms: 2 });
    const scheduled = ScheduledPolicy.parse({ type: 'CARDINALITY', adjust: 4, recurrence: '* * * * *' });
    const clock = { zone: 'UTC', now: new Date(Date.now() - 5 * 60_000) };
    const schedule = scheduleOf(
      entriesOf({ name: 'front', scheduled_policies: [scheduled] }, null, clock),
      null,
      clock,
    );
    const role = { 'roles.0.scheduled_policies': [scheduled], schedule };
    await stores[0].services.model.updateOne({ _id: id }, { $set: role });
    expect(await tick()).toMatchObject({ decided: 1 });
    expect((await frontOf(id)).front).toMatchObject({ state: 'SCALING', cardinality: 2 });
  });

  it('of a service that somebody works on, or that rest, are let be', async () => {
    const { id } = await elastic();
    await stores[0].services.model.updateOne({ _id: id }, { $set: { wanted: 'undeploy' } });
    expect(await tick()).toMatchObject({ looked: 0 });
    const until = new Date(Date.now() + 60_000);
    const rests = { wanted: null, 'roles.0.state': 'COOLDOWN', 'roles.0.cooldown_until': until };
    await stores[0].services.model.updateOne({ _id: id }, { $set: rests });
    expect(await tick()).toMatchObject({ looked: 1, decided: 0 });
    expect((await frontOf(id)).record?.policies[0]?.last?.why).toMatch(/^cooldown for (59|60) s$/);
  });
});

it('what policies ask for of user templates is kept as a series of each VM, and nothing else of them is', async () => {
  const { id } = await elastic([{ ...up, expression: 'ATT > 500 | NAME > 5 | CPU > 900' }]);
  const vms = [id * 100, id * 100 + 1];
  await stores[0].vms.model.updateOne(
    { _id: vms[0] },
    { $set: { user_template: { ATT: '12.5', NAME: 'web', LOAD: 3 } } },
  );
  const since = new Date(Date.now() - 60_000);
  // As often as hosts are asked: each of these is.
  await tick(0, asked(0), 20);
  await tick(1, asked(1), 20);
  const told = (vm: number) => stores[0].toldValues.steps(vm, since, 3_600);
  expect(await Promise.all(vms.map(told))).toEqual([
    [{ step: 0, name: 'ATT', value: 12.5 }],
    [{ step: 0, name: 'ATT', value: 60 }],
  ]);
});

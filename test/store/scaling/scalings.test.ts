import type { Connection } from 'mongoose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { added, nothing } from '../../../domain/identity/quotas.js';
import { recoverable, repairable, rolesToRecover } from '../../../domain/services/roles-to-repair.js';
import { defaultPermissions } from '../../../schemas/common/common.js';
import type { Role, Service } from '../../../schemas/services/service.js';
import type { Vm } from '../../../schemas/vms/vm.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { withTransaction } from '../../../store/mongo/transaction.js';
import { createStore, type Store } from '../../../store/store.js';
import { deployingService } from '../../support/deploying-service.js';
import { madeOperation } from '../../support/made-operation.js';
import { ownDatabaseUri } from '../../support/servers.js';

/** Two processes, as far as their stores know. */
let connections: [Connection, Connection];
let stores: [Store, Store];
beforeAll(async () => {
  const uri = ownDatabaseUri('scalings');
  const preparing = await connectMongodb(uri);
  await bootstrapStore(preparing);
  await preparing.close();
  connections = [await connectMongodb(uri), await connectMongodb(uri)];
  stores = [createStore(connections[0]), createStore(connections[1])];
});
afterAll(async () => {
  await connections[0].dropDatabase();
  for (const connection of connections) await connection.close();
});

const capacity = { cpu: 100, memory: 64 };
const charged = (vms: number) => ({ services: 1, vms, cpu: 100 * vms, memory: 64 * vms });
const finish = { failure: null, cooldown: 0, rest: null, gate: false };
const rounds = Array.from({ length: 20 }, (_, round) => round);
const few = rounds.slice(0, 8);
let ids = 0;

/** A service of the owner, of which each role is to have two VMs. */
async function deployed(over: Partial<Service> = {}, role: Partial<Role> = {}): Promise<number> {
  const id = ++ids;
  const made = deployingService(id, '');
  const roles = made.roles.map((each): Role => ({ ...each, state: 'RUNNING', cardinality: 2, ...role }));
  const of = { state: 'RUNNING' as const, operation: null, uid: 1_000 + id, gid: 1_000 + id };
  await stores[0].services.model.create([
    {
      ...made,
      ...of,
      roles,
      charge: charged(6),
      capacities: { front: capacity, middle: capacity, back: capacity },
      ...over,
    },
  ]);
  await stores[0].quotas.models.user.create([
    { _id: of.uid, limits: { services: -1, vms: -1, cpu: -1, memory: -1 }, used: charged(6) },
  ]);
  return id;
}

const scale = (store: Store, service: number, role: string, cardinality: number, op: string) =>
  withTransaction(store.connection, (transaction) =>
    store.scalings.admit({ service, role, op }, { cardinality, force: false }, transaction),
  );
async function failedToDeploy(...names: string[]): Promise<number> {
  const id = await deployed({ state: 'FAILED_DEPLOYING' });
  await stores[0].services.model.updateOne(
    { _id: id },
    { $set: { 'roles.$[its].state': 'FAILED_DEPLOYING' } },
    { arrayFilters: [{ 'its.name': { $in: names } }] },
  );
  return id;
}
/** A recovery of a deployment that was found to need these roles. */
const recover = (store: Store, service: number, takes: readonly string[], op: string) =>
  withTransaction(store.connection, (transaction) =>
    store.services.admitDeployment(
      service,
      op,
      { takes, of: (now) => rolesToRecover(now), states: recoverable, message: 'recovery' },
      transaction,
    ),
  );
const preempting = (store: Store, service: number, op: string) =>
  withTransaction(store.connection, (transaction) =>
    store.services.admitPreempting(service, op, { over: [], message: '' }, transaction),
  );

async function serviceOf(id: number): Promise<Service> {
  const service = await stores[0].services.find(id);
  if (!service) throw new Error(`there is no service ${id}`);
  return service;
}
const usedBy = async (id: number) => (await stores[0].quotas.find({ type: 'user', id: 1_000 + id }))?.used;
const opsOf = ({ roles }: Service) => roles.map(({ operation = null }) => operation);

describe('of two that come at once, from two processes,', () => {
  it('one scales a role, and of the other nothing is written', async () => {
    for (const _ of rounds) {
      const id = await deployed();
      const admitted = await Promise.all([
        scale(stores[0], id, 'front', 5, 'one'),
        scale(stores[1], id, 'front', 4, 'other'),
      ]);
      expect(admitted.filter(Boolean)).toHaveLength(1);
      const [cardinality, op] = admitted[0] ? [5, 'one'] : [4, 'other'];
      const service = await serviceOf(id);
      expect(service.roles[0]).toMatchObject({ state: 'SCALING', cardinality, operation: op });
      expect(service.charge).toEqual(charged(4 + cardinality));
      expect(await usedBy(id)).toEqual(charged(4 + cardinality));
      expect(service.log).toHaveLength(2);
    }
  });

  it('both scale, each its role, and both are charged', async () => {
    for (const _ of rounds) {
      const id = await deployed();
      expect(
        await Promise.all([scale(stores[0], id, 'front', 5, 'one'), scale(stores[1], id, 'back', 3, 'other')]),
      ).not.toContain(null);
      const service = await serviceOf(id);
      expect(opsOf(service)).toEqual(['one', null, 'other']);
      expect(service.roles.map((role) => role.cardinality)).toEqual([5, 2, 3]);
      expect(service.charge).toEqual(charged(10));
      expect(await usedBy(id)).toEqual(charged(10));
    }
  });

  it('one goes on with what failed to deploy, the other scales a role beside it; of one role they never have both', async () => {
    for (const _ of few) {
      const id = await failedToDeploy('front');
      const admitted = await Promise.all([
        recover(stores[0], id, ['front'], 'recover'),
        scale(stores[1], id, 'back', 5, 'scale'),
        recover(stores[1], id, ['front'], 'again'),
      ]);
      expect(admitted[1]).not.toBeNull();
      expect([admitted[0], admitted[2]].filter(Boolean)).toHaveLength(1);
      const service = await serviceOf(id);
      expect([service.operation, ...opsOf(service)]).toEqual([null, admitted[0] ? 'recover' : 'again', null, 'scale']);
      expect(service).toMatchObject({ state: 'DEPLOYING', charge: charged(9) });
      expect(service.roles.map(({ state }) => state)).toEqual(['FAILED_DEPLOYING', 'RUNNING', 'SCALING']);
    }
  });

  it('one goes on with what failed as it is then, or not at all', async () => {
    const id = await failedToDeploy('front', 'back');
    expect(await recover(stores[0], id, ['front'], 'early')).toBeNull();
    expect(await serviceOf(id)).toMatchObject({ state: 'FAILED_DEPLOYING', log: [] });
  });

  it('an undeployment is always admitted, and a scaling only before it', async () => {
    for (const _ of rounds) {
      const id = await deployed();
      const [undeployment, scaling] = await Promise.all([
        preempting(stores[0], id, 'undeploy'),
        scale(stores[1], id, 'front', 5, 'scale'),
      ]);
      expect(undeployment).not.toBeNull();
      const service = await serviceOf(id);
      expect(service).toMatchObject({ wanted: 'undeploy', operation: null });
      expect(opsOf(service)[0]).toBe(scaling ? 'scale' : null);
      // What has begun may not go on, and nothing more begins.
      expect(await stores[1].scalings.enter({ service: id, role: 'front', op: 'scale', step: 1 })).toBeNull();
      expect(await scale(stores[1], id, 'back', 5, 'late')).toBeNull();
    }
  });
});

describe('a repair of some roles, and what comes at the same moment from another process:', () => {
  const amiss = (names: readonly string[]) =>
    deployed({ state: 'WARNING' }).then(async (id) => {
      await stores[0].services.model.updateOne(
        { _id: id },
        { $set: { 'roles.$[its].state': 'WARNING' } },
        { arrayFilters: [{ 'its.name': { $in: names } }] },
      );
      return id;
    });
  const repair = (store: Store, service: number, names: readonly string[], op = 'repair') =>
    withTransaction(store.connection, (transaction) =>
      store.services.admitRoles(service, op, { names, states: repairable, message: '' }, transaction),
    );

  it('a scaling of another role goes on beside it', async () => {
    for (const _ of few) {
      const id = await amiss(['front', 'middle']);
      const [repaired, scaled] = await Promise.all([
        repair(stores[0], id, ['front', 'middle']),
        scale(stores[1], id, 'back', 5, 'scale'),
      ]);
      expect([repaired, scaled]).not.toContain(null);
      const service = await serviceOf(id);
      expect([service.operation, ...opsOf(service)]).toEqual([null, 'repair', 'repair', 'scale']);
      expect(service).toMatchObject({ state: 'SCALING', charge: charged(9) });
      expect(await usedBy(id)).toEqual(charged(9));
    }
  });

  it('a scaling of one of them, or all of them; of the other nothing is written', async () => {
    for (const _ of few) {
      const id = await amiss(['front', 'middle']);
      const [repaired, scaled] = await Promise.all([
        repair(stores[0], id, ['front', 'middle']),
        scale(stores[1], id, 'middle', 5, 'scale'),
      ]);
      expect([repaired, scaled].filter(Boolean)).toHaveLength(1);
      const service = await serviceOf(id);
      expect(opsOf(service)).toEqual(repaired ? ['repair', 'repair', null] : [null, 'scale', null]);
      expect(await usedBy(id)).toEqual(charged(repaired ? 6 : 9));
    }
  });

  it('a scaling does not take one of them over, whatever the repair waits for; it does from a scaling that waits', async () => {
    for (const [kind, gives] of [
      ['repairService', false],
      ['scaleRole', true],
    ] as const) {
      const id = await amiss(['front']);
      const op = `waits ${kind} ${id}`;
      const resource = { type: 'service' as const, id };
      const made = madeOperation({ _id: op, kind: 'repairService', resource, input: { roles: ['front'] } });
      await stores[0].operations.model.create([{ ...made, kind, state: 'running', waiting_for: 'capacity' }]);
      expect(await repair(stores[0], id, ['front'], op)).not.toBeNull();
      const taken = await withTransaction(stores[1].connection, (transaction) =>
        stores[1].scalings.admit(
          { service: id, role: 'front', op: 'scale' },
          { cardinality: 5, force: false, over: op },
          transaction,
        ),
      );
      expect(taken !== null, kind).toBe(gives);
      expect(opsOf(await serviceOf(id))[0]).toBe(gives ? 'scale' : op);
    }
  });

  it('a repair of others goes on beside it; one that wants one of them too does not', async () => {
    for (const _ of few) {
      const id = await amiss(['front', 'middle', 'back']);
      const apart = [repair(stores[0], id, ['front'], 'one'), repair(stores[1], id, ['back'], 'other')];
      expect(await Promise.all(apart)).not.toContain(null);
      expect(opsOf(await serviceOf(id))).toEqual(['one', null, 'other']);
      const shared = await amiss(['front', 'middle', 'back']);
      const both = await Promise.all([
        repair(stores[0], shared, ['front', 'middle'], 'one'),
        repair(stores[1], shared, ['middle', 'back'], 'other'),
      ]);
      expect(both.filter(Boolean)).toHaveLength(1);
      expect(opsOf(await serviceOf(shared))).toEqual(both[0] ? ['one', 'one', null] : [null, 'other', 'other']);
    }
  });

  it('an undeployment is always admitted, and from then on it takes no role', async () => {
    for (const _ of few) {
      const id = await amiss(['front']);
      const [undeployment, repaired] = await Promise.all([
        preempting(stores[0], id, 'undeploy'),
        repair(stores[1], id, ['front']),
      ]);
      expect(undeployment).not.toBeNull();
      const service = await serviceOf(id);
      expect(service).toMatchObject({ wanted: 'undeploy', operation: null });
      expect(opsOf(service)[0]).toBe(repaired ? 'repair' : null);
      const step = { service: id, op: 'repair', event: 'deploy', roles: [{ role: 'front', step: 1 }] } as const;
      expect(await stores[1].services.takeRoles(step)).toBeNull();
      expect(await repair(stores[1], id, ['middle'], 'late')).toBeNull();
    }
  });

  it('its steps take the roles that it has, and no others, whatever they are asked for', async () => {
    const id = await amiss(['front', 'middle']);
    await repair(stores[0], id, ['front']);
    const roles = ['front', 'middle'].map((role) => ({ role, step: 1 }));
    await stores[0].services.takeRoles({ service: id, op: 'repair', event: 'deploy', roles });
    expect((await serviceOf(id)).roles).toMatchObject([
      { state: 'DEPLOYING', mark: { op: 'repair', step: 1 } },
      { state: 'WARNING', mark: null },
      {},
    ]);
    const ends = ['front', 'middle'].map((role) => ({ role, step: 2, event: 'deployed' as const, reason: null }));
    await stores[1].services.leaveRoles(id, 'other', ends);
    expect((await serviceOf(id)).roles[0]?.state).toBe('DEPLOYING');
    await stores[1].services.leaveRoles(id, 'repair', ends);
    expect((await serviceOf(id)).roles).toMatchObject([{ state: 'RUNNING' }, { state: 'WARNING', mark: null }, {}]);
  });

  it('whoever judges the others by their VMs undoes none of its steps', async () => {
    for (const _ of few) {
      // Of the others no VM is there: they come into WARNING.
      const id = await deployed({ state: 'WARNING' });
      await stores[0].services.model.updateOne({ _id: id }, { $set: { 'roles.0.state': 'WARNING' } });
      await repair(stores[0], id, ['front']);
      const roles = [{ role: 'front', step: 1 }];
      await stores[0].services.takeRoles({ service: id, op: 'repair', event: 'deploy', roles });
      const ends = [{ role: 'front', step: 2, event: 'deployed', reason: null, last_vmname: 0 }] as const;
      await Promise.all([stores[1].health.refresh([id]), stores[0].services.leaveRoles(id, 'repair', ends)]);
      await stores[1].health.refresh([id]);
      const service = await serviceOf(id);
      expect(service.roles.map(({ state }) => state)).toEqual(['RUNNING', 'WARNING', 'WARNING']);
      expect(service.roles[0]).toMatchObject({ operation: 'repair', mark: { op: 'repair', step: 2 } });
    }
  });
});

describe('a role that is scaled', () => {
  const vmOf = (service: number, ordinal: number, over: Partial<Vm> = {}): Vm => ({
    ...{ _id: service * 100 + ordinal, name: `front_${ordinal}`, uid: 0, gid: 0, permissions: defaultPermissions },
    ...{ state: 'ACTIVE', lcm_state: 'RUNNING', reason: null, template_id: 0, template: {}, user_template: {} },
    ...{ capacity, service: { id: service, role: 'front', ordinal }, history: [] },
    ...{ deploy_id: null, epoch: 1, hold: null, operation: null, wanted: null, created_at: new Date(), ended_at: null },
    ...over,
  });
  const put = (...vms: Vm[]) => connections[0].collection<Vm>('vms').insertMany(vms);
  const planned = (service: number, cardinality: number, step: number, op = 'scale') => ({
    ...{ service, op },
    roles: [{ name: 'front', cardinality, step }],
  });

  it('has VMs made for the step alone that has it, and only while it is to have as many', async () => {
    const id = await deployed();
    await scale(stores[0], id, 'front', 3, 'scale');
    const work = { service: id, role: 'front', op: 'scale' };
    expect(await stores[0].scalings.enter({ ...work, step: 1 })).toMatchObject({ roles: [{ mark: { step: 1 } }] });
    expect(await stores[1].scalings.enter({ ...work, op: 'other', step: 9 })).toBeNull();
    expect(await stores[0].cardinality.insertWhile(planned(id, 3, 1, 'other'), [vmOf(id, 2)])).toBe(false);
    expect(await stores[0].cardinality.insertWhile(planned(id, 4, 1), [vmOf(id, 2)])).toBe(false);
    expect(await stores[0].cardinality.insertWhile(planned(id, 3, 2), [vmOf(id, 2)])).toBe(false);
    expect(await stores[0].cardinality.insertWhile(planned(id, 3, 1), [vmOf(id, 2)])).toBe(true);
    await stores[0].scalings.enter({ ...work, step: 2 });
    // A try of the first step that was frozen thaws.
    expect(await stores[1].scalings.enter({ ...work, step: 1 })).toBeNull();
    expect(await stores[1].cardinality.insertWhile(planned(id, 3, 1), [vmOf(id, 3)])).toBe(false);
  });

  it('is finished once, by the operation that has it, and gives back what is gone', async () => {
    const id = await deployed();
    await scale(stores[0], id, 'front', 1, 'scale');
    expect(await usedBy(id)).toEqual(charged(6));
    await put(vmOf(id, 1));
    const [op, other] = [`scale-${id}`, `other-${id}`];
    const of = { kind: 'scaleRole', resource: { type: 'service', id }, role: 'front', state: 'running' } as const;
    const input = { from: 2, cardinality: 1, force: false };
    for (const _id of [op, other]) await stores[0].operations.model.create([madeOperation({ _id, ...of, input })]);
    await stores[0].services.model.updateOne({ _id: id }, { $set: { 'roles.0.operation': op } });
    const work = { service: id, role: 'front', op };
    // An earlier run of it was frozen in its last step.
    await stores[0].scalings.enter({ ...work, step: 2 });
    const finished = (store: Store, by: string, last: { step: number; failure?: string }) =>
      store.endings.end(by, { state: 'succeeded' }, { ...finish, ...last });
    expect(await finished(stores[1], op, { step: 2 })).toMatchObject({ state: 'running' });
    expect(await finished(stores[1], other, { step: 3 })).toMatchObject({ state: 'running' });
    expect(await serviceOf(id)).toMatchObject({ state: 'SCALING', roles: [{ operation: op }, {}, {}] });
    const ended = await Promise.all(stores.map((store) => finished(store, op, { step: 3 })));
    expect(ended.map((operation) => operation?.state)).toEqual(['succeeded', 'succeeded']);
    const service = await serviceOf(id);
    expect(service.charge).toEqual(charged(5));
    expect(service.roles[0]).toMatchObject({ state: 'RUNNING', cardinality: 1, surplus: 0, operation: null });
    expect(await usedBy(id)).toEqual(charged(5));
    // Whoever says something else later is not heard.
    expect(await finished(stores[1], op, { step: 4, failure: 'too late' })).toMatchObject({ state: 'succeeded' });
    expect((await serviceOf(id)).roles[0]?.state).toBe('RUNNING');
  });

  it('is refused what its owner may not have, and then nothing of it is written', async () => {
    const id = await deployed();
    await stores[0].quotas.setLimits({ type: 'user', id: 1_000 + id }, { vms: 7 });
    await expect(scale(stores[0], id, 'front', 4, 'scale')).rejects.toMatchObject({ code: 'quota_exceeded' });
    expect(await serviceOf(id)).toMatchObject({ state: 'RUNNING', charge: charged(6), log: [] });
    expect(await usedBy(id)).toEqual(charged(6));
    expect(await scale(stores[0], id, 'front', 3, 'scale')).not.toBeNull();
    expect(await usedBy(id)).toEqual(charged(7));
  });

  it('keeps its service from being given up by whoever saw it before', async () => {
    const id = await deployed({ state: 'SCALING' }, { state: 'SCALING' });
    await stores[0].services.model.updateOne({ _id: id }, { $set: { 'roles.1.state': 'RUNNING' } });
    const seen = { service: id, state: 'SCALING', epoch: 0, operation: null, wanted: null } as const;
    expect(await scale(stores[0], id, 'middle', 3, 'scale')).not.toBeNull();
    expect(await stores[1].consistency.repairs.abandonService(seen)).toBe(false);
    expect((await serviceOf(id)).roles[1]).toMatchObject({ state: 'SCALING', operation: 'scale' });
    expect(await stores[1].consistency.repairs.clearRoleName({ service: id, role: 'middle', op: 'scale' })).toBe(true);
    expect(await stores[1].consistency.repairs.abandonService(seen)).toBe(true);
    expect(await serviceOf(id)).toMatchObject({
      state: 'FAILED_SCALING',
      roles: [{}, { state: 'FAILED_SCALING' }, {}],
    });
  });

  it('and VMs of it that go by hand at the same moment, in another process, are charged no more and no less', async () => {
    for (const _ of rounds) {
      const id = await deployed();
      const byHand = { hold: { op: 'end', epoch: 1, attempt: 0 }, operation: 'end', wanted: 'end' };
      const going = vmOf(id, 0, { ...byHand, lcm_state: 'SHUTDOWN' });
      await put(going, vmOf(id, 1));
      await Promise.all([
        scale(stores[0], id, 'front', 4, 'scale'),
        stores[1].vms.transition([{ vm: going, event: 'done', release: true }]),
      ]);
      const { roles, charge } = await serviceOf(id);
      // Whichever came first: it is to have three or four, and is charged for as many.
      const cardinality = roles[0]?.cardinality ?? 0;
      expect([3, 4]).toContain(cardinality);
      expect(charge).toEqual(charged(4 + cardinality));
      expect(await usedBy(id)).toEqual(charge && added(charge, nothing));
    }
  });
});

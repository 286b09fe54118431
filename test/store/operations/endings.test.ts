import mongoose, { type Connection } from 'mongoose';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { takeVms } from '../../../activities/vms/taking.js';
import { isMoving } from '../../../domain/consistency/hands.js';
import type { Service } from '../../../schemas/services/service.js';
import type { Vm } from '../../../schemas/vms/vm.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { releasedAtOnce } from '../../../store/services/releases.js';
import { createStore, type Store } from '../../../store/store.js';
import { deployingService } from '../../support/deploying-service.js';
import { madeOperation } from '../../support/made-operation.js';
import { madeVm } from '../../support/made-vm.js';
import { ownDatabaseUri } from '../../support/servers.js';
import { writesByTransaction } from '../../support/writes-by-transaction.js';

let connection: Connection;
let store: Store;

beforeAll(async () => {
  const uri = ownDatabaseUri('endings');
  const preparing = await connectMongodb(uri);
  await bootstrapStore(preparing);
  await preparing.close();
  connection = await mongoose.createConnection(uri, { monitorCommands: true }).asPromise();
  store = createStore(connection);
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

const service = 7;
const op = '01JD00000000000000000000AA';
const failed = { state: 'failed', error: { code: 'internal', detail: 'a disk is full' } } as const;
const told = `its deployment has failed: recover or undeploy service ${service}`;

/** A service at whose deployment somebody is at work: of its VMs every tenth boots, the others wait for a host. */
async function deploying(count: number, over: Partial<Service> = {}): Promise<void> {
  await store.services.model.create([{ ...deployingService(service, op), ...over }]);
  await store.operations.model.create([
    madeOperation({
      ...{ _id: op, kind: 'deployService', resource: { type: 'service', id: service }, input: {} },
      ...{ state: 'running', run_id: 'a-run', started_at: new Date() },
    }),
  ]);
  const hold = { op, epoch: 1, attempt: 0 };
  if (count === 0) return;
  const vms = Array.from({ length: count }, (_, at): Vm => {
    const state = at % 10 === 0 ? ({ state: 'ACTIVE', lcm_state: 'BOOT' } as const) : waits;
    return madeVm({ _id: at, ...state, service: { id: service, role: 'front', ordinal: at }, hold });
  });
  await connection.collection<Vm>('vms').insertMany(vms);
}
const waits = { state: 'PENDING', lcm_state: 'LCM_INIT' } as const;

beforeEach(async () => {
  for (const name of ['vms', 'services', 'operations']) await connection.collection(name).deleteMany({});
});

const vmsThat = (filter: object): Promise<number> => connection.collection('vms').countDocuments(filter);
/** What all have come to of whom nothing is left to do. */
async function expectReleased(count: number): Promise<void> {
  expect(await vmsThat({ hold: { $ne: null } })).toBe(0);
  expect(await vmsThat({ lcm_state: 'BOOT_FAILURE', reason: 'a disk is full' })).toBe(count / 10);
  expect(await vmsThat({ state: 'PENDING', reason: told })).toBe((count * 9) / 10);
  expect(await store.operations.find(op)).not.toHaveProperty('releasing');
  expect(await store.operations.releasing(10)).toEqual([]);
}

/** How many VMs each transaction of this has written. */
const vmsByTransaction = (work: () => Promise<unknown>): Promise<number[]> =>
  writesByTransaction(connection, ['vms'], work);

it('ends the operation of a service of thousands of VMs by transactions that write none of them', async () => {
  await deploying(3_000);
  const written = await vmsByTransaction(() => store.endings.end(op, failed));
  expect(written.length).toBeGreaterThan(0);
  expect(Math.max(...written)).toBe(0);
  await expectReleased(3_000);
});

it('a deployment that finds a role at rest after a scaling has succeeded when the others run', async () => {
  await deploying(0);
  const roles = (await store.services.find(service))?.roles ?? [];
  const rests = { state: 'COOLDOWN', cooldown_until: new Date(Date.now() + 3_600_000) } as const;
  const up = roles.map((role, at) => ({ ...role, cardinality: 0, ...(at === 0 ? rests : { state: 'RUNNING' }) }));
  await store.services.model.updateOne({ _id: service }, { $set: { roles: up } });
  expect(await store.endings.end(op, { state: 'succeeded' })).toMatchObject({ state: 'succeeded' });
  expect(await store.services.find(service)).toMatchObject({ state: 'COOLDOWN', operation: null });
});

it('says nothing of what is left to VMs of a role that somebody has begun to scale', async () => {
  await deploying(0);
  const left = [madeVm({ _id: 1, ...waits, service: { id: service, role: 'front', ordinal: 0 }, hold: null })];
  left.push(madeVm({ _id: 2, ...waits, service: { id: service, role: 'back', ordinal: 0 }, hold: null }));
  await connection.collection<Vm>('vms').insertMany(left);
  const since = new Date();
  const releasing = { since, given_up: null, left: told };
  await store.operations.model.updateOne({ _id: op }, { $set: { state: 'failed', releasing } });
  const busy = { operation: null, 'roles.0.operation': 'a-scaling' };
  await store.services.model.updateOne({ _id: service }, { $set: busy });
  await store.releases.finish(op);
  const reasons = (await store.vms.byIds([1, 2])).map(({ reason }) => reason);
  expect(reasons).toEqual([null, told]);
});

it('makes thousands of VMs that roles lack again by transactions that each make a bounded number', async () => {
  await deploying(10);
  const made = Array.from({ length: 1_200 }, (_, at): Vm => {
    return madeVm({ _id: 100 + at, ...waits, service: { id: service, role: 'front', ordinal: 100 + at } });
  });
  const roles = (await store.services.find(service))?.roles ?? [];
  const written = await vmsByTransaction(() => store.cardinality.insertWhile({ service, op, roles }, made));
  expect(await vmsThat({})).toBe(1_210);
  expect(written.toSorted((a, b) => a - b)).toEqual([200, 500, 500]);
});

/** Lets a portion of the VMs go, and then nothing more: whoever did it is dead. */
async function dieHalfway(): Promise<void> {
  const vms = connection.collection<Vm>('vms');
  const rest = await vms.find({ 'hold.op': op }).skip(releasedAtOnce).toArray();
  await vms.deleteMany({ _id: { $in: rest.map(({ _id }) => _id) } });
  // Ends while only the first portion is there, and has all of it left to do again.
  await store.endings.end(op, failed);
  const since = new Date();
  await vms.insertMany(rest);
  await store.operations.model.updateOne(
    { _id: op },
    { $set: { releasing: { since, given_up: 'a disk is full', left: told } } },
  );
}

it.each(['reconciliation', 'whoever ends it again'])('is finished by %s when whoever began it dies', async (who) => {
  await deploying(1_000);
  await dieHalfway();
  expect(await vmsThat({ 'hold.op': op })).toBe(500);
  const known = await store.consistency.reads.statesOf([op]);
  const [held] = await connection.collection<Vm>('vms').find({ 'hold.op': op }).limit(1).toArray();
  // A check says nothing of what is about to be done.
  expect(held && isMoving(held, { operations: known, services: new Map() })).toBe(true);
  const left = await store.operations.releasing(10);
  expect(left).toEqual([op]);
  if (who === 'reconciliation') for (const one of left) await store.endings.afterwards(one);
  else expect(await store.endings.end(op, { state: 'succeeded' })).toMatchObject({ state: 'failed' });
  await expectReleased(1_000);
});

it('is finished by an operation that takes what was left: none of it is in the middle of a step', async () => {
  await deploying(1_000);
  await dieHalfway();
  const next = '01JD00000000000000000000BB';
  const before = await store.operations.find(op);
  if (!before) throw new Error('the operation is missing');
  const { releasing: _, ...same } = before;
  await store.operations.model.insertMany([{ ...same, _id: next, state: 'running' }]);
  const taken = await takeVms(store, next, await store.vms.ofService(service));
  expect(taken).toHaveLength(1_000);
  expect(taken.filter((vm) => vm.hold?.op !== next || vm.lcm_state === 'BOOT')).toEqual([]);
});

it('takes from a run that goes on nothing that it holds anew, however late whoever lets go is', async () => {
  await deploying(20);
  const running = await store.operations.find(op);
  expect(running && (await store.endings.reopen(running))).toBe(true);
  expect(await vmsThat({ hold: null })).toBe(20);
  // Given up nothing, for the next run goes on with them.
  expect(await vmsThat({ lcm_state: 'BOOT' })).toBe(2);
  await takeVms(store, op, await store.vms.ofService(service));
  await store.releases.finish(op);
  await store.endings.afterwards(op);
  expect(await vmsThat({ 'hold.op': op, 'hold.epoch': 2 })).toBe(20);
});

it('says nothing of VMs that another operation is about to take over', async () => {
  await deploying(20, { wanted: 'an undeployment' });
  await store.endings.end(op, { state: 'cancelled', error: { code: 'cancelled', detail: 'cancelled' } });
  expect(await vmsThat({ state: 'PENDING', reason: null, hold: null })).toBe(18);
  expect(await vmsThat({ lcm_state: 'BOOT_FAILURE', hold: null })).toBe(2);
});

it.each([
  ['is removed once it is DONE, where its template says so', true, null],
  ['stays as DONE, where it does not', false, 'DONE'],
])('a service that is undeployed %s', async (_what, automatic_deletion, state) => {
  const made = deployingService(service, op);
  const roles = made.roles.map((role) => ({ ...role, state: 'DONE' as const }));
  const body = { ...made.body, automatic_deletion };
  await store.services.model.create([{ ...made, state: 'UNDEPLOYING', wanted: op, roles, body }]);
  await store.operations.model.create([
    madeOperation({
      ...{ _id: op, kind: 'undeployService', resource: { type: 'service', id: service } },
      ...{ input: { hard: null, remove: false }, state: 'running', run_id: 'a-run', started_at: new Date() },
    }),
  ]);
  expect((await store.endings.end(op, { state: 'succeeded' }))?.state).toBe('succeeded');
  expect((await store.services.find(service))?.state ?? null).toBe(state);
});

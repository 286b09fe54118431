import { MockActivityEnvironment } from '@temporalio/testing';
import mongoose, { type Connection } from 'mongoose';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { supervisionActivities } from '../../../activities/supervision/supervision.js';
import type { Operation, ResourceRef } from '../../../schemas/operations/operation.js';
import type { Vm } from '../../../schemas/vms/vm.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { lastKept, lookedAtOnce } from '../../../store/operations/forgetting.js';
import { createStore, type Store } from '../../../store/store.js';
import { idleEngine } from '../../support/idle-engine.js';
import { madeOperation } from '../../support/made-operation.js';
import { madeVm } from '../../support/made-vm.js';
import { ownDatabaseUri } from '../../support/servers.js';

const day = 24 * 60 * 60 * 1_000;
const ago = (days: number): Date => new Date(Date.now() - days * day);
const [living, done] = [1, 2];

let connection: Connection;
let store: Store;

beforeAll(async () => {
  const uri = ownDatabaseUri('forgetting');
  const preparing = await connectMongodb(uri);
  await bootstrapStore(preparing);
  await preparing.close();
  connection = await mongoose.createConnection(uri).asPromise();
  store = createStore(connection);
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});
beforeEach(async () => {
  for (const name of ['vms', 'operations', 'steps']) await connection.collection(name).deleteMany({});
  await connection
    .collection<Vm>('vms')
    .insertMany([
      madeVm({ _id: living, state: 'ACTIVE', lcm_state: 'RUNNING' }),
      madeVm({ _id: done, state: 'DONE', lcm_state: 'LCM_INIT' }),
    ]);
});

let made = 0;
/** Operations on a VM that ended so many days ago, the oldest first. */
async function ended(vm: number, days: readonly number[], over: Partial<Operation> = {}): Promise<string[]> {
  const all = days.map((age) => {
    made += 1;
    const times = { ended_at: ago(age), aged_from: ago(age) };
    const resource: ResourceRef = { type: 'vm', id: vm };
    const _id = `${made}`.padStart(26, '0');
    return madeOperation({
      ...{ _id, kind: 'terminateVm', resource, input: { hard: false }, state: 'succeeded' },
      ...times,
      ...over,
    });
  });
  await connection.collection<Operation>('operations').insertMany(all);
  return all.map(({ _id }) => _id);
}
const left = async (): Promise<string[]> =>
  (await store.operations.model.find({}, { _id: 1 }).sort({ _id: 1 }).lean().exec()).map(({ _id }) => _id);

it('operations are forgotten when they ended long ago, but for the last on what lives', async () => {
  await ended(done, [200, 100, 91]);
  const [, ...young] = await ended(done, [95, 89, 1]);
  const some = await ended(living, [300, 200, 190, 180, 170, 160, 150]);
  expect(await store.forgetting.forget(ago(90))).toBe(11);
  expect(await left()).toEqual([...young, ...some.slice(-lastKept)]);
  expect(await store.forgetting.forget(ago(90))).toBe(0);
});

it('what was kept for what it is about is looked at again, and goes once that is DONE or has later ones', async () => {
  const [first = '', ...some] = await ended(living, [300, 299, 298, 297, 296]);
  await store.forgetting.forget(ago(90));
  expect(await left()).toHaveLength(lastKept);
  const [young = ''] = await ended(living, [3]);
  await store.forgetting.forget(ago(90 - 2));
  expect(await left()).toEqual([...some, young]);
  expect(await left()).not.toContain(first);
  await store.vms.model.updateOne({ _id: living }, { $set: { state: 'DONE' } });
  await store.forgetting.forget(ago(90 - 4));
  expect(await left()).toEqual([young]);
});

it('nothing is forgotten of what has not ended, or has VMs to let go of', async () => {
  const kept = [
    ...(await ended(done, [200], { releasing: { since: ago(200), given_up: null, left: null } })),
    ...(await ended(done, [200], { state: 'waiting_for_you', ended_at: null })),
  ];
  await store.operations.model.updateOne({ _id: kept[1] }, { $unset: { aged_from: '' } });
  await store.forgetting.forget(ago(90));
  expect(await left()).toEqual(kept);
});

it('an operation is forgotten by its age from its end on, with its steps, and its key may be used again', async () => {
  const [op = ''] = await ended(done, [0], { state: 'running', ended_at: null, idempotency_key: 'deploy-42' });
  await store.operations.model.updateOne({ _id: op }, { $unset: { aged_from: '' } });
  const step = { op, run: 'a-run', name: 'bootVms', role: null, vms: 1, local: false, started_at: new Date() };
  await store.steps.write([{ ...step, _id: `${op}/1/1`, attempt: 1, ended: null, error: null }]);
  await store.endings.end(op, { state: 'succeeded' });
  expect(await store.forgetting.forget(ago(1))).toBe(0);
  expect(await store.operations.hasKey(0, 'deploy-42')).toBe(true);
  expect(await store.forgetting.forget(ago(-1))).toBe(1);
  expect(await left()).toEqual([]);
  expect(await store.steps.ofOperation(op, 10)).toEqual([]);
  expect(await store.operations.hasKey(0, 'deploy-42')).toBe(false);
});

it.each([
  ['as long as the setting says', 90, lookedAtOnce],
  ['for ever where none is given', undefined, 0],
])(
  'reconciliation keeps operations %s, and forgets a bounded number at a time',
  async (_what, keepOperations, gone) => {
    const count = lookedAtOnce + 50;
    await ended(done, Array<number>(count).fill(91));
    const settings = {
      ...{ vmNameTemplate: '$VM_NUMBER', shutdownAction: 'terminate' as const },
      ...(keepOperations !== undefined && { keepOperations }),
    };
    const { reconcile } = supervisionActivities({ store, engine: idleEngine, settings });
    await new MockActivityEnvironment().run(reconcile);
    expect(await left()).toHaveLength(count - gone);
  },
);

import mongoose, { type Connection } from 'mongoose';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { limits } from '../../../schemas/common/limits.js';
import type { Vm } from '../../../schemas/vms/vm.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { createStore, type Store } from '../../../store/store.js';
import { deployingService } from '../../support/deploying-service.js';
import { madeVm } from '../../support/made-vm.js';
import { sentCommands } from '../../support/sent-commands.js';
import { ownDatabaseUri } from '../../support/servers.js';

let connection: Connection;
let store: Store;

beforeAll(async () => {
  const uri = ownDatabaseUri('portions');
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
beforeEach(() => connection.collection('vms').deleteMany({}));

const service = 7;
const op = '01JD00000000000000000000AA';

/** VMs of one role, each with so many bytes of contents. */
const vmsOf = (count: number, bytes: number): Vm[] =>
  Array.from({ length: count }, (_, at) =>
    madeVm({
      ...{ _id: at, state: 'PENDING', lcm_state: 'LCM_INIT' },
      service: { id: service, role: 'front', ordinal: at },
      hold: { op, epoch: 1, attempt: 0 },
      template: Object.fromEntries(Array.from({ length: 64 }, (_, nth) => [`A${nth}`, 'x'.repeat(bytes / 64)])),
    }),
  );

/** How many VMs were written, or read, by each command that the work has sent. */
const portionsOf = async (work: () => Promise<unknown>): Promise<number[]> =>
  (await sentCommands(connection, work))
    .filter(({ name }) => ['insert', 'find', 'aggregate', 'getMore'].includes(name))
    .map(({ documents }) => documents);

it('writes VMs of the largest VM template a few at a time', async () => {
  const vms = vmsOf(50, limits.vmTemplate.most);
  await store.services.model.create([deployingService(service, op)]);
  const insert = () => store.cardinality.insertFirst({ service, op }, vms);
  const portions = await portionsOf(insert);
  expect(portions.reduce((sum, written) => sum + written, 0)).toBe(50);
  expect(Math.max(...portions) * limits.vmTemplate.most).toBeLessThanOrEqual(256 * 1_024);
  // Another try has made them.
  expect(await insert()).toBe(false);
  expect(await store.vms.model.countDocuments()).toBe(50);
});

it('reads VMs as steps do a hundred at a time', async () => {
  const vms = vmsOf(350, 640);
  await store.vms.model.insertMany(vms);
  const ids = vms.map(({ _id }) => _id);
  const held = await store.vms.byIds(ids);
  for (const read of [
    () => store.vms.byIds(ids),
    () => store.vms.ofService(service),
    () => store.vms.take(op, [...held, madeVm({ _id: 1_000, state: 'PENDING', lcm_state: 'LCM_INIT' })], new Set()),
  ]) {
    const portions = await portionsOf(read);
    expect(portions.reduce((sum, count) => sum + count, 0)).toBe(350);
    expect(Math.max(...portions)).toBeLessThanOrEqual(100);
  }
});

it('reads what VMs are made of a few at a time', async () => {
  const vms = vmsOf(50, limits.vmTemplate.most);
  await store.vms.model.insertMany(vms);
  // Answers that are read as bytes do not say how many are in the first of them.
  const [, ...others] = await portionsOf(async () => {
    expect((await store.vms.contentsOf(vms.map(({ _id }) => _id))).size).toBe(50);
  });
  expect(others.length).toBeGreaterThanOrEqual(4);
  expect(Math.max(...others) * limits.vmTemplate.most).toBeLessThanOrEqual(1_024 * 1_024);
});

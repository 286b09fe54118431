import type { Connection } from 'mongoose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultPermissions } from '../../../schemas/common/common.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { withTransaction } from '../../../store/mongo/transaction.js';
import { createStore, type Store } from '../../../store/store.js';
import { makeOwnedService } from '../../support/owned-service.js';
import { ownDatabaseUri } from '../../support/servers.js';

let connection: Connection;
let store: Store;
beforeAll(async () => {
  connection = await connectMongodb(ownDatabaseUri('finish'));
  await bootstrapStore(connection);
  store = createStore(connection);
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

it('an operation whose roles somebody else has taken holds nothing of them when it has ended', async () => {
  await makeOwnedService(store, 1, { owner: { uid: 0, gid: 0, permissions: defaultPermissions }, vms: 1 });
  const { roles } = (await store.services.find(1)) ?? { roles: [] };
  const name = roles[0]?.name ?? '';
  const hold = { op: 'THE REPAIR', epoch: 1 };
  const taken = { 'roles.0.operation': 'THE SCALING', holds: { [name]: hold } };
  await store.services.model.updateOne({ _id: 1 }, { $set: { ...taken, operation: null, wanted: null } });
  const never = () => {
    throw new Error('it has nothing of the service');
  };
  const finished = await withTransaction(connection, (transaction) =>
    store.services.finish(1, 'THE REPAIR', never, transaction),
  );
  expect(finished).toBeNull();
  const after = await store.services.find(1);
  expect([after?.holds, after?.roles[0]?.operation]).toEqual([{}, 'THE SCALING']);
});

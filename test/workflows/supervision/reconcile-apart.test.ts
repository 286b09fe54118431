import { MockActivityEnvironment } from '@temporalio/testing';
import type { Connection } from 'mongoose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { supervisionActivities } from '../../../activities/supervision/supervision.js';
import type { Engine } from '../../../adapters/engine/port.js';
import { Problem } from '../../../domain/problems.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { createStore, type Store } from '../../../store/store.js';
import { idleEngine } from '../../support/idle-engine.js';
import { madeOperation } from '../../support/made-operation.js';
import { ownDatabaseUri } from '../../support/servers.js';

let connection: Connection;
let store: Store;
beforeAll(async () => {
  const uri = ownDatabaseUri('reconcile');
  const preparing = await connectMongodb(uri);
  await bootstrapStore(preparing);
  await preparing.close();
  connection = await connectMongodb(uri);
  store = createStore(connection);
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

it('operations at the head of the list that cannot be looked after keep none behind them waiting', async () => {
  const ids = Array.from({ length: 30 }, (_, at) => `01JD000000000000000000${String(at).padStart(4, '0')}`);
  const operations = ids.map((_id, at) =>
    madeOperation({
      _id,
      kind: 'deployService',
      resource: { type: 'service', id: at },
      workflow_id: `service-${at}`,
      input: {},
      state: 'accepted',
      created_at: new Date(Date.now() - 60_000),
    }),
  );
  await store.operations.model.create(operations);
  const [head, rest] = [ids.slice(0, 12), ids.slice(12)];
  const started: string[] = [];
  const engine: Engine = {
    ...idleEngine,
    latestRun: async (workflowId) => {
      if (Number(workflowId.slice('service-'.length)) < head.length)
        throw new Problem('backend_unavailable', 'Temporal could not describe it.');
      return null;
    },
    start: async ({ _id }) => {
      started.push(_id);
      return 'started';
    },
  };
  const settings = { vmNameTemplate: '$VM_NUMBER', shutdownAction: 'terminate' as const };
  const { reconcile } = supervisionActivities({ store, engine, settings });
  const told = await new MockActivityEnvironment().run(reconcile);
  expect(told).toMatchObject({ looked: ids.length, failed: head });
  expect(started.sort()).toEqual(rest);
});

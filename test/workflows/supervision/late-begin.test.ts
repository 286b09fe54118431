import { MockActivityEnvironment } from '@temporalio/testing';
import type { Connection } from 'mongoose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Begun, StepInput } from '../../../activities/operations/begin.js';
import { type DeploymentPlan, deploymentActivities } from '../../../activities/services/deployment.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { createDirectory } from '../../../store/identity/mongodb-directory.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { createStore, type Store } from '../../../store/store.js';
import { deployingService, roleNames } from '../../support/deploying-service.js';
import { madeOperation } from '../../support/made-operation.js';
import { ownDatabaseUri } from '../../support/servers.js';

const op = '01JD00000000000000000000AA';
const operation = madeOperation({ _id: op, kind: 'deployService', resource: { type: 'service', id: 1 }, input: {} });

let connection: Connection;
let store: Store;
beforeAll(async () => {
  const uri = ownDatabaseUri('late-begin');
  const preparing = await connectMongodb(uri);
  await bootstrapStore(preparing);
  await preparing.close();
  connection = await connectMongodb(uri);
  store = createStore(connection);
  await store.operations.model.create([operation]);
  await store.services.model.create([deployingService(1, op)]);
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

/** How far the roles had come, as the plan of a run says that belongs to a chain of runs which has the operation. */
async function planOf(runId: string): Promise<(number | undefined)[]> {
  const { beginDeployment } = deploymentActivities({
    ...{ store, directory: createDirectory(connection) },
    settings: { vmNameTemplate: '$VM_NUMBER', shutdownAction: 'terminate' },
  });
  const environment = new MockActivityEnvironment({ workflowExecution: { workflowId: 'service-1', runId } });
  const begun = await environment.run<[StepInput], Begun<DeploymentPlan>, typeof beginDeployment>(beginDeployment, {
    op,
    run: 'the first of the chain',
  });
  return begun.go ? begun.plan.roles.map(({ step }) => step) : [];
}

it('a try that wakes late plans as the first one did, and a run that goes on as a new one from what is', async () => {
  expect(await planOf('the first of the chain')).toEqual([undefined, undefined, undefined]);
  const [role = ''] = roleNames;
  const take = () => store.services.takeRoles({ service: 1, op, event: 'deploy', roles: [{ role, step: 1 }] });
  await take();
  expect(await planOf('the first of the chain')).toEqual([undefined, undefined, undefined]);
  expect(await planOf('the second of the chain')).toEqual([1, undefined, undefined]);
  const before = await store.services.find(1);
  await take();
  expect(await store.services.find(1)).toEqual(before);
  expect(before).toMatchObject({ epoch: 1, holds: { [role]: { op, epoch: 1 } } });
});

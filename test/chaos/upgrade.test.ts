import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtVersion } from '../../runtime/servers/deployment-version.js';
import { namespaces } from '../../schemas/config.js';
import { Cluster } from '../support/cluster.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency, timesMade } from '../support/cluster-consistency.js';
import { eventually } from '../support/processes.js';

describe('an upgrade of the workers', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
    await makeHosts(cluster.client, 2);
  });
  afterAll(() => cluster?.stop());

  /** The build ids of the workers that carried a run on, in order, each once in a row. */
  const buildsOf = async (workflowId: string): Promise<string[]> => {
    const connection = await Connection.connect({ address: cluster.temporal.address });
    try {
      const client = new Client({ connection, namespace: namespaces.operations });
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
      return (events ?? [])
        .flatMap((event) => event.workflowTaskCompletedEventAttributes?.deploymentVersion?.buildId ?? [])
        .filter((build, at, all) => build !== all[at - 1]);
    } finally {
      await connection.close();
    }
  };

  it('carries a deployment that is open over to the new version, which brings it to RUNNING', async () => {
    const { client } = cluster;
    const roles = [
      { name: 'db', cardinality: 2 },
      { name: 'web', parents: ['db'], cardinality: 3 },
    ];
    await cluster.simulator.holdBoots();
    const id = await client.instantiate(await makeServiceTemplate(client, 'upgraded', { roles }));
    await eventually(async () => (await timesMade(cluster)).size === 2);
    const next = 'the-next-build';
    await cluster.startWorker(cluster.release(next));
    await cluster.makeCurrent(next);
    await cluster.worker(0).end();
    await cluster.simulator.endBoots();

    const service = await client.awaitService(id, 'RUNNING');
    expect(await buildsOf(`service-${service.id}`)).toEqual([builtVersion(), next]);
    expect((await timesMade(cluster)).size).toBe(5);
    expect(await checkConsistency(cluster)).toEqual([]);
  });
});

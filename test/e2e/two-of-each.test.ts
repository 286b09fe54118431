import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../support/cluster.js';
import { fifteenVms, makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency, timesMade } from '../support/cluster-consistency.js';
import { eventually } from '../support/processes.js';

/** The topology of docker-compose.yml, but that Temporal is the development server. */
describe('two api and two worker on one Temporal and a MongoDB of three members', () => {
  let cluster: Cluster;
  let template: number;
  beforeAll(async () => {
    cluster = await Cluster.start({ workers: 2, apis: 2, mongodbMembers: 3, settings: { boot_ms: 200 } });
    await makeHosts(cluster.client, 3, 64, 65_536);
    template = await makeServiceTemplate(cluster.client, 'my_service', fifteenVms);
  });
  afterAll(() => cluster?.stop());

  /** So many services through each api. */
  const deployThroughBoth = async (each: number): Promise<number[]> => {
    const clients = cluster.clients.flatMap((client) => Array.from({ length: each }, () => client));
    return Promise.all(clients.map((client) => client.instantiate(template)));
  };
  const vmsMade = async () => (await timesMade(cluster)).size;

  it('run the services that come in through either api, and each api shows them all', async () => {
    const services = await deployThroughBoth(2);
    for (const client of cluster.clients) for (const id of services) await client.awaitService(id, 'RUNNING');
    expect(await vmsMade()).toBe(4 * 15);
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('bring every service up and make each VM once when one worker and one api are killed in the middle', async () => {
    await cluster.simulator.holdBoots();
    const before = await vmsMade();
    const services = await deployThroughBoth(2);
    await eventually(async () => (await vmsMade()) > before);
    await Promise.all([cluster.worker(0).kill(), cluster.api(0).kill()]);
    await cluster.simulator.endBoots(200);
    const [, survivor] = cluster.clients;
    for (const id of services) await survivor?.awaitService(id, 'RUNNING');
    expect(await vmsMade()).toBe(before + 4 * 15);
    expect(await checkConsistency(cluster)).toEqual([]);
    await Promise.all([cluster.worker(0).startAgain(), cluster.api(0).startAgain()]);
  });

  it('go on when the primary of MongoDB is killed in the middle', async () => {
    const before = await vmsMade();
    const services = await deployThroughBoth(1);
    await eventually(async () => (await vmsMade()) > before);
    const primary = await cluster.servers.mongodb.primary();
    await primary.kill();
    for (const id of services) await cluster.client.awaitService(id, 'RUNNING');
    expect(await vmsMade()).toBe(before + 2 * 15);
    expect(await checkConsistency(cluster)).toEqual([]);
    await primary.startAgain();
  });
});

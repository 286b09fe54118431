import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SimulatedDomain } from '../../schemas/hosts/simulator.js';
import { Cluster } from '../support/cluster.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency, timesMade } from '../support/cluster-consistency.js';

const patient = { timeout: 90_000, interval: 100 };

describe('a role that is scaled, on the simulated hypervisor', { timeout: 300_000 }, () => {
  let cluster: Cluster;
  let hosts: string[];
  let template: number;
  beforeAll(async () => {
    cluster = await Cluster.start({ environments: { worker: { ARCUS_DEFAULT_COOLDOWN: '0' } } });
    hosts = await makeHosts(cluster.client, 2);
    template = await makeServiceTemplate(cluster.client, 'web', {
      roles: [{ name: 'front' }, { name: 'web', parents: ['front'], cardinality: 2 }],
    });
  });
  afterAll(() => cluster?.stop());

  async function domainsOf(service: number): Promise<number[]> {
    const HostDomains = z.object({ domains: z.array(SimulatedDomain) });
    const all = await Promise.all(hosts.map((name) => cluster.simulator.ask(HostDomains, 'GET', `/hosts/${name}`)));
    const vms = await cluster.store.vms.model.find({ 'service.id': service, 'service.role': 'web' }).lean().exec();
    const ids = new Set(vms.map(({ _id }) => _id));
    return all.flatMap(({ domains }) => domains.map(({ vm }) => vm)).filter((vm) => ids.has(vm));
  }

  const scale = (service: number, cardinality: number) =>
    cluster.client.accepted('POST', `/services/${service}/roles/web/scale`, { cardinality });

  async function running(): Promise<number> {
    const service = await cluster.client.instantiate(template);
    await cluster.client.awaitService(service, 'RUNNING');
    return service;
  }

  it('has as many VMs there as was asked for', async () => {
    const service = await running();
    for (const cardinality of [5, 1]) {
      const { id, workflow, role } = await scale(service, cardinality);
      expect([role, workflow.id]).toEqual(['web', `service-${service}/web`]);
      await cluster.client.awaitOperation(id, 'succeeded');
      await cluster.client.awaitService(service, 'RUNNING');
      expect(await domainsOf(service)).toHaveLength(cardinality);
    }
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('has exactly as many when the worker dies while it grows, and while it shrinks', async () => {
    const service = await running();
    await cluster.simulator.holdBoots();
    const up = await scale(service, 5);
    await expect.poll(async () => (await domainsOf(service)).length, patient).toBe(5);
    await cluster.worker(0).kill();
    await cluster.simulator.endBoots();
    await cluster.startWhatEnded();
    await cluster.client.awaitOperation(up.id, 'succeeded');
    const five = await domainsOf(service);
    expect(five).toHaveLength(5);
    const made = await timesMade(cluster);
    for (const vm of five) expect(made.get(vm), `VM ${vm}`).toBe(1);

    for (const name of hosts) await cluster.simulator.send('PUT', `/hosts/${name}/faults`, { latency_ms: 1_000 });
    const down = await scale(service, 2);
    await expect
      .poll(
        async () => (await cluster.client.vmsOf(service)).some(({ lcm_state }) => lcm_state === 'SHUTDOWN'),
        patient,
      )
      .toBe(true);
    await cluster.worker(0).kill();
    for (const name of hosts) await cluster.simulator.send('PUT', `/hosts/${name}/faults`, { latency_ms: 0 });
    await cluster.startWhatEnded();
    await cluster.client.awaitOperation(down.id, 'succeeded');
    // The oldest have gone, whichever worker has removed them.
    expect((await domainsOf(service)).toSorted((one, other) => one - other)).toEqual(
      five.toSorted((one, other) => one - other).slice(-2),
    );
    expect(await checkConsistency(cluster)).toEqual([]);
  });
});

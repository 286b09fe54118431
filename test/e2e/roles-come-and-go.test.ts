import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SimulatedDomain } from '../../schemas/hosts/simulator.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import { Cluster } from '../support/cluster.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency, timesMade } from '../support/cluster-consistency.js';

const patient = { interval: 100 };
const HostDomains = z.object({ domains: z.array(SimulatedDomain) });

/** Each is asked for while the api is killed, and carried out while worker and api are. */
describe('roles that are released, added and removed, though everything is killed meanwhile', () => {
  let cluster: Cluster;
  let hosts: string[];
  let service: number;
  beforeAll(async () => {
    cluster = await Cluster.start({ environments: { worker: { ARCUS_DEFAULT_COOLDOWN: '0' } } });
    hosts = await makeHosts(cluster.client, 2);
    const roles = [{ name: 'web' }, { name: 'db', cardinality: 2, on_hold: true }, { name: 'app', parents: ['db'] }];
    service = await cluster.client.instantiate(await makeServiceTemplate(cluster.client, 'parts', { roles }));
    await cluster.client.awaitService(service, 'HOLD');
  });
  afterAll(() => cluster?.stop());
  beforeEach(() => cluster.simulator.endBoots());

  async function domainsOf(role: string): Promise<number[]> {
    const all = await Promise.all(hosts.map((name) => cluster.simulator.ask(HostDomains, 'GET', `/hosts/${name}`)));
    const vms = await cluster.store.vms.model.find({ 'service.id': service, 'service.role': role }).lean().exec();
    const ids = new Set(vms.map(({ _id }) => _id));
    return all.flatMap(({ domains }) => domains.map(({ vm }) => vm)).filter((vm) => ids.has(vm));
  }

  /** Nobody knows whether the api had heard of it before it died: it is asked for again, under its key. */
  async function asked(path: string, body: object): Promise<OperationResource> {
    const manner = { key: randomUUID() };
    const lost = cluster.client.accepted('POST', path, body, manner).catch(() => undefined);
    await cluster.api(0).kill();
    await lost;
    await cluster.startWhatEnded();
    return cluster.client.accepted('POST', path, body, manner);
  }

  async function killed(): Promise<void> {
    await Promise.all([cluster.worker(0).kill(), cluster.api(0).kill()]);
  }

  async function endsWell({ id, type }: OperationResource): Promise<void> {
    await cluster.simulator.endBoots();
    await cluster.startWhatEnded();
    await cluster.client.awaitOperation(id, 'succeeded');
    const same = { kind: type, 'resource.id': service, _id: { $gte: id } };
    expect(await cluster.store.operations.model.countDocuments(same)).toBe(1);
    await cluster.client.awaitService(service, 'RUNNING');
    const made = await timesMade(cluster);
    for (const vm of await cluster.client.vmsOf(service)) expect(made.get(vm.id), `VM ${vm.id}`).toBe(1);
    expect(await checkConsistency(cluster)).toEqual([]);
  }

  const rolesNow = async () =>
    (await cluster.client.service(service)).roles.map(({ name, state, nodes }) => `${name} ${state} ${nodes.length}`);

  it('are on hold until they are released, and then are deployed once, with what waited for them', async () => {
    await killed();
    await cluster.startWhatEnded();
    await cluster.client.awaitService(service, 'HOLD');
    expect(await rolesNow()).toEqual(['web RUNNING 1', 'db HOLD 0', 'app PENDING 0']);

    await cluster.simulator.holdBoots();
    const release = await asked(`/services/${service}/release`, {});
    await expect.poll(async () => (await domainsOf('db')).length, patient).toBe(2);
    await killed();
    await endsWell(release);
    expect(await rolesNow()).toEqual(['web RUNNING 1', 'db RUNNING 2', 'app RUNNING 1']);
  });

  it('are added, with all of their VMs, once', async () => {
    const vm_template = await cluster.client.make('/vm-templates', {
      name: 'cache',
      template: { CPU: 0.5, MEMORY: 256 },
    });
    await cluster.simulator.holdBoots();
    const addition = await asked(`/services/${service}/roles`, { name: 'cache', vm_template, cardinality: 2 });
    await expect.poll(async () => (await domainsOf('cache')).length, patient).toBe(2);
    await killed();
    await endsWell(addition);
    expect(await rolesNow()).toContain('cache RUNNING 2');
  });

  it('are removed, with all of their VMs and nothing else', async () => {
    const latency = async (latency_ms: number) => {
      for (const name of hosts) await cluster.simulator.send('PUT', `/hosts/${name}/faults`, { latency_ms });
    };
    const before = (await domainsOf('cache')).length;
    await latency(1_000);
    const removal = await asked(`/services/${service}/roles/cache/remove`, {});
    const isGoing = async () =>
      (await cluster.client.vmsOf(service)).some(({ lcm_state }) => lcm_state === 'SHUTDOWN' || lcm_state === 'EPILOG');
    await expect.poll(isGoing, patient).toBe(true);
    await killed();
    await latency(0);
    await endsWell(removal);
    expect(await rolesNow()).toEqual(['web RUNNING 1', 'db RUNNING 2', 'app RUNNING 1']);
    expect([before, (await domainsOf('cache')).length]).toEqual([2, 0]);
  });

  it('are repaired while another one is scaled', async () => {
    const { client, simulator } = cluster;
    const [lost = -1] = await domainsOf('db');
    await cluster.store.vms.model.updateOne({ _id: lost }, { $set: { lcm_state: 'PROLOG_FAILURE' } });
    await cluster.store.health.refresh([service]);
    await simulator.holdBoots();
    const repair = await asked(`/services/${service}/repair`, {});
    const scaling = await client.accepted('POST', `/services/${service}/roles/web/scale`, { cardinality: 3 });
    await expect.poll(async () => (await domainsOf('web')).length, patient).toBe(3);
    await killed();
    await endsWell(repair);
    await client.awaitOperation(scaling.id, 'succeeded');
    expect(await rolesNow()).toEqual(['web RUNNING 3', 'db RUNNING 2', 'app RUNNING 1']);
    expect(await domainsOf('db')).not.toContain(lost);
  });
});

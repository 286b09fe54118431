import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostResource } from '../../schemas/hosts/host.js';
import { Why } from '../../schemas/operations/why.js';
import { Cluster } from '../support/cluster.js';
import { makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency } from '../support/cluster-consistency.js';

const patient = { interval: 200 };

describe('a host that dies and returns, on real servers', () => {
  let cluster: Cluster;
  const hosts = new Map<string, number>();
  beforeAll(async () => {
    cluster = await Cluster.start({ settings: { boot_ms: 20 } });
    for (const name of ['host-a', 'host-b'])
      hosts.set(name, await cluster.client.make('/hosts', { name, cpu: 4, memory: 4_096 }));
  });
  afterAll(() => cluster?.stop());

  const host = (name: string) => cluster.client.ask(HostResource, 'GET', `/hosts/${hosts.get(name)}`);
  const stateOf = async (name: string) => (await host(name)).state;
  const change = (name: string, state: string) =>
    cluster.client.ask(HostResource, 'PATCH', `/hosts/${hosts.get(name)}`, { state });
  const faults = async (name: string, body: object) =>
    expect((await cluster.simulator.send('PUT', `/hosts/${name}/faults`, body)).status).toBeLessThan(300);

  it('has its group replaced on another host, and takes nothing new before what it still runs is gone', async () => {
    for (const name of hosts.keys()) await expect.poll(() => stateOf(name), patient).toBe('MONITORED');
    const template = await makeServiceTemplate(cluster.client, 'group', {
      roles: [
        { name: 'front', cardinality: 2, placement: { affinity: ['back'] } },
        { name: 'back', parents: ['front'] },
      ],
    });
    const service = await cluster.client.instantiate(template);
    await cluster.client.awaitService(service, 'RUNNING');
    const old = await cluster.client.vmsOf(service);
    const [dead = '', ...more] = new Set(old.map((vm) => vm.host?.name ?? ''));
    expect(more).toEqual([]);
    const other = dead === 'host-a' ? 'host-b' : 'host-a';

    await faults(dead, { dead: true });
    await expect.poll(async () => (await cluster.client.service(service)).state, patient).toBe('WARNING');
    const repair = await cluster.client.accepted('POST', `/services/${service}/repair`, {});
    await cluster.client.awaitOperation(repair.id, 'succeeded');
    await cluster.client.awaitService(service, 'RUNNING');
    const isOld = new Set(old.map(({ id }) => id));
    const made = (await cluster.client.vmsOf(service)).filter(({ id }) => !isOld.has(id));
    expect(made.map((vm) => vm.host?.name)).toEqual([other, other, other]);

    // One waits that only the host which returns can take.
    await change(other, 'disabled');
    const single = await cluster.client.make('/vm-templates', { name: 'single', template: { CPU: 1, MEMORY: 128 } });
    const { resource: waiting } = await cluster.client.accepted('POST', '/vms', { template_id: single });
    await cluster.client.awaitVm(waiting.id, ({ reason }) => reason !== null);

    // It is slow, so that the worker dies in the middle of it.
    await faults(dead, { latency_ms: 1_500, revive: 'running' });
    await expect.poll(() => stateOf(dead), patient).toBe('INIT');
    await cluster.worker(0).kill();
    expect(await host(dead)).toMatchObject({ state: 'INIT', error: expect.stringMatching(/^it still runs VMs /) });
    const why = await cluster.client.ask(Why, 'GET', `/hosts/${hosts.get(dead)}/why`);
    expect(why.text).toMatch(/answers, and takes no VMs yet: it still runs VMs .* of before/);
    await cluster.startWhatEnded();
    await faults(dead, {});
    await cluster.client.awaitVm(waiting.id, ({ lcm_state }) => lcm_state === 'RUNNING');
    expect(await stateOf(dead)).toBe('MONITORED');

    const journal = await cluster.simulator.journal();
    const began = journal.findIndex((entry) => entry.call === 'deploy' && entry.vm === waiting.id);
    expect(journal[began]).toMatchObject({ host: dead });
    for (const { id } of old) {
      const gone = journal.findIndex(
        (entry) => entry.vm === id && entry.call === 'destroy' && entry.outcome === 'destroyed',
      );
      expect(gone, `VM ${id} was removed`).toBeGreaterThan(-1);
      expect(gone).toBeLessThan(began);
      await cluster.client.awaitVm(id, ({ state }) => state === 'DONE');
    }
    await change(other, 'enabled');
    await expect.poll(() => stateOf(other), patient).toBe('MONITORED');
    expect(await checkConsistency(cluster)).toEqual([]);
  });
});

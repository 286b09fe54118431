import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClusterResource } from '../../schemas/hosts/cluster.js';
import { HostResource } from '../../schemas/hosts/host.js';
import { Why } from '../../schemas/operations/why.js';
import { VmPlacement } from '../../schemas/placement/placement.js';
import { Cluster } from '../support/cluster.js';
import { makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency } from '../support/cluster-consistency.js';
import { eventually } from '../support/processes.js';

describe('placement, on real servers', () => {
  let cluster: Cluster;
  const hosts: number[] = [];
  beforeAll(async () => {
    cluster = await Cluster.start({ onServersOfTheRun: true, settings: { boot_ms: 20 } });
    for (const name of ['host-a', 'host-b', 'host-c'])
      hosts.push(await cluster.client.make('/hosts', { name, cpu: 4, memory: 4_096 }));
    await eventually(async () => {
      const states = await Promise.all(hosts.map((id) => host(id)));
      return states.every(({ state }) => state === 'MONITORED') || undefined;
    });
  });
  afterAll(() => cluster?.stop());

  const host = (id: number) => cluster.client.ask(HostResource, 'GET', `/hosts/${id}`);
  const change = (id: number, body: object) => cluster.client.ask(HostResource, 'PATCH', `/hosts/${id}`, body);
  const placement = (vm: number) => cluster.client.ask(VmPlacement, 'GET', `/vms/${vm}/placement`);
  const templates = { count: 0 };
  const createVm = async (template: object) => {
    templates.count += 1;
    const name = `single-${templates.count}`;
    const template_id = await cluster.client.make('/vm-templates', { name, template });
    return (await cluster.client.accepted('POST', '/vms', { template_id })).resource.id;
  };
  const runs = (vm: number) => cluster.client.awaitVm(vm, ({ lcm_state }) => lcm_state === 'RUNNING');
  const waits = (vm: number) => cluster.client.awaitVm(vm, ({ reason }) => reason !== null);
  const gone = async (vm: number) => {
    const { id } = await cluster.client.accepted('POST', `/vms/${vm}/terminate`, { hard: true });
    await cluster.client.awaitOperation(id, 'succeeded');
  };

  it('spreads a role and keeps roles apart; a disabled host gets nothing, and all waits until it is enabled', async () => {
    const [a = 0, b = 0, c = 0] = hosts;
    await change(c, { state: 'disabled' });
    const template = await makeServiceTemplate(cluster.client, 'apart', {
      deployment: 'none',
      roles: [
        { name: 'web', cardinality: 2, placement: { anti_affinity: ['web', 'db'] } },
        { name: 'db', cardinality: 2, placement: { hosts: 'pack', affinity: ['db'] } },
        { name: 'cache', cardinality: 4, placement: { hosts: 'spread' } },
      ],
    });
    const service = await cluster.client.instantiate(template);
    const settled = await eventually(async () => {
      const vms = await cluster.client.vmsOf(service);
      const waiting = vms.filter(({ state, reason }) => state === 'PENDING' && reason !== null);
      return vms.length === 8 &&
        waiting.length > 0 &&
        vms.every((vm) => vm.lcm_state === 'RUNNING' || waiting.includes(vm))
        ? { vms, waiting }
        : undefined;
    });
    expect(settled.vms.filter((vm) => vm.host?.id === c)).toEqual([]);
    const [one] = settled.waiting;
    expect(one?.reason).toMatch(/^none of 2 enabled hosts will do: .*(apart|together)/);
    expect(await placement(one?.id ?? -1)).toMatchObject({
      host: null,
      candidates: 0,
      text: expect.stringContaining(`ost ${c} is DISABLED`),
      refused: expect.arrayContaining([{ reason: 'is DISABLED', hosts: [c], more: 0 }]),
    });
    const why = await cluster.client.ask(Why, 'GET', `/vms/${one?.id}/why`);
    expect(why.text).toContain(`arcus vm why-pending ${one?.id}`);

    const begun = Date.now();
    await change(c, { state: 'enabled' });
    await cluster.client.awaitService(service, 'RUNNING');
    console.error(`enabled a host; the service that waited for it ran ${Date.now() - begun} ms later`);
    const vms = await cluster.client.vmsOf(service);
    const ofRole = (role: string) => vms.filter(({ role_name }) => role_name === role);
    const hostsOf = (role: string) => ofRole(role).map((vm) => vm.host?.id ?? -1);
    expect(new Set(hostsOf('web')).size).toBe(2);
    expect(new Set(hostsOf('db')).size).toBe(1);
    expect(hostsOf('web')).not.toContain(hostsOf('db')[0]);
    expect(hostsOf('cache').filter((id) => id === a).length).toBe(2);
    expect(hostsOf('cache').filter((id) => id === b).length).toBe(2);
    const [placed] = ofRole('web');
    expect(await placement(placed?.id ?? -1)).toMatchObject({
      text: expect.stringContaining(`VM ${placed?.id} (${placed?.name}) is on host ${placed?.host?.id}`),
      record: { rank_by: 'stripe', hosts: 3 },
    });
    expect(await checkConsistency(cluster)).toEqual([]);
    const { id } = await cluster.client.accepted('DELETE', `/services/${service}`);
    await cluster.client.awaitOperation(id, 'succeeded');
  });

  it('frees a host that is flushed: its VMs run on the others', async () => {
    const vms = [];
    for (let made = 0; made < 4; made++) vms.push(await createVm({ CPU: 1, MEMORY: 64 }));
    const places = new Map<number, number | undefined>();
    for (const vm of vms) places.set(vm, (await runs(vm)).host?.id);
    const from = places.get(vms[0] ?? -1) ?? -1;
    const { id } = await cluster.client.accepted('POST', `/hosts/${from}/flush`);
    await cluster.client.awaitOperation(id, 'succeeded');
    expect(await host(from)).toMatchObject({ state: 'DISABLED', vms: [], operation: null });
    for (const vm of vms) {
      const now = (await runs(vm)).host?.id;
      expect(now, `VM ${vm}`).not.toBe(from);
      if (places.get(vm) !== from) expect(now).toBe(places.get(vm));
    }
    await change(from, { state: 'enabled' });
    await eventually(async () => (await host(from)).state === 'MONITORED' || undefined);
    for (const vm of vms) await gone(vm);
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('makes a domain that is not ours a VM, once, and ends it like any other', async () => {
    const [a = 0] = hosts;
    const size = { cpu: 100, memory: 256 };
    await cluster.simulator.send('POST', '/hosts/host-a/deploy', {
      ...{
        installation: 'another home',
        vm: 7_000,
        domain: 'legacy-db',
        epoch: 3,
        capacity: size,
        labels: { vm: 7_000 },
      },
      host: { cpu: 400, memory: 4_096 },
    });
    await change(a, { state: 'disabled' });
    await change(a, { state: 'enabled' });
    await eventually(async () => {
      const { state, wilds } = await host(a);
      return (state === 'MONITORED' && wilds.count === 1) || undefined;
    });
    expect(await host(a)).toMatchObject({ cpu: { used: 0, outside: 1 }, wilds: { items: [{ name: 'legacy-db' }] } });
    const { id, resource } = await cluster.client.accepted('POST', `/hosts/${a}/import`, { wild: 'legacy-db' });
    await cluster.client.awaitOperation(id, 'succeeded');
    expect((await runs(resource.id)).host?.id).toBe(a);
    expect(await host(a)).toMatchObject({ cpu: { used: 1, outside: 0 }, wilds: { count: 0 }, vms: [resource.id] });
    expect(await checkConsistency(cluster)).toEqual([]);
    await gone(resource.id);
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('wakes a VM when a host is moved into its cluster, overcommitted, or given an attribute', async () => {
    const [a = 0, b = 0] = hosts;
    const { id: production } = await cluster.client.ask(ClusterResource, 'POST', '/clusters', { name: 'production' });
    const inCluster = await createVm({ CPU: 1, MEMORY: 64, SCHED_REQUIREMENTS: `CLUSTER_ID = ${production}` });
    expect((await waits(inCluster)).reason).toBe(
      `none of 3 enabled hosts will do: hosts ${hosts.slice(0, 2).join(', ')} and ${hosts[2]}: CLUSTER_ID = ${production} is false (it is 0)`,
    );
    const moved = Date.now();
    await change(b, { cluster_id: production });
    expect((await runs(inCluster)).host?.id).toBe(b);
    console.error(`moved a host into the cluster; the VM ran ${Date.now() - moved} ms later`);

    const large = await createVm({ CPU: 6, MEMORY: 64 });
    expect((await waits(large)).reason).toBe('needs 6 CPU; the freest of 3 enabled hosts has 4');
    const overcommitted = Date.now();
    expect(await change(a, { reserved: { cpu: '-50%' } })).toMatchObject({ cpu: { total: 4, reserved: -2, free: 6 } });
    expect((await runs(large)).host?.id).toBe(a);
    console.error(`overcommitted a host; the VM ran ${Date.now() - overcommitted} ms later`);

    const racked = await createVm({ CPU: 1, MEMORY: 64, SCHED_REQUIREMENTS: 'RACK = "b-*"', SCHED_RANK: 'FREE_CPU' });
    expect((await waits(racked)).reason).toMatch(/have no attribute RACK/);
    await cluster.client.ask(ClusterResource, 'PATCH', `/clusters/${production}`, { attributes: { rack: 'b-12' } });
    expect((await runs(racked)).host?.id).toBe(b);
    expect(await placement(racked)).toMatchObject({ record: { rank_by: 'SCHED_RANK FREE_CPU', candidates: 1 } });
    for (const vm of [inCluster, large, racked]) await gone(vm);
    expect(await checkConsistency(cluster)).toEqual([]);
  });
});

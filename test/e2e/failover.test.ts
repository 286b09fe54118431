import { createServer, type Server } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HostResource } from '../../schemas/hosts/host.js';
import { OperationDetail, OperationResource } from '../../schemas/operations/operation-resource.js';
import type { VmResource } from '../../schemas/vms/vm.js';
import { Cluster } from '../support/cluster.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency } from '../support/cluster-consistency.js';
import { bmcPassword, bmcUser, SushyEmulator } from '../support/redfish.js';
import { seenEverywhere } from '../support/seen-everywhere.js';

const patient = { interval: 200 };
const System = z.object({ name: z.string(), power_state: z.string() });
const uuidOf = (at: number): string => `27946b59-9e44-4fa7-8e91-f3527a1ef09${at}`;
const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

describe('hosts that fail, on real servers', () => {
  let cluster: Cluster;
  let bmc: SushyEmulator;
  let names: string[];
  /** Hosts whose power was cut, and when. */
  const cut: { name: string; at: number }[] = [];
  const tested = new Map<string, number>();
  /** What the BMC does to the power of a system is done to the simulated host of its name. */
  const powers = new Map<string, string>();
  const notified = createServer((request, response) => {
    void json(request).then(async (told) => {
      const { name, power_state } = System.parse(told);
      if ((powers.get(name) ?? 'On') !== power_state) {
        powers.set(name, power_state);
        await faults(name, { dead: power_state === 'Off' });
        if (power_state === 'Off') cut.push({ name, at: Date.now() });
      }
      response.end();
    });
  });
  beforeAll(async () => {
    const environment = { ARCUS_MONITORING_INTERVAL: '5' };
    cluster = await Cluster.start({
      ...{ onServersOfTheRun: true, settings: { boot_ms: 300 } },
      environments: { worker: environment, api: environment },
    });
    await new Promise<void>((resolve) => notified.listen(0, '127.0.0.1', resolve));
    names = await makeHosts(cluster.client, 5);
    const notify = `http://127.0.0.1:${portOf(notified)}`;
    const systems = names.map((name, at) => ({ uuid: uuidOf(at), name, power_state: 'On' as const }));
    bmc = await SushyEmulator.start({ systems, notify });
  });
  afterAll(async () => {
    await cluster?.stop();
    await bmc?.stop();
    notified.close();
  });

  const Hosts = z.object({ items: z.array(HostResource) });
  const host = async (name: string): Promise<HostResource> => {
    const { items } = await cluster.client.ask(Hosts, 'GET', '/hosts?limit=100');
    const found = items.find((one) => one.name === name);
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  };
  const change = async (name: string, body: object) =>
    cluster.client.ask(HostResource, 'PATCH', `/hosts/${(await host(name)).id}`, body);
  const faults = async (name: string, body: object) =>
    expect((await cluster.simulator.send('PUT', `/hosts/${name}/faults`, body)).status).toBeLessThan(300);
  /** Since it was tested. */
  const fencedAt = (name: string): number[] =>
    cut.flatMap((one) => (one.name === name ? [one.at] : [])).slice(tested.get(name) ?? 0);
  const Operations = z.object({ items: z.array(OperationResource) });
  const told = new Set<string>();
  /** One that none of these tests has been told of. */
  const failoverOf = async (name: string): Promise<string> => {
    const path = `/hosts/${(await host(name)).id}/operations`;
    let id = '';
    await expect
      .poll(async () => {
        const { items } = await cluster.client.ask(Operations, 'GET', path);
        id = items.find((one) => one.type === 'failoverHost' && !told.has(one.id))?.id ?? '';
        return id;
      }, patient)
      .not.toBe('');
    told.add(id);
    return id;
  };
  const all = async (service: number): Promise<VmResource[]> =>
    (await cluster.client.vmsOf(service)).toSorted((one, other) => one.id - other.id);
  const busiest = (vms: readonly VmResource[]): string => {
    const names = vms.map((vm) => vm.host?.name ?? '');
    return (
      names.toSorted(
        (one, other) => names.filter((n) => n === other).length - names.filter((n) => n === one).length,
      )[0] ?? ''
    );
  };
  /** Of each VM that was on the host: made elsewhere, once, and not before it was off. */
  const movedOnce = async (name: string, lost: readonly VmResource[], from: number) => {
    const off = fencedAt(name).at(-1) ?? Number.POSITIVE_INFINITY;
    const journal = (await cluster.simulator.journal()).slice(from);
    for (const { id } of lost) {
      const made = journal.filter((entry) => entry.vm === id && entry.call === 'deploy' && entry.outcome === 'created');
      expect(made.map((entry) => entry.host)).toEqual([expect.not.stringMatching(new RegExp(`^${name}$`))]);
      expect(Date.parse(made[0]?.time ?? '')).toBeGreaterThanOrEqual(off);
      recreated.set(id, (recreated.get(id) ?? 0) + 1);
    }
  };
  const recreated = new Map<number, number>();

  it('are turned off and on by their BMCs, which arms their policies, though the worker dies while they are off', async () => {
    const killed = (async () => {
      await expect.poll(() => cut.length, patient).toBeGreaterThan(0);
      await cluster.worker(0).kill();
      await cluster.startWhatEnded();
    })();
    await Promise.all(
      names.map(async (name, at) => {
        const account = { address: bmc.url, user: bmcUser, password: bmcPassword };
        const fencing = [{ kind: 'redfish', ...account, system: uuidOf(at), timeout: 30 }];
        const { id } = await change(name, { state: 'disabled', ha: { action: 'recreate', polls: 2, fencing } });
        const { id: op } = await cluster.client.accepted('POST', `/hosts/${id}/fence-test`);
        await cluster.client.awaitOperation(op, 'succeeded');
        tested.set(name, cut.filter((one) => one.name === name).length);
        expect(tested.get(name)).toBeGreaterThan(0);
        expect(powers.get(name)).toBe('On');
        await change(name, { state: 'enabled' });
        await expect.poll(async () => (await host(name)).state, patient).toBe('MONITORED');
        expect(await host(name)).toMatchObject({ armed: true, fence_test: { operation: op, passed: true } });
      }),
    );
    await killed;
  });

  it('has its VMs run elsewhere, in order, each once, though the worker dies in the midst of it', async () => {
    const template = await makeServiceTemplate(cluster.client, 'shop', {
      roles: [
        { name: 'db', cardinality: 6 },
        { name: 'web', cardinality: 6, parents: ['db'] },
      ],
    });
    const service = await cluster.client.instantiate(template);
    await cluster.client.awaitService(service, 'RUNNING');
    const before = await all(service);
    const dead = busiest(before);
    const lost = before.filter((vm) => vm.host?.name === dead);
    expect(lost.length).toBeGreaterThan(1);
    const from = (await cluster.simulator.journal()).length;
    expect(await host(dead)).toMatchObject({ expected_recovery: 2 * 5 + 12 + 30 + 5 });

    await faults(dead, { dead: true });
    const op = await failoverOf(dead);
    await expect.poll(() => fencedAt(dead).length, patient).toBeGreaterThan(0);
    await cluster.worker(0).kill();
    await cluster.startWhatEnded();
    await cluster.client.awaitOperation(op, 'succeeded');
    await cluster.client.awaitService(service, 'RUNNING');
    const after = await all(service);
    expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    for (const vm of after) expect([vm.lcm_state, vm.host?.name === dead]).toEqual(['RUNNING', false]);
    await movedOnce(dead, lost, from);
    const detail = await cluster.client.ask(OperationDetail, 'GET', `/operations/${op}`);
    expect(detail.failed_over).toMatchObject({ recovered: lost.length, stays: 0, waits: 0, pending: 0 });

    await faults(dead, { revive: 'running' });
    await expect.poll(async () => (await host(dead)).state, patient).toBe('MONITORED');
    expect(await host(dead)).toMatchObject({ fenced: null, missed: 0, vms: [] });
    expect(await checkConsistency(cluster, { recreated })).toEqual([]);
  });

  it('that hangs, and runs on, has its power cut before anything of it is started elsewhere', async () => {
    const template = await makeServiceTemplate(cluster.client, 'mail', { roles: [{ name: 'mx', cardinality: 8 }] });
    const service = await cluster.client.instantiate(template);
    await cluster.client.awaitService(service, 'RUNNING');
    const before = await all(service);
    const hung = busiest(before);
    const lost = before.filter((vm) => vm.host?.name === hung);
    const from = (await cluster.simulator.journal()).length;
    await faults(hung, { hang: true });
    await cluster.client.awaitOperation(await failoverOf(hung), 'succeeded');
    await cluster.client.awaitService(service, 'RUNNING');
    await movedOnce(hung, lost, from);
    await faults(hung, {});
    await expect.poll(async () => (await host(hung)).state, patient).toBe('MONITORED');
    expect(await checkConsistency(cluster, { recreated })).toEqual([]);
  });

  it('has nowhere to be seen what opens its BMC', async () => {
    const seen = await seenEverywhere(cluster, ['/hosts', `/hosts/${(await host('host-1')).id}`]);
    for (const where of ['documents', 'lists'] as const) expect(seen[where], where).toContain(bmc.url);
    expect(seen.histories).toContain('testFencing');
    const basic = Buffer.from(`${bmcUser}:${bmcPassword}`).toString('base64');
    for (const [where, text] of Object.entries(seen)) {
      expect(text, where).not.toContain(bmcPassword);
      expect(text, where).not.toContain(basic);
    }
  });
});

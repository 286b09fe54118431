import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HostResource } from '../../schemas/hosts/host.js';
import { OperationDetail, OperationResource } from '../../schemas/operations/operation-resource.js';
import type { VmResource } from '../../schemas/vms/vm.js';
import { Cluster } from '../support/cluster.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency } from '../support/cluster-consistency.js';

const patient = { interval: 200 };

describe('hosts that fail, on real servers', () => {
  let cluster: Cluster;
  const programs = mkdtempSync(join(tmpdir(), 'arcus-fencing-'));
  const log = join(programs, 'log');
  beforeAll(async () => {
    const environment = { ARCUS_MONITORING_INTERVAL: '5', ARCUS_FENCING_DIRECTORY: programs };
    cluster = await Cluster.start({
      ...{ onServersOfTheRun: true, settings: { boot_ms: 300 } },
      environments: { worker: environment, api: environment },
    });
    const { url, token } = cluster.simulator.address;
    // Cuts the power of a simulated host, and writes down when.
    writeFileSync(
      join(programs, 'power-off'),
      `#!${process.execPath}
const [, , rack, verb, host] = process.argv;
if (rack !== 'rack-1' || verb !== 'off') process.exit(2);
const headers = { authorization: 'Bearer ${token}', 'content-type': 'application/json' };
fetch('${url}/hosts/' + host + '/faults', { method: 'PUT', headers, body: JSON.stringify({ dead: true }) }).then((answer) => {
  if (!answer.ok) process.exit(1);
  require('node:fs').appendFileSync(${JSON.stringify(log)}, host + ' ' + Date.now() + '\\n');
});
`,
    );
    chmodSync(join(programs, 'power-off'), 0o755);
    for (const name of await makeHosts(cluster.client, 5)) await change(name, { ha: policy });
  });
  afterAll(async () => {
    await cluster?.stop();
    rmSync(programs, { recursive: true, force: true });
  });

  const policy = {
    ...{ action: 'recreate', polls: 2 },
    fencing: [{ kind: 'command', program: 'power-off', arguments: ['rack-1'], timeout: 20 }],
  };
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
  const fencedAt = (name: string): number[] =>
    existsSync(log)
      ? readFileSync(log, 'utf8')
          .split('\n')
          .flatMap((line) => (line.startsWith(`${name} `) ? [Number(line.split(' ')[1])] : []))
      : [];
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
    expect(await host(dead)).toMatchObject({ expected_recovery: 2 * 5 + 12 + 20 + 5 });

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
});

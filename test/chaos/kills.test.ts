import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../../runtime/api-client.js';
import { ensureSample } from '../../runtime/sample.js';
import { Cluster, credentials } from '../support/cluster.js';
import { seeded } from '../support/cluster-chance.js';
import { checkConsistency, timesMade } from '../support/cluster-consistency.js';
import { eventually } from '../support/processes.js';

describe('the sample’s deployment, fifteen VMs,', { timeout: 240_000 }, () => {
  const vms = 15;
  let cluster: Cluster;
  let template: number;
  let sample: number;
  beforeAll(async () => {
    cluster = await Cluster.start({ settings: { boot_ms: { min: 200, max: 400 } } });
    const api = new ApiClient(cluster.client.url, credentials);
    sample = (await ensureSample(api, join(cluster.directory, 'sample.json'))) ?? -1;
    template = (await cluster.client.service(sample)).template_id;
  });
  afterAll(() => cluster?.stop());

  const deploy = () => cluster.client.instantiate(template);
  const remove = async (service: number) => {
    const { id } = await cluster.client.accepted('DELETE', `/services/${service}`);
    await cluster.client.awaitOperation(id, 'succeeded');
  };
  /** It runs, with all its VMs, each made once; the room that it takes is then given back. */
  const expectWhole = async (service: number) => {
    await cluster.client.awaitService(service, 'RUNNING');
    const running = await cluster.client.vmsOf(service);
    const made = await timesMade(cluster);
    expect(running.filter(({ lcm_state }) => lcm_state === 'RUNNING')).toHaveLength(vms);
    expect(running.map(({ id }) => made.get(id))).toEqual(Array(vms).fill(1));
    expect(await checkConsistency(cluster)).toEqual([]);
    await remove(service);
  };
  const inTheMiddle = async (before: number) =>
    eventually(async () => (await timesMade(cluster)).size >= before + 3, 60_000);

  it('ends RUNNING when the worker is killed at ten random moments, and started again each time', async () => {
    const chance = seeded('ARCUS_CHAOS_SEED');
    const worker = cluster.worker(0);
    let service = sample;
    for (let kills = 0; kills < 10; kills++) {
      await sleep(chance() * (kills === 0 ? 800 : 2_000));
      if ((await cluster.client.service(service)).state === 'RUNNING') {
        await expectWhole(service);
        service = await deploy();
        await sleep(chance() * 800);
      }
      await worker.kill();
      await worker.startAgain();
    }
    await expectWhole(service);
  });

  it('ends RUNNING when the api is killed right after it has answered 202', async () => {
    const service = await deploy();
    await cluster.api(0).kill();
    await cluster.api(0).startAgain();
    await expectWhole(service);
  });

  it('ends RUNNING when Temporal was away while it was asked for, and the api was killed before Temporal came back', async () => {
    await cluster.servers.temporal.kill();
    const service = await deploy();
    await cluster.api(0).kill();
    await cluster.servers.temporal.startAgain();
    await cluster.api(0).startAgain();
    await expectWhole(service);
  });

  type Killable = { kill: () => Promise<unknown>; startAgain: () => Promise<unknown> };
  const killables: [string, () => Killable | Promise<Killable>][] = [
    ['Temporal', () => cluster.servers.temporal],
    ['MongoDB', () => cluster.servers.mongodb.primary()],
    [
      'the hypervisor',
      () => ({ kill: () => cluster.simulator.end('SIGKILL'), startAgain: () => cluster.simulator.startAgain() }),
    ],
  ];
  it.each(killables)('ends RUNNING when %s is killed in the middle, and started again', async (_name, killable) => {
    await cluster.simulator.send('PUT', '/settings', { boot_ms: 1_000 });
    const before = (await timesMade(cluster)).size;
    const service = await deploy();
    await inTheMiddle(before);
    const killed = await killable();
    await killed.kill();
    await killed.startAgain();
    await expectWhole(service);
  });

  it('is undone by an undeployment whose worker is killed in the middle', async () => {
    await cluster.simulator.send('PUT', '/settings', { boot_ms: 0, shutdown_ms: 1_000 });
    const service = await deploy();
    await cluster.client.awaitService(service, 'RUNNING');
    const destroyed = async () => (await cluster.simulator.journal()).filter(({ call }) => call === 'destroy').length;
    const before = await destroyed();
    const { id } = await cluster.client.accepted('POST', `/services/${service}/undeploy`, { hard: false });
    await eventually(async () => (await destroyed()) > before, 60_000);
    await cluster.worker(0).kill();
    await cluster.worker(0).startAgain();
    await cluster.client.awaitOperation(id, 'succeeded');
    expect((await cluster.client.service(service)).state).toBe('DONE');
    expect(await checkConsistency(cluster)).toEqual([]);
  });
});

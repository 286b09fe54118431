import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../schemas/hosts/simulator.js';
import { Cluster } from '../support/cluster.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency } from '../support/cluster-consistency.js';
import { eventually } from '../support/processes.js';

/** SIGSTOP leaves a worker with its connections, its tasks and its calls at the hypervisor; Temporal gives its work to another. */
describe('a worker that is frozen past its heartbeat', () => {
  const vms = 3;
  let cluster: Cluster;
  let template: number;
  beforeAll(async () => {
    cluster = await Cluster.start();
    await makeHosts(cluster.client, 2);
    template = await makeServiceTemplate(cluster.client, 'web', { roles: [{ name: 'web', cardinality: vms }] });
  });
  afterAll(() => cluster?.stop());

  const callsOf = async (service: number, is: (entry: JournalEntry) => boolean): Promise<JournalEntry[]> => {
    const ids = (await cluster.store.vms.model.find({ 'service.id': service }).lean().exec()).map(({ _id }) => _id);
    return (await cluster.simulator.journal()).filter((entry) => ids.includes(entry.vm) && is(entry));
  };
  const made = (service: number) =>
    callsOf(service, ({ outcome }) => ['created', 'replaced', 'started'].includes(outcome));
  const madeAgain = (service: number) => callsOf(service, ({ outcome }) => outcome === 'exists');

  /** Deploys the service on the one worker that runs, and freezes that in the middle of the boot, which another finds going on. */
  const deployAndFreeze = async (): Promise<number> => {
    await cluster.simulator.holdBoots();
    const service = await cluster.client.instantiate(template);
    await eventually(async () => (await made(service)).length === vms);
    cluster.worker(0).freeze();
    return service;
  };

  it('changes nothing when it wakes after the service was brought up and undeployed by another', async () => {
    const service = await deployAndFreeze();
    const vm = (await callsOf(service, () => true))[0];
    const second = await cluster.startWorker();
    await eventually(async () => (await madeAgain(service)).length >= vms);
    await cluster.simulator.endBoots();
    await cluster.client.awaitService(service, 'RUNNING');
    const undeployment = await cluster.client.accepted('POST', `/services/${service}/undeploy`, {});
    await cluster.client.awaitOperation(undeployment.id, 'succeeded');
    const documents = () =>
      Promise.all([
        cluster.store.services.find(service),
        cluster.store.vms.model.find({ 'service.id': service }).sort({ _id: 1 }).lean().exec(),
        cluster.store.hosts.model.find({}, { vms: 1, used: 1 }).sort({ _id: 1 }).lean().exec(),
      ]);
    const before = await documents();
    expect(before[0]?.state).toBe('DONE');

    cluster.worker(0).thaw();
    // What it does next for another service shows that it is awake and has come past what it was frozen in.
    await second.kill();
    const next = await cluster.client.instantiate(template);
    await cluster.client.awaitService(next, 'RUNNING');
    await cluster.client.awaitOperation((await cluster.client.accepted('DELETE', `/services/${next}`)).id, 'succeeded');

    expect(await documents()).toEqual(before);
    expect(await made(service)).toHaveLength(vms);
    expect(await checkConsistency(cluster)).toEqual([]);
    // A call that it had still to make would be one of the epoch that the undeployment has outdone.
    const late = await cluster.simulator.send('POST', `/hosts/${vm?.host}/deploy`, {
      installation: vm?.installation,
      vm: vm?.vm,
      domain: vm?.domain,
      epoch: vm?.epoch,
      host: { cpu: 800, memory: 16_384 },
      capacity: { cpu: 50, memory: 256 },
      labels: { vm: vm?.vm },
    });
    expect(late).toMatchObject({ status: 409, body: { code: 'stale_epoch' } });
  });

  it('works beside the one that has taken over when it wakes before that has finished, and nothing is made twice', async () => {
    const service = await deployAndFreeze();
    const second = cluster.worker(1);
    await second.startAgain();
    await eventually(async () => (await madeAgain(service)).length >= vms);
    cluster.worker(0).thaw();
    await cluster.simulator.endBoots();
    await cluster.client.awaitService(service, 'RUNNING');
    expect(await made(service)).toHaveLength(vms);
    const undeployment = await cluster.client.accepted('POST', `/services/${service}/undeploy`, {});
    await cluster.client.awaitOperation(undeployment.id, 'succeeded');
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('is in nobody’s way when its service is deleted while its calls hang at the hypervisor', async () => {
    const { client, simulator } = cluster;
    await cluster.worker(1).kill();
    for (const host of ['host-0', 'host-1']) await simulator.send('PUT', `/hosts/${host}/faults`, { hang: true });
    const service = await client.instantiate(template);
    await eventually(async () => {
      const seen = await client.vmsOf(service);
      return seen.length === vms && seen.every(({ lcm_state }) => lcm_state === 'BOOT');
    });
    cluster.worker(0).freeze();
    const removal = await client.accepted('DELETE', `/services/${service}`);
    await cluster.worker(1).startAgain();
    await eventually(async () => {
      const left = await cluster.store.vms.ofService(service);
      return left.length === vms && left.every(({ lcm_state }) => lcm_state === 'SHUTDOWN');
    });
    // The deploys of the frozen one and the destroys of the other go on at once, in whatever order.
    for (const host of ['host-0', 'host-1']) await simulator.send('PUT', `/hosts/${host}/faults`, {});
    cluster.worker(0).thaw();
    await client.awaitOperation(removal.id, 'succeeded');
    expect((await client.send('GET', `/services/${service}`)).status).toBe(404);
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('in the middle of a scaling: another ends it, another role is scaled meanwhile, and nothing is made or removed twice', async () => {
    const { client, simulator } = cluster;
    await cluster.worker(1).kill();
    const roles = [{ name: 'web', cardinality: vms, cooldown: 0 }, { name: 'back' }];
    const service = await client.instantiate(await makeServiceTemplate(client, 'two', { deployment: 'none', roles }));
    await client.awaitService(service, 'RUNNING');
    const scale = (role: string, cardinality: number) =>
      client.accepted('POST', `/services/${service}/roles/${role}/scale`, { cardinality });
    const first = (await made(service)).length;
    expect(first).toBe(vms + 1);

    await simulator.holdBoots();
    const out = await scale('web', vms + 2);
    await eventually(async () => (await made(service)).length === first + 2);
    cluster.worker(0).freeze();
    const beside = await scale('back', 2);
    await cluster.worker(1).startAgain();
    // Of one role it takes over, of the other it does what the frozen one never saw.
    await eventually(async () => (await madeAgain(service)).length >= 2 && (await made(service)).length === first + 3);
    await simulator.endBoots();
    await client.awaitOperation(out.id, 'succeeded');
    await client.awaitOperation(beside.id, 'succeeded');
    cluster.worker(0).thaw();

    await cluster.worker(1).kill();
    for (const host of ['host-0', 'host-1']) await simulator.send('PUT', `/hosts/${host}/faults`, { hang: true });
    const back = await scale('web', 1);
    const leaving = async () =>
      (await cluster.store.vms.ofService(service)).filter(({ lcm_state }) => lcm_state === 'SHUTDOWN').length;
    await eventually(async () => (await leaving()) === vms + 1);
    cluster.worker(0).freeze();
    await cluster.worker(1).startAgain();
    for (const host of ['host-0', 'host-1']) await simulator.send('PUT', `/hosts/${host}/faults`, {});
    await client.awaitOperation(back.id, 'succeeded');
    cluster.worker(0).thaw();

    expect((await cluster.store.services.find(service))?.roles.map(({ cardinality }) => cardinality)).toEqual([1, 2]);
    expect(await made(service)).toHaveLength(first + 3);
    const undeployment = await client.accepted('POST', `/services/${service}/undeploy`, {});
    await client.awaitOperation(undeployment.id, 'succeeded');
    expect(await checkConsistency(cluster)).toEqual([]);
  });
});

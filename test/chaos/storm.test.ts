import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { OperationResource } from '../../schemas/operation.js';
import { ServiceSummary } from '../../schemas/service.js';
import { VmResource } from '../../schemas/vm.js';
import { Cluster } from '../support/cluster.js';
import { seeded } from '../support/cluster-chance.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency } from '../support/cluster-consistency.js';
import { eventually } from '../support/processes.js';

const Services = z.object({ items: z.array(ServiceSummary) });
const Vms = z.object({ items: z.array(VmResource) });
const Operations = z.object({ items: z.array(OperationResource) });

/** Requests of every kind, at random, for a cloud that is too small for all, while its processes are killed at random. */
describe('a storm of requests and kills', { timeout: 400_000 }, () => {
  const seconds = Number(process.env.ARCUS_STORM_SECONDS ?? 15);
  let cluster: Cluster;
  let template: number;
  let vmTemplate: number;
  beforeAll(async () => {
    cluster = await Cluster.start({
      workers: 2,
      apis: 1,
      settings: { boot_ms: { min: 0, max: 1_500 }, shutdown_ms: 300 },
    });
    await makeHosts(cluster.client, 2, 6);
    const roles = [
      { name: 'db', cardinality: 2 },
      { name: 'web', parents: ['db'], cardinality: 3 },
    ];
    template = await makeServiceTemplate(cluster.client, 'storm', { roles });
    vmTemplate = await cluster.client.make('/vm-templates', { name: 'single', template: { CPU: 1, MEMORY: 256 } });
  });
  afterAll(() => cluster?.stop());

  it('leaves every operation ended or waiting for capacity, and nothing that does not fit', async () => {
    const { client, simulator } = cluster;
    const chance = seeded('ARCUS_STORM_SEED');
    const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(chance() * items.length)];
    const until = Date.now() + seconds * 1_000;
    const kills = [
      async () => {
        await cluster.worker(0).kill();
        await cluster.worker(0).startAgain();
      },
      async () => {
        // Longer than the heartbeat: its work is given to the other, and goes on here when it wakes.
        cluster.worker(1).freeze();
        await sleep(7_000);
        cluster.worker(1).thaw();
      },
      async () => {
        await simulator.end('SIGKILL');
        await simulator.startAgain();
      },
      async () => {
        await cluster.servers.temporal.kill();
        await cluster.servers.temporal.startAgain();
      },
      async () => {
        const primary = await cluster.servers.mongodb.primary();
        await primary.kill();
        await primary.startAgain();
      },
    ];
    const request = async () => {
      const { items } = await client.ask(Services, 'GET', '/services?limit=1000');
      const service = pick(items)?.id;
      const single = (await client.ask(Vms, 'GET', '/vms?limit=1000')).items.filter((vm) => vm.service_id === null);
      const fault = { error_rate: 0.3, seed: Math.floor(chance() * 1_000) };
      const deploy_error = { times: 1, retryable: false };
      const wishes = [
        () => client.send('POST', `/service-templates/${template}/instantiate`, {}),
        () => client.send('POST', `/service-templates/${template}/instantiate`, {}),
        () => client.send('POST', '/vms', { template_id: vmTemplate }),
        () => client.send('POST', `/vms/${pick(single)?.id}/terminate`, { hard: chance() < 0.5 }),
        () => client.send('POST', `/services/${service}/undeploy`, {}),
        () => client.send('POST', `/services/${service}/undeploy`, { hard: true }),
        () => client.send('POST', `/services/${service}/recover`),
        () => client.send('DELETE', `/services/${service}`),
        () => simulator.send('PUT', '/hosts/host-1/faults', pick([{}, {}, fault, { deploy_error }])),
      ];
      await pick(wishes)?.();
    };
    const during = async (work: () => Promise<unknown>, pause: number) => {
      while (Date.now() < until) {
        // A request may meet a server that is away: what matters is what is left of it.
        await work().catch(() => {});
        await sleep(chance() * pause);
      }
    };
    await Promise.all([during(request, 400), during(request, 400), during(async () => pick(kills)?.(), 2_000)]);

    for (const host of ['host-0', 'host-1']) await simulator.send('PUT', `/hosts/${host}/faults`, {});
    await client.make('/hosts', { name: 'room for all', cpu: 512, memory: 1_048_576 });
    const open = async () => {
      const states = ['accepted', 'running', 'waiting'].map((state) => `/operations?state=${state}&limit=1000`);
      return (await Promise.all(states.map((path) => client.ask(Operations, 'GET', path)))).flatMap(
        ({ items }) => items,
      );
    };
    await eventually(async () => (await open()).length === 0, 180_000).catch(async (cause: unknown) => {
      throw new Error(`operations are left: ${JSON.stringify(await open())}`, { cause });
    });
    const ended = await cluster.store.operations.model.find().lean().exec();
    const counts = new Map<string, number>();
    for (const { kind, state, error } of ended) {
      const what = `${kind} ${state}${error ? ` (${error.code})` : ''}`;
      counts.set(what, (counts.get(what) ?? 0) + 1);
    }
    console.error(`storm: ${[...counts].map(([what, times]) => `${times} ${what}`).join(', ')}`);
    expect(await checkConsistency(cluster)).toEqual([]);
  });
});

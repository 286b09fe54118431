import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HostResource } from '../../schemas/hosts/host.js';
import { OperationDetail } from '../../schemas/operations/operation-resource.js';
import { Why } from '../../schemas/operations/why.js';
import { Cluster } from '../support/cluster.js';
import { patience } from '../support/cluster-client.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { eventually } from '../support/processes.js';

const HostPage = z.object({ items: z.array(HostResource) });

describe('why, on real servers', () => {
  let cluster: Cluster;
  let template: number;
  let host = '';
  beforeAll(async () => {
    cluster = await Cluster.start({ settings: { boot_ms: 0 } });
    [host = ''] = await makeHosts(cluster.client, 1, 4, 65_536);
    template = await makeServiceTemplate(cluster.client, 'shop', { roles: [{ name: 'web', cardinality: 2 }] });
  });
  afterAll(() => cluster?.stop());

  /** Once the simulator knows the host, which it does from its first probe. */
  const faults = (body: object) =>
    eventually(async () => (await cluster.simulator.send('PUT', `/hosts/${host}/faults`, body)).status < 300, patience);
  const deploy = (of = template) => cluster.client.accepted('POST', `/service-templates/${of}/instantiate`, {});
  const whyOf = (path: string): Promise<Why> => cluster.client.ask(Why, 'GET', `${path}/why`);
  const detail = (id: string) => cluster.client.ask(OperationDetail, 'GET', `/operations/${id}`);
  const once = async (path: string, isThere: (why: Why) => boolean): Promise<Why> => {
    let last: Why | undefined;
    const probe = async () => {
      last = await whyOf(path);
      return isThere(last) ? last : undefined;
    };
    return eventually(probe, patience).catch((error: unknown) => {
      throw new Error(`why of ${path} goes on to say: ${last?.text}`, { cause: error });
    });
  };
  const isRetried = ({ failures }: Why): boolean => failures.some(({ next_retry_at: next }) => next !== null);

  it('names the host that does not answer, its error, the tries and the next one; mended, it goes on', async () => {
    await faults({ deploy_error: { detail: 'the rack has no power', retryable: true } });
    const { id: op, resource } = await deploy();
    const said = `${host} did not answer: ${host}: the rack has no power`;
    const service = await once(`/services/${resource.id}`, isRetried);
    expect(service.text).toMatch(
      new RegExp(`^Service ${resource.id} \\(shop\\) is being deployed for oneadmin, since `),
    );
    expect(service.text).toContain(said);
    expect(service.text).toMatch(
      new RegExp(`This concerns VM \\d+ \\(web_0_\\(service_${resource.id}\\)\\) and .* on ${host}\\.`),
    );
    expect(service.text).toMatch(/It was tried (once|twice|\d+ times); the next try is in .*, at \d\d:\d\d:\d\dZ\./);
    expect(service.text).toMatch(/You can cancel the operation, or undeploy or delete the service\.$/);
    expect(service).toMatchObject({ operation: op, asked_engine: true, failures: [{ attempts: expect.any(Number) }] });
    expect((await once(`/operations/${op}`, isRetried)).text).toContain(said);
    const [vm] = await cluster.client.vmsOf(resource.id);
    expect((await once(`/vms/${vm?.id}`, isRetried)).text).toContain(said);
    expect((await detail(op)).steps.filter(({ name }) => name === 'bootVms')).toMatchObject([
      { title: 'boot 2 VMs of role web', state: 'running', error: { detail: expect.stringContaining(said) } },
    ]);

    await faults({});
    await cluster.client.awaitService(resource.id, 'RUNNING');
    await cluster.client.awaitOperation(op, 'succeeded');
    const after = await whyOf(`/services/${resource.id}`);
    expect(after.text).toContain(`Service ${resource.id} (shop) runs: all 2 VMs of its 1 role run.`);
    expect(after.failures).toEqual([]);
    const { steps } = await detail(op);
    expect(steps.filter(({ name }) => name === 'bootVms')).toMatchObject([{ state: 'done', next_retry_at: null }]);
    expect(steps.find(({ name }) => name === 'bootVms')?.attempts).toBeGreaterThan(1);
  });

  it('answers while Temporal does not, and says what it could not ask', async () => {
    await faults({ deploy_error: { detail: 'the rack has no power', retryable: true } });
    const { id: op, resource } = await deploy();
    await once(`/services/${resource.id}`, isRetried);
    // What is known without Temporal is what has been written down.
    await eventually(async () => (await cluster.store.steps.ofOperation(op, 100)).some(({ error }) => error));
    cluster.servers.temporal.freeze();
    let accepted: Awaited<ReturnType<typeof deploy>>;
    try {
      const [service, operation, shown] = await Promise.all([
        whyOf(`/services/${resource.id}`),
        whyOf(`/operations/${op}`),
        detail(op),
      ]);
      for (const { text, asked_engine } of [service, operation]) {
        expect(text).toContain('the rack has no power');
        expect(text).toContain('Temporal did not answer within a second');
        expect(asked_engine).toBe(false);
      }
      expect(shown).toMatchObject({ state: 'running', asked_engine: false });
      accepted = await deploy();
      expect(await whyOf(`/operations/${accepted.id}`)).toMatchObject({
        text: expect.stringContaining('Temporal, which runs operations, does not answer'),
        asked_engine: false,
      });
    } finally {
      await faults({});
      cluster.servers.temporal.thaw();
    }
    for (const { resource: its } of [{ resource }, accepted]) await cluster.client.awaitService(its.id, 'RUNNING');
  });

  it('tells of room that is lacking, and of a host that does not answer when it is probed', async () => {
    const large = await makeServiceTemplate(cluster.client, 'large', { roles: [{ name: 'web', cardinality: 9 }] });
    const { resource } = await deploy(large);
    const waits = await once(`/services/${resource.id}`, ({ waiting_for }) => waiting_for !== null);
    expect(waits.text).toMatch(
      /It waits for room for \d VMs of role web\. VM .*: needs 0\.5 CPU; the one enabled host has 0\./,
    );
    expect(waits.text).toContain('It goes on by itself as soon as a host has room');

    const { id } = (await cluster.client.ask(HostPage, 'GET', '/hosts')).items.find(({ name }) => name === host) ?? {};
    expect((await whyOf(`/hosts/${id}`)).text).toContain('Some VMs wait for a host');
    await faults({ dead: true });
    const dead = await once(`/hosts/${id}`, ({ resource: { state } }) => state === 'ERROR');
    expect(dead.text).toMatch(
      new RegExp(`^Host ${id} \\(${host}\\) did not answer when it was probed .*: ${host} did not answer: `),
    );
    expect(dead.text).toMatch(/It is probed again in .*, at \d\d:\d\d:\d\dZ\./);
    await faults({ revive: 'running' });
  });

  it('tells that no worker has taken an operation up', async () => {
    await cluster.worker(0).kill();
    const { id: op } = await deploy();
    const why = await once(`/operations/${op}`, ({ text }) => text.includes('No worker has taken it up'));
    expect(why).toMatchObject({ operation_state: 'accepted', asked_engine: true });
    await cluster.worker(0).startAgain();
    await once(`/operations/${op}`, ({ operation_state: state }) => state !== 'accepted');
  });
});

import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { scheduleIds } from '../../adapters/engine/names.js';
import { choosePort } from '../../runtime/processes/ports.js';
import { SimulatedDomain } from '../../schemas/hosts/simulator.js';
import { runArcus } from '../cli/run-arcus.js';
import { Cluster, credentials } from '../support/cluster.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency, timesMade } from '../support/cluster-consistency.js';

const patient = { interval: 100 };

describe('a role that is scaled, on the simulated hypervisor', () => {
  let cluster: Cluster;
  let hosts: string[];
  let template: number;
  let oneflowPort: number;
  beforeAll(async () => {
    oneflowPort = await choosePort();
    cluster = await Cluster.start({
      onServersOfTheRun: true,
      environments: {
        api: { ARCUS_ONEFLOW_PORT: String(oneflowPort), ARCUS_MONITORING_INTERVAL: '5' },
        worker: { ARCUS_DEFAULT_COOLDOWN: '0', ARCUS_ELASTICITY_INTERVAL: '2', ARCUS_MONITORING_INTERVAL: '5' },
      },
    });
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

  it('is on hosts that are asked as often as was set', async () => {
    const connection = await Connection.connect({ address: cluster.temporal.address });
    const { schedule } = new Client({ connection, namespace: cluster.temporal.namespaces.ticks });
    expect((await schedule.getHandle(scheduleIds.monitorHosts).describe()).spec.intervals).toMatchObject([
      { every: 5_000 },
    ]);
    await connection.close();
    const Looked = z.object({ last_monitored_at: z.string(), next_look: z.string() });
    const { last_monitored_at, next_look } = await cluster.client.ask(Looked, 'GET', '/hosts/0');
    expect(Date.parse(next_look) - Date.parse(last_monitored_at)).toBe(5_000);
  });

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

  // The tutorial scales-by-itself shows the same in npm test.
  if (inject('inEveryWay'))
    it('grows when its VMs are busy, shrinks when they are not, and tells why', async () => {
      const change = { type: 'CHANGE', period_number: 2, period: 2 };
      const policies = [
        { ...change, expression: 'CPU > 40', adjust: 1 },
        { ...change, expression: 'max(CPU) < 20', adjust: -1 },
      ];
      const elastic = await makeServiceTemplate(cluster.client, 'elastic', {
        roles: [{ name: 'web', min_vms: 1, max_vms: 2, elasticity_policies: policies }],
      });
      const service = await cluster.client.instantiate(elastic);
      await cluster.client.awaitService(service, 'RUNNING');
      const [first] = await domainsOf(service);
      await cluster.simulator.send('PUT', '/load', { service, cpu_percent: 95 });
      await expect.poll(() => domainsOf(service), patient).toHaveLength(2);
      await cluster.simulator.send('DELETE', '/load');
      await expect.poll(() => domainsOf(service), patient).toHaveLength(1);
      await cluster.client.awaitService(service, 'RUNNING');
      // The oldest has gone.
      expect(await domainsOf(service)).not.toContain(first);
      const log = (await cluster.store.services.find(service))?.log.map(({ message }) => message);
      expect(log).toContain('Role web scaling up from 1 to 2 nodes, by policy 0: CPU[48] > 40');
      expect(log).toContainEqual(
        expect.stringMatching(/^Role web scaling down from 2 to 1 nodes, by policy 1: max\(CPU\)\[\d+\] < 20$/),
      );
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

  it('is scaled when it was said, once each time, though the worker is dead then, or dies of it', async () => {
    const { client, simulator, store } = cluster;
    const due = new Date(Date.now() + 8_000);
    const scheduled_policies = [
      { start_time: due.toISOString(), type: 'CARDINALITY', adjust: 3 },
      { recurrence: '0 0 29 2 *', type: 'CHANGE', adjust: 1 },
    ];
    const role = { name: 'web', min_vms: 1, max_vms: 6, scheduled_policies };
    const service = await client.instantiate(await makeServiceTemplate(client, 'scheduled', { roles: [role] }));
    await client.awaitService(service, 'RUNNING');
    const lastOf = async () => (await store.services.find(service))?.schedule?.of.map(({ last }) => last?.verdict);
    const scalings = () => store.operations.model.find({ kind: 'scaleRole', 'resource.id': service }).lean().exec();

    await cluster.worker(0).kill();
    await expect.poll(() => Date.now(), patient).toBeGreaterThan(due.getTime());
    await cluster.startWhatEnded();
    await expect.poll(async () => (await scalings()).map(({ state }) => state), patient).toEqual(['succeeded']);
    expect(await domainsOf(service)).toHaveLength(3);
    expect(await lastOf()).toEqual(['scaled', undefined]);

    // The day has come.
    await simulator.holdBoots();
    const now = new Date();
    await store.services.model.updateOne(
      { _id: service },
      { $set: { 'schedule.of.1.next_at': now, 'schedule.due_at': now } },
    );
    await expect.poll(async () => (await scalings()).length, patient).toBe(2);
    await cluster.worker(0).kill();
    await simulator.endBoots();
    await cluster.startWhatEnded();
    await expect
      .poll(async () => (await scalings()).map(({ state }) => state), patient)
      .toEqual(['succeeded', 'succeeded']);
    expect(await lastOf()).toEqual(['scaled', 'scaled']);
    const four = await domainsOf(service);
    expect(four).toHaveLength(4);
    const made = await timesMade(cluster);
    for (const vm of four) expect(made.get(vm), `VM ${vm}`).toBe(1);
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('has a VM switched off when it was said, once, though the worker dies of it', async () => {
    const { client, store } = cluster;
    const service = await client.instantiate(template);
    await client.awaitService(service, 'RUNNING');
    const [vm] = await store.vms.ofService(service, ['web']);
    const id = vm?._id ?? -1;
    const due = new Date(Date.now() + 4_000);
    const wish = { action: 'poweroff', start_time: due.toISOString() };
    expect((await client.send('POST', `/vms/${id}/schedules`, wish)).status).toBe(200);
    await cluster.worker(0).kill();
    await expect.poll(() => Date.now(), patient).toBeGreaterThan(due.getTime());
    await cluster.startWhatEnded();
    const asked = () => store.operations.model.find({ kind: 'performOnVm', 'resource.id': id }).lean().exec();
    await expect.poll(async () => (await asked()).length, patient).toBe(1);
    await cluster.worker(0).kill();
    await cluster.startWhatEnded();
    await expect.poll(async () => (await asked()).map(({ state }) => state), patient).toEqual(['succeeded']);
    expect((await store.vms.find(id))?.state).toBe('POWEROFF');
    expect((await store.vms.find(id))?.schedule?.of.map(({ last }) => last?.verdict)).toEqual(['performed']);
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('has a VM stopped and resumed by the command line, with its memory, though the worker dies of both', async () => {
    const { client, store } = cluster;
    const [vm] = await store.vms.ofService(await running(), ['web']);
    const id = vm?._id ?? -1;
    const environment = {
      ...{ ARCUS_ENDPOINT: client.url, ARCUS_AUTH: `${credentials.name}:${credentials.password}`, ARCUS_HOME: '' },
    };
    const asked = async (verb: string) => {
      const { code, err } = await runArcus(['vm', verb, String(id)], environment);
      expect(code, err).toBe(0);
    };
    const slow = async (latency_ms: number) => {
      for (const name of hosts) await cluster.simulator.send('PUT', `/hosts/${name}/faults`, { latency_ms });
    };
    await slow(1_500);
    for (const [verb, during, after] of [
      ['stop', /^(SAVE_STOP|EPILOG_STOP)$/, 'STOPPED LCM_INIT'],
      ['resume', /^(PROLOG_RESUME|BOOT_STOPPED)$/, 'ACTIVE RUNNING'],
    ] as const) {
      await asked(verb);
      await client.awaitVm(id, ({ lcm_state }) => during.test(lcm_state));
      await cluster.worker(0).kill();
      await cluster.startWhatEnded();
      await client.awaitVm(id, ({ state, lcm_state }) => `${state} ${lcm_state}` === after);
      await expect.poll(async () => (await store.vms.find(id))?.operation, patient).toBeNull();
      expect((await store.vms.find(id))?.deploy_id).toBe(vm?.deploy_id);
      expect(await checkConsistency(cluster)).toEqual([]);
    }
    await slow(0);
    expect((await timesMade(cluster)).get(id)).toBe(1);
  });

  it('is one of the guide’s examples, which OneFlow’s own client makes, deploys, scales and shuts down', async () => {
    const ask = oneflowClient(oneflowPort);
    const [{ _id: vmTemplate }] = z
      .tuple([z.object({ _id: z.int() })], z.unknown())
      .parse(await cluster.store.vmTemplates.model.find().lean().exec());
    const made = await ask('POST', '/service_template', scalability(vmTemplate));
    expect(made.status, made.text).toBe(201);
    const { ID: id } = DocumentOf.parse(JSON.parse(made.text)).DOCUMENT;
    const action = (perform: string) => JSON.stringify({ action: { perform, params: {} } }, null, 2);
    const started = await ask('POST', `/service_template/${id}/action`, action('instantiate'));
    expect(started.status, started.text).toBe(201);
    const { ID: service } = DocumentOf.parse(JSON.parse(started.text)).DOCUMENT;
    const shown = async () => {
      const { status, text } = await ask('GET', `/service/${service}`);
      return { status, body: DocumentOf.parse(JSON.parse(text)).DOCUMENT.TEMPLATE.BODY };
    };
    const [running, done] = [2, 5];
    await expect.poll(async () => (await shown()).body.state, patient).toBe(running);
    const scaled = await ask('PUT', `/service/${service}/role/frontend`, '{"cardinality":4,"force":false}');
    expect([scaled.status, scaled.text]).toEqual([204, '']);
    await expect.poll(async () => (await shown()).body.state, patient).toBe(running);
    const [frontend] = (await shown()).body.roles;
    expect(frontend?.nodes.map(({ vm_info }) => vm_info.VM.LCM_STATE)).toEqual(['3', '3', '3', '3']);
    expect((await ask('POST', `/service/${service}/action`, action('shutdown'))).status).toBe(204);
    await expect.poll(async () => (await shown()).body.state, patient).toBe(done);
    expect((await ask('DELETE', `/service/${service}`)).status).toBe(204);
    await expect.poll(async () => (await ask('GET', `/service/${service}`)).status, patient).toBe(404);
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  // The last: what is made twice on purpose stands in the journal from then on.
  // workflows/scaling/perform-on-role shows the same in npm test.
  if (inject('inEveryWay'))
    it('has something done to each of its VMs once, although the worker dies between two slices', async () => {
      const service = await running();
      const vms = (await domainsOf(service)).toSorted((one, other) => one - other);
      const wish = { action: 'recreate', number: 1, period: 5 };
      const { id } = await cluster.client.accepted('POST', `/services/${service}/roles/web/actions`, wish);
      const ofVms = () =>
        cluster.store.operations.model
          .find({ 'resource.type': 'vm', 'resource.id': { $in: vms } })
          .lean()
          .exec();
      await expect.poll(async () => (await ofVms()).length, patient).toBe(1);
      await cluster.worker(0).kill();
      await cluster.startWhatEnded();
      await cluster.client.awaitOperation(id, 'succeeded');
      await expect
        .poll(async () => (await ofVms()).map(({ state }) => state), patient)
        .toEqual(['succeeded', 'succeeded']);
      expect((await ofVms()).map(({ resource }) => resource.id).toSorted((one, other) => one - other)).toEqual(vms);
      const made = await timesMade(cluster);
      expect(vms.map((vm) => made.get(vm))).toEqual([2, 2]);
      expect(await checkConsistency(cluster, { recreated: new Map(vms.map((vm) => [vm, 1])) })).toEqual([]);
    });
});

const DocumentOf = z.object({
  DOCUMENT: z.object({
    ID: z.string(),
    TEMPLATE: z.object({
      BODY: z.object({
        state: z.int().optional(),
        roles: z.array(
          z.object({
            nodes: z.array(z.object({ vm_info: z.object({ VM: z.object({ LCM_STATE: z.string() }) }) })).default([]),
          }),
        ),
      }),
    }),
  }),
});

/** As `oneflow` of 5.0.2 asks. */
const oneflowClient = (port: number) => async (method: string, path: string, body?: string) => {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: {
      Authorization: `Basic ${Buffer.from(`${credentials.name}:${credentials.password}`).toString('base64')}`,
      'User-Agent': 'OpenNebula 5.0.2 (CLI)',
      'Content-Type': 'application/x-www-form-urlencoded',
    },
    ...(body !== undefined && { body }),
  });
  return { status: answer.status, text: await answer.text() };
};

/** The first example of the guide's 1.4.7, with its comments. */
const scalability = (vmTemplate: number) => `{
  "name": "Scalability1",
  "deployment": "none",
  "roles": [
    {
      "name": "frontend",
      "cardinality": 2,
      "vm_template": ${vmTemplate},

      "min_vms" : 1,
      "max_vms" : 5,

      "elasticity_policies" : [
        {
          // +2 VMs when the exp. is true for 3 times in a row,
          // separated by 10 seconds
          "expression" : "ATT > 50",

          "type" : "CHANGE",
          "adjust" : 2,

          "period_number" : 3,
          "period" : 10
        },
        {
          // -10 percent VMs when the exp. is true.
          // If 10 percent is less than 2, -2 VMs.
          "expression" : "ATT < 20",

          "type" : "PERCENTAGE_CHANGE",
          "adjust" : -10,
          "min_adjust_step" : 2
        }
      ]
    }
  ]
}
`;

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HostResource } from '../../schemas/hosts/host.js';
import { SimulatedHosts } from '../../schemas/hosts/simulator.js';
import { OperationResource } from '../../schemas/operations/operation-resource.js';
import { ServiceState } from '../../schemas/services/service.js';
import { runCommand } from '../cli/opennebula/run-one.js';
import { Cluster, credentials } from '../support/cluster.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency, timesMade } from '../support/cluster-consistency.js';
import { eventually } from '../support/processes.js';

const Problem = z.object({ type: z.string(), detail: z.string() });

/** What a person does with curl: nothing here but the health of the hosts comes from anywhere but the API. */
describe('an operator, over HTTP alone,', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start({ onServersOfTheRun: true, settings: { boot_ms: 100 } });
    await makeHosts(cluster.client, 2);
  });
  afterAll(() => cluster?.stop());

  const undeploy = async (service: number) => {
    const { id } = await cluster.client.accepted('POST', `/services/${service}/undeploy`, {});
    await cluster.client.awaitOperation(id, 'succeeded');
  };

  it('deploys a service from a template text, sees it run in order, undeploys and deletes it', async () => {
    const { client } = cluster;
    await client.make('/virtual-networks', {
      name: 'lan',
      address_ranges: [{ type: 'IP4', ip: '10.0.0.1', size: 50 }],
    });
    const vmTemplate = await client.make(
      '/vm-templates',
      'NAME = "small"\nCPU = 0.5\nMEMORY = 256\nNIC = [ NETWORK = "lan" ]',
    );
    const template = await client.make('/service-templates', {
      name: 'shop',
      deployment: 'straight',
      roles: [
        { name: 'db', vm_template: vmTemplate },
        { name: 'web', parents: ['db'], cardinality: 2, vm_template: vmTemplate },
      ],
    });
    const request = ['POST', `/service-templates/${template}/instantiate`, {}] as const;
    const answer = await client.send(...request);
    const operation = OperationResource.parse(answer.body);
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(`/api/v1/operations/${operation.id}`);

    const service = await client.awaitService(operation.resource.id, 'RUNNING');
    expect(await client.awaitOperation(operation.id, 'succeeded')).toMatchObject({
      type: 'deployService',
      error: null,
    });
    expect(service.log.map(({ message }) => message)).toEqual([
      'Deployment, by oneadmin',
      'New state: DEPLOYING',
      'New state: RUNNING',
    ]);
    const vms = await client.vmsOf(service.id);
    expect(vms.map(({ name, lcm_state }) => `${name} ${lcm_state}`).sort()).toEqual([
      `db_0_(service_${service.id}) RUNNING`,
      `web_0_(service_${service.id}) RUNNING`,
      `web_1_(service_${service.id}) RUNNING`,
    ]);
    const db = vms.find(({ role_name }) => role_name === 'db');
    const [first] = await cluster.simulator.journal();
    expect(first).toMatchObject({ call: 'deploy', vm: db?.id });

    await undeploy(service.id);
    expect((await client.service(service.id)).state).toBe('DONE');
    expect(await client.vmsOf(service.id)).toEqual([]);
    const again = await client.send('POST', `/services/${service.id}/undeploy`, {});
    expect(again.status).toBe(409);
    const removal = await client.accepted('DELETE', `/services/${service.id}`);
    await client.awaitOperation(removal.id, 'succeeded');
    expect((await client.send('GET', `/services/${service.id}`)).status).toBe(404);
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('opens the ready gate by READY=YES, and not before every VM of the role has said so', async () => {
    const { client } = cluster;
    const roles = [
      { name: 'db', cardinality: 2 },
      { name: 'web', parents: ['db'] },
    ];
    const id = await client.instantiate(await makeServiceTemplate(client, 'gated', { gate: true, roles }));
    const running = await eventually(async () => {
      const vms = await client.vmsOf(id);
      return vms.length > 0 && vms.every(({ lcm_state }) => lcm_state === 'RUNNING') ? vms : undefined;
    });
    expect(running.map(({ role_name }) => role_name)).toEqual(['db', 'db']);
    for (const { id: vm } of running) {
      expect((await client.service(id)).roles).toMatchObject([{ state: 'DEPLOYING' }, { state: 'PENDING' }]);
      await client.send('PATCH', `/vms/${vm}`, { user_template: { READY: 'YES' } });
    }
    const web = await eventually(async () => (await client.vmsOf(id)).find(({ role_name }) => role_name === 'web'));
    await client.send('PATCH', `/vms/${web.id}`, { user_template: { READY: 'YES' } });
    await client.awaitService(id, 'RUNNING');
    await undeploy(id);
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('attaches NICs and disks to a VM, which has them when it goes on from what was saved', async () => {
    const { client, simulator } = cluster;
    const template = await client.make('/vm-templates', 'NAME="fitted"\nCPU=1\nMEMORY=64\nNIC=[NETWORK="lan"]');
    await client.make('/virtual-networks', {
      name: 'public',
      address_ranges: [{ type: 'IP4', ip: '192.168.0.1', size: 50 }],
    });
    const { id: made, resource } = await client.accepted('POST', '/vms', { template_id: template });
    await client.awaitOperation(made, 'succeeded');
    const { id } = resource;
    const done = async (path: string, body?: object) =>
      client.awaitOperation((await client.accepted('POST', `/vms/${id}/${path}`, body)).id, 'succeeded');
    await done('nics', { network: 'public', mac: '02:00:C0:A8:00:0A' });
    await done('disks', { type: 'fs', size: 100, format: 'qcow2' });
    await done('disks/0/snapshots', { name: 'first' });
    await done('disks/0/snapshots', { name: 'second' });
    await done('nics/0/detach');
    await done('actions', { action: 'suspend' });
    await done('disks/0/snapshots/0/revert');
    await done('resume');
    await done('disks/0/snapshots/1/delete');
    expect(await client.vm(id)).toMatchObject({
      lcm_state: 'RUNNING',
      nics: [{ nic_id: 1, network: 'public', mac: '02:00:c0:a8:00:0a' }],
      disks: [{ disk_id: 0, target: 'vda', snapshots: [{ snapshot_id: 0, name: 'first', active: true }] }],
    });
    const changes = (await simulator.journal()).filter(({ vm, outcome }) => vm === id && outcome === 'changed');
    expect(changes.map(({ call }) => call)).toEqual([
      ...['attachNic', 'attachDisk', 'snapshotDisk', 'snapshotDisk', 'detachNic', 'revertDisk', 'dropSnapshot'],
    ]);
    await done('terminate', { hard: true });
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('goes through what failed of a VM action by action, until its host has been mended', async () => {
    const { client, simulator } = cluster;
    const faults = (deploy_error: object | null) =>
      Promise.all(
        ['host-0', 'host-1'].map((host) =>
          simulator.send('PUT', `/hosts/${host}/faults`, deploy_error ? { deploy_error } : {}),
        ),
      );
    await faults({ times: 1_000, retryable: false, detail: 'no space left' });
    const template = await client.make('/vm-templates', 'NAME="failing"\nCPU=1\nMEMORY=64');
    const { id: made, resource } = await client.accepted('POST', '/vms', { template_id: template });
    await client.awaitOperation(made, 'failed');
    const { id } = resource;
    const keys = ['r', 'r', 'mend', 'q'];
    const ask = async (): Promise<string> => {
      const key = keys.shift() ?? 'q';
      if (key !== 'mend') return key;
      await faults(null);
      return 'r';
    };
    const environment = {
      ARCUS_ENDPOINT: client.url,
      ARCUS_AUTH: `${credentials.name}:${credentials.password}`,
    };
    const { code, out } = await runCommand(`onevm recover ${id} --retry --interactive`, environment, undefined, ask);
    expect(code).toBe(0);
    expect(out.split('\n').filter((line) => /^(Current|SUCCESS|FAILURE|LOG)/.test(line))).toEqual([
      'Current action (1):',
      'SUCCESS',
      'Current action (2):',
      expect.stringContaining('no space left'),
      'FAILURE. Repeat command.',
      'Current action (2):',
      'SUCCESS',
    ]);
    // A host that is asked in between as any is says so, too: then nobody has to, and 409 is the answer.
    const claimed = await client.send('POST', `/vms/${id}/recover`, { action: 'success' });
    if (claimed.status === 202)
      await client.awaitOperation(OperationResource.parse(claimed.body).id, 'succeeded', 'failed');
    expect(await client.vm(id)).toMatchObject({ lcm_state: 'RUNNING', debugging: null });
    const last = await client.accepted('POST', `/vms/${id}/terminate`, { hard: true });
    await client.awaitOperation(last.id, 'succeeded');
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('sees why a VM fits nowhere, and sees it placed when a host that is big enough is added', async () => {
    const { client } = cluster;
    const template = await client.make('/vm-templates', { name: 'giant', template: { CPU: 20, MEMORY: 1_024 } });
    const { id: operation, resource } = await client.accepted('POST', '/vms', { template_id: template });
    const waiting = await client.awaitOperation(operation, 'waiting');
    const reason = 'needs 20 CPU; the freest of 2 enabled hosts has 8';
    expect(waiting.waiting_for).toBe(reason);
    expect(await client.vm(resource.id)).toMatchObject({ state: 'PENDING', reason, host: null });

    const host = await client.make('/hosts', { name: 'big', cpu: 32, memory: 16_384 });
    await client.awaitOperation(operation, 'succeeded');
    const placed = await client.vm(resource.id);
    expect(placed).toMatchObject({ lcm_state: 'RUNNING', reason: null, host: { id: host, name: 'big' } });
    expect(await client.ask(HostResource, 'GET', `/hosts/${host}`)).toMatchObject({ vms: [resource.id] });

    const termination = await client.accepted('POST', `/vms/${resource.id}/terminate`, { hard: true });
    await client.awaitOperation(termination.id, 'succeeded');
    expect((await client.send('DELETE', `/hosts/${host}`)).status).toBe(204);
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('recovers a deployment that failed: what runs stays, and the VM that failed is replaced', async () => {
    const { client, simulator } = cluster;
    const { items: hosts } = await simulator.ask(SimulatedHosts, 'GET', '/hosts');
    const id = await client.instantiate(
      await makeServiceTemplate(client, 'unlucky', { roles: [{ name: 'web', cardinality: 4 }] }).then(
        async (template) => {
          const deploy_error = { times: 1, retryable: false, detail: 'the disk of this VM is broken' };
          await simulator.send('PUT', '/hosts/host-1/faults', { deploy_error });
          return template;
        },
      ),
    );
    const failed = await client.awaitService(id, 'FAILED_DEPLOYING');
    expect(failed.roles[0]?.reason).toContain('the disk of this VM is broken');
    const before = await client.vmsOf(id);
    const broken = before.filter(({ lcm_state }) => lcm_state !== 'RUNNING');
    expect(broken).toMatchObject([{ lcm_state: 'BOOT_FAILURE', host: { name: 'host-1' } }]);

    for (const { name } of hosts) await simulator.send('PUT', `/hosts/${name}/faults`, {});
    const answers = await Promise.all([1, 2].map(() => client.send('POST', `/services/${id}/recover`)));
    expect(answers.map(({ status }) => status).sort((left, right) => left - right)).toEqual([202, 409]);
    const recovery = OperationResource.parse(answers.find(({ status }) => status === 202)?.body);
    await client.awaitOperation(recovery.id, 'succeeded');
    await client.awaitService(id, 'RUNNING');
    const after = (await client.vmsOf(id)).map((vm) => vm.id);
    const kept = before.map((vm) => vm.id).filter((vm) => vm !== broken[0]?.id);
    expect(after).toHaveLength(4);
    expect(after).toEqual(expect.arrayContaining(kept));
    expect(after).not.toContain(broken[0]?.id);
    expect((await client.send('POST', `/services/${id}/recover`)).status).toBe(409);
    await undeploy(id);
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('deletes a service in the middle of its deployment, and nothing of it stays', async () => {
    const { client, simulator } = cluster;
    const template = await makeServiceTemplate(client, 'short-lived', { roles: [{ name: 'web', cardinality: 4 }] });
    await simulator.holdBoots();
    const id = await client.instantiate(template);
    const vms = await eventually(async () => {
      const seen = await client.vmsOf(id);
      const made = await timesMade(cluster);
      return seen.length === 4 && seen.every((vm) => made.has(vm.id)) ? seen : undefined;
    });
    await simulator.send('PUT', '/settings', { boot_ms: 100 });
    const removal = await client.accepted('DELETE', `/services/${id}`);
    await client.awaitOperation(removal.id, 'succeeded');
    expect((await client.send('GET', `/services/${id}`)).status).toBe(404);
    for (const vm of vms) expect((await client.vm(vm.id)).state).toBe('DONE');
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('gets the same operation for a repeated Idempotency-Key, and 409 when the key is used for something else', async () => {
    const { client } = cluster;
    const template = await makeServiceTemplate(client, 'once', { roles: [{ name: 'web' }] });
    const path = `/service-templates/${template}/instantiate`;
    const key = { key: 'key-of-this-test' };
    const answers = await Promise.all([1, 2, 3].map(() => client.send('POST', path, {}, key)));
    const operations = answers.map(({ body }) => OperationResource.parse(body));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(new Set(operations.map(({ id }) => id)).size).toBe(1);
    const id = operations[0]?.resource.id ?? 0;
    await client.awaitService(id, 'RUNNING');
    expect(await client.accepted('POST', path, {}, key)).toMatchObject({ id: operations[0]?.id, state: 'succeeded' });
    const other = await client.send('POST', `/services/${id}/undeploy`, {}, key);
    expect(other.status).toBe(409);
    await undeploy(id);
  });

  it('who asks twice at once to undeploy gets one 202 and one 409 that names the operation', async () => {
    const { client } = cluster;
    const id = await client.instantiate(await makeServiceTemplate(client, 'contended', { roles: [{ name: 'web' }] }));
    await client.awaitService(id, 'RUNNING');
    cluster.worker(0).freeze();
    const answers = await Promise.all([1, 2].map(() => client.send('POST', `/services/${id}/undeploy`, {})));
    expect(answers.map(({ status }) => status).sort((left, right) => left - right)).toEqual([202, 409]);
    cluster.worker(0).thaw();
    const won = OperationResource.parse(answers.find(({ status }) => status === 202)?.body);
    const refused = Problem.parse(answers.find(({ status }) => status === 409)?.body);
    expect(refused.detail).toContain(won.id);
    await client.awaitOperation(won.id, 'succeeded');
    expect(ServiceState.parse((await client.service(id)).state)).toBe('DONE');
    expect(await checkConsistency(cluster)).toEqual([]);
  });
});

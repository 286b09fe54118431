import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import { Cluster } from '../support/cluster.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency, timesMade } from '../support/cluster-consistency.js';
import { eventually } from '../support/processes.js';

type Policy = { retries?: number; replacements?: number; finally?: 'fail' | 'wait' };

describe('a role with a failure policy, on real servers', () => {
  let cluster: Cluster;
  let host = '';
  beforeAll(async () => {
    cluster = await Cluster.start({ settings: { boot_ms: 50 } });
    [host = ''] = await makeHosts(cluster.client, 1, 64, 65_536);
  });
  afterAll(() => cluster?.stop());
  afterEach(() => cluster.simulator.send('PUT', `/hosts/${host}/faults`, {}));

  const consistent = async () => expect(await checkConsistency(cluster)).toEqual([]);
  const answer = (id: string, reply: string) =>
    cluster.client.accepted('POST', `/operations/${id}/answer`, { answer: reply });
  /** The host refuses the next so many deploys. */
  const refuse = (times: number) =>
    eventually(async () => {
      const faults = { deploy_error: { detail: 'there is no such image', retryable: false, times } };
      // The simulator knows a host once it has been looked at.
      return (await cluster.simulator.send('PUT', `/hosts/${host}/faults`, faults)).status < 300;
    });

  let templates = 0;
  async function deploying(failure_policy: Policy): Promise<OperationResource> {
    templates += 1;
    const template = await makeServiceTemplate(cluster.client, `shop-${templates}`, {
      roles: [
        { name: 'web', cardinality: 2, failure_policy },
        { name: 'child', parents: ['web'] },
      ],
    });
    return cluster.client.accepted('POST', `/service-templates/${template}/instantiate`, {});
  }

  async function waiting(): Promise<OperationResource> {
    await refuse(1);
    const { id } = await deploying({ finally: 'wait' });
    const asking = await cluster.client.awaitOperation(id, 'waiting_for_you');
    expect(asking.question).toMatchObject({ roles: ['web'], text: expect.stringContaining('there is no such image') });
    await consistent();
    return asking;
  }

  async function whole({ id, resource }: OperationResource, vms: number): Promise<void> {
    await cluster.client.awaitOperation(id, 'succeeded');
    const running = await cluster.client.vmsOf(resource.id);
    const made = await timesMade(cluster);
    expect(running.map((vm) => [vm.lcm_state, made.get(vm.id)])).toEqual(Array(vms).fill(['RUNNING', 1]));
    await consistent();
  }

  it('has its failed VMs tried again until they run', async () => {
    await refuse(3);
    await whole(await deploying({ retries: 3 }), 3);
  });

  it('has VMs that go on failing replaced', async () => {
    await refuse(4);
    const operation = await deploying({ retries: 1, replacements: 1 });
    await whole(operation, 3);
    const names = (await cluster.client.vmsOf(operation.resource.id)).map(({ name }) => name);
    expect(names).toContain(`web_2_(service_${operation.resource.id})`);
  });

  it.each([
    ['retry', 3],
    ['skip', 2],
  ] as const)('waits for a person, whose answer %s takes it to the end', async (reply, vms) => {
    const operation = await waiting();
    await answer(operation.id, reply);
    await whole(operation, vms);
  });

  it('waits for a person, who gives up; a retry of the operation gets there', async () => {
    const { id, resource } = await waiting();
    await answer(id, 'give_up');
    expect((await cluster.client.awaitOperation(id, 'failed')).error?.code).toBe('roles_failed');
    expect((await cluster.client.service(resource.id)).state).toBe('FAILED_DEPLOYING');
    await consistent();
    const again = await cluster.client.accepted('POST', `/operations/${id}/retry`);
    expect(again.retry_of).toBe(id);
    await whole(again, 3);
  });

  it('goes on although the worker was killed while it waited', async () => {
    const operation = await waiting();
    await cluster.worker(0).kill();
    await answer(operation.id, 'retry');
    await cluster.worker(0).startAgain();
    await whole(operation, 3);
  });

  it('goes on although the worker is killed in the middle of what was answered', async () => {
    const operation = await waiting();
    await cluster.simulator.holdBoots();
    const before = (await timesMade(cluster)).size;
    await answer(operation.id, 'retry');
    await eventually(async () => (await timesMade(cluster)).size > before);
    await cluster.worker(0).kill();
    await cluster.worker(0).startAgain();
    await cluster.simulator.endBoots(50);
    await whole(operation, 3);
  });

  it('goes on although the api was killed when it had taken the answer and Temporal was away', async () => {
    const operation = await waiting();
    await cluster.servers.temporal.kill();
    await answer(operation.id, 'skip');
    await cluster.api(0).kill();
    await cluster.servers.temporal.startAgain();
    await cluster.api(0).startAgain();
    await whole(operation, 2);
  });

  it('is cancelled although the api was killed when it had accepted that and Temporal was away', async () => {
    await cluster.simulator.holdBoots();
    const { id, resource } = await deploying({ retries: 3 });
    const booting = async () => (await cluster.client.vmsOf(resource.id)).some(({ lcm_state }) => lcm_state === 'BOOT');
    await eventually(booting);
    await cluster.servers.temporal.kill();
    const cancelled = await cluster.client.accepted('POST', `/operations/${id}/cancel`);
    expect(cancelled).toMatchObject({ state: 'running', cancel_requested: { by: { name: 'oneadmin' } } });
    await cluster.api(0).kill();
    await cluster.servers.temporal.startAgain();
    await cluster.api(0).startAgain();
    await cluster.client.awaitOperation(id, 'cancelled');
    expect((await cluster.client.service(resource.id)).state).toBe('FAILED_DEPLOYING');
    await cluster.simulator.send('PUT', '/settings', { boot_ms: 50 });
    await whole(await cluster.client.accepted('POST', `/services/${resource.id}/recover`), 3);
  });
});

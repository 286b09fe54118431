import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { OperationDetail } from '../../schemas/operations/operation-resource.js';
import { Cluster } from '../support/cluster.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency } from '../support/cluster-consistency.js';
import { answersOf, historiesOf, withTemporal } from '../support/cluster-histories.js';
import { eventually } from '../support/processes.js';

const Rounds = z.array(z.object({ do: z.string() }));
const [retries, replacements] = [3, 2];

describe('a run of which nothing is left but its history', () => {
  let cluster: Cluster;
  let host = '';
  beforeAll(async () => {
    cluster = await Cluster.start();
    [host = ''] = await makeHosts(cluster.client, 1);
    // The simulator knows a host from the first call to it, and would not take faults of it before.
    await cluster.simulator.ask(z.unknown(), 'PUT', `/hosts/${host}`, { cpu: 800, memory: 16_384 });
  });
  afterAll(() => cluster?.stop());

  const faults = (what: object) => cluster.simulator.ask(z.unknown(), 'PUT', `/hosts/${host}/faults`, what);
  const refusing = { deploy_error: { detail: 'there is no such image', retryable: false } };

  it('has used up as many rounds of its failure policy as before when it goes on as a new one, whoever was killed meanwhile', () =>
    withTemporal(cluster, async (client) => {
      await faults(refusing);
      const template = await makeServiceTemplate(cluster.client, 'web', {
        roles: [{ name: 'web', failure_policy: { retries, replacements } }],
      });
      const { id, resource, workflow } = await cluster.client.accepted(
        'POST',
        `/service-templates/${template}/instantiate`,
        {},
      );
      const asks = (round: RegExp) =>
        eventually(async () => round.test((await cluster.store.operations.find(id))?.waiting_for ?? ''));
      /** A VM boots, or is removed, for as long as its host does not answer. */
      const isAtWork = () =>
        eventually(async () => {
          const vms = await cluster.store.vms.ofService(resource.id);
          return vms.some(({ lcm_state }) => ['BOOT', 'SHUTDOWN', 'EPILOG'].includes(lcm_state));
        });
      /** Kills the worker in the middle of a round that is about to begin. */
      const killInRound = async (round: RegExp): Promise<void> => {
        await asks(round);
        await faults({ hang: true });
        await isAtWork();
        await cluster.worker(0).kill();
      };

      await killInRound(/to retry 1 failed VM of role web \(2 of 3\)/);
      await fill(client, workflow.id);
      await faults(refusing);
      await cluster.worker(0).startAgain();
      const first = (await cluster.store.operations.find(id))?.run_id ?? '';
      await eventually(async () => (await historiesOf(client, workflow.id, first)).length > 1);
      // Wherever the new run is by now.
      await cluster.worker(0).kill();
      await cluster.worker(0).startAgain();
      await killInRound(/to replace 1 failed VM of role web \(2 of 2\)/);
      await faults(refusing);
      await cluster.worker(0).startAgain();
      const { error } = await cluster.client.awaitOperation(id, 'failed');
      expect(error?.code).toBe('roles_failed');

      const histories = await historiesOf(client, workflow.id, first);
      const rounds = histories.map((history) => answersOf('planRounds', history).flatMap((one) => Rounds.parse(one)));
      const [before = [], ...after] = rounds.map((some) => some.map((round) => round.do));
      console.error(`rounds by run: ${JSON.stringify([before, ...after])}`);
      expect(histories.length).toBeGreaterThan(1);
      expect(before).toEqual(['retry', 'retry']);
      expect(after.flat()).toEqual(['retry', 'replace', 'replace', 'finish']);
      // Steps at the hypervisor that were begun by a worker which was killed in them.
      const timedOut = histories
        .flatMap(({ events }) => events)
        .filter((event) => event.activityTaskStartedEventAttributes?.lastFailure);
      expect(timedOut.length).toBeGreaterThanOrEqual(2);
      const { steps } = await cluster.client.ask(OperationDetail, 'GET', `/operations/${id}`);
      expect(steps.filter(({ name }) => name === 'bootVms')).toHaveLength(1 + retries + replacements);
      expect(steps.filter(({ name }) => name === 'destroyVms')).toHaveLength(replacements);
      expect(await cluster.store.vms.model.countDocuments({ 'service.id': resource.id })).toBe(1 + replacements);
      expect(await checkConsistency(cluster)).toEqual([]);
    }));
});

/** More events than a run may have, while nobody is there who would heed them. */
async function fill(client: Client, workflowId: string): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  for (let sent = 0; sent < 1_600; sent += 50)
    await Promise.all(Array.from({ length: 50 }, () => handle.signal('vmReported')));
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { searchAttributes } from '../../../adapters/engine/temporal.js';
import { Problem } from '../../../domain/problems.js';
import { eventually } from '../../support/processes.js';
import { newWorld, pair, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development });
});
afterAll(() => world.stop());

/** What an operator sees of one operation's run. */
async function seen(op: string) {
  const { workflow_id: workflowId, run_id } = await world.operation(op);
  const handle = world.client.workflow.getHandle(workflowId, run_id ?? undefined);
  const description = await handle.describe();
  const { events } = await handle.fetchHistory();
  const summaries = events?.flatMap(({ userMetadata, activityTaskScheduledEventAttributes: step }) =>
    step ? [JSON.parse(Buffer.from(userMetadata?.summary?.data ?? []).toString())] : [],
  );
  return { handle, description, summaries };
}

const details = async (op: string): Promise<string> => {
  const { handle } = await seen(op);
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
};

describe('the Temporal UI', () => {
  it('finds a run by service, operation and owner', async () => {
    const { id, op } = await world.running(pair);
    const { description } = await seen(op);
    const attributes = description.typedSearchAttributes;
    expect(attributes.get(searchAttributes.ArcusService)).toBe(id);
    expect(attributes.get(searchAttributes.ArcusOperation)).toBe(op);
    expect(attributes.get(searchAttributes.ArcusOwner)).toBe('alice');
    expect(attributes.get(searchAttributes.ArcusZone)).toBe('0');
    const found = await eventually(async () => {
      const runs: string[] = [];
      for await (const { type } of world.client.workflow.list({ query: `ArcusService = ${id}` })) runs.push(type);
      return runs.length > 0 ? runs : undefined;
    });
    expect(found).toEqual(['deployService']);
  });

  it('finds a VM’s run by its VM', async () => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    const { description, summaries } = await seen(op);
    expect(description.typedSearchAttributes.get(searchAttributes.ArcusVm)).toBe(id);
    expect(await description.staticSummary()).toBe(`deploy VM ${id} (${(await world.vm(id)).name})`);
    expect(summaries).toEqual([`boot VM ${id}`]);
    expect(await details(op)).toBe(`VM ${id} runs`);
  });

  it('says of a service’s run what it is about, what each step did, and where each role stands', async () => {
    const { id, op } = await world.running(pair);
    const { description, summaries } = await seen(op);
    expect(await description.staticSummary()).toBe(`deploy service ${id} (${(await world.service(id)).name})`);
    expect(summaries).toEqual(['boot 2 VMs of role front', 'boot 2 VMs of role back']);
    expect(await details(op)).toBe('- role **front**: runs\n- role **back**: runs');
  });

  it('says what a run waits for while it waits', async () => {
    const { id, op } = await world.deploy(pair, { deployment: 'straight', ready_status_gate: true });
    await eventually(async () => (await world.operation(op)).waiting_for !== null);
    expect(await eventually(async () => (await details(op)) || undefined)).toBe(
      '- role **front**: 2 VMs have not reported READY=YES\n- role **back**: waits',
    );
    await world.ended((await world.remove(id)).op);
  });

  it('shows a failed operation as a Failed run with the reason, and a cancelled one as Cancelled', async () => {
    world.hypervisor.failOn(1, { error: new Problem('deploy_refused', 'there is no such image') });
    const { op } = await world.deploy([{ name: 'only' }]);
    await world.ended(op);
    const failed = await seen(op);
    expect(failed.description.status.name).toBe('FAILED');
    await expect(failed.handle.result()).rejects.toMatchObject({
      cause: { type: 'roles_failed', message: expect.stringContaining('there is no such image') },
    });
    expect(await details(op)).toBe('- role **only**: failed');

    world.hypervisor.bootMilliseconds = 3_600_000;
    const preempted = await world.deploy([{ name: 'only' }]);
    await eventually(async () => (await world.operation(preempted.op)).state === 'running');
    await world.ended((await world.remove(preempted.id)).op);
    expect((await seen(preempted.op)).description.status.name).toBe('CANCELLED');
  });
});

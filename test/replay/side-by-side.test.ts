import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/processes.js';
import { newWorld, type World } from '../support/world.js';
import { builtBundle } from '../support/world-server.js';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());

const roles = [{ name: 'slow' }, { name: 'quick', cpu: 2_000 }, { name: 'middling' }];

/** A worker that dies has another one replay its runs: it must come to where the first one was. */
async function replays(op: string): Promise<void> {
  const { workflow_id: workflowId, run_id } = await world.operation(op);
  const history = await world.client.workflow.getHandle(workflowId, run_id ?? undefined).fetchHistory();
  for await (const { error } of Worker.runReplayHistories({ workflowBundle: builtBundle }, [{ workflowId, history }]))
    expect(error).toBeUndefined();
}

it('replays roles that went side by side, whichever was done first', async () => {
  // The first step of each kind is the slowest: were others to run beside it, they would end before it. A replay would
  // not always notice: what follows, the batch of another role, may have the same name and number.
  const begun = new Set<string>();
  let [atWork, most] = [0, 0];
  world.steps.watch(async ({ name }, run) => {
    if (name.endsWith('Vms')) return run();
    const first = !begun.has(name);
    begun.add(name);
    atWork += 1;
    most = Math.max(most, atWork);
    if (first) await sleep(100);
    return run().finally(() => {
      atWork -= 1;
    });
  });
  await world.addHost({ cpu: 2_500 });
  const { id, op } = await world.running(roles, { deployment: 'none' });
  await replays(op);
  begun.clear();
  const { op: undeployment } = await world.undeploy(id);
  expect(await world.ended(undeployment)).toMatchObject({ state: 'succeeded' });
  await replays(undeployment);
  expect(most).toBe(1);
});

it('replays a role that waits for capacity beside one that boots', async () => {
  let first = true;
  world.steps.watch(async ({ name }, run) => {
    if (name === 'startRoles' && first) {
      first = false;
      await sleep(100);
    }
    return run();
  });
  const { id, op } = await world.deploy([{ name: 'slow' }, { name: 'quick', cpu: 3_000 }], { deployment: 'none' });
  await eventually(async () => (await world.vms(id, 'quick'))[0]?.reason);
  await world.addHost({ cpu: 3_500 });
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
  await replays(op);
});

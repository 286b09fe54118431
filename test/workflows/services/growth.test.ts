import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../../domain/problems.js';
import { isVmRunning } from '../../../domain/vms/vm-states.js';
import { newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { holding } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development });
});
afterAll(() => world.stop());
afterEach(() => {
  world.hypervisor.beforeEach = () => {};
  world.steps.watch();
});

const web = (cardinality: number) => [{ name: 'web', cardinality }];
const failed = { state: 'failed' };
const succeeded = { state: 'succeeded', error: null };
const noImage = new Problem('deploy_refused', 'there is no such image');
const locked = new Problem('destroy_refused', 'the disk is locked');

/** Calls of these kinds are refused. */
function refuses(...calls: ('deploy' | 'destroy')[]): void {
  world.hypervisor.beforeEach = ({ call }) => {
    if (call === 'deploy' && calls.includes(call)) throw noImage;
    if (call === 'destroy' && calls.includes(call)) throw locked;
  };
}

describe('a role whose VMs fail, and cannot be removed', () => {
  it('never has more than twice as many as it is to have, however often it is recovered, and says so', async () => {
    refuses('deploy', 'destroy');
    const { id, op } = await world.deploy(web(3));
    expect(await world.ended(op)).toMatchObject(failed);
    const counts: number[] = [];
    for (let times = 0; times < 5; times++) {
      expect(await world.ended((await world.recover(id)).op)).toMatchObject(failed);
      counts.push((await world.vms(id)).length);
    }
    expect(counts).toEqual([6, 6, 6, 6, 6]);
    const why = 'it has 6 VMs with those that are not gone yet, and no more are made until some of them are';
    expect((await world.service(id)).roles[0]?.reason).toContain(`0 of 3 VMs run: ${why}`);
    expect((await world.operations.why.service(world.caller, id)).text).toContain(`Role web: ${why}`);

    // Whatever else is asked for goes by the same cap; once removals succeed one recovery makes it whole.
    refuses('destroy');
    expect(await world.ended((await world.recover(id)).op)).toMatchObject(failed);
    expect(await world.vms(id)).toHaveLength(6);
    const held = holding('destroyVms');
    refuses();
    world.steps.watch(held.around);
    const last = await world.recover(id);
    await held.reached;
    expect((await world.operation(last.op)).waiting_for).toBe('the removal of 3 VMs of role web');
    held.release();
    expect(await world.ended(last.op)).toMatchObject(succeeded);
    expect((await world.vms(id)).map(({ lcm_state }) => lcm_state)).toEqual(['RUNNING', 'RUNNING', 'RUNNING']);
    await world.accounted();
  });

  it('never has more when it is repaired, scaled and recovered by turns', async () => {
    const { id } = await world.running(web(2));
    for (const { _id } of await world.vms(id)) world.hypervisor.bringDown(_id, 'failed');
    for (let looks = 0; looks < 2; looks++) await world.tick('monitorHosts');
    refuses('deploy', 'destroy');
    const recover = () => world.recover(id);
    const kinds: string[] = [];
    let most = 2;
    for (const ask of [recover, recover, 3, recover, recover, 2]) {
      if (typeof ask === 'number') most = Math.max(most, ask);
      const { op } = typeof ask === 'number' ? await world.scale(id, 'web', ask) : await ask();
      const { kind, state } = await world.ended(op);
      kinds.push(`${kind} ${state}`);
      expect((await world.vms(id)).length).toBeLessThanOrEqual(2 * most);
    }
    expect(new Set(kinds)).toEqual(new Set(['repairService failed', 'scaleRole failed']));
    refuses();
    for (let times = 0; times < 3 && (await world.service(id)).state !== 'RUNNING'; times++)
      await world.ended((await recover()).op);
    expect((await world.vms(id)).map(({ lcm_state }) => lcm_state)).toEqual(['RUNNING', 'RUNNING']);
    await world.accounted();
  });
});

describe('a large role that is deployed', () => {
  it('boots no more VMs when ten in a row have failed, says so, and goes on when it is recovered', async () => {
    refuses('deploy');
    const { id, op } = await world.deploy(web(25));
    const { state, error } = await world.ended(op);
    expect(state).toBe('failed');
    expect(error?.detail).toContain('0 of 25 VMs run: 10 VMs in a row failed: no more are booted; VM');
    expect((await world.vms(id)).filter(({ reason }) => reason === noImage.message)).toHaveLength(10);
    refuses();
    expect(await world.ended((await world.recover(id)).op)).toMatchObject(succeeded);
    expect((await world.vms(id)).filter(isVmRunning)).toHaveLength(25);
    await world.accounted();
  });

  it('does so after some have run, too, and beside a role that goes on', async () => {
    let booted = 0;
    world.hypervisor.beforeEach = async ({ call, vm }) => {
      if (call !== 'deploy' || vm === null || (await world.vm(vm)).service?.role !== 'web') return;
      booted += 1;
      if ((await world.vm(vm)).service?.ordinal !== 0) throw noImage;
    };
    const { id, op } = await world.deploy([...web(60), { name: 'db', cardinality: 12 }], { deployment: 'none' });
    const { error } = await world.ended(op);
    expect(error?.detail).toContain('role web: 1 of 60 VMs run: 19 VMs in a row failed: no more are booted');
    expect(booted).toBe(20);
    expect((await world.vms(id, 'db')).filter(isVmRunning)).toHaveLength(12);
    await world.accounted();
  });

  it('begins to count anew in each round of its failure policy', async () => {
    let refusals = 0;
    world.hypervisor.beforeEach = ({ call }) => {
      if (call !== 'deploy' || refusals >= 10) return;
      refusals += 1;
      throw noImage;
    };
    const { id } = await world.running([{ name: 'web', cardinality: 15, failure_policy: { retries: 1 } }]);
    expect((await world.vms(id)).filter(isVmRunning)).toHaveLength(15);
    await world.accounted();
  });
});

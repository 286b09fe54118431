import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../../domain/problems.js';
import { isVmRunning } from '../../../domain/vms/vm-states.js';
import { addUser } from '../../support/people.js';
import { eventually } from '../../support/processes.js';
import { newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { holding } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development });
});
afterAll(() => world.stop());
afterEach(() => {
  world.hypervisor.bootMilliseconds = 0;
  world.hypervisor.mend();
  world.steps.watch();
});

const one = [{ name: 'web', cardinality: 3 }];
const idsOf = async (service: number): Promise<number[]> => (await world.vms(service)).map(({ _id }) => _id);
const stateOf = async (service: number): Promise<string> => (await world.service(service)).state;

async function ticks(count: number): Promise<void> {
  for (let nth = 0; nth < count; nth++) await world.tick('monitorHosts');
}

async function crashed(vm: number): Promise<void> {
  world.hypervisor.bringDown(vm, 'failed');
  await ticks(2);
  expect(await world.vm(vm)).toMatchObject({ lcm_state: 'UNKNOWN' });
}

async function repaired(service: number): Promise<void> {
  const { op } = await world.repair(service);
  expect(await world.ended(op)).toMatchObject({ kind: 'repairService', state: 'succeeded', error: null });
  await runs(service);
}

async function runs(service: number): Promise<void> {
  const { state, roles } = await world.service(service);
  expect({
    state,
    roles: new Set(roles.map((role) => role.state)),
    reasons: roles.map(({ reason }) => reason),
  }).toEqual({ state: 'RUNNING', roles: new Set(['RUNNING']), reasons: roles.map(() => null) });
  const vms = (await world.vms(service)).filter(({ wanted }) => wanted === null);
  expect(vms.filter(isVmRunning)).toHaveLength(roles.reduce((sum, { cardinality }) => sum + cardinality, 0));
}

describe('a service in WARNING', () => {
  it('is so once a VM of it has crashed, keeps what it should have, and is whole after a repair', async () => {
    const { id } = await world.running(one);
    const [first = -1, ...others] = await idsOf(id);
    await crashed(first);
    const service = await world.service(id);
    expect(service).toMatchObject({ state: 'WARNING', roles: [{ state: 'WARNING', cardinality: 3 }] });
    expect(service.roles[0]?.reason).toContain(`2 of 3 VMs run: VM ${first} (web_0_(service_${id})) is UNKNOWN`);
    await repaired(id);
    // What ran goes on running, and the new one has a number of its own.
    const vms = await world.vms(id);
    expect(vms.map(({ _id }) => _id)).toEqual(expect.arrayContaining(others));
    expect(vms.map(({ service: of }) => of?.ordinal)).toEqual([1, 2, 3]);
    for (const { _id } of vms) expect(world.hypervisor.timesMade(_id)).toBe(1);
    await world.accounted();
  });

  it('is RUNNING again by itself when its VM is', async () => {
    const { id } = await world.running(one);
    const [vm = -1] = await idsOf(id);
    world.hypervisor.bringDown(vm, 'failed');
    await ticks(2);
    expect(await stateOf(id)).toBe('WARNING');
    world.hypervisor.bringUp(vm);
    await ticks(1);
    await runs(id);
  });

  it('is none while a VM of it is powered off, which its user may start again', async () => {
    const { id } = await world.running(one);
    const [vm = -1] = await idsOf(id);
    world.hypervisor.bringDown(vm, 'stopped');
    await ticks(2);
    expect(await world.vm(vm)).toMatchObject({ state: 'POWEROFF' });
    expect(await stateOf(id)).toBe('RUNNING');
    await expect(world.repair(id)).rejects.toMatchObject({ code: 'wrong_state' });
    expect(await world.ended((await world.resume(vm)).op)).toMatchObject({ state: 'succeeded' });
    await runs(id);
    await world.accounted();
  });

  it('has a VM whose guest crashed replaced', async () => {
    const { id } = await world.running(one);
    const [vm = -1] = await idsOf(id);
    world.hypervisor.bringDown(vm, 'failed');
    await ticks(2);
    await repaired(id);
    expect((await world.vm(vm)).state).toBe('DONE');
    await world.accounted();
  });

  it('is repaired by who may USE the VM template that new VMs are made of, and by nobody else', async () => {
    const { id } = await world.running(one);
    const [vm = -1] = await idsOf(id);
    const template = (await world.service(id)).roles[0]?.vm_template ?? -1;
    const { _id: uid, gid, groups } = await addUser(world.directory, 'bob', { password_hash: '' });
    const bob = { id: uid, name: 'bob', gid, groups, rules: [] };
    const may = { use: true, manage: true, admin: false };
    await world.store.services.model.updateOne({ _id: id }, { $set: { 'permissions.other': may } });
    const repair = () => world.operations.services.repair(bob, id, { requestId: 'test' });
    world.hypervisor.bringDown(vm, 'failed');
    await ticks(2);
    const refused = await world.ended((await repair()).id);
    const why = `bob needs the USE right on VM template ${template}, of which its VMs are made.`;
    expect(refused).toMatchObject({ state: 'failed', error: { detail: expect.stringContaining(why) } });
    expect(await world.service(id)).toMatchObject({ state: 'WARNING' });
    expect((await world.vms(id)).map(({ service }) => service?.ordinal)).not.toContain(3);
    await world.store.vmTemplates.model.updateOne({ _id: template }, { $set: { 'permissions.other': may } });
    expect(await world.ended((await repair()).id)).toMatchObject({ state: 'succeeded', error: null });
    await runs(id);
    await world.accounted();
  });

  it('keeps a VM that was lost from sight and runs', async () => {
    const { id } = await world.running(one);
    const ids = await idsOf(id);
    await world.store.vms.model.updateOne({ _id: ids[0] }, { $set: { lcm_state: 'UNKNOWN', reason: 'lost' } });
    await world.store.health.refresh([id]);
    expect(await stateOf(id)).toBe('WARNING');
    await repaired(id);
    expect(await idsOf(id)).toEqual(ids);
    await world.accounted();
  });

  it('has a VM of a silent host replaced elsewhere; the old one goes when its host answers', {
    timeout: 240_000,
  }, async () => {
    const { id } = await world.running(one);
    const vms = await world.vms(id);
    const host = vms[0]?.history.at(-1)?.hostname ?? '';
    const lost = vms.filter(({ history }) => history.at(-1)?.hostname === host).map(({ _id }) => _id);
    const terminations: string[] = [];
    world.hypervisor.cutOff(host);
    try {
      await ticks(2);
      expect(await stateOf(id)).toBe('WARNING');
      await repaired(id);
      for (const vm of lost) {
        const { wanted } = await world.vm(vm);
        terminations.push(wanted ?? '');
        expect(await world.operation(wanted ?? '')).toMatchObject({
          kind: 'terminateVm',
          state: 'waiting',
          waiting_for: `its host ${host} to answer`,
        });
      }
      await world.reconcile();
      for (const vm of lost) expect((await world.vm(vm)).lcm_state).toBe('UNKNOWN');
    } finally {
      world.hypervisor.reach(host);
    }
    await ticks(1);
    await world.reconcile();
    for (const op of terminations) expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    for (const vm of lost) expect((await world.vm(vm)).state).toBe('DONE');
    await runs(id);
    expect(world.hypervisor.domains().some(({ vm }) => lost.includes(vm))).toBe(false);
    await world.accounted();
  });

  describe.each(['none', 'straight'] as const)('whose roles have to be on one host (%s)', (deployment) => {
    const group = [
      { name: 'front', cardinality: 2, placement: { affinity: ['back'] } },
      { name: 'back', cardinality: 1, parents: ['front'] },
      { name: 'log', cardinality: 1, placement: { affinity: ['front'] } },
    ];

    it('has all of them on another one when theirs is silent', { timeout: 240_000 }, async () => {
      const { id } = await world.running(group, { deployment });
      const vms = await world.vms(id);
      const [host = '', ...others] = new Set(vms.map(({ history }) => history.at(-1)?.hostname));
      expect(others).toEqual([]);
      world.hypervisor.cutOff(host);
      try {
        await ticks(2);
        expect(await stateOf(id)).toBe('WARNING');
        await repaired(id);
        const now = (await world.vms(id)).filter(({ wanted }) => wanted === null);
        expect(new Set(now.map(({ history }) => history.at(-1)?.hostname)).size).toBe(1);
        expect(now.some(({ history }) => history.at(-1)?.hostname === host)).toBe(false);
      } finally {
        world.hypervisor.reach(host);
      }
      await ticks(1);
      await world.reconcile();
      await expect.poll(async () => (await world.vms(id)).length, { timeout: 30_000 }).toBe(4);
      await world.accounted();
    });
  });

  it('stays WARNING, with its reason, when the repair fails; a retry goes on', async () => {
    const { id } = await world.running(one);
    const [vm = -1] = await idsOf(id);
    await crashed(vm);
    world.hypervisor.failOn(1, { error: new Problem('deploy_refused', 'there is no such image') });
    const { op } = await world.repair(id);
    expect(await world.ended(op)).toMatchObject({ state: 'failed' });
    const service = await world.service(id);
    expect(service).toMatchObject({ state: 'WARNING', roles: [{ state: 'WARNING' }] });
    expect(service.roles[0]?.reason).toContain('there is no such image');
    expect(await world.ended((await world.retry(op)).op)).toMatchObject({ state: 'succeeded', kind: 'repairService' });
    await runs(id);
    await world.accounted();
  });

  it('gives way to an undeployment', async () => {
    const { id } = await world.running(one);
    const [vm = -1] = await idsOf(id);
    await crashed(vm);
    world.hypervisor.bootMilliseconds = 3_600_000;
    const { op } = await world.repair(id);
    await eventually(async () => (await world.vms(id)).some(({ lcm_state }) => lcm_state === 'BOOT'));
    const undeployment = await world.undeploy(id);
    expect(await world.ended(undeployment.op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await world.operation(op)).toMatchObject({ state: 'cancelled' });
    await world.accounted();
  });

  it('has failed to deploy, and says so, if a VM of it was lost before the deployment ended', async () => {
    const held = holding('endOperation');
    world.steps.watch(held.around);
    const { id, op } = await world.deploy(one);
    await held.reached;
    const [vm = -1] = await idsOf(id);
    world.steps.watch();
    await crashed(vm);
    expect(await stateOf(id)).toBe('DEPLOYING');
    held.release();
    const { state, error } = await world.ended(op);
    expect([state, error?.code]).toEqual(['failed', 'roles_failed']);
    expect(error?.detail).toContain(`role web: 2 of 3 VMs run: VM ${vm} (web_0_(service_${id})) is UNKNOWN`);
    expect(await stateOf(id)).toBe('WARNING');
    await repaired(id);
  });

  it('is undeployed although a VM of it waits for its host to answer', { timeout: 240_000 }, async () => {
    const { id } = await world.running(one);
    const vms = await world.vms(id);
    const host = vms[0]?.history.at(-1);
    world.hypervisor.cutOff(host?.hostname ?? '');
    try {
      await ticks(2);
      await repaired(id);
      // Nobody asks a host that administrators have taken offline, and what was on it counts as gone.
      await world.store.hosts.update(host?.hid ?? -1, { state: 'OFFLINE' });
      expect(await world.ended((await world.undeploy(id)).op)).toMatchObject({ state: 'succeeded', error: null });
      expect(await world.vms(id)).toEqual([]);
      expect(await stateOf(id)).toBe('DONE');
    } finally {
      world.hypervisor.reach(host?.hostname ?? '');
      await world.store.hosts.update(host?.hid ?? -1, { state: 'MONITORED' });
    }
  });
});

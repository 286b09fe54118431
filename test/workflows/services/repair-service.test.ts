import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../../domain/problems.js';
import { isVmRunning } from '../../../domain/vms/vm-states.js';
import { addUser } from '../../support/people.js';
import { eventually } from '../../support/processes.js';
import { someOf } from '../../support/some-of.js';
import { newWorld, type World } from '../../support/world.js';
import { newImage } from '../../support/world-images.js';
import { newNetwork } from '../../support/world-networks.js';
import { development } from '../../support/world-server.js';
import { diesOnce, holding, twice } from '../../support/world-steps.js';

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

  it('has VMs replaced that have the last address, or an image of which there is one, once these are free', async () => {
    const last = await newNetwork(world, 'last', '10.77.0.1', 2);
    const image = await newImage(world, 'one-at-a-time', { persistent: true });
    const { id } = await world.running([
      { name: 'web', cardinality: 2, vm_template_contents: `NIC=[NETWORK_ID="${last}"]` },
      { name: 'db', vm_template_contents: `DISK=[IMAGE_ID="${image}"]` },
    ]);
    const before = await idsOf(id);
    await world.failed(id, ({ service }) => service?.ordinal === 0);
    await repaired(id);
    const now = await idsOf(id);
    expect(now.filter((vm) => before.includes(vm))).toHaveLength(1);
    for (const vm of now) expect(world.hypervisor.timesMade(vm)).toBe(1);
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
    const why = `bob needs the USE right on VM template ${template}, of which its VMs are made`;
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

  it('has a VM of a silent host replaced elsewhere; the old one goes when its host answers', async () => {
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

  it('has VMs replaced of a host that is OFFLINE, also where only these have what is needed', async () => {
    const tight = await newNetwork(world, 'tight', '10.78.0.1', 2);
    const image = await newImage(world, 'once', { persistent: true });
    const contents = `NIC=[NETWORK_ID="${tight}"]`;
    const { id } = await world.running([
      { name: 'web', vm_template_contents: contents },
      { name: 'db', vm_template_contents: `${contents}\nDISK=[IMAGE_ID="${image}"]`, placement: { affinity: ['web'] } },
    ]);
    const vms = await world.vms(id);
    const { hid = -1, hostname = '' } = vms[0]?.history.at(-1) ?? {};
    world.hypervisor.cutOff(hostname);
    try {
      await ticks(2);
      await world.store.hosts.update(hid, { state: 'OFFLINE' });
      await repaired(id);
      for (const { _id } of vms) expect((await world.vm(_id)).state).toBe('DONE');
    } finally {
      world.hypervisor.reach(hostname);
      await world.store.hosts.update(hid, { state: 'INIT' });
    }
    await ticks(1);
    await world.accounted();
  });

  describe.each(someOf(['straight', 'none'] as const, 2))('whose roles have to be on one host (%s)', (deployment) => {
    const group = [
      { name: 'front', cardinality: 2, placement: { affinity: ['back'] } },
      { name: 'back', cardinality: 1, parents: ['front'] },
      { name: 'log', cardinality: 1, placement: { affinity: ['front'] } },
    ];

    it('has all of them on another one when theirs is silent', async () => {
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
      await expect.poll(async () => (await world.vms(id)).length).toBe(4);
      await world.accounted();
    });
  });

  it('says of a VM that was lost with its host that it does not run there, once that answers again', async () => {
    const { id } = await world.running([{ name: 'web' }]);
    const [vm = -1] = await idsOf(id);
    const host = (await world.vm(vm)).history.at(-1)?.hostname ?? '';
    world.hypervisor.cutOff(host);
    try {
      await ticks(2);
      expect((await world.vm(vm)).reason).toContain(`its host ${host} does not answer`);
      world.hypervisor.bringDown(vm, 'stopped');
    } finally {
      world.hypervisor.reach(host);
    }
    await ticks(1);
    const reason = `its host ${host} answers again, and it is stopped there`;
    expect(await world.vm(vm)).toMatchObject({ lcm_state: 'UNKNOWN', reason });
    expect((await world.service(id)).roles[0]?.reason).toContain(reason);
    await repaired(id);
    await world.accounted();
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

  it('says of a VM that somebody else has in hand that its host is OFFLINE', async () => {
    const { id } = await world.running(one);
    const [first = -1, second = -1] = await idsOf(id);
    await world.failed(id, ({ _id }) => _id === first);
    world.hypervisor.bootMilliseconds = 3_600_000;
    const { op } = await world.recoverVm(first, 'retry');
    await eventually(async () => (await world.vm(first)).lcm_state === 'BOOT');
    await expect(world.recoverVm(first, 'retry')).rejects.toMatchObject({ code: 'operation_in_progress' });
    const stay = (await world.vm(first)).history.at(-1);
    await world.store.hosts.update(stay?.hid ?? -1, { state: 'OFFLINE' });
    try {
      const { error } = await world.ended((await world.repair(id)).op);
      expect(error?.detail).toContain(`VM ${first} (web_0_(service_${id})): its host ${stay?.hostname} is OFFLINE`);
      expect((await world.operations.why.service(world.caller, id)).text).toContain(`${stay?.hostname} is OFFLINE`);
      await world.cancel(op);
      await world.ended(op);
      // Nothing is tried again there.
      await expect(world.recoverVm(first, 'retry')).rejects.toMatchObject({
        code: 'wrong_state',
        message: expect.stringContaining(`${stay?.hostname}, which is OFFLINE`),
      });
      await expect(world.retry(op)).rejects.toMatchObject({ code: 'wrong_state' });
    } finally {
      world.hypervisor.bootMilliseconds = 0;
      await world.store.hosts.update(stay?.hid ?? -1, { state: 'MONITORED' });
    }
    expect(await world.vm(second)).toMatchObject({ lcm_state: 'RUNNING' });
    await repaired(id);
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

  it('is undeployed although a VM of it waits for its host to answer', async () => {
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
    // What was left behind there has no VM any more: two looks find it, and it goes.
    await ticks(2);
    await world.accounted();
  });
});

describe('the roles that a repair takes', () => {
  const three = [
    { name: 'web', cardinality: 2 },
    { name: 'db', cardinality: 2 },
    { name: 'log', cardinality: 1 },
  ];
  const statesOf = async (id: number) => {
    const { state, roles } = await world.service(id);
    return [state, ...roles.map((role) => `${role.name} ${role.state}`)];
  };
  const firstOf =
    (...roles: string[]) =>
    ({ service }: { service: { role: string; ordinal: number } | null }): boolean =>
      service?.ordinal === 0 && roles.includes(service.role);
  const refusal = (...told: string[]) => ({
    code: 'operation_in_progress',
    message: expect.stringMatching(new RegExp(told.join('.*'))),
  });

  it('are those that are amiss: others are scaled meanwhile, and these wait for nobody', async () => {
    const { id } = await world.running(three);
    await world.failed(id, firstOf('db'));
    const held = holding('startRoles');
    world.steps.watch(held.around);
    const { op } = await world.repair(id);
    await held.reached;
    expect(await world.operation(op)).toMatchObject({
      input: { roles: ['db'] },
      workflow_id: `service-${id}/roles-${op}`,
    });
    expect(await world.ended((await world.scale(id, 'web', 3)).op)).toMatchObject({ state: 'succeeded', error: null });
    expect((await world.operation(op)).state).toBe('running');
    expect(await statesOf(id)).toEqual(['WARNING', 'web RUNNING', 'db WARNING', 'log RUNNING']);
    for (const asks of [() => world.scale(id, 'db', 3), () => world.repair(id), () => world.recover(id)])
      await expect(asks()).rejects.toMatchObject(refusal(op, 'repairService', 'role db', 'alice'));

    // What comes into WARNING meanwhile is repaired beside it, when it is named.
    await world.store.vms.model.updateOne(
      { 'service.id': id, 'service.role': 'log' },
      { $set: { lcm_state: 'PROLOG_FAILURE' } },
    );
    await world.store.health.refresh([id]);
    const other = await world.recover(id, { role: 'log' });
    expect(await world.operation(other.op)).toMatchObject({ kind: 'repairService', input: { roles: ['log'] } });
    await expect(world.repair(id)).rejects.toMatchObject(refusal(op, 'role db', other.op, 'role log'));
    held.release();
    for (const { op: its } of [{ op }, other])
      expect(await world.ended(its)).toMatchObject({ state: 'succeeded', error: null });
    await runs(id);
    expect((await world.service(id)).roles.map(({ operation }) => operation ?? null)).toEqual([null, null, null]);
    await world.accounted();
  });

  it('are all there, or it takes none: a scaling of one of them is in its way', async () => {
    const { id } = await world.running(three);
    await world.failed(id, firstOf('web', 'db'));
    const held = holding('staffRole');
    world.steps.watch(held.around);
    const scaling = await world.scale(id, 'web', 3);
    await held.reached;
    // A role that is scaled is made whole by that, and is none of those that a repair needs.
    const { op } = await world.repair(id);
    expect(await world.operation(op)).toMatchObject({ input: { roles: ['db'] } });
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await statesOf(id)).toEqual(['SCALING', 'web SCALING', 'db RUNNING', 'log RUNNING']);
    await expect(world.repair(id)).rejects.toMatchObject(refusal(scaling.op, 'scaleRole', 'role web'));
    held.release();
    expect(await world.ended(scaling.op)).toMatchObject({ state: 'succeeded', error: null });
    await runs(id);
    await world.accounted();
  });

  it('have with them those that are to be on one host with them', async () => {
    const group = [{ name: 'front', placement: { affinity: ['back'] } }, { name: 'back' }, { name: 'log' }];
    const { id } = await world.running(group);
    await world.failed(id, firstOf('front'));
    const held = holding('staffRole');
    world.steps.watch(held.around);
    const scaling = await world.scale(id, 'back', 2);
    await held.reached;
    await expect(world.repair(id)).rejects.toMatchObject(refusal(scaling.op, 'scaleRole', 'role back', 'alice'));
    expect((await world.service(id)).roles[0]?.operation ?? null).toBeNull();
    held.release();
    expect(await world.ended(scaling.op)).toMatchObject({ state: 'succeeded', error: null });
    await repaired(id);
    await world.accounted();
  });

  it('are made whole although the scaling of another has failed, which is recovered by itself', async () => {
    const { id } = await world.running(three);
    world.hypervisor.failOn(1, { error: new Problem('deploy_refused', 'there is no such image') });
    expect(await world.ended((await world.scale(id, 'web', 3)).op)).toMatchObject({ state: 'failed' });
    await world.store.vms.model.updateOne(
      { 'service.id': id, 'service.role': 'db', 'service.ordinal': 0 },
      { $set: { lcm_state: 'PROLOG_FAILURE' } },
    );
    await world.store.health.refresh([id]);
    expect(await statesOf(id)).toEqual(['FAILED_SCALING', 'web FAILED_SCALING', 'db WARNING', 'log RUNNING']);
    const { op } = await world.repair(id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await statesOf(id)).toEqual(['FAILED_SCALING', 'web FAILED_SCALING', 'db RUNNING', 'log RUNNING']);
    expect(await world.ended((await world.recover(id)).op)).toMatchObject({ kind: 'scaleRole', state: 'succeeded' });
    await runs(id);
    await world.accounted();
  });

  it('stay its own while it waits for an answer, and others are scaled meanwhile', async () => {
    const [web, db, log] = three;
    const asking = { ...db, name: 'db', failure_policy: { retries: 0, replacements: 0, finally: 'wait' as const } };
    const { id } = await world.running([{ ...web, name: 'web' }, asking, { ...log, name: 'log' }]);
    await world.failed(id, firstOf('db'));
    world.hypervisor.beforeEach = ({ call }) => {
      if (call === 'deploy') throw new Problem('deploy_refused', 'there is no such image');
    };
    const { op } = await world.repair(id);
    await expect.poll(async () => (await world.operation(op)).state).toBe('waiting_for_you');
    world.hypervisor.beforeEach = () => {};
    expect(await world.ended((await world.scale(id, 'web', 3)).op)).toMatchObject({ state: 'succeeded', error: null });
    await expect(world.scale(id, 'db', 3)).rejects.toMatchObject(refusal(op, 'role db'));
    await world.store.health.refresh([id]);
    await world.answer(op, 'retry');
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    await runs(id);
    await world.accounted();
  });

  it.each([
    ['is done twice', () => twice],
    ['has its worker lost once', diesOnce],
  ] as const)('are made whole beside a scaling although each step %s', async (_, around) => {
    const { id } = await world.running(three);
    await world.failed(id, firstOf('web', 'log'));
    world.steps.watch(around());
    const asked = [await world.repair(id), await world.scale(id, 'db', 3)];
    for (const { op } of asked) expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    await runs(id);
    await world.accounted();
  });
});

describe('the roles that a recovery of a deployment takes', () => {
  const three = [{ name: 'web', cardinality: 2 }, { name: 'db', cardinality: 2, parents: ['web'] }, { name: 'log' }];
  const statesOf = async (id: number) => {
    const { state, roles } = await world.service(id);
    return [state, ...roles.map((role) => `${role.name} ${role.state}`)];
  };
  const noImage = new Problem('deploy_refused', 'there is no such image');
  const succeeded = { state: 'succeeded', error: null };

  function refuses(role: string): void {
    world.hypervisor.beforeEach = async ({ call, vm }) => {
      if (call === 'deploy' && vm !== null && (await world.vm(vm)).service?.role === role) throw noImage;
    };
  }
  async function failedToDeploy(role: string): Promise<{ id: number; op: string }> {
    refuses(role);
    const { id, op } = await world.deploy(three, { deployment: 'straight' });
    expect(await world.ended(op)).toMatchObject({ state: 'failed' });
    world.hypervisor.beforeEach = () => {};
    return { id, op };
  }

  it('are those that failed, with what waits behind them: others are scaled before, meanwhile and after', async () => {
    const { id } = await failedToDeploy('web');
    expect(await statesOf(id)).toEqual(['FAILED_DEPLOYING', 'web FAILED_DEPLOYING', 'db PENDING', 'log RUNNING']);
    expect(await world.ended((await world.scale(id, 'log', 2)).op)).toMatchObject(succeeded);
    expect((await statesOf(id))[0]).toBe('FAILED_DEPLOYING');
    const held = holding('startRoles');
    world.steps.watch(held.around);
    const { op } = await world.recover(id);
    await held.reached;
    expect(await world.operation(op)).toMatchObject({
      ...{ kind: 'deployService', input: { roles: ['web', 'db'] } },
      workflow_id: `service-${id}/roles-${op}`,
    });
    expect(await world.ended((await world.scale(id, 'log', 3)).op)).toMatchObject(succeeded);
    expect(await statesOf(id)).toEqual(['DEPLOYING', 'web FAILED_DEPLOYING', 'db PENDING', 'log RUNNING']);
    const inTheWay = {
      code: 'operation_in_progress',
      message: expect.stringMatching(`${op}.*roles web and db.*alice`),
    };
    for (const wish of [{}, { role: 'db' }]) await expect(world.recover(id, wish)).rejects.toMatchObject(inTheWay);
    await expect(world.scale(id, 'web', 3)).rejects.toMatchObject({ code: 'operation_in_progress', operation: op });
    held.release();
    expect(await world.ended(op)).toMatchObject(succeeded);
    await runs(id);
    expect((await world.service(id)).log.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['Deployment, by alice', 'Recovery of roles web and db, by alice']),
    );
    await world.accounted();
  });

  it('fail again and stay nobody’s, with the service; what is scaled beside them is not their matter', async () => {
    const { id } = await failedToDeploy('db');
    refuses('db');
    const held = holding('staffRole');
    world.steps.watch(held.around);
    const scaling = await world.scale(id, 'web', 3);
    await held.reached;
    // Its parent is scaled: that was deployed once, and is waited for no more.
    const { op } = await world.recover(id);
    expect(await world.ended(op)).toMatchObject({ state: 'failed', input: { roles: ['db'] } });
    expect(await statesOf(id)).toEqual(['FAILED_DEPLOYING', 'web SCALING', 'db FAILED_DEPLOYING', 'log RUNNING']);
    held.release();
    expect(await world.ended(scaling.op)).toMatchObject(succeeded);
    expect(await statesOf(id)).toEqual(['FAILED_DEPLOYING', 'web RUNNING', 'db FAILED_DEPLOYING', 'log RUNNING']);
    world.hypervisor.beforeEach = () => {};
    expect(await world.ended((await world.recover(id, { role: 'db' })).op)).toMatchObject(succeeded);
    await runs(id);
    await world.accounted();
  });

  it('have no more VMs than they are to have once one runs that could not be removed, and was replaced', async () => {
    world.hypervisor.failOn(1, { when: 'after', error: noImage });
    const { id, op } = await world.deploy([{ name: 'web', cardinality: 2 }]);
    expect(await world.ended(op)).toMatchObject({ state: 'failed' });
    const amiss = (await world.vms(id)).find(({ lcm_state }) => lcm_state !== 'RUNNING')?._id ?? -1;
    world.hypervisor.failVm(amiss, {
      call: 'destroy',
      times: 1,
      error: new Problem('destroy_refused', 'the disk is locked'),
    });
    const again = await world.recover(id);
    expect(await world.ended(again.op)).toMatchObject({ state: 'failed' });
    await ticks(2);
    expect(await world.vms(id)).toHaveLength(3);
    expect((await world.vms(id)).filter(isVmRunning)).toHaveLength(3);
    expect((await world.service(id)).state).toBe('FAILED_DEPLOYING');
    expect((await world.operations.why.service(world.caller, id)).text).toContain(
      'Role web has 3 VMs that run, and is to have 2',
    );
    expect(await world.ended((await world.retry(again.op)).op)).toMatchObject(succeeded);
    expect(await world.vms(id)).toHaveLength(2);
    await runs(id);
    await world.accounted();
  });

  it('give way to an undeployment', async () => {
    const { id, op: failed } = await failedToDeploy('web');
    world.hypervisor.bootMilliseconds = 3_600_000;
    const { op } = await world.recover(id);
    expect(await world.operation(op)).toMatchObject({ retry_of: failed });
    await eventually(async () => (await world.vms(id)).some(({ lcm_state }) => lcm_state === 'BOOT'));
    expect(await world.ended((await world.undeploy(id)).op)).toMatchObject(succeeded);
    expect(await world.operation(op)).toMatchObject({ state: 'cancelled' });
    expect((await world.service(id)).log.map(({ message }) => message)).toContain('Undeployment, by alice');
    await world.accounted();
  });

  it.each([
    ['is done twice', () => twice],
    ['has its worker lost once', diesOnce],
  ] as const)('are deployed beside a scaling although each step %s', async (_, around) => {
    const { id } = await failedToDeploy('web');
    world.steps.watch(around());
    const asked = [await world.recover(id), await world.scale(id, 'log', 3)];
    for (const { op } of asked) expect(await world.ended(op)).toMatchObject(succeeded);
    await runs(id);
    await world.accounted();
  });
});

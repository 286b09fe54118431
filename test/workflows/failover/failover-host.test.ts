import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../../../domain/identity/caller.js';
import { Problem, problemOf } from '../../../domain/problems.js';
import { placeOf } from '../../../domain/vms/stays.js';
import { unconditional } from '../../../requests/precondition.js';
import { ClusterPolicy, HostPolicy } from '../../../schemas/hosts/ha.js';
import type { HostState } from '../../../schemas/hosts/host.js';
import { isFailover, type Operation } from '../../../schemas/operations/operation.js';
import type { VmSwitch } from '../../../schemas/operations/vm-action.js';
import { addUser } from '../../support/people.js';
import { newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { diesOnce, holding, twice } from '../../support/world-steps.js';

let world: World;
/** The host that fails, and where its VMs go. */
let from: number;
let to: number;
const names = new Map<number, string>();
beforeAll(async () => {
  world = await newWorld({ server: development });
  world.settings.insistence = 0;
  // Each look is a poll.
  world.settings.monitoringInterval = 0;
  for (const { _id, name } of await world.store.hosts.all()) names.set(_id, name);
  [from = -1, to = -1] = names.keys();
});
afterAll(() => world.stop());
const nameOf = (host: number): string => names.get(host) ?? '';
const set = (host: number, state: HostState) => world.store.hosts.update(host, { state, error: null });
/** VMs come to the one host alone, until the other takes them. */
beforeEach(async () => {
  await set(from, 'MONITORED');
  await set(to, 'DISABLED');
});
afterEach(async () => {
  world.steps.watch();
  world.hypervisor.mend();
  world.power = world.usualPower;
  world.fenced.length = 0;
  for (const id of [from, to]) {
    world.hypervisor.reach(nameOf(id));
    await world.store.hosts.update(id, { ha: null });
  }
  await policy(null);
  await monitored();
  await set(to, 'MONITORED');
  await set(from, 'MONITORED');
  for (const { op } of await open('failoverHost')) await world.ended((await world.cancel(op)).op);
  const left = await world.store.vms.model
    .find({ state: { $ne: 'DONE' }, service: null }, { _id: 1 })
    .lean()
    .exec();
  for (const { _id } of left) await world.ended((await world.terminate(_id, true)).op);
  const services = await world.store.services.model
    .find({ state: { $ne: 'DONE' } }, { _id: 1 })
    .lean()
    .exec();
  for (const { _id } of services) await world.ended((await world.undeploy(_id, true)).op);
});

const open = async (kind: Operation['kind']): Promise<{ op: string }[]> =>
  (await world.store.operations.model.find({ kind, ended_at: null }, { _id: 1 }).lean().exec()).map(({ _id }) => ({
    op: _id,
  }));
const failovers = (): Promise<Operation[]> =>
  world.store.operations.model
    .find({ kind: 'failoverHost', 'resource.id': from })
    .sort({ _id: 1 })
    .lean<Operation[]>()
    .exec();
const last = async (): Promise<string> => (await failovers()).at(-1)?._id ?? '';

const command = { kind: 'command', program: 'off', arguments: [] } as const;
/** Armed by a test, before there are VMs, which it would cut the power of. */
async function armed(ha: object): Promise<void> {
  await policy({ ...ha, fencing: [command] });
  await world.arm(from);
  world.fenced.length = 0;
}
const policy = (ha: object | null, host = from) =>
  world.operations.hosts.update(world.caller, host, {
    revise: (present) => ({ wish: { ...present, ha: ha && HostPolicy.parse(ha) }, named: new Set(['ha']) }),
    precondition: unconditional,
  });
const monitored = () => world.tick('monitorHosts');
/** As many polls as the policies below want missed. */
const missed = async () => {
  await monitored();
  await monitored();
};
const host = async (id = from) => (await world.store.hosts.find(id)) ?? { state: null, vms: {}, operation: null };
const hostOf = async (id: number) => placeOf(await world.vm(id))?.hid;
async function made(action?: VmSwitch): Promise<number> {
  const { id, op } = await world.createVm();
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
  if (action) expect(await world.ended((await world.switch(id, action)).op)).toMatchObject({ state: 'succeeded' });
  return id;
}
const outcomes = async (op: string) => {
  const operation = await world.operation(op);
  const all = Object.entries((isFailover(operation) && operation.failed_over) || {});
  return Object.fromEntries(all.map(([vm, { outcome }]) => [vm, outcome]));
};
const problem = (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    (error: unknown) => problemOf(error),
  );
const runsAt = async (vm: number, at: number) => {
  expect(await world.vm(vm)).toMatchObject({ state: 'ACTIVE', lcm_state: 'RUNNING', hold: null, operation: null });
  expect(await hostOf(vm)).toBe(at);
  expect(world.hypervisor.domains().flatMap((one) => (one.vm === vm ? [one.host] : []))).toEqual([nameOf(at)]);
};

describe('failoverHost', () => {
  it.each([
    ['every step is done twice', twice],
    ['the worker is lost after each step', diesOnce()],
  ])(
    'begins by itself after so many missed polls, turns the host off, and recovers its VMs in order; %s',
    async (_, around) => {
      await armed({ action: 'recreate', polls: 2 });
      const alone = await made();
      const { id } = await world.running([
        { name: 'front', cardinality: 2 },
        { name: 'back', cardinality: 2, parents: ['front'] },
      ]);
      const vms = (await world.vms(id)).map(({ _id, service }) => ({ id: _id, role: service?.role }));
      await set(to, 'MONITORED');
      world.powerOff(nameOf(from));
      const began = world.hypervisor.journal.length;
      await monitored();
      expect(await host()).toMatchObject({ state: 'ERROR', missed: 1 });
      expect((await host()).operation ?? null).toBeNull();
      world.steps.watch(around, /^host-/);
      await monitored();
      const op = await last();
      expect(await world.ended(op)).toMatchObject({
        ...{ state: 'succeeded', error: null, workflow_id: `host-${from}` },
        input: { action: 'recreate', stopped: false, because: '2 polls in a row were missed' },
      });
      expect(new Set(world.fenced)).toEqual(new Set([nameOf(from)]));
      expect(await host()).toMatchObject({ state: 'ERROR', vms: {}, operation: null, fenced: { by: 'off' } });
      for (const vm of [alone, ...vms.map((one) => one.id)]) await runsAt(vm, to);
      // The second role begins to leave after the first one runs: not only in the order of one batch.
      const moments = async (role: string, state: string): Promise<number[]> =>
        Promise.all(
          vms
            .filter((one) => one.role === role)
            .map(
              async ({ id: vm }) =>
                (await world.vm(vm)).log
                  ?.findLast((line) => line.state === state || line.lcm_state === state)
                  ?.at.getTime() ?? Number.NaN,
            ),
        );
      expect(Math.max(...(await moments('front', 'RUNNING')))).toBeLessThanOrEqual(
        Math.min(...(await moments('back', 'SHUTDOWN'))),
      );
      const booted = world.hypervisor.journal
        .slice(began)
        .flatMap(({ vm, call, outcome }) => (call === 'deploy' && outcome === 'created' ? [vm] : []));
      const turnOf = (role: string) => vms.filter((one) => one.role === role).map((one) => booted.indexOf(one.id));
      expect(Math.max(...turnOf('front'))).toBeLessThan(Math.min(...turnOf('back')));
      expect(new Set(booted).size).toBe(booted.length);
      expect(await world.service(id)).toMatchObject({ state: 'RUNNING' });
      expect(new Set(Object.values(await outcomes(op)))).toEqual(new Set(['recovered']));
      // Once for a silence.
      await monitored();
      expect(await last()).toBe(op);
      world.hypervisor.reach(nameOf(from));
      await monitored();
      await monitored();
      expect(await host()).toMatchObject({ state: 'MONITORED', missed: 0, fenced: null });
      await world.accounted();
    },
  );

  it('waits for a person where nothing else is to turn it off, and takes nothing from a host that answers meanwhile', async () => {
    const vm = await made();
    await policy({ action: 'recreate', polls: 2 });
    await set(to, 'MONITORED');
    world.hypervisor.cutOff(nameOf(from));
    await missed();
    const first = await last();
    await expect.poll(async () => (await world.operation(first)).state).toBe('waiting');
    expect(await world.operation(first)).toMatchObject({ waiting_for: expect.stringContaining('arcus host fenced') });
    expect(await host()).toMatchObject({ fenced: null });
    world.hypervisor.reach(nameOf(from));
    await monitored();
    await world.reconcile();
    expect(await world.ended(first)).toMatchObject({ state: 'succeeded' });
    await runsAt(vm, from);
    world.powerOff(nameOf(from));
    await missed();
    const second = await last();
    expect(second).not.toBe(first);
    await expect.poll(async () => (await world.operation(second)).state).toBe('waiting');
    await world.operations.hosts.callFenced(world.caller, from, unconditional);
    expect(await world.ended(second)).toMatchObject({ state: 'succeeded', error: null });
    await runsAt(vm, to);
    expect(await host()).toMatchObject({ fenced: { by: world.caller.name } });
    await world.accounted();
  });

  it('asks a person where its guests are seen to run on without their hypervisor, unless its policy says otherwise', async () => {
    await armed({ action: 'recreate', polls: 2 });
    const vm = await made();
    await set(to, 'MONITORED');
    world.hypervisor.cutOff(nameOf(from));
    world.hypervisor.seen.set(nameOf(from), [vm, vm + 1_000]);
    await missed();
    const asked = await last();
    await expect.poll(async () => (await world.operation(asked)).state).toBe('waiting');
    expect(await world.operation(asked)).toMatchObject({
      waiting_for: expect.stringContaining(`guests of it are seen to run, of VM ${vm}: its hypervisor has failed`),
    });
    expect(world.fenced).toEqual([]);
    world.hypervisor.reach(nameOf(from));
    await monitored();
    await world.reconcile();
    expect(await world.ended(asked)).toMatchObject({ state: 'succeeded' });
    await runsAt(vm, from);

    await policy({ action: 'recreate', polls: 2, fencing: [command], alive: 'fence' });
    world.powerOff(nameOf(from));
    await missed();
    const fenced = await last();
    expect(fenced).not.toBe(asked);
    expect(await world.ended(fenced)).toMatchObject({ state: 'succeeded', error: null });
    expect(new Set(world.fenced)).toEqual(new Set([nameOf(from)]));
    await runsAt(vm, to);
    world.hypervisor.seen.clear();
    await world.accounted();
  });

  it('leaves a host alone that is well, and has a guest that crashes started again so often, and one that has shut down not at all', async () => {
    const [crashing, down] = [await made(), await made()];
    await policy({ action: 'recreate', polls: 2, restarts: 2 });
    world.hypervisor.bringDown(down, 'stopped');
    const crashed = async (): Promise<void> => {
      world.hypervisor.bringDown(crashing, 'failed');
      await monitored();
      await monitored();
    };
    const restarts = () =>
      world.store.operations.model.find({ kind: 'deployVm', 'resource.id': crashing }).sort({ _id: 1 }).lean().exec();
    for (const count of [1, 2]) {
      const { epoch } = await world.vm(crashing);
      await crashed();
      // Seen again, and asked for again: it is one.
      await monitored();
      const all = await restarts();
      expect(all).toHaveLength(count + 1);
      expect(await world.ended(all.at(-1)?._id ?? '')).toMatchObject({ state: 'succeeded', error: null });
      await runsAt(crashing, from);
      expect((await world.vm(crashing)).epoch).toBeGreaterThan(epoch);
    }
    await crashed();
    await monitored();
    expect(await restarts()).toHaveLength(3);
    expect(await world.vm(crashing)).toMatchObject({
      ...{ lcm_state: 'UNKNOWN', reason: expect.stringContaining('started again 2 times within 60 min') },
    });
    expect(await world.vm(down)).toMatchObject({ state: 'POWEROFF' });
    await world.accounted();
  });

  it.each([
    ['so soon that it was hardly missed', 1],
    ['after its VMs were given up for UNKNOWN', 3],
  ])('has what ran there started again, in order, when it was started anew, %s', async (_, polls) => {
    const alone = await made();
    const down = await made('poweroff');
    const { id } = await world.running([
      { name: 'front', cardinality: 2 },
      { name: 'back', cardinality: 1, parents: ['front'] },
    ]);
    const roles = (await world.vms(id)).map(({ _id, service }) => ({ vm: _id, role: service?.role }));
    await policy({ action: 'recreate', polls: 50, restarts: 0 });
    await monitored();
    world.powerOff(nameOf(from));
    for (let poll = 0; poll < polls; poll++) await monitored();
    expect(await host()).toMatchObject({ state: 'ERROR' });
    world.hypervisor.startAnew(nameOf(from));
    const began = world.hypervisor.journal.length;
    const running = async (vm: number) =>
      (await world.vm(vm)).lcm_state === 'RUNNING' && world.hypervisor.domains().some((domain) => domain.vm === vm);
    await expect
      .poll(
        async () => {
          await monitored();
          return (await Promise.all([alone, ...roles.map(({ vm }) => vm)].map(running))).every(Boolean);
        },
        { interval: 200 },
      )
      .toBe(true);
    for (const vm of [alone, ...roles.map((one) => one.vm)]) await runsAt(vm, from);
    // That their host was started anew does not count against them.
    expect((await world.vm(alone)).restarts?.at ?? []).toEqual([]);
    expect(await world.vm(down)).toMatchObject({ state: 'POWEROFF' });
    const booted = world.hypervisor.journal
      .slice(began)
      .flatMap(({ vm, call, failure }) => (call === 'deploy' && failure === null ? [vm] : []));
    const turnOf = (role: string) => roles.filter((one) => one.role === role).map(({ vm }) => booted.indexOf(vm));
    expect(Math.max(...turnOf('front'))).toBeLessThan(Math.min(...turnOf('back')));
    expect(world.fenced).toEqual([]);
    expect(await world.service(id)).toMatchObject({ state: 'RUNNING' });
    await world.accounted();
  });

  it('leaves what has shut down by itself as it is where its host was not started anew', async () => {
    const vm = await made();
    await policy({ action: 'recreate', polls: 50 });
    await monitored();
    world.hypervisor.cutOff(nameOf(from));
    await monitored();
    await monitored();
    expect(await world.vm(vm)).toMatchObject({ lcm_state: 'UNKNOWN' });
    world.hypervisor.bringDown(vm, 'stopped');
    world.hypervisor.reach(nameOf(from));
    for (let look = 0; look < 3; look++) await monitored();
    expect(await world.vm(vm)).toMatchObject({
      ...{ lcm_state: 'UNKNOWN', reason: expect.stringContaining('answers again, and it is stopped there') },
    });
  });

  it('goes by what the cluster of a host says, where that says nothing itself', async () => {
    const racks = await world.operations.clusters.create(world.caller, { name: 'racks' });
    const { _id: uid, gid, groups } = await addUser(world.directory, 'bob', { password_hash: '' });
    const bob = { id: uid, name: 'bob', gid, groups, rules: [] };
    const ofCluster = (id: number, ha: object | null, by: Caller = world.caller) =>
      world.operations.clusters.update(by, id, {
        revise: (present) => ({ wish: { ...present, ha: ha && ClusterPolicy.parse(ha) }, named: new Set(['ha']) }),
        precondition: unconditional,
      });
    const put = (cluster_id: number) =>
      world.operations.hosts.update(world.caller, from, {
        revise: (present) => ({ wish: { ...present, cluster_id }, named: new Set(['cluster_id']) }),
        precondition: unconditional,
      });
    const says = async (id = from) => {
      const { ha, ha_of, armed } = await world.operations.hosts.show(world.caller, id);
      return [ha?.action ?? null, ha_of, armed];
    };
    try {
      expect(await says()).toEqual([null, 'cluster', null]);
      await ofCluster(0, { action: 'recreate', polls: 2 });
      expect([await says(), await says(to)]).toEqual([
        ['recreate', 'cluster', true],
        ['recreate', 'cluster', true],
      ]);
      // Its own wins, and it may be to have none.
      await policy({ action: 'migrate' }, to);
      await ofCluster(0, { action: 'delete', polls: 2, fencing: [command] });
      expect([await says(), await says(to)]).toEqual([
        ['delete', 'cluster', false],
        ['migrate', 'host', true],
      ]);
      await policy({ action: 'none' }, to);
      expect(await says(to)).toEqual([null, 'host', null]);
      await policy(null, to);
      expect(await says(to)).toEqual(['delete', 'cluster', false]);
      await put(racks.id);
      expect(await says()).toEqual([null, 'cluster', null]);
      // Of somebody who administers the cluster, and none of its hosts.
      await world.store.clusters.model.updateOne(
        { _id: racks.id },
        { $set: { uid: bob.id, 'permissions.owner.admin': true } },
      );
      await ofCluster(racks.id, { action: 'recreate', polls: 2 }, bob);

      const vm = await made();
      await set(to, 'MONITORED');
      world.powerOff(nameOf(from));
      await missed();
      const op = await last();
      await expect.poll(async () => (await world.operation(op)).state).toBe('waiting');
      await world.operations.hosts.callFenced(world.caller, from, unconditional);
      expect(await world.ended(op)).toMatchObject({
        ...{ state: 'succeeded', input: { action: 'recreate' }, requester: { id: bob.id } },
      });
      await runsAt(vm, to);
    } finally {
      await put(0);
      await ofCluster(0, null);
    }
    expect(await says(to)).toEqual([null, 'cluster', null]);
  });

  it('comes to what was foretold of it', async () => {
    await armed({ action: 'recreate', polls: 2 });
    const { id: service } = await world.running([
      { name: 'front', cardinality: 2 },
      { name: 'back', cardinality: 1, parents: ['front'] },
    ]);
    const [off, alone] = [await made('poweroff'), await made()];
    const roles = (await world.vms(service)).map(({ _id }) => _id);
    await set(to, 'MONITORED');
    const foretold = await world.operations.hosts.whatIf(world.caller, from, {});
    expect(foretold).toMatchObject({
      ...{ host: { id: from, name: nameOf(from) }, action: 'recreate', stopped: false },
      ...{ starts: 4, stays: 1, waits: 0, ends: 0, undeployed: 0 },
    });
    expect(foretold.vms.at(-1)).toMatchObject({ id: roles.at(-1), outcome: 'starts' });
    expect(await world.operations.hosts.whatIf(world.caller, from, { stopped: true })).toMatchObject({ undeployed: 1 });
    expect(await world.operations.hosts.whatIf(world.caller, from, { action: 'delete' })).toMatchObject({ ends: 4 });
    expect(await world.operations.clusters.whatIf(world.caller, 0)).toMatchObject({ survives: true });
    // Nothing of it was done.
    for (const vm of [...roles, alone]) await runsAt(vm, from);

    world.powerOff(nameOf(from));
    await missed();
    const op = await last();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    const came = await outcomes(op);
    for (const { id, outcome, host: at } of foretold.vms) {
      expect(came[id]).toBe(outcome === 'starts' ? 'recovered' : outcome);
      if (at) expect(await hostOf(id)).toBe(at.id);
    }
    expect(came[off]).toBe('stays');

    // Nobody is left to take over from the only host that is.
    const short = await world.operations.clusters.whatIf(world.caller, 0);
    expect(short).toMatchObject({ survives: false, text: expect.stringContaining(nameOf(to)) });
    expect(short.hosts.find(({ id }) => id === to)).toMatchObject({ starts: 0, waits: 4 });
    const nowhere = await world.operations.hosts.whatIf(world.caller, to, {});
    expect(nowhere.vms.find(({ id }) => id === alone)).toMatchObject({
      outcome: 'waits',
      why: expect.stringContaining('host'),
    });
  });

  it('starts nothing elsewhere where the host could not be turned off, says why, and is tried again by people', async () => {
    await armed({ action: 'recreate', polls: 2 });
    const vm = await made();
    await set(to, 'MONITORED');
    world.hypervisor.cutOff(nameOf(from));
    const off = async () => {
      throw new Problem('not_fenced', 'off ended with 1: no route');
    };
    world.power = { ...world.usualPower, off };
    await missed();
    const op = await last();
    expect(await world.ended(op)).toMatchObject({
      ...{ state: 'failed', error: { code: 'not_fenced', detail: expect.stringContaining('no route') } },
    });
    expect(await hostOf(vm)).toBe(from);
    expect(world.hypervisor.domains().filter((one) => one.vm === vm)).toHaveLength(1);
    await monitored();
    expect(await last()).toBe(op);
    world.power = world.usualPower;
    world.powerOff(nameOf(from));
    expect(await world.ended((await world.retry(op)).op)).toMatchObject({ state: 'succeeded', error: null });
    await runsAt(vm, to);
    await world.accounted();
  });

  it('looks once more before it turns anything off', async () => {
    await armed({ action: 'recreate', polls: 2 });
    const vm = await made();
    await set(to, 'MONITORED');
    world.hypervisor.cutOff(nameOf(from));
    const held = holding('confirmFailure');
    world.steps.watch(held.around, /^host-/);
    await missed();
    await held.reached;
    world.hypervisor.reach(nameOf(from));
    held.release();
    expect(await world.ended(await last())).toMatchObject({ state: 'succeeded' });
    expect(world.fenced).toEqual([]);
    await monitored();
    await runsAt(vm, from);
    await world.accounted();
  });

  it('starts what ran where it was when the host is back before its VMs are taken', async () => {
    await armed({ action: 'recreate', polls: 2 });
    const [ran, off] = [await made(), await made('poweroff')];
    world.hypervisor.cutOff(nameOf(from));
    const held = holding('recoverLost');
    const cut = async () => {
      // It comes up again at once.
      world.powerOff(nameOf(from));
      world.hypervisor.reach(nameOf(from));
      world.steps.watch(held.around, /^host-/);
    };
    world.power = { ...world.usualPower, off: cut };
    await missed();
    await held.reached;
    for (let look = 0; look < 3; look++) await monitored();
    held.release();
    const op = await last();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    await runsAt(ran, from);
    expect(await world.vm(off)).toMatchObject({ state: 'POWEROFF' });
    expect(await outcomes(op)).toEqual({ [ran]: 'recovered', [off]: 'recovered' });
  });

  it.each(['migrate', 'recreate', 'delete'] as const)(
    'takes with it what is off if it is told so; %s',
    async (action) => {
      await armed({ action, polls: 2, stopped: true });
      const [ran, off] = [await made(), await made('poweroff')];
      await set(to, 'MONITORED');
      world.powerOff(nameOf(from));
      await missed();
      expect(await world.ended(await last())).toMatchObject({ state: 'succeeded', error: null });
      if (action === 'delete') {
        expect([(await world.vm(ran)).state, (await world.vm(off)).state]).toEqual(['DONE', 'DONE']);
      } else {
        await runsAt(ran, to);
        expect(await world.vm(off)).toMatchObject({ state: 'UNDEPLOYED' });
      }
      expect(await host()).toMatchObject({ vms: {} });
      await world.accounted();
    },
  );

  it('leaves what is off where it is, and what fits nowhere waits for room by itself', async () => {
    await armed({ action: 'recreate', polls: 2 });
    const [ran, off] = [await made(), await made('poweroff')];
    world.powerOff(nameOf(from));
    await missed();
    const op = await last();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await outcomes(op)).toEqual({ [ran]: 'pending', [off]: 'stays' });
    const [waiting] = await open('deployVm');
    await expect.poll(async () => (await world.operation(waiting?.op ?? '')).state).toBe('waiting');
    expect(await world.vm(ran)).toMatchObject({ state: 'PENDING' });
    await world.operations.hosts.update(world.caller, to, {
      revise: (present) => ({ wish: { ...present, state: 'enabled' }, named: new Set(['state']) }),
      precondition: unconditional,
    });
    await monitored();
    await expect.poll(async () => (await world.operation(waiting?.op ?? '')).state).toBe('succeeded');
    await runsAt(ran, to);
    await world.accounted();
  });

  it('ends, too, where somebody may have nothing deployed any more whose VM fits nowhere', async () => {
    await armed({ action: 'recreate', polls: 2 });
    const ran = await made();
    const owner = (await world.vm(ran)).uid;
    const deny = (enabled: boolean) => world.directory.users.model.updateOne({ _id: owner }, { $set: { enabled } });
    world.powerOff(nameOf(from));
    world.power = { ...world.usualPower, off: async () => void (await deny(false)) };
    await missed();
    const op = await last();
    expect(await world.ended(op)).toMatchObject({ state: 'failed', error: { code: 'vm_failed' } });
    await deny(true);
    expect(await outcomes(op)).toEqual({ [ran]: 'stays' });
    expect(await world.vm(ran)).toMatchObject({ state: 'PENDING', hold: null });
    await world.accounted();
  });

  it('does not wait for what is at work on a VM: that fails at once where the host is off, and the VM is recovered then', async () => {
    await armed({ action: 'recreate', polls: 2 });
    const vm = await made();
    await set(to, 'MONITORED');
    const other = await made();
    world.powerOff(nameOf(from));
    const suspension = await world.switch(vm, 'suspend');
    await missed();
    const op = await last();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await world.ended(suspension.op)).toMatchObject({ state: 'failed' });
    await runsAt(vm, to);
    await runsAt(other, to);
    await world.accounted();
  });

  it('has a deployment and a scaling go on that have failed because their VMs were on it', async () => {
    await armed({ action: 'recreate', polls: 2 });
    const { id: scaled } = await world.running([{ name: 'web', cardinality: 1 }]);
    world.powerOff(nameOf(from));
    const deployment = await world.deploy([
      { name: 'front', cardinality: 2 },
      { name: 'back', cardinality: 1, parents: ['front'] },
    ]);
    const scaling = await world.scale(scaled, 'web', 3);
    // They have their places before it is known that the host is gone.
    await expect
      .poll(async () => (await Promise.all([deployment.id, scaled].map((id) => world.vms(id)))).flat())
      .toSatisfy((vms: { lcm_state: string }[]) => vms.filter(({ lcm_state }) => lcm_state === 'BOOT').length === 4);
    await set(to, 'MONITORED');
    await missed();
    const op = await last();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    for (const asked of [deployment, scaling]) expect(await world.ended(asked.op)).toMatchObject({ state: 'failed' });
    for (const id of [deployment.id, scaled]) {
      await expect.poll(async () => (await world.service(id)).state).toBe('RUNNING');
      const vms = await world.vms(id);
      expect(vms).toHaveLength(3);
      for (const { _id } of vms) await runsAt(_id, to);
    }
    await world.accounted();
  });

  it('is refused of a host that answers, and who says that such a one is off; and never two at once', async () => {
    expect(await problem(world.failOver(from))).toMatchObject({
      code: 'wrong_state',
      message: expect.stringContaining('flush'),
    });
    expect(await problem(world.operations.hosts.callFenced(world.caller, from, unconditional))).toMatchObject({
      code: 'wrong_state',
    });
    world.hypervisor.cutOff(nameOf(from));
    await missed();
    const { op } = await world.failOver(from, { action: 'migrate' });
    expect(await problem(world.failOver(from))).toMatchObject({ code: 'operation_in_progress' });
    await expect.poll(async () => (await world.operation(op)).state).toBe('waiting');
    expect(await world.ended((await world.cancel(op)).op)).toMatchObject({ state: 'cancelled' });
    expect(await host()).toMatchObject({ operation: null });
  });

  it('does not begin by itself where more hosts of a cluster are silent than fail by themselves', async () => {
    await armed({ action: 'recreate', polls: 2 });
    const before = (await failovers()).length;
    await set(to, 'MONITORED');
    world.hypervisor.cutOff(nameOf(from));
    world.hypervisor.cutOff(nameOf(to));
    await missed();
    await monitored();
    expect(await host()).toMatchObject({ state: 'ERROR', operation: null });
    expect(await failovers()).toHaveLength(before);
    expect(world.fenced).toEqual([]);
  });
});

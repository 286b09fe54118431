import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { targetOf } from '../../../adapters/hypervisor/host-target.js';
import { permissionsOf } from '../../../domain/identity/permission-bits.js';
import { leaseKey } from '../../../domain/networks/lease-key.js';
import { isVmRunning } from '../../../domain/vms/vm-states.js';
import type { Ownership } from '../../../schemas/common/common.js';
import type { ConsistencyCheckResource } from '../../../schemas/consistency/consistency.js';
import type { Host } from '../../../schemas/hosts/host.js';
import type { LeaseHolder } from '../../../schemas/networks/lease.js';
import type { Vm } from '../../../schemas/vms/vm.js';
import { attemptCheck, checkWorld, codesOf, plainly } from '../../support/checks.js';
import { eventually } from '../../support/processes.js';
import { newWorld, pair, type World } from '../../support/world.js';
import { leasesOf, newNetwork } from '../../support/world-networks.js';
import { development } from '../../support/world-server.js';
import { type Around, failingAt, twice } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development });
});
afterAll(() => world.stop());

const nobody = '01KAJ3V5Q0F8T4X2M7N9P6R1SC';
const size = { cpu: 100, memory: 128 };

const attempt = (repair: boolean, around?: Around) => attemptCheck(world, repair, around);
const check = (repair: boolean, around?: Around) => checkWorld(world, repair, around);
const codes = codesOf;
const outcomes = ({ findings }: ConsistencyCheckResource): string[] => [
  ...new Set(findings.map(({ outcome }) => outcome)),
];

let damaged = 4_000;

/** One thing wrong of each kind of place: VMs, services, books, domains. */
async function damage(service: number): Promise<void> {
  damaged += 2;
  const { store } = world;
  const [host] = await store.hosts.model.find().sort({ _id: 1 }).lean().exec();
  const [vm] = await world.vms(service);
  if (!host || !vm) throw new Error('there is nothing to be damaged');
  await store.hosts.reserve([{ vm: damaged, host: host._id, capacity: size }]);
  await store.hosts.model.updateOne({ _id: host._id }, { $inc: { 'used.cpu': 3 } });
  await store.vms.model.updateOne({ _id: vm._id }, { $set: { hold: { op: nobody, epoch: vm.epoch, attempt: 1 } } });
  await store.services.model.updateOne({ _id: service }, { $set: { wanted: nobody } });
  await store.quotas.models.group.updateOne({ _id: 1 }, { $inc: { 'used.memory': 64 } });
  await plant(await gone(), host);
}

/** A VM that is DONE; one for all. */
let madeGone: Promise<Pick<Vm, '_id' | 'epoch'>> | undefined;
async function gone(): Promise<Pick<Vm, '_id' | 'epoch'>> {
  madeGone ??= (async () => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    await world.ended((await world.terminate(id)).op);
    return world.vm(id);
  })();
  return madeGone;
}

/** A domain of a VM, where none should be. */
const plant = ({ _id: id, epoch }: Pick<Vm, '_id' | 'epoch'>, host: Host) =>
  world.hypervisor.deploy(
    {
      ...{ id, domain: `one-${id}`, capacity: size, labels: { vm: id }, template: {} },
      ...{ host: targetOf({ ...host, vm_mad: 'simulated' }), epoch },
    },
    new AbortController().signal,
  );
const ofDamage = [
  'domain_orphaned',
  'host_sums_wrong',
  'quota_drift',
  'reservation_orphaned',
  'service_wanted_stale',
  'vm_hold_stale',
];

describe('a check', () => {
  it('has nothing to say of a cloud that is in order, and looks once', async () => {
    await world.running(pair);
    const { report, steps } = await attempt(true);
    expect(report).toMatchObject({
      ...{ state: 'succeeded', found: 0, left: 0, findings: [] },
      compared: { services: 1, vms: 4, hosts: 2, domains: 4 },
    });
    expect(steps).not.toContain('lookAgain');
  });

  it('repairs nothing unless it is told to', async () => {
    const { id } = await world.running([{ name: 'only' }]);
    await damage(id);
    const before = await world.store.hosts.model.find().lean().exec();
    const report = await check(false);
    expect(codes(report)).toEqual(ofDamage);
    expect(outcomes(report)).toEqual(['found']);
    expect(await world.store.hosts.model.find().lean().exec()).toEqual(before);
    expect(outcomes(await check(true))).toEqual(['repaired']);
    await world.accounted();
  });

  it('forgets what is not there any more at the second look', async () => {
    const { id } = await world.running([{ name: 'only' }]);
    await damage(id);
    const mended: Around = async (step, run) => {
      if (step.name === 'lookAgain') await world.store.vms.model.updateMany({}, { $set: { hold: null } });
      return run();
    };
    expect(codes(await check(false, mended))).toEqual(ofDamage.filter((code) => code !== 'vm_hold_stale'));
    await check(true);
  });

  it('does not take one thing for another that came in its place', async () => {
    const { id } = await world.running([{ name: 'only' }]);
    const [vm] = await world.vms(id);
    const hold = (epoch: number) =>
      world.store.vms.model.updateOne({ _id: vm?._id }, { $set: { hold: { op: nobody, epoch, attempt: 1 } } });
    await hold(5);
    const replaced: Around = async (step, run) => {
      if (step.name === 'lookAgain') await hold(6);
      return run();
    };
    expect(codes(await check(false, replaced))).toEqual([]);
    await check(true);
  });

  it('follows what it has repaired until nothing is left: a lost domain becomes a service that can be repaired', async () => {
    const { id } = await world.running(pair);
    const [vm] = await world.vms(id, 'front');
    world.hypervisor.lose(vm?._id ?? -1);
    const report = await check(true);
    expect(codes(report)).toEqual(['domain_missing', 'role_incomplete']);
    expect(outcomes(report)).toEqual(['repaired']);
    expect((await world.service(id)).state).toBe('WARNING');
    expect(await check(false)).toMatchObject({ found: 0 });
    expect(await world.ended((await world.repair(id)).op)).toMatchObject({ state: 'succeeded', error: null });
    expect((await world.vms(id)).filter(isVmRunning)).toHaveLength(4);
    await world.accounted();
  });

  it('goes on one at a time', async () => {
    const begun = world.operations.consistency.start(world.caller, { repair: false }, { requestId: 'test' });
    const { id } = await begun;
    const again = world.operations.consistency.start(world.caller, { repair: false }, { requestId: 'test' });
    await expect(again).rejects.toMatchObject({ code: 'operation_in_progress', operation: id });
    await world.ended(id);
    await check(false);
  });
});

describe('operations that are not as what they are about', () => {
  const ownerOf = ({ uid, gid, permissions }: Ownership): Ownership => ({ uid, gid, permissions });

  it('are given to whom that belongs, those that have ended, too, and left to whoever gives it away meanwhile', async () => {
    const service = await world.running([{ name: 'only' }]);
    const vm = await world.createVm({ cpu: 4_000 });
    await eventually(async () => (await world.operation(vm.op)).state === 'waiting');
    const { ownership } = world.operations;
    const { model } = world.store.operations;
    const astray = async () => {
      await model.updateOne({ _id: service.op }, { $set: { permissions: permissionsOf('644') } });
      await model.updateOne({ _id: vm.op }, { $set: { uid: 7, gid: 7 } });
    };
    const owners = async () => [await world.service(service.id), await world.vm(vm.id)].map(ownerOf);
    const theirs = async () => [await world.operation(service.op), await world.operation(vm.op)].map(ownerOf);
    const found = ['service_operation_owner_differs', 'vm_operation_owner_differs'];

    await astray();
    const given: Around = async (step, run) => {
      if (step.name === 'repairFindings') {
        await ownership.service.chmod(world.caller, service.id, { octet: '660' });
        await ownership.vm.chmod(world.caller, vm.id, { octet: '660' });
      }
      return run();
    };
    const late = await check(true, given);
    expect([codes(late), outcomes(late)]).toEqual([found, ['gone']]);
    expect(await theirs()).toEqual(await owners());

    await astray();
    const report = await check(true);
    expect([codes(report), outcomes(report)]).toEqual([found, ['repaired']]);
    expect(await theirs()).toEqual(await owners());
    await world.ended((await world.terminate(vm.id)).op);
  });
});

describe('addresses of networks', () => {
  it('come back to whom they belong, and to nobody where none has them', async () => {
    const network = await newNetwork(world, 'lan', '10.0.0.1', 9);
    const { leases, vms } = world.store;
    const placeOf = (index: number) => ({ network, ar_id: 0, index });
    const give = (index: number, holder: LeaseHolder) =>
      leases.model.create([{ _id: leaseKey(placeOf(index)), ...placeOf(index), holder, taken_at: new Date() }]);
    const wired = async (): Promise<number> => {
      const { id, op } = await world.createVm();
      await world.ended(op);
      await world.ended((await world.changeDevices(id, { action: 'nic-attach', nic: { network } })).op);
      return id;
    };
    const [missing, taken, surplus, ended] = [await wired(), await wired(), await wired(), await wired()];
    await world.ended((await world.terminate(ended)).op);
    expect(await check(true)).toMatchObject({ found: 0 });

    await leases.model.deleteMany({ 'holder.id': { $in: [missing, taken] } });
    const index = (await vms.find(taken))?.nics?.[0]?.lease?.index ?? -1;
    await give(index, { type: 'hold' });
    await give(4, { type: 'vm', id: surplus, nic: 7 });
    await give(5, { type: 'vm', id: ended, nic: 0 });
    await give(6, { type: 'vm', id: 987_654, nic: 0 });
    await give(7, { type: 'network', id: 987_654 });
    const report = await check(true);
    const seen = report.findings.map(({ code, resource: { id }, outcome }) => `${code} ${id} ${outcome}`);
    expect(seen.toSorted((one, other) => one.localeCompare(other))).toEqual(
      [
        `lease_orphaned ${network} repaired`,
        `lease_orphaned ${network} repaired`,
        `nic_lease_missing ${missing} repaired`,
        `nic_lease_taken ${taken} found`,
        `vm_lease_stale ${surplus} repaired`,
        `vm_lease_stale ${ended} repaired`,
      ].toSorted((one, other) => one.localeCompare(other)),
    );
    expect(await leasesOf(world, missing)).toHaveLength(1);
    await leases.model.deleteOne({ _id: leaseKey(placeOf(index)) });
    expect(outcomes(await check(true))).toEqual(['repaired']);
    for (const id of [missing, taken, surplus]) await world.ended((await world.terminate(id)).op);
    expect(await leases.model.countDocuments()).toBe(0);
  });

  it('are not taken for a NIC whose network is gone, and not where somebody else is at work on the VM', async () => {
    const network = await newNetwork(world, 'gone', '10.1.0.1', 1);
    const { id, op } = await world.createVm();
    await world.ended(op);
    await world.ended((await world.changeDevices(id, { action: 'nic-attach', nic: { network } })).op);
    await world.store.leases.model.deleteMany({ network });
    const terminated: Around = async (step, run) => {
      if (step.name === 'repairFindings') await world.store.vms.take('AN OPERATION', [await world.vm(id)], new Set());
      return run();
    };
    expect(outcomes(await check(true, terminated))).toEqual(['gone']);
    await world.store.vms.model.updateMany({ 'hold.op': 'AN OPERATION' }, { $set: { hold: null } });
    await world.store.networks.model.deleteOne({ _id: network });
    expect((await check(true)).findings).toMatchObject([
      { code: 'nic_lease_missing', outcome: 'failed', reason: expect.stringContaining('has no such address') },
    ]);
    await world.ended((await world.terminate(id)).op);
    expect(await check(true)).toMatchObject({ found: 0 });
  });
});

describe('a host that does not answer', () => {
  it('is a finding, and its VMs are not judged', async () => {
    const { id } = await world.running(pair);
    const [vm] = await world.vms(id);
    const host = vm?.history.at(-1)?.hostname ?? '';
    world.hypervisor.lose(vm?._id ?? -1);
    world.hypervisor.cutOff(host);
    const report = await check(true);
    expect(report.findings).toEqual([expect.objectContaining({ code: 'host_unreachable', outcome: 'found' })]);
    world.hypervisor.reach(host);
    expect(codes(await check(true))).toContain('domain_missing');
    await world.ended((await world.repair(id)).op);
    await world.tick('monitorHosts');
    await world.accounted();
  });
});

describe('a repair', () => {
  const until = async (service: number, after = ''): Promise<void> => {
    expect(await check(true), after).toMatchObject({ left: 0 });
    expect((await world.service(service)).state, after).toBe('RUNNING');
    await world.accounted(after);
  };

  /** The first step of a name fails, before its work or when only its answer is lost. */
  const failingIn = (name: string, when: 'before' | 'after'): Around => {
    let first: Around | undefined;
    return (step, run) => {
      if (step.name === name) first ??= failingAt(step.n, when);
      return (first ?? plainly)(step, run);
    };
  };

  const moments = ['before', 'after'] as const;
  /** In turn, from one kind of step to the next, where not every one is tried with both. */
  const whens = inject('inEveryWay')
    ? moments.map((when) => () => when)
    : [(nth: number) => moments[nth % 2] ?? 'before'];

  it.each(whens)(
    'is gone on with by the next check after a failure before or after the work of any kind of step (%$)',
    async (whenOf) => {
      const { id } = await world.running([{ name: 'only' }]);
      await damage(id);
      const kinds = [...new Set((await attempt(true)).steps)];
      expect(kinds).toEqual(
        expect.arrayContaining(['look', 'lookAtHosts', 'lookAgain', 'repairFindings', 'repairHosts']),
      );
      for (const [nth, name] of kinds.entries()) {
        const when = whenOf(nth);
        await damage(id);
        const { report } = await attempt(true, failingIn(name, when));
        // A run that failed before its first words is ended by reconciliation.
        if (report.ended_at === null) await world.reconcile();
        await until(id, `a failure ${when} ${name}`);
      }
    },
  );

  it('comes to the same when each step is done twice', async () => {
    const { id } = await world.running([{ name: 'only' }]);
    await damage(id);
    const report = await check(true, twice);
    expect(codes(report)).toEqual(ofDamage);
    expect(outcomes(report)).toEqual(['repaired']);
    await until(id);
  });

  it('comes to the same when two tries of each step go on side by side', async () => {
    const { id } = await world.running([{ name: 'only' }]);
    await damage(id);
    const report = await check(true, async (_, run) => (await Promise.all([run(), run()]))[0]);
    expect(codes(report)).toEqual(ofDamage);
    expect(report.left).toBe(0);
    await until(id);
  });

  it('whose answer was lost is looked for again, and is there', async () => {
    const { id } = await world.running([{ name: 'only' }]);
    await damage(id);
    world.hypervisor.failOn(1, { when: 'after' });
    const report = await check(true);
    expect(report.findings.filter(({ outcome }) => outcome !== 'repaired')).toEqual([]);
    expect(report.findings.filter(({ code }) => code === 'domain_orphaned')).toHaveLength(0);
    await until(id);
  });

  it('gives way to an operation that has taken the VM meanwhile', async () => {
    const { id: vm, op } = await world.createVm({ cpu: 4_000 });
    await world.store.endings.end(op, { state: 'cancelled', error: { code: 'cancelled', detail: 'cancelled' } });
    await world.ended(op);
    const [host] = await world.store.hosts.model.find().lean().exec();
    await world.store.hosts.reserve([{ vm, host: host?._id ?? -1, capacity: size }]);
    const taken: Around = async (step, run) => {
      if (step.name === 'repairHosts') await world.store.vms.take('AN OPERATION', [await world.vm(vm)], new Set());
      return run();
    };
    const report = await check(true, taken);
    expect(report.findings).toEqual(
      expect.arrayContaining([expect.objectContaining({ code: 'reservation_orphaned', outcome: 'gone' })]),
    );
    expect(await world.store.hosts.reservationsOf([vm])).toHaveLength(1);
    await world.store.vms.model.updateMany({ 'hold.op': 'AN OPERATION' }, { $set: { hold: null } });
    await world.ended((await world.terminate(vm)).op);
    expect(await check(true)).toMatchObject({ left: 0 });
    await world.accounted();
  });

  it('destroys no domain of a later epoch than it has seen', async () => {
    const [host] = await world.store.hosts.model.find().sort({ _id: 1 }).lean().exec();
    if (!host) throw new Error('there is no host');
    const { _id: vm, epoch } = await gone();
    await plant({ _id: vm, epoch }, host);
    world.hypervisor.beforeEach = async ({ call }) => {
      world.hypervisor.beforeEach = call === 'destroy' ? () => {} : world.hypervisor.beforeEach;
      if (call === 'destroy') await plant({ _id: vm, epoch: epoch + 1 }, host);
    };
    const report = await check(true);
    expect(report.findings[0]).toMatchObject({ code: 'domain_orphaned', outcome: 'gone' });
    expect(world.hypervisor.domains().find((one) => one.vm === vm)?.epoch).toBe(epoch + 1);
    expect((await check(true)).findings).toMatchObject([{ code: 'domain_doubtful', outcome: 'found' }]);
    world.hypervisor.lose(vm);
    await world.accounted();
  });
});

describe('a report', () => {
  it('shows the first thousand findings and counts all', async () => {
    const [host] = await world.store.hosts.model.find().sort({ _id: 1 }).lean().exec();
    const many = Array.from({ length: 1_200 }, (_, at) => [`vms.${100_000 + at}`, { cpu: 0, memory: 0 }] as const);
    const books = { $set: Object.fromEntries(many), $inc: { vm_count: many.length } };
    // By the driver: mongoose compares each of so many paths with each, which takes it ten seconds.
    const hosts = world.store.connection.collection<{ _id: number; vm_count: number }>('hosts');
    await hosts.updateOne({ _id: host?._id ?? -1 }, books);
    const report = await check(false);
    expect(report).toMatchObject({ found: 1_200, left: 1_200 });
    expect(report.findings).toHaveLength(1_000);
    const undo = {
      $unset: Object.fromEntries(many.map(([path]) => [path, true] as const)),
      $inc: { vm_count: -many.length },
    };
    await hosts.updateOne({ _id: host?._id ?? -1 }, undo);
    expect(await check(false)).toMatchObject({ found: 0, left: 0 });
    const { items } = await world.operations.consistency.list(world.caller, { limit: 2 });
    expect(items.map(({ found, left }) => [found, left])).toEqual([
      [0, 0],
      [1_200, 1_200],
    ]);
    await world.accounted();
  });
});

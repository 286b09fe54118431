import { MockActivityEnvironment } from '@temporalio/testing';
import type { Connection } from 'mongoose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { monitoringActivities } from '../../../activities/supervision/monitoring.js';
import type { DomainReport, Hypervisor } from '../../../adapters/hypervisor/port.js';
import { Problem } from '../../../domain/problems.js';
import { eachMetric } from '../../../schemas/hosts/metrics.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { createStore, type Store } from '../../../store/store.js';
import { idleEngine } from '../../support/idle-engine.js';
import { ownDatabaseUri } from '../../support/servers.js';

const idle = { ...eachMetric(() => 0), capacity: { cpu: 10, memory: 64 } };

let connection: Connection;
let store: Store;
beforeAll(async () => {
  const uri = ownDatabaseUri('monitoring');
  const first = await connectMongodb(uri);
  await bootstrapStore(first);
  await first.close();
  connection = await connectMongodb(uri);
  store = createStore(connection);
  const raw = connection.getClient().db(connection.name);
  await raw.collection<{ _id: number }>('hosts').insertOne({
    _id: 1,
    ...{ name: 'one', vm_mad: 'simulated', state: 'MONITORED', error: null, total: { cpu: 100, memory: 100 }, vms: {} },
  });
  await raw
    .collection<{ _id: number }>('vms')
    .insertOne({ _id: 1, ...{ state: 'PENDING', operation: 'an operation' } });
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

it('a host that answers again is MONITORED within the same tick while VMs wait, and those are told', async () => {
  let probes = 0;
  const hypervisor: Pick<Hypervisor, 'probe' | 'destroy' | 'disown'> = {
    disown: async () => {},
    destroy: async () => {},
    async probe() {
      probes++;
      if (probes < 3) throw new Problem('backend_unavailable', 'it does not run');
      return { domains: [], wilds: [] };
    },
  };
  let told = 0;
  const engine = {
    ...idleEngine,
    async signalPlacement() {
      told++;
    },
  };
  const { monitorHosts } = monitoringActivities({ store, hypervisors: { of: () => hypervisor }, engine });
  const seen = await new MockActivityEnvironment().run(monitorHosts, [1]);
  expect(seen).toEqual({ monitored: 1, failed: 0 });
  expect({ probes, told }).toEqual({ probes: 3, told: 1 });
  expect(await store.hosts.find(1)).toMatchObject({ state: 'MONITORED', error: null });
});

it('a host that returns is MONITORED when a look finds nothing of before on it, not when that was told to go', async () => {
  await store.vms.model.collection.insertMany([
    { _id: 2, state: 'DONE', lcm_state: 'LCM_INIT', history: [] },
    { _id: 3, state: 'ACTIVE', lcm_state: 'BOOT', history: [{ seq: 0, hid: 2, epoch: 5, etime: null }] },
  ] as never[]);
  await store.hosts.model.updateOne({ _id: 1 }, { $set: { state: 'ERROR', error: 'it was away' } });
  const seen: unknown[] = [];
  const failed: (string | null)[] = [];
  const running = new Set([2, 3, 4]);
  let refusals = 1;
  const report = (vm: number) => ({ vm, deployId: `d-${vm}`, epoch: 1, heard: 1, state: 'running' as const, ...idle });
  const hypervisor: Pick<Hypervisor, 'probe' | 'destroy' | 'disown'> = {
    disown: async () => {},
    async probe() {
      const host = await store.hosts.find(1);
      seen.push([host?.state, host?.error]);
      failed.push(host?.strays?.zombies.find(({ vm }) => vm === 2)?.error ?? null);
      return { domains: [...running].map(report), wilds: [] };
    },
    async destroy({ id, epoch }) {
      expect(epoch).toBe(1);
      refusals -= 1;
      if (refusals >= 0) throw new Problem('destroy_refused', 'its disk is busy');
      running.delete(id);
    },
  };
  const { monitorHosts } = monitoringActivities({ store, hypervisors: { of: () => hypervisor }, engine: idleEngine });
  expect(await new MockActivityEnvironment().run(monitorHosts, [1])).toEqual({ monitored: 1, failed: 0 });
  const left = 'it still runs VM 2 of before, which is gone or replaced and removed first';
  expect(seen).toEqual([
    ['ERROR', 'it was away'],
    ['INIT', left],
    ['INIT', `${left}; that failed: its disk is busy.`],
    ['INIT', left],
  ]);
  expect(failed).toEqual([null, null, 'its disk is busy', null]);
  // The last copy of a VM that is on its way elsewhere is left, and what is nobody's is not ours.
  expect([...running]).toEqual([3, 4]);
  expect(await store.hosts.find(1)).toMatchObject({ state: 'MONITORED', error: null });
});

it('whoever was frozen since it saw a host does not call it MONITORED', async () => {
  await store.hosts.silent(1, 'it is away');
  const [seen] = await store.hosts.byIds([1]);
  if (!seen) throw new Error('there is no host 1');
  await expect
    .poll(async () => {
      await store.hosts.silent(1, 'it is away again');
      return (await store.hosts.find(1))?.last_monitored_at;
    })
    .not.toEqual(seen.last_monitored_at);
  expect(await store.hosts.answered(seen, null)).toBe(false);
  expect(await store.hosts.find(1)).toMatchObject({ state: 'ERROR', error: 'it is away again' });
});

it('what a host has, and what its VMs are and use, is kept, of each look once; nothing of others on it', async () => {
  const running = { state: 'ACTIVE', lcm_state: 'RUNNING', history: [{ seq: 0, hid: 1, epoch: 1, etime: null }] };
  await store.vms.model.collection.insertMany([
    { _id: 20, ...running, hold: null, operation: null, wanted: null },
    { _id: 21, ...running, hold: null, operation: null, wanted: null },
    { _id: 22, ...running, lcm_state: 'BOOT' },
    {
      _id: 23,
      ...running,
      ...{ state: 'POWEROFF', lcm_state: 'LCM_INIT', moving: null },
      hold: null,
      operation: null,
      wanted: null,
    },
  ] as never[]);
  const domain = (vm: number, over: Partial<DomainReport> & Pick<DomainReport, 'state'>): DomainReport => ({
    ...{ vm, deployId: `d-${vm}`, epoch: 1, heard: 1, ...idle },
    ...over,
  });
  let cpu = 0;
  const { cpu: _, ...used } = { ...eachMetric((name) => name.length), memory: 2_048 };
  const hypervisor: Pick<Hypervisor, 'probe' | 'destroy' | 'disown'> = {
    disown: async () => {},
    destroy: async () => {},
    async probe() {
      cpu += 25;
      return {
        wilds: [],
        domains: [
          domain(20, { state: 'running', cpu, ...used }),
          domain(21, { state: 'booting' }),
          domain(22, { state: 'running' }),
          domain(23, { state: 'stopped' }),
          domain(99, { state: 'running' }),
        ],
      };
    },
  };
  const had = { state: 'MONITORED', error: null, used: { cpu: 30, memory: 3 } } as const;
  await store.hosts.model.updateOne({ _id: 1 }, { $set: had });
  const { monitorHosts } = monitoringActivities({ store, hypervisors: { of: () => hypervisor }, engine: idleEngine });
  const began = new Date();
  await new MockActivityEnvironment().run(monitorHosts, [1]);
  await new MockActivityEnvironment().run(monitorHosts, [1]);
  const rows = await store.metrics.latest([20, 21, 22, 23, 99], began);
  expect(rows).toEqual([{ vm_id: 20, at: expect.any(Date), cpu: 50, ...used }]);
  const hour = 3_600;
  const steps = await store.metrics.steps({ hosts: [1] }, began, hour);
  const inOrder = steps.toSorted((one, other) => one.vm - other.vm);
  expect(inOrder.map(({ vm, state, cpu: average }) => [vm, state, average])).toEqual([
    [20, 'running', 37.5],
    [21, 'booting', 0],
    [23, 'stopped', 0],
  ]);
  const stood = { step: 0, total: { cpu: 100, memory: 100 }, used: { cpu: 30, memory: 3 }, running: 1 };
  expect(await store.metrics.capacities(1, began, hour)).toEqual([stood]);
});

it('who hangs has nobody else wait: what the others say is written before that, together; and all at once where nobody hangs', async () => {
  const total = { cpu: 100, memory: 100 };
  const host = { vm_mad: 'simulated', state: 'MONITORED', error: null, total, vms: {} };
  const nobodys = { hold: null, operation: null, wanted: null, moving: null, sighting: null, service: null };
  const vm = (_id: number, hid: number, lcm_state: string) => ({
    ...{ _id, state: 'ACTIVE', lcm_state, epoch: 1, history: [{ seq: 0, hid, epoch: 1, etime: null }], ...nobodys },
  });
  await store.hosts.model.collection.insertMany([
    { _id: 31, name: 'prompt', ...host },
    { _id: 32, name: 'prompt too', ...host },
    { _id: 33, name: 'hangs', ...host },
  ] as never[]);
  await store.vms.model.collection.insertMany([
    ...[vm(311, 31, 'RUNNING'), vm(312, 31, 'UNKNOWN'), vm(321, 32, 'RUNNING'), vm(331, 33, 'RUNNING')],
  ] as never[]);
  const on: Record<string, number[]> = { prompt: [311, 312], 'prompt too': [321], hangs: [331] };
  let release = () => {};
  let hangs = Promise.resolve();
  const hypervisor: Pick<Hypervisor, 'probe' | 'destroy' | 'disown'> = {
    disown: async () => {},
    destroy: async () => {},
    async probe({ name }) {
      if (name === 'hangs') await hangs;
      const domain = { deployId: 'd', epoch: 1, heard: 1, state: 'running', ...idle } as const;
      return { domains: (on[name] ?? []).map((id) => ({ ...domain, vm: id })), wilds: [] };
    },
  };
  const writes: number[][] = [];
  const add: Store['metrics']['add'] = async (batch) => {
    writes.push([...new Set(batch.map((sample) => sample.host))]);
    await store.metrics.add(batch);
  };
  const watching = { ...store, metrics: { ...store.metrics, add } };
  const { monitorHosts } = monitoringActivities({
    store: watching,
    hypervisors: { of: () => hypervisor },
    engine: idleEngine,
  });
  const look = () => new MockActivityEnvironment().run(monitorHosts, [31, 32, 33]);
  const stateOf = async (id: number) => (await store.vms.find(id))?.lcm_state;
  const of = { monitored: 3, failed: 0 };

  expect(await look()).toEqual(of);
  // Each once: in one write, but for a machine on which a look takes as long as one that hangs.
  expect(writes.flat().sort((one, other) => one - other)).toEqual([31, 32, 33]);
  expect(await stateOf(312)).toBe('RUNNING');

  await store.vms.model.updateOne({ _id: 312 }, { $set: { lcm_state: 'UNKNOWN' } });
  const seenBefore = new Map((await store.hosts.byIds([31, 32, 33])).map((one) => [one._id, one.last_monitored_at]));
  const lookedAtSince = async () =>
    (await store.hosts.byIds([31, 32, 33])).flatMap(({ _id, last_monitored_at: at }) =>
      at?.getTime() === seenBefore.get(_id)?.getTime() ? [] : [_id],
    );
  writes.length = 0;
  hangs = new Promise((resolve) => {
    release = resolve;
  });
  const looking = look();
  // It hangs until this has been seen.
  await expect
    .poll(async () => [writes.flat().sort((one, other) => one - other), await stateOf(312)])
    .toEqual([[31, 32], 'RUNNING']);
  await expect.poll(lookedAtSince).toEqual([31, 32]);
  release();
  expect(await looking).toEqual(of);
  expect(writes.flat().sort((one, other) => one - other)).toEqual([31, 32, 33]);
  expect(writes.at(-1)).toEqual([33]);
  expect(await lookedAtSince()).toEqual([31, 32, 33]);
});

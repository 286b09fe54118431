import type { Connection } from 'mongoose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eachMetric } from '../../../schemas/hosts/metrics.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { createStore, type Store } from '../../../store/store.js';
import type { VmSample } from '../../../store/vms/metrics.js';
import { ownDatabaseUri } from '../../support/servers.js';

let connection: Connection;
let store: Store;
beforeAll(async () => {
  connection = await connectMongodb(ownDatabaseUri('metrics'));
  await bootstrapStore(connection, { keepMetrics: 2 });
  store = createStore(connection);
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

const began = Date.now();
const used = { ...eachMetric(() => 10), cpu: 50, memory: 1_024, netrx: 20 };
/** Seconds before now. */
const ago = (seconds: number): Date => new Date(began - seconds * 1_000);
const sample = (vm: number, seconds: number, over: Partial<VmSample> = {}): VmSample => ({
  ...{ host: 1, vm, epoch: 1, at: ago(seconds), ...used },
  ...over,
});

describe('the latest of what hosts say of VMs', () => {
  it('is one row a VM, of the newest sample, whatever the order in which they came', async () => {
    await store.metrics.add([sample(1, 40, { cpu: 10 }), sample(2, 40)]);
    await store.metrics.add([sample(1, 5, { cpu: 30 })]);
    await store.metrics.add([sample(1, 20, { cpu: 20 })]);
    const rows = await store.metrics.latest([1, 2, 3], ago(60));
    expect(rows.toSorted((a, b) => a.vm_id - b.vm_id)).toEqual([
      { vm_id: 1, at: ago(5), ...used, cpu: 30 },
      { vm_id: 2, at: ago(40), ...used },
    ]);
  });

  it('is the same when a batch is written again', async () => {
    const batch = [sample(4, 10, { cpu: 70 }), sample(5, 10)];
    await store.metrics.add(batch);
    const before = await store.metrics.latest([4, 5], ago(60));
    await store.metrics.add(batch);
    const after = await store.metrics.latest([4, 5], ago(60));
    expect(after.toSorted((a, b) => a.vm_id - b.vm_id)).toEqual(before.toSorted((a, b) => a.vm_id - b.vm_id));
    expect(after).toHaveLength(2);
  });

  it('is of what runs: of a VM that stopped there is what it used last', async () => {
    await store.metrics.add([sample(9, 20, { cpu: 30, state: 'running' }), sample(9, 5, { cpu: 0, state: 'stopped' })]);
    await store.metrics.add([
      { host: 1, at: ago(5), total: { cpu: 8, memory: 8 }, used: { cpu: 1, memory: 1 }, running: 1 },
    ]);
    expect(await store.metrics.latest([9], ago(60))).toEqual([{ vm_id: 9, at: ago(20), ...used, cpu: 30 }]);
  });

  it('leaves out what is older than is asked for', async () => {
    await store.metrics.add([sample(6, 61), sample(7, 59)]);
    expect((await store.metrics.latest([6, 7], ago(60))).map(({ vm_id }) => vm_id)).toEqual([7]);
  });

  it('is what the newest copy of a VM says, not one that was left behind and is heard later', async () => {
    await store.metrics.add([
      sample(8, 20, { host: 2, epoch: 2, cpu: 80 }),
      sample(8, 10, { host: 1, epoch: 1, cpu: 5 }),
    ]);
    expect(await store.metrics.latest([8], ago(60))).toMatchObject([{ cpu: 80, at: ago(20) }]);
  });
});

it('samples are kept for as long as was said last', async () => {
  const Collections = z.object({
    cursor: z.object({ firstBatch: z.array(z.object({ type: z.string(), options: z.looseObject({}) })) }),
  });
  const kept = async () => {
    const db = connection.getClient().db(connection.name);
    const { cursor } = Collections.parse(await db.command({ listCollections: 1, filter: { name: 'vm_metrics' } }));
    return cursor.firstBatch[0];
  };
  expect(await kept()).toMatchObject({ type: 'timeseries', options: { expireAfterSeconds: 7_200 } });
  await bootstrapStore(connection, { keepMetrics: 3 });
  expect(await kept()).toMatchObject({ options: { expireAfterSeconds: 10_800 } });
});

describe('steps of what hosts say', () => {
  it('are found by host, or by VM: averages, and counters as they stood at the end', async () => {
    const from = ago(100);
    await store.metrics.add([
      sample(40, 99, { host: 40, cpu: 10, nettx: 1, diskwriops: 2 }),
      sample(40, 85, { host: 40, cpu: 30, nettx: 5, diskwriops: 6 }),
      sample(40, 79, { host: 40, cpu: 70, nettx: 9, diskwriops: 7 }),
      sample(41, 99, { host: 40, cpu: 1 }),
      sample(40, 120, { host: 40, cpu: 99 }),
    ]);
    const sorted = async (of: Parameters<Store['metrics']['steps']>[0]) =>
      (await store.metrics.steps(of, from, 20)).toSorted((a, b) => a.vm - b.vm || a.step - b.step);
    const ofVm = [
      { vm: 40, epoch: 1, step: 0, ...used, cpu: 20, nettx: 5, diskwriops: 6 },
      { vm: 40, epoch: 1, step: 1, ...used, cpu: 70, nettx: 9, diskwriops: 7 },
    ];
    expect(await sorted({ hosts: [40, 2], vm: 40 })).toEqual(ofVm);
    const other = { vm: 41, epoch: 1, step: 0, ...used, cpu: 1 };
    expect(await sorted({ hosts: [40] })).toEqual([...ofVm, other]);
    expect(await store.metrics.steps({ hosts: [], vm: 40 }, from, 20)).toEqual([]);
  });

  it('of hosts are how these stood at the end, beside those of their VMs, of which they are none', async () => {
    const had = (seconds: number, running: number, host = 60) => ({
      ...{ host, at: ago(seconds), total: { cpu: 800, memory: 4_096 } },
      ...{ used: { cpu: running * 100, memory: running * 64 }, running },
    });
    await store.metrics.add([
      ...[had(39, 1), had(25, 3), had(15, 2), had(90, 9), had(15, 8, 61)],
      ...[sample(60, 30, { host: 60, state: 'running' }), sample(60, 25, { host: 60, cpu: 0, state: 'stopped' })],
    ]);
    const stood = await store.metrics.capacities(60, ago(40), 20);
    expect(stood.toSorted((one, other) => one.step - other.step)).toEqual(
      [3, 2].map((running, step) => {
        const { total, used } = had(0, running);
        return { step, total, used, running };
      }),
    );
    expect(await store.metrics.steps({ hosts: [60] }, ago(40), 20)).toEqual([
      { vm: 60, epoch: 1, step: 0, ...used, cpu: 25, state: 'stopped' },
    ]);
  });

  it('of before disks were counted say nothing of these, nor does what was said last', async () => {
    const old = { cpu: 50, memory: 1_024, nettx: 10, netrx: 20 };
    const samples = connection.collection('vm_metrics');
    await samples.insertOne({ host: 50, vm: 50, epoch: 1, at: ago(30), ...old });
    expect(await store.metrics.latest([50], ago(60))).toEqual([{ vm_id: 50, at: ago(30), ...old }]);
    await store.metrics.add([sample(50, 5, { host: 50 })]);
    const steps = await store.metrics.steps({ hosts: [50] }, ago(40), 20);
    expect(steps.toSorted((one, other) => one.step - other.step)).toEqual([
      { vm: 50, epoch: 1, step: 0, ...old },
      { vm: 50, epoch: 1, step: 1, ...used },
    ]);
    expect(await store.metrics.latest([50], ago(60))).toEqual([{ vm_id: 50, at: ago(5), ...used }]);
  });
});

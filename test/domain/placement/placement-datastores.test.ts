import { describe, expect, it } from 'vitest';
import {
  explainPlacement,
  type HostSnapshot,
  type PlacementWish,
  planPlacement,
} from '../../../domain/placement/placement.js';
import type { StorageWish } from '../../../domain/placement/placement-datastores.js';
import { type DescribedDatastore, roomIn } from '../../../domain/storage/datastore-attributes.js';

const large = { cpu: 10_000, memory: 100_000 };
const host = (id: number, cluster = 0): HostSnapshot => ({
  ...{ id, name: `host-${id}`, state: 'MONITORED', free: large, total: large, vms: 0 },
  cluster: { id: cluster, name: `cluster-${cluster}` },
});
const datastore = (_id: number, more: Partial<DescribedDatastore> = {}): DescribedDatastore => ({
  ...{ _id, name: `ds-${_id}`, ds_mad: 'fs', state: 'READY', error: null, limit_mb: null, cluster_ids: [0] },
  ...{ capacity: { total: 1_000, used: 0, free: 1_000 }, promised: 0, fresh: 0 },
  ...more,
});
const free = (mb: number) => ({ capacity: { total: 1_000, used: 1_000 - mb, free: mb } });
const wish = (vm: number, storage: Partial<StorageWish> = {}): PlacementWish => ({
  ...{ vm, capacity: { cpu: 100, memory: 100 } },
  storage: { mb: 100, kinds: ['fs'], ...storage },
});
const places = (datastores: DescribedDatastore[], wishes: PlacementWish[], hosts = [host(1)]) =>
  planPlacement(hosts, wishes, undefined, { datastores }).placed.map((one) => [one.vm, one.host, one.datastore]);
const reasonFor = (datastores: DescribedDatastore[], storage: Partial<StorageWish>, hosts = [host(1)]) =>
  planPlacement(hosts, [wish(1, storage)], undefined, { datastores }).unplaced[0]?.reason;

describe('room in a datastore', () => {
  it.each([
    ['what its last look found', datastore(0, free(300)), 300],
    ['without what was promised since', datastore(0, { ...free(300), promised: 900, fresh: 100 }), 200],
    ['within its limit, of all that is promised', datastore(0, { limit_mb: 500, promised: 450, fresh: 0 }), 50],
    ['none beyond it', datastore(0, { limit_mb: 500, promised: 800 }), 0],
    ['not known before anybody has looked', datastore(0, { capacity: null }), null],
  ])('is %s', (_, of, expected) => {
    expect(roomIn(of)).toBe(expected);
  });
});

describe('a VM with disks', () => {
  it('goes where its host reaches a datastore, and its disks to the freest of these', () => {
    const all = [datastore(0, free(500)), datastore(100, free(900)), datastore(101, { cluster_ids: [7] })];
    expect(places(all, [wish(1)])).toEqual([[1, 1, 100]]);
    expect(places(all, [wish(1)], [host(1, 7), host(2, 8)])).toEqual([[1, 1, 101]]);
    expect(places(all, [{ vm: 1, capacity: { cpu: 1, memory: 1 } }], [host(2, 8)])).toEqual([[1, 2, undefined]]);
  });

  it('leaves less room for the next, and what finds none waits', () => {
    const wishes = [1, 2, 3, 4].map((vm) => wish(vm));
    expect(places([datastore(0, free(150)), datastore(100, free(210))], wishes)).toEqual([
      [1, 1, 100],
      [2, 1, 0],
      [3, 1, 100],
    ]);
  });

  it.each([
    ['none in its cluster', [datastore(0, { cluster_ids: [7] })], {}, 'host 1 has no system datastore in its cluster'],
    ['a disabled one', [datastore(0, { state: 'DISABLED' })], {}, 'datastore 0 is DISABLED'],
    ['one that does not answer', [datastore(0, { error: 'gone' })], {}, 'datastore 0 does not answer'],
    [
      'one of another kind',
      [datastore(0)],
      { kinds: ['simulated'] },
      'datastore 0 is of kind fs, and its images of simulated',
    ],
    ['images of two kinds', [datastore(0)], { kinds: ['fs', 'simulated'] }, 'which cannot share one'],
    ['too little room', [datastore(0, free(99))], {}, 'datastore 0 has room for 99 MB, and they may come to 100 MB'],
    [
      'less than they come to, however much becomes free,',
      [datastore(0, { limit_mb: 99 }), datastore(1, { capacity: { total: 98, used: 0, free: 98 } })],
      {},
      'datastore 0 holds 99 MB in all, and they may come to 100 MB: it never takes them, datastore 1 holds 98 MB in all',
    ],
    [
      'what it does not require',
      [datastore(0)],
      { requirements: 'NAME = "fast"' },
      'datastore 0: NAME = "fast" is false',
    ],
    ['what cannot be read', [datastore(0)], { requirements: 'NAME =' }, 'SCHED_DS_REQUIREMENTS cannot be read'],
    [
      'another one than its disks are in',
      [datastore(0), datastore(5, { cluster_ids: [7] })],
      { at: 5 },
      'host 1 has no way to datastore 5, where its disks are',
    ],
  ])('is told why there is %s', (_, all, storage, expected) => {
    expect(reasonFor(all, storage)).toContain(expected);
    const told = explainPlacement([host(1)], wish(1, storage), { datastores: all });
    expect(told).toMatchObject({ candidates: 0, refused: [{ hosts: [1] }] });
  });

  it('stays where its disks are, however full or shut that is', () => {
    expect(places([datastore(0), datastore(5, { ...free(0), state: 'DISABLED' })], [wish(1, { at: 5 })])).toEqual([
      [1, 1, 5],
    ]);
  });

  it('has the datastore that it requires, or ranks best', () => {
    const all = [datastore(0, free(900)), datastore(1, free(300)), datastore(2, free(600))];
    expect(places(all, [wish(1, { requirements: 'FREE_MB < 700 & !(ID = 2)' })])).toEqual([[1, 1, 1]]);
    expect(places(all, [wish(1, { rank: '- FREE_MB' })])).toEqual([[1, 1, 1]]);
    expect(places(all, [wish(1, { rank: 'ID' })])).toEqual([[1, 1, 2]]);
  });
});

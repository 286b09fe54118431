import { describe, expect, it } from 'vitest';
import { type StepOfVm, seriesOf, stepOf } from '../../../domain/hosts/series.js';
import { counterNames } from '../../../schemas/hosts/metrics.js';

const from = new Date('2026-05-04T10:00:00.000Z');
const row = (step: number, more: Partial<StepOfVm> = {}): StepOfVm => ({
  ...{ vm: 7, epoch: 1, step, cpu: 50, memory: 1_000 },
  ...more,
});
const series = (rows: StepOfVm[]) => seriesOf(rows, from, 60);

describe('a series', () => {
  it('has a point for each step of which something is known, oldest first', () => {
    expect(series([row(3), row(1, { cpu: 12.6 })])).toMatchObject([
      { time: '2026-05-04T10:01:00.000Z', cpu: 13, memory: 1_000 },
      { time: '2026-05-04T10:03:00.000Z', cpu: 50 },
    ]);
    expect(series([])).toEqual([]);
  });

  it('tells what was sent within a step, and begins anew with a counter that does', () => {
    const sent = [100, 250, 250, 40].map((nettx, step) => row(step, { nettx }));
    expect(series(sent).map(({ nettx }) => nettx)).toEqual([0, 150, 0, 40]);
  });

  it.each(counterNames)('counts %s from the first step on in which it is known', (counter) => {
    const rows = [row(0), row(1, { [counter]: 500 }), row(2, { [counter]: 510 })];
    expect(series(rows).map((point) => point[counter])).toEqual([0, 0, 10]);
  });

  it('has what was said of a VM in the steps in which its host was heard', () => {
    const told = [
      { step: 0, name: 'REQUESTS', value: 0.1 + 0.2 },
      { step: 0, name: 'QUEUE', value: 3 },
      { step: 1, name: 'QUEUE', value: 4 },
    ];
    expect(seriesOf([row(0), row(2)], from, 60, { told }).map(({ attributes }) => attributes)).toEqual([
      { REQUESTS: 0.3, QUEUE: 3 },
      {},
    ]);
  });

  it('of a VM has what it did last in each step; what was kept before that was, ran', () => {
    const rows = [row(0), row(1, { state: 'stopped', cpu: 0 })];
    expect(series(rows).map(({ state, capacity }) => [state, capacity])).toEqual([
      ['running', null],
      ['stopped', null],
    ]);
  });

  it('of a host has what it had and had given, also where no VM was on it, oldest first', () => {
    const total = { cpu: 800, memory: 4_096 };
    const capacities = [
      { step: 2, total, used: { cpu: 150, memory: 64 }, running: 1 },
      { step: 0, total, used: { cpu: 0, memory: 0 }, running: 0 },
    ];
    const points = seriesOf([row(2)], from, 60, { capacities });
    expect(points.map(({ time, cpu, state, capacity }) => [time.slice(14, 16), cpu, state, capacity])).toEqual([
      ['00', 0, null, { cpu: { total: 8, used: 0 }, memory: { total: 4_096, used: 0 }, running_vms: 0 }],
      ['02', 50, null, { cpu: { total: 8, used: 1.5 }, memory: { total: 4_096, used: 64 }, running_vms: 1 }],
    ]);
  });

  it('counts a VM of which an old copy runs elsewhere once', () => {
    expect(series([row(0, { epoch: 2, cpu: 10 }), row(0, { epoch: 1, cpu: 90 })])).toMatchObject([{ cpu: 10 }]);
  });

  it('adds up the VMs of a host, each with its own counters', () => {
    const rows = [
      row(0, { nettx: 5 }),
      row(0, { vm: 8, nettx: 500 }),
      row(1, { nettx: 7 }),
      row(1, { vm: 8, nettx: 600 }),
    ];
    expect(series(rows).map(({ cpu, nettx }) => [cpu, nettx])).toEqual([
      [100, 0],
      [100, 102],
    ]);
  });

  it.each([
    [3_600_000, 60, 60],
    [600_000, 60, 20],
    [86_400_000, 60, 1_440],
    [1_000, 1, 20],
  ])('of %d ms and %d points has steps of %d s', (span, points, step) => {
    expect(stepOf(span, points, 20)).toBe(step);
  });
});

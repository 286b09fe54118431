import { expect, it } from 'vitest';
import { cutText, seriesText, sparkline } from '../../../cli/hosts/metrics.js';
import { eachMetric } from '../../../schemas/hosts/metrics.js';

const since = '2026-11-28T12:00:00.000Z';
const at = (minute: number, cpu: number, over: object = {}) => ({
  ...{
    time: `2026-11-28T12:0${minute}:00.000Z`,
    ...eachMetric(() => 0),
    cpu,
    memory: 1_024,
    netrx: 61_440,
    diskwriops: 90,
    ...{ attributes: {}, state: null, capacity: null },
  },
  ...over,
});

it('bars go from nothing to the largest number, and nothing is drawn where nothing is known', () => {
  expect(sparkline([0, 50, undefined, 100])).toBe('▁▅ █');
  expect(sparkline([0, 0])).toBe('▁▁');
});

it('a series has a bar for each step, a blank where nothing was heard, and what was last and most', () => {
  const text = seriesText({ since, step: 60, points: [at(0, 100, { diskwrbytes: 122_880 }), at(2, 50, { netrx: 0 })] });
  expect(text.split('\n').map((line) => line.replace(/^(\w+(?: \w+)?) +: /, '$1: '))).toEqual([
    `SINCE: ${since}, a bar for each 60 s`,
    'CPU: █ ▅  0.5 cores (at most 1 cores)',
    'MEMORY: █ █  1 MB (at most 1 MB)',
    'SENT: ▁ ▁  0 B/s (at most 0 B/s)',
    'RECEIVED: █ ▁  0 B/s (at most 1 KB/s)',
    'DISK READ: ▁ ▁  0 B/s (at most 0 B/s)',
    'DISK READS: ▁ ▁  0/s (at most 0/s)',
    'DISK WRITTEN: █ ▁  0 B/s (at most 2 KB/s)',
    'DISK WRITES: █ █  1.5/s (at most 1.5/s)',
  ]);
  const told = [at(0, 100, { attributes: { REQUESTS: 10 } }), at(1, 100), at(2, 50, { attributes: { REQUESTS: 5 } })];
  expect(seriesText({ since, step: 60, points: told }).split('\n').at(-1)).toMatch(
    /^REQUESTS +: █ ▅ {2}5 \(at most 10\)$/,
  );
  const alone = seriesText({ since, step: 60, points: [at(0, 100)] }).split('\n');
  expect(alone.filter((line) => line.endsWith(': -')).map((line) => line.split(' ')[0])).toEqual([
    'SENT',
    'RECEIVED',
    'DISK',
    'DISK',
    'DISK',
    'DISK',
  ]);
  expect(seriesText({ since, step: 60, points: [] })).toBe(`Nothing was heard since ${since}.`);
});

it('a series that cannot begin when it was asked to says so', () => {
  expect(cutText(Date.parse(since), { since })).toBeNull();
  const early = Date.parse(since) - 70 * 86_400_000;
  expect(cutText(early, { since })).toBe(`A series goes back 31 days at most: this one begins at ${since}.`);
});

const lines = (points: ReturnType<typeof at>[]) =>
  seriesText({ since, step: 60, points })
    .split('\n')
    .map((line) => line.replace(/ +: /, ': '));

it('of a VM it is drawn when it ran, and said what else it was', () => {
  const [, state] = lines([
    at(0, 0, { state: 'stopped' }),
    at(1, 100, { state: 'running' }),
    at(3, 100, { state: 'running' }),
  ]);
  expect(state).toBe('STATE: ▁█ █  running (before: stopped)');
});

it('of a host it is drawn what of it was taken, and how many VMs ran', () => {
  const had = (used: number, running_vms: number) => ({
    capacity: { cpu: { total: 8, used }, memory: { total: 4_096, used: used * 256 }, running_vms },
  });
  expect(lines([at(0, 0, had(0, 0)), at(1, 100, had(6, 3)), at(2, 100, had(1.5, 1))]).slice(1, 4)).toEqual([
    'VMS: ▁█▃  1 (at most 3)',
    'CPU TAKEN: ▁█▃  1.5 of 8 cores (at most 6)',
    'MEMORY TAKEN: ▁█▃  384 of 4096 MB (at most 1536)',
  ]);
});

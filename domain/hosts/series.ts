import type { MetricsPoint } from '../../schemas/hosts/metrics.js';

/** What a VM has said within one step of a series: CPU and memory on average, counters as they stood at its end. */
export type StepOfVm = {
  vm: number;
  epoch: number;
  step: number;
  cpu: number;
  memory: number;
  nettx: number;
  netrx: number;
};

/** How long a step is, in seconds, for so many of them at most: no shorter than hosts are asked. */
export const stepOf = (span: number, points: number, pollEvery: number): number =>
  Math.max(pollEvery, Math.ceil(span / 1_000 / points));

/**
 * A series of one VM, or of all on a host together: what they use on average in each step, and what they have sent and received in
 * it. Steps of which nothing was heard are left out. Of two copies of a VM the newer one counts. A counter that went backwards
 * began anew; of the first step that is known of a VM nobody knows what it had sent before.
 */
export function seriesOf(rows: readonly StepOfVm[], from: Date, step: number): MetricsPoint[] {
  const newest = new Map<string, StepOfVm>();
  for (const row of rows) {
    const key = `${row.step} ${row.vm}`;
    if (row.epoch >= (newest.get(key)?.epoch ?? -1)) newest.set(key, row);
  }
  const points = new Map<number, MetricsPoint>();
  const last = new Map<number, StepOfVm>();
  for (const row of [...newest.values()].sort((one, other) => one.step - other.step)) {
    const time = new Date(from.getTime() + row.step * step * 1_000).toISOString();
    const point = points.get(row.step) ?? { time, cpu: 0, memory: 0, nettx: 0, netrx: 0 };
    const before = last.get(row.vm);
    point.cpu += Math.round(row.cpu);
    point.memory += Math.round(row.memory);
    point.nettx += since(before?.nettx, row.nettx);
    point.netrx += since(before?.netrx, row.netrx);
    points.set(row.step, point);
    last.set(row.vm, row);
  }
  return [...points.values()];
}

const since = (before: number | undefined, now: number): number =>
  before === undefined ? 0 : now < before ? now : now - before;

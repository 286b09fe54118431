import type { Capacity } from '../../schemas/common/capacity.js';
import type { DomainState } from '../../schemas/hosts/domain-state.js';
import { counterNames, eachMetric, type KnownMetrics, type MetricsPoint } from '../../schemas/hosts/metrics.js';

/**
 * What a VM has said within one step of a series: CPU and memory on average, counters and its state as they stood at its end.
 * `state` is absent of samples of before it was kept: those were of what ran.
 */
export type StepOfVm = KnownMetrics & { vm: number; epoch: number; step: number; state?: DomainState };

/** How a host stood at the end of one step. */
export type StepOfHost = { step: number; total: Capacity; used: Capacity; running: number };

/** What guests and users have said of a VM within one step, on average. */
export type StepOfTold = { step: number; name: string; value: number };

/** How long a step is, in seconds, for so many of them at most: no shorter than hosts are asked. */
export const stepOf = (span: number, points: number, pollEvery: number): number =>
  Math.max(pollEvery, Math.ceil(span / 1_000 / points));

/**
 * A series of one VM, or of all on a host together: what they use on average in each step, and what their
 * counters have counted in it. Steps of which nothing was heard are left out. Of two copies of a VM the newer one counts. A counter that went backwards
 * began anew; of the first step in which it is known of a VM nobody knows what it had counted before. `told`: of one VM, and of
 * steps in which its host was heard. `capacities`: of a host, which says what it has with no VM on it, too.
 */
export function seriesOf(
  rows: readonly StepOfVm[],
  from: Date,
  step: number,
  { told = [], capacities }: { told?: readonly StepOfTold[]; capacities?: readonly StepOfHost[] | undefined } = {},
): MetricsPoint[] {
  const newest = new Map<string, StepOfVm>();
  for (const row of rows) {
    const key = `${row.step} ${row.vm}`;
    if (row.epoch >= (newest.get(key)?.epoch ?? -1)) newest.set(key, row);
  }
  const points = new Map<number, MetricsPoint>();
  const pointAt = (nth: number): MetricsPoint => {
    const time = new Date(from.getTime() + nth * step * 1_000).toISOString();
    const point = points.get(nth) ?? { time, ...eachMetric(() => 0), attributes: {}, state: null, capacity: null };
    points.set(nth, point);
    return point;
  };
  const last = new Map<number, StepOfVm>();
  for (const row of [...newest.values()].sort((one, other) => one.step - other.step)) {
    const point = pointAt(row.step);
    const before = last.get(row.vm);
    point.cpu += Math.round(row.cpu);
    point.memory += Math.round(row.memory);
    for (const counter of counterNames) point[counter] += since(before?.[counter], row[counter]);
    if (!capacities) point.state = row.state ?? 'running';
    last.set(row.vm, row);
  }
  for (const { step: nth, total, used, running } of capacities ?? []) {
    pointAt(nth).capacity = {
      cpu: { total: total.cpu / 100, used: used.cpu / 100 },
      memory: { total: total.memory, used: used.memory },
      running_vms: running,
    };
  }
  for (const { step: nth, name, value } of told) {
    const point = points.get(nth);
    if (point) point.attributes[name] = Number(value.toPrecision(12));
  }
  return [...points].sort(([one], [other]) => one - other).map(([, point]) => point);
}

const since = (before: number | undefined, now: number | undefined): number =>
  before === undefined || now === undefined ? 0 : now < before ? now : now - before;

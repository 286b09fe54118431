import { pollEvery } from '../../domain/hosts/polls.js';
import { seriesOf, stepOf } from '../../domain/hosts/series.js';
import type { Caller } from '../../domain/identity/caller.js';
import { type MetricsQuery, type MetricsSeries, mostDays } from '../../schemas/hosts/metrics.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';

const hour = 3_600_000;
const longest = mostDays * 24 * hour;

/** What a VM has used, over time. */
export async function showVmMetrics(
  context: OperationsContext,
  caller: Caller,
  id: number,
  query: MetricsQuery,
): Promise<MetricsSeries> {
  const vm = authorised(caller, 'vm', await context.store.vms.find(id), 'use', id);
  const hosts = [...new Set(vm.history.map(({ hid }) => hid))];
  const { from, step } = stepsOf(context, query);
  const { metrics, toldValues } = context.store;
  const [rows, told] = await Promise.all([
    metrics.steps({ hosts, vm: id }, from, step),
    toldValues.steps(id, from, step),
  ]);
  return { since: from.toISOString(), step, points: seriesOf(rows, from, step, { told }) };
}

/** What a host had and had given, and what its VMs have used together, over time. */
export async function showHostMetrics(
  context: OperationsContext,
  caller: Caller,
  id: number,
  query: MetricsQuery,
): Promise<MetricsSeries> {
  authorised(caller, 'host', await context.store.hosts.find(id), 'use', id);
  const { from, step } = stepsOf(context, query);
  const { metrics } = context.store;
  const [rows, capacities] = await Promise.all([
    metrics.steps({ hosts: [id] }, from, step),
    metrics.capacities(id, from, step),
  ]);
  return { since: from.toISOString(), step, points: seriesOf(rows, from, step, { capacities }) };
}

function stepsOf({ settings }: OperationsContext, { since, points }: MetricsQuery): { from: Date; step: number } {
  const now = Date.now();
  const wished = since === undefined ? now - hour : Date.parse(since);
  const from = new Date(Math.max(Math.min(wished, now), now - longest));
  return { from, step: stepOf(now - from.getTime(), points, pollEvery(settings)) };
}

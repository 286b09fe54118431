import { eachMetric, MetricsQuery, MetricsSeries } from '../../../schemas/hosts/metrics.js';
import { ById, noBody, type Route, route, shows } from '../route.js';

const series = { since: '2026-05-04T08:40:00.000Z', step: 60, points: [] };
const hour = {
  ...{ since: '2026-05-04T08:40:00.000Z', step: 3_600 },
  points: [
    {
      ...{ time: '2026-05-04T08:40:00.000Z', ...eachMetric(() => 0), attributes: {}, state: null },
      capacity: { cpu: { total: 16, used: 0 }, memory: { total: 65_536, used: 0 }, running_vms: 0 },
    },
  ],
};
const description =
  'CPU and memory on average, and what was sent and received, in steps of equal length, no shorter than hosts are asked.';
const ofVm = `${description} And what it did at the end of each step.`;
const ofHost = `${description} And what the host had, what of it VMs had reserved, and how many of them ran, at the end of each step.`;

/** What was used until now is another thing at every moment: nobody has it already. */
const untagged = { ...shows(MetricsSeries), tagged: false };

export const metricsRoutes: readonly Route[] = [
  route({
    id: 'showVmMetrics',
    method: 'get',
    path: '/vms/{id}/metrics',
    tag: 'VMs',
    summary: 'Show what a VM has used over time',
    needs: [['use', 'vm']],
    description: ofVm,
    params: ById,
    query: MetricsQuery,
    body: noBody,
    answer: untagged,
    problems: ['not_found'],
    examples: [{ params: { id: '3' }, query: { points: '60' }, answer: series }],
    handle: ({ metrics }, { caller, params, query }) => metrics.ofVm(caller, params.id, query),
  }),
  route({
    id: 'showHostMetrics',
    method: 'get',
    path: '/hosts/{id}/metrics',
    tag: 'Hosts',
    summary: 'Show what a host had, and what its VMs have used together, over time',
    needs: [['use', 'host']],
    description: ofHost,
    params: ById,
    query: MetricsQuery,
    body: noBody,
    answer: untagged,
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, query: { points: '1' }, answer: hour }],
    handle: ({ metrics }, { caller, params, query }) => metrics.ofHost(caller, params.id, query),
  }),
];

import { z } from 'zod';
import { Timestamp } from '../common/common.js';
import { DomainState } from './domain-state.js';

// What hypervisors say of a VM, under OpenNebula's names and in its units.

const count = z.int().min(0);

const Counters = z.object({
  nettx: count.describe('Bytes sent since it was started'),
  netrx: count.describe('Bytes received since it was started'),
  diskrdbytes: count.describe('Bytes read from its disks since it was started'),
  diskrdiops: count.describe('Reads from its disks since it was started'),
  diskwrbytes: count.describe('Bytes written to its disks since it was started'),
  diskwriops: count.describe('Writes to its disks since it was started'),
});
export type CounterName = keyof z.infer<typeof Counters>;

export const Metrics = z.object({
  cpu: count.describe('CPU in use; 100 is one core'),
  memory: count.describe('Memory in use, in KB'),
  ...Counters.shape,
});
export type Metrics = z.infer<typeof Metrics>;
export type MetricName = keyof Metrics;

/** What only grows while a VM runs. */
export const counterNames: readonly CounterName[] = Counters.keyof().options;
/** In the order in which they are shown. */
export const metricNames: readonly MetricName[] = Metrics.keyof().options;

export const eachCounter = <Value>(each: (name: CounterName) => Value): Record<CounterName, Value> => ({
  nettx: each('nettx'),
  netrx: each('netrx'),
  diskrdbytes: each('diskrdbytes'),
  diskrdiops: each('diskrdiops'),
  diskwrbytes: each('diskwrbytes'),
  diskwriops: each('diskwriops'),
});

/** A value for each of them, in their order. */
export const eachMetric = <Value>(each: (name: MetricName) => Value): Record<MetricName, Value> => ({
  cpu: each('cpu'),
  memory: each('memory'),
  ...eachCounter(each),
});

/** CPU and memory, and what is known of the counters: samples of before those of disks were kept have none. */
export type KnownMetrics = Omit<Metrics, CounterName> & Partial<Metrics>;

/** A sample as it is read: of one VM, when its host has said it. */
export type MetricsRow = KnownMetrics & { vm_id: number; at: Date };

export const MonitoringResource = z
  .object({ time: Timestamp.describe('When its host has said it'), ...Metrics.shape })
  .meta({ id: 'Monitoring' });
export type MonitoringResource = z.infer<typeof MonitoringResource>;

/** How many points a series has at most. */
export const mostPoints = 240;

/** Days that a series goes back at most: a host of many VMs would be read for minutes. */
export const mostDays = 31;

export const MetricsQuery = z.strictObject({
  since: Timestamp.optional().describe(
    `From when on; default: an hour ago, at most ${mostDays} days ago. Nothing is kept for longer than ARCUS_KEEP_METRICS says`,
  ),
  points: z.coerce.number().int().min(1).max(mostPoints).default(60).describe('So many points at most'),
});
export type MetricsQuery = z.infer<typeof MetricsQuery>;

const HostCapacity = z.object({
  cpu: z.object({ total: z.number(), used: z.number() }).describe('Cores; used: reserved by VMs'),
  memory: z.object({ total: z.int(), used: z.int() }).describe('MB'),
  running_vms: count.describe('VMs that ran on it'),
});
export type HostCapacity = z.infer<typeof HostCapacity>;

const MetricsPoint = z.object({
  time: Timestamp.describe('When the step begins'),
  cpu: count.describe('CPU in use, on average; 100 is one core'),
  memory: count.describe('Memory in use, on average, in KB'),
  nettx: count.describe('Bytes sent in this step'),
  netrx: count.describe('Bytes received in this step'),
  diskrdbytes: count.describe('Bytes read from disks in this step'),
  diskrdiops: count.describe('Reads from disks in this step'),
  diskwrbytes: count.describe('Bytes written to disks in this step'),
  diskwriops: count.describe('Writes to disks in this step'),
  attributes: z
    .record(z.string(), z.number())
    .describe('Of a VM: what stood in its user template of what policies of its role ask for, on average'),
  state: DomainState.nullable().describe(
    'Of a VM: what it did at the end of this step, as its host has said; null: of a host',
  ),
  capacity: HostCapacity.nullable().describe(
    'Of a host: what it had, and had given, at the end of this step; null: of a VM',
  ),
});
export type MetricsPoint = z.infer<typeof MetricsPoint>;

export const MetricsSeries = z
  .object({
    since: Timestamp,
    step: z.int().describe('Seconds from one point to the next'),
    points: z.array(MetricsPoint).describe('Oldest first; steps of which nothing is known are left out'),
  })
  .meta({ id: 'MetricsSeries' });
export type MetricsSeries = z.infer<typeof MetricsSeries>;

import { z } from 'zod';
import { Timestamp } from '../common/common.js';

// What hypervisors say of a VM, under OpenNebula's names and in its units.

const count = z.int().min(0);

export const Metrics = z.object({
  cpu: count.describe('CPU in use; 100 is one core'),
  memory: count.describe('Memory in use, in KB'),
  nettx: count.describe('Bytes sent since it was started'),
  netrx: count.describe('Bytes received since it was started'),
});
export type Metrics = z.infer<typeof Metrics>;

/** A sample as it is read: of one VM, when its host has said it. */
export type MetricsRow = Metrics & { vm_id: number; at: Date };

export const MonitoringResource = z
  .object({ time: Timestamp.describe('When its host has said it'), ...Metrics.shape })
  .meta({ id: 'Monitoring' });
export type MonitoringResource = z.infer<typeof MonitoringResource>;

import type { Connection } from 'mongoose';
import type { StepOfVm } from '../../domain/hosts/series.js';
import { eachCounter, eachMetric, type Metrics, type MetricsRow } from '../../schemas/hosts/metrics.js';
import { ensureTimeSeries } from '../mongo/time-series.js';

/** A sample as it is kept: what a host has said of a VM. `epoch`: of the copy that runs there. */
export type Sample = Metrics & { host: number; vm: number; epoch: number; at: Date };

const collection = 'vm_metrics';

/** Of one VM: where the newest copy stands, and the last that was said of it. Members are compared in this order. */
const newest = { $max: { epoch: '$epoch', at: '$at', ...eachMetric((name) => `$${name}`) } };

/**
 * What hosts say of their VMs, as a series in time that forgets by itself. There are neither transactions nor unique keys in
 * it: whoever writes a sample again changes nothing, for the newest is read. Of a VM of which an old copy still runs elsewhere,
 * the newest is what its newest copy has said. Samples lie together by host: one of a thousand VMs on fifty hosts costs a
 * sixth of what it would by VM.
 */
export function createMetrics(connection: Connection) {
  const samples = () => connection.collection<Sample>(collection);

  return {
    /** Makes the series, unless it is there, and sees to it that samples are kept for so many hours. */
    ensure: (hours: number): Promise<void> => ensureTimeSeries(connection, { collection, metaField: 'host' }, hours),

    /**
     * What was said in each step from a time on, of the VMs of these hosts or of one of them: found by host, in whose order samples
     * lie.
     */
    async steps(of: { hosts: readonly number[]; vm?: number }, from: Date, step: number): Promise<StepOfVm[]> {
      if (of.hosts.length === 0) return [];
      const nth = { $floor: { $divide: [{ $subtract: ['$at', from] }, step * 1_000] } };
      const found = await samples()
        .aggregate<Omit<StepOfVm, 'vm' | 'epoch' | 'step'> & { _id: Pick<StepOfVm, 'vm' | 'epoch' | 'step'> }>(
          [
            {
              $match: { host: { $in: [...of.hosts] }, at: { $gte: from }, ...(of.vm !== undefined && { vm: of.vm }) },
            },
            {
              $group: {
                _id: { vm: '$vm', epoch: '$epoch', step: nth },
                ...{ cpu: { $avg: '$cpu' }, memory: { $avg: '$memory' } },
                last: { $max: { at: '$at', ...eachCounter((name) => `$${name}`) } },
              },
            },
            { $project: { cpu: 1, memory: 1, ...eachCounter((name) => `$last.${name}`) } },
          ],
          { batchSize: 10_000 },
        )
        .toArray();
      return found.map(({ _id, ...row }) => ({ ...row, ..._id }));
    },

    /** One batch, whatever hosts it comes from. */
    async add(batch: readonly Sample[]): Promise<void> {
      if (batch.length > 0) await samples().insertMany([...batch], { ordered: false });
    },

    /**
     * The newest sample of each of these VMs since a time, which is to be minutes ago at most; VMs of which there is none are
     * left out. One aggregation, for however many services: of all of a thousand VMs it takes some 50 ms.
     */
    async latest(vms: readonly number[], since: Date): Promise<MetricsRow[]> {
      if (vms.length === 0) return [];
      const found = await samples()
        .aggregate<{ _id: number; newest: Omit<MetricsRow, 'vm_id'> & { epoch: number } }>(
          [{ $match: { vm: { $in: [...vms] }, at: { $gte: since } } }, { $group: { _id: '$vm', newest } }],
          { batchSize: 10_000 },
        )
        .toArray();
      return found.map(({ _id, newest: { epoch: _epoch, ...row } }) => ({ vm_id: _id, ...row }));
    },
  };
}
export type MetricsStore = ReturnType<typeof createMetrics>;

import type { Connection } from 'mongoose';
import type { StepOfHost, StepOfVm } from '../../domain/hosts/series.js';
import type { Capacity } from '../../schemas/common/capacity.js';
import type { DomainState } from '../../schemas/hosts/domain-state.js';
import { eachCounter, eachMetric, type Metrics, type MetricsRow } from '../../schemas/hosts/metrics.js';
import { ensureTimeSeries } from '../mongo/time-series.js';

/**
 * What a host has said of a VM, as it is kept. `epoch`: of the copy that is there. `state`: what that does; absent: of before that
 * was kept, and of what ran.
 */
export type VmSample = Metrics & { host: number; vm: number; epoch: number; at: Date; state?: DomainState };

/** What a host had at that moment, what of it VMs had reserved, and how many of them ran. */
export type HostSample = { host: number; at: Date; total: Capacity; used: Capacity; running: number };

/** Samples of hosts lie among those of their VMs, so that a look is one write; `vm` tells them apart. */
export type Sample = VmSample | HostSample;

const collection = 'vm_metrics';

/** Of one VM: where the newest copy stands, and the last that was said of it. Members are compared in this order. */
const newest = { $max: { epoch: '$epoch', at: '$at', ...eachMetric((name) => `$${name}`) } };

/** Which step from a time on a sample is of. */
const nthStep = (from: Date, step: number) => ({ $floor: { $divide: [{ $subtract: ['$at', from] }, step * 1_000] } });

/**
 * What hosts say of themselves and their VMs, as a series in time that forgets by itself. There are neither transactions nor unique keys in
 * it: whoever writes a sample again changes nothing, for the newest is read. Of a VM of which an old copy still runs elsewhere,
 * the newest is what its newest copy has said. Samples lie together by host: one of a thousand VMs on fifty hosts costs a
 * sixth of what it would by VM.
 */
export function createMetrics(connection: Connection) {
  const samples = () => connection.collection<Sample>(collection);

  return {
    /** Makes the series, unless it is there, and sees to it that samples are kept for so many hours. */
    ensure: (hours: number): Promise<void> => ensureTimeSeries(connection, { collection, metaField: 'host' }, hours),

    /** How a host stood at the end of each step from a time on. */
    capacities(host: number, from: Date, step: number): Promise<StepOfHost[]> {
      return samples()
        .aggregate<StepOfHost>([
          { $match: { host, at: { $gte: from }, running: { $gte: 0 } } },
          {
            $group: {
              _id: nthStep(from, step),
              last: { $max: { at: '$at', total: '$total', used: '$used', running: '$running' } },
            },
          },
          { $project: { _id: 0, step: '$_id', total: '$last.total', used: '$last.used', running: '$last.running' } },
        ])
        .toArray();
    },

    /**
     * What was said in each step from a time on, of the VMs of these hosts or of one of them: found by host, in whose order samples
     * lie.
     */
    async steps(of: { hosts: readonly number[]; vm?: number }, from: Date, step: number): Promise<StepOfVm[]> {
      if (of.hosts.length === 0) return [];
      const found = await samples()
        .aggregate<Omit<StepOfVm, 'vm' | 'epoch' | 'step'> & { _id: Pick<StepOfVm, 'vm' | 'epoch' | 'step'> }>(
          [
            {
              $match: { host: { $in: [...of.hosts] }, at: { $gte: from }, vm: of.vm ?? { $gte: 0 } },
            },
            {
              $group: {
                _id: { vm: '$vm', epoch: '$epoch', step: nthStep(from, step) },
                ...{ cpu: { $avg: '$cpu' }, memory: { $avg: '$memory' } },
                last: { $max: { at: '$at', state: '$state', ...eachCounter((name) => `$${name}`) } },
              },
            },
            { $project: { cpu: 1, memory: 1, state: '$last.state', ...eachCounter((name) => `$last.${name}`) } },
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
     * The newest sample of each of these VMs in which it ran since a time, which is to be minutes ago at most; VMs of which there is none are
     * left out. One aggregation, for however many services: of all of a thousand VMs it takes some 50 ms.
     */
    async latest(vms: readonly number[], since: Date): Promise<MetricsRow[]> {
      if (vms.length === 0) return [];
      const found = await samples()
        .aggregate<{ _id: number; newest: Omit<MetricsRow, 'vm_id'> & { epoch: number } }>(
          [
            { $match: { vm: { $in: [...vms] }, at: { $gte: since }, state: { $in: ['running', null] } } },
            { $group: { _id: '$vm', newest } },
          ],
          { batchSize: 10_000 },
        )
        .toArray();
      return found.map(({ _id, newest: { epoch: _epoch, ...row } }) => ({ vm_id: _id, ...row }));
    },
  };
}
export type MetricsStore = ReturnType<typeof createMetrics>;

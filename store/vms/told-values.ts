import type { Connection } from 'mongoose';
import type { StepOfTold } from '../../domain/hosts/series.js';
import { ensureTimeSeries } from '../mongo/time-series.js';

/** What stood in the user template of a VM, of what policies ask for: numbers by their names. */
export type ToldSample = { vm: number; at: Date; values: Readonly<Record<string, number>> };

const collection = 'vm_attributes';

/** What guests and users say of VMs, as a series in time: the user template has the last alone. Rules go by that, and not by these. */
export function createToldValues(connection: Connection) {
  const samples = () => connection.collection<ToldSample>(collection);
  return {
    ensure: (hours: number): Promise<void> => ensureTimeSeries(connection, { collection, metaField: 'vm' }, hours),

    async add(batch: readonly ToldSample[]): Promise<void> {
      if (batch.length > 0) await samples().insertMany([...batch], { ordered: false });
    },

    /** What was said of a VM in each step from a time on, on average. */
    steps(vm: number, from: Date, step: number): Promise<StepOfTold[]> {
      const nth = { $floor: { $divide: [{ $subtract: ['$at', from] }, step * 1_000] } };
      return samples()
        .aggregate<StepOfTold>([
          { $match: { vm, at: { $gte: from } } },
          { $project: { step: nth, values: { $objectToArray: '$values' } } },
          { $unwind: '$values' },
          { $group: { _id: { step: '$step', name: '$values.k' }, value: { $avg: '$values.v' } } },
          { $project: { _id: 0, step: '$_id.step', name: '$_id.name', value: 1 } },
        ])
        .toArray();
    },
  };
}

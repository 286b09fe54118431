import type { Connection } from 'mongoose';
import type { Pool } from '../../schemas/kinds.js';
import { modelOf } from './model.js';

export function createCounters(connection: Connection) {
  const counters = modelOf<{ _id: Pool; next: number }>(connection, 'counters', String);

  async function next(pool: Pool, count = 1): Promise<number[]> {
    const counter = await counters
      .findOneAndUpdate({ _id: pool }, { $inc: { next: count } }, { upsert: true, returnDocument: 'after' })
      .lean()
      .exec();
    return Array.from({ length: count }, (_, index) => counter.next - count + index);
  }

  return {
    /** `count` ids in a row, never given before. */
    next,
    /** The first id of a pool that has given none yet. */
    beginAt: (pool: Pool, first: number) =>
      counters.updateOne({ _id: pool }, { $setOnInsert: { next: first } }, { upsert: true }),
    /** Ids up to this one are not given any more. */
    above: (pool: Pool, id: number) => counters.updateOne({ _id: pool }, { $max: { next: id + 1 } }, { upsert: true }),
    /** One id, never given before. */
    async one(pool: Pool): Promise<number> {
      const [id] = await next(pool);
      if (id === undefined) throw new Error('a counter gave no id');
      return id;
    },
  };
}
export type Counters = ReturnType<typeof createCounters>;

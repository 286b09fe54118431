import type { Connection } from 'mongoose';
import { kinds, type OperatedKind } from '../../schemas/kinds.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { OperationStore } from './operations.js';
import type { StepStore } from './steps.js';

/** Of what lives, so many of the last operations on it are kept, however old they are. */
export const lastKept = 5;

/** Operations that are looked at in one call, at most. */
export const lookedAtOnce = 200;

/** When one that is kept is looked at again, in milliseconds. */
const later = 24 * 60 * 60 * 1_000;

type Aged = Pick<Operation, '_id' | 'resource' | 'releasing'>;

/** How operations that ended long ago are forgotten: without it there would be more of them for ever. */
export function createForgetting(
  connection: Connection,
  { operations, steps }: { operations: OperationStore; steps: StepStore },
) {
  async function livingOf(type: OperatedKind, ids: readonly number[]): Promise<Set<number>> {
    const row = kinds[type];
    const lives = 'owned' in row && row.owned.ended !== null ? { state: { $ne: row.owned.ended } } : {};
    const found = await connection
      .collection<{ _id: number; state?: string }>(row.collection)
      .find({ _id: { $in: [...ids] }, ...lives }, { projection: { _id: 1 } })
      .toArray();
    return new Set(found.map(({ _id }) => _id));
  }

  const lastOn = (resource: Operation['resource']): Promise<Pick<Operation, '_id'>[]> =>
    operations.model
      .find({ 'resource.type': resource.type, 'resource.id': resource.id }, { _id: 1 })
      .sort({ _id: -1 })
      .limit(lastKept)
      .lean<Pick<Operation, '_id'>[]>()
      .exec();

  /** The ids of the last operations on those resources of these that live. */
  async function lastOfLiving(aged: readonly Aged[]): Promise<Set<string>> {
    const kept = new Set<string>();
    for (const type of new Set(aged.map(({ resource }) => resource.type))) {
      const ids = [...new Set(aged.flatMap(({ resource }) => (resource.type === type ? [resource.id] : [])))];
      for (const id of await livingOf(type, ids)) for (const { _id } of await lastOn({ type, id })) kept.add(_id);
    }
    return kept;
  }

  return {
    /**
     * Forgets operations that ended before a time, with their steps: of those that ended first, so many. What is kept for
     * what it is about, or has not let go of its VMs, is looked at again a day later. Returns how many it has looked at.
     */
    async forget(endedBefore: Date): Promise<number> {
      const isAged = { aged_from: { $lt: endedBefore } };
      const aged = await operations.model
        .find(isAged, { resource: 1, releasing: 1 })
        .hint('aged')
        .sort({ aged_from: 1 })
        .limit(lookedAtOnce)
        .lean<Aged[]>()
        .exec();
      if (aged.length === 0) return 0;
      const last = await lastOfLiving(aged);
      const isKept = ({ _id, releasing }: Aged): boolean => releasing !== undefined || last.has(_id);
      const kept = aged.filter(isKept).map(({ _id }) => _id);
      const gone = aged.flatMap((one) => (isKept(one) ? [] : [one._id]));
      if (gone.length > 0) {
        await operations.model.deleteMany({ _id: { $in: gone }, ...isAged });
        await steps.model.deleteMany({ op: { $in: gone } });
      }
      if (kept.length > 0)
        await operations.model.updateMany(
          { _id: { $in: kept } },
          { $set: { aged_from: new Date(endedBefore.getTime() + later) } },
        );
      return aged.length;
    },
  };
}
export type Forgetting = ReturnType<typeof createForgetting>;

import type { Model } from 'mongoose';
import { brief, longest } from '../../domain/brief.js';
import type { Operation } from '../../schemas/operations/operation.js';

/** Runs of one operation of which is remembered how far it had come when they began. */
const rememberedRuns = 4;

/** What a run finds when it asks for its operation: it is ours, it has ended, or another run has it. */
export type Claim =
  | { result: 'claimed'; operation: Operation }
  | { result: 'ended'; operation: Operation }
  | { result: 'foreign' };

/** What runs say of their operation: that they have it, how far it is, and what it waits for. */
export function createOperationRuns(operations: Model<Operation>) {
  return {
    /** The first step of every run: accepted → running for this run alone. Said again by the same run, it is granted again. */
    async claim(id: string, runId: string): Promise<Claim> {
      const operation = await operations
        .findOneAndUpdate(
          { _id: id, $or: [{ state: 'accepted' }, { state: 'running', run_id: runId }] },
          [
            {
              $set: {
                state: 'running',
                run_id: runId,
                waiting_for: null,
                waits: { $literal: {} },
                started_at: { $ifNull: ['$started_at', '$$NOW'] },
              },
            },
          ],
          { returnDocument: 'after', updatePipeline: true },
        )
        .lean<Operation>()
        .exec();
      if (operation) return { result: 'claimed', operation };
      const present = await operations.findById(id).lean<Operation>().exec();
      return present?.run_id === runId ? { result: 'ended', operation: present } : { result: 'foreign' };
    },

    /**
     * How far roles had come when this run of the engine began: as its first try says, whatever a later one has seen.
     * Else a worker that was frozen in that step would, when it wakes, number its steps after those of the worker that
     * has gone on in the meantime, and outdo it. Of the last few runs: one that waits for long goes on as a new one again and
     * again, and would in the end outgrow its document.
     */
    async begunWith(id: string, run: string, reached: Record<string, number>): Promise<Record<string, number>> {
      const earlier = { $slice: [{ $objectToArray: { $ifNull: ['$begun', {}] } }, 1 - rememberedRuns] };
      const begun = { $arrayToObject: { $concatArrays: [earlier, [{ k: run, v: { $literal: reached } }]] } };
      const isKnown = { $ne: [{ $type: `$begun.${run}` }, 'missing'] };
      const operation = await operations
        .findOneAndUpdate({ _id: id }, [{ $set: { begun: { $cond: [isKnown, '$begun', begun] } } }], {
          returnDocument: 'after',
          updatePipeline: true,
          projection: { begun: 1 },
        })
        .lean<Pick<Operation, 'begun'>>()
        .exec();
      return operation?.begun?.[run] ?? reached;
    },

    /** Notes that it is run again because a run of it could not be replayed; returns how often that was so. */
    async rerun(id: string): Promise<number> {
      const operation = await operations
        .findOneAndUpdate({ _id: id }, { $inc: { reruns: 1 } }, { returnDocument: 'after', projection: { reruns: 1 } })
        .lean<Pick<Operation, 'reruns'>>()
        .exec();
      return operation?.reruns ?? 0;
    },

    /** running → waiting: its run ends now, and whoever brings what it waits for sets it going again. */
    wait: (id: string, runId: string, waitingFor: string) =>
      operations.updateOne(
        { _id: id, state: 'running', run_id: runId },
        { $set: { state: 'waiting', waiting_for: brief(waitingFor, longest.role) } },
      ),

    /**
     * Says what roles of a running operation wait for, or that they wait no more (null). What others wait for stays: they
     * are at work side by side.
     */
    note: (id: string, waits: Readonly<Record<string, string | null>>) =>
      operations.updateOne(
        { _id: id, state: 'running' },
        [
          { $set: { waits: { $mergeObjects: [{ $ifNull: ['$waits', {}] }, { $literal: waits }] } } },
          { $set: { waiting_for: waitsText } },
        ],
        { updatePipeline: true },
      ),
  };
}
export type OperationRuns = ReturnType<typeof createOperationRuns>;

/** Roles of which is said what they wait for; of the others how many they are. */
const mostSaid = 3;

/** What all roles wait for, in one line; null: none waits. */
const waitsText = {
  $let: {
    vars: {
      said: {
        $filter: {
          input: { $map: { input: { $objectToArray: '$waits' }, in: '$$this.v' } },
          cond: { $ne: ['$$this', null] },
        },
      },
    },
    in: {
      $let: {
        vars: {
          few: {
            $reduce: {
              input: { $slice: ['$$said', mostSaid] },
              initialValue: null,
              in: { $cond: [{ $eq: ['$$value', null] }, '$$this', { $concat: ['$$value', '; ', '$$this'] }] },
            },
          },
          more: { $subtract: [{ $size: '$$said' }, mostSaid] },
        },
        in: {
          $cond: [
            { $gt: ['$$more', 0] },
            { $concat: ['$$few', '; and ', { $toString: '$$more' }, ' more roles wait'] },
            '$$few',
          ],
        },
      },
    },
  },
};

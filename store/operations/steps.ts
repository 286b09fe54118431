import type { Connection } from 'mongoose';
import type { OperationError } from '../../schemas/operations/operation.js';
import type { Step } from '../../schemas/operations/step.js';
import { modelOf } from '../mongo/model.js';

/** As long as Temporal keeps the histories of operations: 30 days. */
const kept = 30 * 24 * 60 * 60;

/** What is known of a step's newest try. `ended`: how the step ended with it; null: it goes on, or is tried again. */
export type StepNote = Pick<Step, '_id' | 'op' | 'run' | 'name' | 'role' | 'among' | 'vms' | 'local' | 'started_at'> & {
  attempt: number;
  ended: { state: 'done' | 'failed'; at: Date } | null;
  error: OperationError | null;
  /** The try that the error is of; absent: this one. */
  failed?: number;
};

/** The steps of runs: one document each, for those who look. Nothing is decided by them. */
export function createStepStore(connection: Connection) {
  const steps = modelOf<Step>(connection, 'steps', String, [
    { fields: { op: 1, started_at: -1 } },
    { fields: { started_at: 1 }, options: { expireAfterSeconds: kept } },
  ]);

  return {
    model: steps,

    /** The last steps of an operation, oldest first. */
    async ofOperation(op: string, limit: number): Promise<Step[]> {
      const newest = await steps.find({ op }).sort({ started_at: -1 }).limit(limit).lean<Step[]>().exec();
      return newest.toReversed();
    },

    /** Of each of these operations the step that goes on, where a try of it has failed. */
    async failing(ops: readonly string[]): Promise<Map<string, Pick<Step, 'attempts' | 'error'>>> {
      if (ops.length === 0) return new Map();
      const found = await steps
        .find({ op: { $in: [...ops] } }, { op: 1, state: 1, attempts: 1, error: 1 })
        .sort({ started_at: 1 })
        .lean<Pick<Step, 'op' | 'state' | 'attempts' | 'error'>[]>()
        .exec();
      const last = new Map(found.map((step) => [step.op, step]));
      return new Map([...last].filter(([, { state, error }]) => state === 'running' && error !== null));
    },

    /** Writes notes in whatever order they come, from whichever worker: a try's note changes nothing of a later try. */
    async write(notes: readonly StepNote[]): Promise<void> {
      if (notes.length === 0) return;
      // By the driver: this is beside the work, and must cost as little as it can.
      await connection
        .collection<Step>('steps')
        .bulkWrite(notes.map(upsertOf), { ordered: false, writeConcern: { w: 1 } });
    },
  };
}
export type StepStore = ReturnType<typeof createStepStore>;

function upsertOf({ _id, started_at, attempt, ended, error, failed = attempt, ...facts }: StepNote) {
  const isNewest = { $gte: [attempt, { $ifNull: ['$attempts', 0] }] };
  const isNewer = { $gt: [attempt, { $ifNull: ['$attempts', 0] }] };
  const now = (says: object | boolean, value: unknown, stored: string) => ({
    $cond: [says, { $literal: value }, stored],
  });
  return {
    updateOne: {
      filter: { _id },
      update: [
        {
          $set: {
            ...Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, { $literal: value }])),
            started_at: { $min: ['$started_at', started_at] },
            attempts: { $max: ['$attempts', attempt] },
            state: now(ended ? isNewest : isNewer, ended?.state ?? 'running', '$state'),
            ended_at: now(ended ? isNewest : isNewer, ended?.at ?? null, '$ended_at'),
            failed: error ? now(isNewest, failed, '$failed') : '$failed',
            error: error ? now(isNewest, error, '$error') : { $ifNull: ['$error', null] },
          },
        },
      ],
      upsert: true,
    },
  };
}

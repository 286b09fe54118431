import type { Operation } from '../../schemas/operations/operation.js';
import { nameOf } from '../operations/names.js';
import { dispositionOf, type ReconciledOperation, type SeenRun } from '../operations/reconciliation.js';
import { type Flaw, flaw } from './evidence.js';

/** Younger operations are left to whoever admitted them, in milliseconds. */
const settledAfter = 3_000;
/** A run whose operation has ended may have last words, which wait up to 10 s for a cancel; in milliseconds. */
const lastWords = 30_000;

export type SeenOperation = ReconciledOperation &
  Pick<Operation, 'resource' | 'created_at'> & {
    /** The newest run under its workflow ID. */
    run: SeenRun | null;
    /** Whether its resource names it. */
    isKnown: boolean;
  };

/** Operations that have not ended, and that nobody will bring to an end. */
export function judgeOperations(operations: readonly SeenOperation[], now: Date): Flaw[] {
  return operations.flatMap((operation): Flaw[] => {
    const { _id: op, state, run_id: run, resource, created_at, isKnown } = operation;
    if (now.getTime() - created_at.getTime() < settledAfter) return [];
    if (state === 'waiting' || state === 'waiting_for_you') {
      const name = nameOf(resource);
      return isKnown ? [] : [flaw('operation_forgotten', { op, state, resource: name })];
    }
    const disposition = dispositionOf(operation, operation.run, now);
    // A hand-over has a durable run of its own, a cancel a run that will heed it, and a run that hangs is about to be ended.
    if (['leave', 'hand_over', 'cancel', 'give_up'].includes(disposition.do)) return [];
    const reason = disposition.do === 'fail' ? disposition.reason : 'no run of it is open';
    return [flaw('operation_without_run', { op, state, run, reason })];
  });
}

export type OpenRun = { workflowId: string; firstRunId: string; op: string | null };

/** Runs that are open for an operation that has ended, or does not exist. */
export function judgeRuns(
  runs: readonly OpenRun[],
  operations: ReadonlyMap<string, Pick<Operation, 'state' | 'ended_at'>>,
  now: Date,
): Flaw[] {
  return runs.flatMap(({ workflowId, firstRunId, op }): Flaw[] => {
    const known = op === null ? undefined : operations.get(op);
    const since = known ? (known.ended_at?.getTime() ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY;
    if (now.getTime() - since < lastWords) return [];
    return [flaw('run_without_operation', { workflowId, firstRunId, op, state: known?.state ?? null })];
  });
}

/** `highest`: of the ids that the pool has given, -1 for none. */
export type SeenCounter = { pool: string; next: number; highest: number };

/** Counters that would give an id again. */
export const judgeCounters = (counters: readonly SeenCounter[]): Flaw[] =>
  counters.filter(({ next, highest }) => next <= highest).map((seen) => flaw('counter_behind', seen));

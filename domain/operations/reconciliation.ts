import type { Operation } from '../../schemas/operations/operation.js';
import { operations } from '../../schemas/operations.js';
import { hasEnded } from '../operation-states.js';
import { type FailingTask, failsForGood, gaveUpText } from './failing-task.js';

/** The newest run under the workflow ID of an operation's resource; `failure` is the type of a failed one's error. */
export type SeenRun = {
  op: string | null;
  firstRunId: string;
  status: 'open' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out';
  /** Of one that is open: its tasks fail. null: they do not. */
  failing: FailingTask | null;
};

export type Disposition =
  | { do: 'leave' }
  /** Start it, again with the same id: no run of it is open. */
  | { do: 'start' }
  /** Another operation's run is in the way of one that pre-empts. */
  | { do: 'hand_over' }
  /** It was asked to stop, which its run may not have heard. */
  | { do: 'cancel' }
  /** It was asked to stop, and has no run that could. */
  | { do: 'end_cancelled' }
  /** Its run is open, gets no further and hears no cancel. */
  | { do: 'give_up'; reason: string }
  /** Its run is over and has not ended it. */
  | { do: 'fail'; reason: string };

const said = {
  completed: 'its run ended without saying how',
  failed: 'its run failed',
  cancelled: 'its run was cancelled before it could say so',
  terminated: 'its run was terminated in Temporal',
  timed_out: 'its run timed out',
} as const;

/** What reconciliation reads of an operation. */
export type ReconciledOperation = Pick<Operation, '_id' | 'kind' | 'state' | 'run_id' | 'cancel_requested'>;

/** What is to be done with an operation that has not ended, given the newest run under its workflow ID. */
export function dispositionOf(
  { _id, kind, state, run_id, cancel_requested }: ReconciledOperation,
  run: SeenRun | null,
  now: Date,
): Disposition {
  if (hasEnded({ state })) return { do: 'leave' };
  const isOurs = run?.status === 'open' && run.op === _id;
  const isAtWork = state === 'accepted' || state === 'running';
  if (isAtWork && isOurs && run.failing && failsForGood(run.failing, now))
    return { do: 'give_up', reason: gaveUpText(run.failing) };
  if (cancel_requested) return { do: state === 'running' && isOurs ? 'cancel' : 'end_cancelled' };
  if (state === 'waiting' || state === 'waiting_for_you') return { do: 'leave' };
  if (isOurs) return { do: 'leave' };
  if (run?.status === 'open') return operations[kind].preempts ? { do: 'hand_over' } : { do: 'leave' };
  if (run?.op !== _id) return { do: 'start' };
  const anotherClaim = run_id !== null && run_id !== run.firstRunId;
  if (anotherClaim) return { do: 'start' };
  // Accepted again by an answer: the run that had claimed it is the one before, whatever became of it.
  if (state === 'accepted' && run_id === run.firstRunId) return { do: 'start' };
  // A run of its own that completed while the operation is accepted was the one before it went on waiting.
  if (run.status === 'completed' && state === 'accepted') return { do: 'start' };
  return { do: 'fail', reason: said[run.status] };
}

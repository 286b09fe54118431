import type { Operation } from '../schemas/operation.js';

/** The newest run under the workflow ID of an operation's resource; `failure` is the type of a failed one's error. */
export type SeenRun = {
  op: string | null;
  firstRunId: string;
  status: 'open' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out';
};

export type Disposition =
  | { do: 'leave' }
  /** Start it, again with the same id: no run of it is open. */
  | { do: 'start' }
  /** Another operation's run is in the way of one that pre-empts. */
  | { do: 'hand_over' }
  /** Its run is over and has not ended it. */
  | { do: 'fail'; reason: string };

const said = {
  completed: 'its run ended without saying how',
  failed: 'its run failed',
  cancelled: 'its run was cancelled before it could say so',
  terminated: 'its run was terminated in Temporal',
  timed_out: 'its run timed out',
} as const;

const preempting: readonly Operation['kind'][] = ['undeployService', 'terminateVm'];

/** What is to be done with an operation that has not ended, given the newest run under its workflow ID. Pure: asked by reconciliation. */
export function dispositionOf(
  { _id, kind, state, run_id }: Pick<Operation, '_id' | 'kind' | 'state' | 'run_id'>,
  run: SeenRun | null,
): Disposition {
  if (state !== 'accepted' && state !== 'running') return { do: 'leave' };
  if (run?.status === 'open' && run.op === _id) return { do: 'leave' };
  if (run?.status === 'open') return preempting.includes(kind) ? { do: 'hand_over' } : { do: 'leave' };
  if (run?.op !== _id) return { do: 'start' };
  const anotherClaim = run_id !== null && run_id !== run.firstRunId;
  if (anotherClaim) return { do: 'start' };
  // A run of its own that completed while the operation is accepted was the one before it went on waiting.
  if (run.status === 'completed' && state === 'accepted') return { do: 'start' };
  return { do: 'fail', reason: said[run.status] };
}

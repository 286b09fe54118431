import type { Operation, OperationError } from '../../schemas/operations/operation.js';
import type { Step, StepResource } from '../../schemas/operations/step.js';
import { stepTitle } from './step-title.js';

/** A step whose end the engine has not seen: at work, or between two tries. Local steps are not among them. */
export type PendingStep = {
  /** `{run}/{activity}`: with the operation before it, the id of the step's document. */
  id: string;
  name: string;
  /** Tries that have begun. */
  tried: number;
  /** Of the last try that failed. */
  error: OperationError | null;
  /** null: a try is at work, or waits for a worker. */
  nextTryAt: Date | null;
  /** Since when a try waits for a worker to take it. */
  queuedSince: Date | null;
  /** When no further try is begun. */
  givesUpAt: Date | null;
};

/** A step as it is seen now: what was written down, and what the engine knows of it. */
export type SeenStep = Step & { pending: PendingStep | null };

/** The engine's own step of making way: in a run of its own, before the operation's begins. */
const beforeTheRun = 'handOver';

const unknownEnd: OperationError = {
  code: 'run_lost',
  detail: 'how it ended is not known: its run or its worker was gone first',
};

/**
 * The steps of an operation, oldest first, told so that none misleads: one that is written down as running is shown so
 * only where its run goes on and the engine still has it. `pending` null: the engine was not asked, or did not answer.
 */
export function seenSteps(
  written: readonly Step[],
  { _id: op, state }: Pick<Operation, '_id' | 'state'>,
  pending: readonly PendingStep[] | null,
): SeenStep[] {
  const known = new Map(pending?.map((step) => [`${op}/${step.id}`, step]));
  const run = written.findLast(({ name }) => name !== beforeTheRun)?.run;
  const goesOn = (step: Step): boolean =>
    step.name === beforeTheRun ? state === 'accepted' : state === 'running' && step.run === run;

  const steps = folded(written).map((step): SeenStep => {
    if (step.state !== 'running') return { ...step, pending: null };
    const standing = known.get(step._id) ?? null;
    const isListed = !step.local && step.name !== beforeTheRun && pending !== null;
    if (goesOn(step) && (!isListed || standing)) {
      const attempts = Math.max(step.attempts, standing?.tried ?? 0);
      if (!standing?.error) return { ...step, attempts, pending: standing };
      return { ...step, attempts, error: standing.error, failed: lastFailed(standing), pending: standing };
    }
    const ended = (state: 'done' | 'failed', error = step.error): SeenStep => ({
      ...step,
      state,
      error,
      pending: null,
    });
    // Its end came in the moment before it could be written down; the run would not have gone on without it.
    if (state === 'succeeded') return ended('done');
    if (step.error) return ended('failed');
    return goesOn(step) ? ended('done') : ended('failed', unknownEnd);
  });
  return [...steps, ...neverBegun(written, op, pending ?? [])];
}

/** The engine’s error is of the try before the one that is at work, or is about to be. */
const lastFailed = ({ tried, nextTryAt, queuedSince }: PendingStep): number =>
  Math.max(1, nextTryAt || queuedSince ? tried : tried - 1);

/** A local step that is tried again after a long pause has another activity's number: it is shown as one all the same. */
function folded(written: readonly Step[]): Step[] {
  const steps: Step[] = [];
  for (const step of written) {
    const same = (other: Step): boolean =>
      other.run === step.run && other.name === step.name && other.role === step.role && other.attempts < step.attempts;
    const before = step.local && step.attempts > 1 ? steps.findLastIndex((other) => same(other)) : -1;
    const earlier = before < 0 ? undefined : steps[before];
    if (earlier?.state !== 'running') steps.push(step);
    else {
      const failing = step.error ? step : earlier;
      const of = failing.error && { failed: failing.failed ?? failing.attempts };
      steps[before] = { ...step, started_at: earlier.started_at, error: failing.error, ...of };
    }
  }
  return steps;
}

/** Steps that no worker has taken yet: nobody could write them down. */
function neverBegun(written: readonly Step[], op: string, pending: readonly PendingStep[]): SeenStep[] {
  const there = new Set(written.map(({ _id }) => _id));
  return pending.flatMap((standing): SeenStep[] => {
    const _id = `${op}/${standing.id}`;
    if (there.has(_id) || standing.queuedSince === null) return [];
    const [run = ''] = standing.id.split('/');
    const { name, tried, error, queuedSince } = standing;
    return [
      {
        _id,
        op,
        run,
        name,
        role: null,
        vms: null,
        local: false,
        attempts: tried,
        state: 'running',
        started_at: queuedSince,
        ended_at: null,
        error,
        ...(error && { failed: lastFailed(standing) }),
        pending: standing,
      },
    ];
  });
}

export const stepResource = (step: SeenStep): StepResource => ({
  name: step.name,
  title: stepTitle(step),
  role: step.role,
  vms: step.vms,
  attempts: step.attempts,
  state: step.state,
  started_at: step.started_at.toISOString(),
  ended_at: step.ended_at?.toISOString() ?? null,
  error: step.error,
  failed_attempt: step.error && (step.failed ?? step.attempts),
  next_retry_at: step.pending?.nextTryAt?.toISOString() ?? null,
});

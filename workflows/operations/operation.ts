import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  ContinueAsNew,
  isCancellation,
  sleep,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { Begun, StepInput } from '../../activities/operations/begin.js';
import type { Ended } from '../../activities/operations/ending.js';
import { brief, longest } from '../../domain/brief.js';
import { isProblemCode, type ProblemCode } from '../../domain/problems.js';
import type { Outcome } from '../../store/operations/operations.js';
import { local } from '../activity-options.js';
import { HistoryFull } from '../signals.js';

export type OperationInput = { op: string };

/**
 * What every operation's run has around it: a first step that claims the operation and plans, and a last one that ends
 * it whatever happened in between. Both are out of a cancel's reach. A failed operation is a Failed run, a cancelled one
 * a Cancelled run.
 */
export async function runOperation<Plan>(
  { op }: OperationInput,
  begin: (input: StepInput) => Promise<Begun<Plan>>,
  body: (plan: Plan) => Promise<void>,
): Promise<void> {
  const run = workflowInfo().firstExecutionRunId;
  const begun = await CancellationScope.nonCancellable(() => begin({ op, run }));
  if (!begun.go) return conclude(begun);
  let outcome: Outcome = { state: 'succeeded' };
  try {
    await body(begun.plan);
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    // A cancel that came while it parked finds nobody later: it is heeded now.
    const cancelled = CancellationScope.current().consideredCancelled;
    if (error instanceof Parked && !cancelled) return;
    outcome = error instanceof Parked ? cancelledOutcome : outcomeOf(error);
  }
  await conclude(await CancellationScope.nonCancellable(() => local.endOperation({ op, outcome })));
}

/** Thrown by a body whose operation waits with no run open: the run ends, the operation does not. */
export class Parked extends Error {}

async function conclude({ error }: Ended): Promise<void> {
  // Only a run that a cancel has reached is shown as Cancelled. An operation may give way before that: whoever takes
  // over is about to send one, and this ends with it.
  if (error?.cancelled) await sleep('10s');
  if (error) throw ApplicationFailure.nonRetryable(error.detail, error.code);
}

const cancelledOutcome: Outcome = { state: 'cancelled', error: { code: 'cancelled', detail: 'cancelled' } };

function outcomeOf(error: unknown): Outcome {
  if (isCancellation(error)) return cancelledOutcome;
  return { state: 'failed', error: failureOf(error) };
}

/** Of a step of which no try came to an end. */
const outOfTime = 'it did not end within its time';

/** What failed, in the step's own words: a normal activity wraps its failure, a local one need not. */
export function failureOf(error: unknown): { code: ProblemCode; detail: string } {
  const failed = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  // What its last try failed with, where there was time for one to fail: the engine's own words help nobody.
  if (failed instanceof TimeoutFailure && !(failed.cause instanceof ApplicationFailure))
    return { code: 'backend_unavailable', detail: outOfTime };
  const cause = failed instanceof TimeoutFailure ? failed.cause : failed;
  const type = cause instanceof ApplicationFailure ? (cause.type ?? '') : '';
  return {
    code: isProblemCode(type) ? type : 'internal',
    detail: brief(cause instanceof Error ? cause.message : String(cause), longest.operation),
  };
}

/** Why something is not as it was to be: what failed, or, where that has no words of its own, how it is. */
export const failureWith = (failure: string | null, why: string): string =>
  failure === outOfTime ? `${outOfTime}: ${why}` : (failure ?? why);

/** Runs a step; a failure is its result, a cancel is not. */
export const attempt = async (step: () => Promise<unknown>): Promise<string | null> =>
  (await attempted(step))?.detail ?? null;

/** The same with what kind of failure it is. `unanswered`: the step was begun, and what it asked did not answer, or not in its time. */
export async function attempted(
  step: () => Promise<unknown>,
): Promise<(ReturnType<typeof failureOf> & { unanswered: boolean }) | null> {
  try {
    await step();
    return null;
  } catch (error) {
    if (isCancellation(error) || error instanceof HistoryFull) throw error;
    const failed = error instanceof ActivityFailure ? error.cause : error;
    const failure = failureOf(error);
    // Where nobody has begun it, nobody has asked.
    const unanswered = isProblemOf(failed, 'backend_unavailable') || isTooLate(failed);
    return { ...failure, unanswered };
  }
}

const isTooLate = (error: unknown): boolean =>
  error instanceof TimeoutFailure &&
  (error.timeoutType === 'START_TO_CLOSE' || isProblemOf(error.cause, 'backend_unavailable'));
const isProblemOf = (error: unknown, code: ProblemCode): boolean =>
  error instanceof ApplicationFailure && error.type === code;

/** Waits for all, then throws the first failure: nothing is left running behind. */
export async function settle(steps: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(steps);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

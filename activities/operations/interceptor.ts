import { ApplicationFailure, type Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { brief, longest } from '../../domain/brief.js';
import { problemOf, problems } from '../../domain/problems.js';
import { isLastingFault } from '../../store/mongo/lasting-fault.js';
import { refuseOperators } from './step-input.js';
import type { StepLog } from './step-log.js';
import { failureNote, noteOf } from './step-note.js';
import type { StepTurns } from './step-turns.js';

/**
 * Around every activity: beats, so that a cancel reaches it and a dead worker is noticed; translates problems, the only
 * place where their `retryable` becomes Temporal's `nonRetryable`; and notes how the steps of operations go.
 */
export function activityInterceptor(
  context: Context,
  log: Pick<StepLog, 'note'>,
  turns: StepTurns,
): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      try {
        refuseOperators(input.args);
      } catch (error) {
        throw failureOf(error, context.info.attempt);
      }
      const { heartbeatTimeoutMs } = context.info;
      const beat = heartbeatTimeoutMs && setInterval(() => context.heartbeat(), heartbeatTimeoutMs / 5);
      const note = noteOf(context.info, input.args, new Date());
      if (note) log.note(note);
      try {
        const result = await inTurn(context, turns, note?.op, () => next(input));
        if (note) log.note({ ...note, ended: { state: 'done', at: new Date() } });
        return result;
      } catch (error) {
        if (note) log.note(failureNote(note, error, context, new Date()));
        throw failureOf(error, context.info.attempt);
      } finally {
        if (beat) clearInterval(beat);
      }
    },
  };
}

/** Steps at hypervisors wait for these, mostly: their queue is fair, and they need not be so here. */
function inTurn<T>(
  { info, cancellationSignal }: Context,
  turns: StepTurns,
  op: string | undefined,
  step: () => Promise<T>,
): Promise<T> {
  return op !== undefined && info.isLocal ? turns.take(op, cancellationSignal, step) : step();
}

/** A step that fails for a reason that does not pass is given up at so many tries: what needs our database has no other end. */
const tries = 10;

function failureOf(error: unknown, attempt: number): unknown {
  const problem = problemOf(error);
  if (!problem && attempt >= tries && isLastingFault(error))
    return ApplicationFailure.create({
      type: 'internal',
      message: `a step failed ${attempt} times, for a fault in Arcus: ${told(error)}`,
      nonRetryable: true,
      ...(!isLong(error) && error instanceof Error && { cause: error }),
    });
  if (!problem) return isLong(error) ? ApplicationFailure.create({ type: error.name, message: told(error) }) : error;
  return ApplicationFailure.create({
    type: problem.code,
    message: told(problem),
    nonRetryable: !problems[problem.code].retryable,
    // Its stack begins with its message: of a long one, once is enough.
    ...(!isLong(problem) && { cause: problem }),
  });
}

/** A failure goes into the history with its causes: one that is larger than the engine takes would be tried for ever. */
const isLong = (error: unknown): error is Error =>
  error instanceof Error && error.message.length + (error.stack?.length ?? 0) > 4 * longest.operation;

const told = (error: unknown): string =>
  brief(error instanceof Error ? error.message : String(error), longest.operation);

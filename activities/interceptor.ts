import { ApplicationFailure, type Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { problemOf, problems } from '../domain/problems.js';
import { refuseOperators } from './step-input.js';
import type { StepLog } from './step-log.js';
import { failureNote, noteOf } from './step-note.js';

/**
 * Around every activity: beats, so that a cancel reaches it and a dead worker is noticed; translates problems, the only
 * place where their `retryable` becomes Temporal's `nonRetryable`; and notes how the steps of operations go.
 */
export function activityInterceptor(context: Context, log: Pick<StepLog, 'note'>): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      try {
        refuseOperators(input.args);
      } catch (error) {
        throw failureOf(error);
      }
      const { heartbeatTimeoutMs } = context.info;
      const beat = heartbeatTimeoutMs && setInterval(() => context.heartbeat(), heartbeatTimeoutMs / 5);
      const note = noteOf(context.info, input.args, new Date());
      if (note) log.note(note);
      try {
        const result = await next(input);
        if (note) log.note({ ...note, ended: { state: 'done', at: new Date() } });
        return result;
      } catch (error) {
        if (note) log.note(failureNote(note, error, context, new Date()));
        throw failureOf(error);
      } finally {
        if (beat) clearInterval(beat);
      }
    },
  };
}

function failureOf(error: unknown): unknown {
  const problem = problemOf(error);
  if (!problem) return error;
  return ApplicationFailure.create({
    type: problem.code,
    message: problem.message,
    nonRetryable: !problems[problem.code].retryable,
    cause: problem,
  });
}

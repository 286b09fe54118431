import { ApplicationFailure, type Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { problemOf, problems } from '../domain/problems.js';

/**
 * Around every activity: beats, so that a cancel reaches it and a dead worker is noticed; and translates problems, the
 * only place where their `retryable` becomes Temporal's `nonRetryable`.
 */
export function activityInterceptor(context: Context): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      const { heartbeatTimeoutMs } = context.info;
      const beat = heartbeatTimeoutMs && setInterval(() => context.heartbeat(), heartbeatTimeoutMs / 5);
      try {
        return await next(input);
      } catch (error) {
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

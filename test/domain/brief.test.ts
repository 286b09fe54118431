import { ApplicationFailure, Context } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { activityInterceptor } from '../../activities/operations/interceptor.js';
import { StepTurns } from '../../activities/operations/step-turns.js';
import { brief, longest } from '../../domain/brief.js';
import { Problem } from '../../domain/problems.js';

/** What the engine is told when a step fails so at its nth try. */
async function told(error: Error, attempt = 1): Promise<unknown> {
  const environment = new MockActivityEnvironment({ attempt });
  const failing = async () => {
    throw error;
  };
  return environment
    .run(() => {
      const { execute } = activityInterceptor(Context.current(), { note: () => {} }, new StepTurns(async () => null));
      if (!execute) throw new Error('nothing is around steps');
      return execute({ args: [], headers: {} }, failing);
    })
    .catch((thrown: unknown) => thrown);
}

describe('what is told in brief', () => {
  it('is the beginning, and that there was more; a character is not cut in two', () => {
    expect(brief('short', 5)).toBe('short');
    expect(brief('a longer one', 8)).toBe('a long …');
    expect(brief('1234😀 and more', 7)).toBe('1234 …');
  });
});

describe('a failure that the engine is told', () => {
  const long = 'long '.repeat(600_000);

  it.each([new Problem('deploy_refused', long), new RangeError(long)])('is never too large for it', async (error) => {
    const failure = await told(error);
    if (!(failure instanceof ApplicationFailure)) throw new Error('it is told as it is');
    expect(failure.message.length).toBe(longest.operation);
    expect(failure.cause).toBeUndefined();
  });

  it('goes as it is, with its cause, where it is short', async () => {
    const problem = new Problem('deploy_refused', 'there is no such image');
    expect(await told(problem)).toMatchObject({ type: 'deploy_refused', nonRetryable: true, cause: problem });
  });

  it('is final at the tenth try where it does not pass: what needs our database has no other end', async () => {
    const [fault, away] = [new TypeError('x is not a function'), new Error('connection refused')];
    const elsewhere = new TypeError('fetch failed', { cause: away });
    const tooLarge = Object.assign(new Error('BSONObj size is invalid'), { code: 10334 });
    for (const error of [fault, tooLarge]) {
      expect(await told(error, 9)).toBe(error);
      expect(await told(error, 10)).toMatchObject({ type: 'internal', nonRetryable: true, cause: error });
    }
    for (const error of [away, elsewhere]) expect(await told(error, 1_000)).toBe(error);
  });
});

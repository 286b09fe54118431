import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import { activityInterceptor } from '../../../activities/operations/interceptor.js';
import { StepTurns } from '../../../activities/operations/step-turns.js';

const environment = () =>
  new MockActivityEnvironment(
    { activityType: 'destroyVms' },
    {
      interceptors: [
        (context) => ({ inbound: activityInterceptor(context, { note: () => {} }, new StepTurns(async () => null)) }),
      ],
    },
  );

it.each([
  [{ op: { $ne: null }, vms: [1] }],
  [{ op: '01M8', vms: [{ $gt: 0 }] }],
  [{ op: '01M8', vms: [1], deep: { er: [{ $where: 'true' }] } }],
])('a step that is told %j is not begun, and not tried again', async (told) => {
  let begun = false;
  const run = environment().run(async (given: unknown) => {
    begun = given !== undefined;
  }, told);
  await expect(run).rejects.toMatchObject({ type: 'invalid_request', nonRetryable: true });
  expect(begun).toBe(false);
});

it('a step that is told values is', async () => {
  const told = {
    op: '01M8',
    run: 'r',
    vms: [1, 2],
    outcome: { error: { detail: 'costs $5', code: '$x' } },
    hard: true,
  };
  expect(await environment().run(async (given: unknown) => given, told)).toEqual(told);
});

import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { failureOf, failureWith } from '../../../workflows/operations/operation.js';

/** A step that was given up, as the engine says so. */
const givenUp = (cause: Error | undefined): ActivityFailure =>
  new ActivityFailure('Activity task failed', 'switchVms', '1', 'TIMEOUT', 'worker', cause);
const late = (cause?: Error): TimeoutFailure => {
  const failure = new TimeoutFailure('activity ScheduleToClose timeout', undefined, 'SCHEDULE_TO_CLOSE');
  if (cause) Object.defineProperty(failure, 'cause', { value: cause });
  return failure;
};

it('a step whose time was over failed as its last try did', () => {
  const last = ApplicationFailure.create({ type: 'backend_unavailable', message: 'node-1 did not answer: no route' });
  const said = { code: 'backend_unavailable', detail: 'node-1 did not answer: no route' };
  expect(failureOf(givenUp(last))).toEqual(said);
  expect(failureOf(givenUp(late(last)))).toEqual(said);
});

it('a step of which no try came to an end says so, and how what it was about is', () => {
  const { code, detail } = failureOf(givenUp(late(late())));
  expect([code, detail]).toEqual(['backend_unavailable', 'it did not end within its time']);
  expect(failureWith(detail, 'node-1 is ERROR (no route)')).toBe(
    'it did not end within its time: node-1 is ERROR (no route)',
  );
  expect(failureWith('no room', 'it is UNKNOWN')).toBe('no room');
  expect(failureWith(null, 'it is UNKNOWN')).toBe('it is UNKNOWN');
});

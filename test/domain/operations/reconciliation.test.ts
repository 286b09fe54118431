import { describe, expect, it } from 'vitest';
import type { FailingTask } from '../../../domain/operations/failing-task.js';
import { type Disposition, dispositionOf, type SeenRun } from '../../../domain/operations/reconciliation.js';
import { OperationKind, type OperationState } from '../../../schemas/operations/operation.js';

const op = 'OURS';
const run = (status: SeenRun['status'], of: string | null = op, firstRunId = 'run-1'): SeenRun => ({
  op: of,
  firstRunId,
  status,
  failing: null,
});
const now = new Date('2026-11-28T12:00:00Z');

/** A run whose task fails, since so many seconds. */
const failing = (over: Partial<FailingTask> = {}, seconds = 61): SeenRun => ({
  ...run('open'),
  failing: {
    tried: 10,
    since: new Date(now.getTime() - seconds * 1_000),
    cause: 'too_large',
    detail: 'too large',
    passes: false,
    ...over,
  },
});
const over = ['completed', 'failed', 'cancelled', 'terminated', 'timed_out'] as const;

const asked = { by: { id: 2, name: 'alice' }, at: new Date(0) };

type Seen = { state: OperationState; run_id?: string | null; seen: SeenRun | null; cancelled?: boolean };
const decide = (
  { state, run_id = null, seen, cancelled = false }: Seen,
  kind: OperationKind = 'deployService',
): Disposition['do'] =>
  dispositionOf({ _id: op, kind, state, run_id, cancel_requested: cancelled ? asked : null }, seen, now).do;

describe('what is done with an operation that has not ended', () => {
  it.each<[string, Seen, Disposition['do']]>([
    ['was never started', { state: 'accepted', seen: null }, 'start'],
    ['lost its engine while it ran', { state: 'running', run_id: 'run-1', seen: null }, 'start'],
    ['has a run that begins', { state: 'accepted', seen: run('open') }, 'leave'],
    ['has a run', { state: 'running', run_id: 'run-1', seen: run('open') }, 'leave'],
    ['comes after another that has closed', { state: 'accepted', seen: run('completed', 'OTHER') }, 'start'],
    ['comes after a run without a memo', { state: 'accepted', seen: run('failed', null) }, 'start'],
    ['waits for capacity after it was parked', { state: 'waiting', run_id: 'run-1', seen: run('completed') }, 'leave'],
    ['goes on after it was parked', { state: 'accepted', seen: run('completed') }, 'start'],
    ['waits for a person', { state: 'waiting_for_you', run_id: 'run-1', seen: run('completed') }, 'leave'],
    ['goes on after an answer', { state: 'accepted', run_id: 'run-1', seen: run('completed') }, 'start'],
    [
      'goes on after a run that was terminated',
      { state: 'accepted', run_id: 'run-1', seen: run('terminated') },
      'start',
    ],
    [
      'goes on before the run that asked has closed',
      { state: 'accepted', run_id: 'run-1', seen: run('open') },
      'leave',
    ],
    ['ran under an older run than the last', { state: 'running', run_id: 'run-0', seen: run('failed') }, 'start'],
  ])('one that %s', (_, seen, expected) => {
    expect(decide(seen)).toBe(expected);
  });

  it.each(over)('fails, and says why, when its own run is over and was %s', (status) => {
    const disposition = dispositionOf(
      { _id: op, kind: 'deployService', state: 'running', run_id: 'run-1', cancel_requested: null },
      run(status),
      now,
    );
    expect(disposition).toMatchObject({ do: 'fail', reason: expect.stringMatching(/^its run /) });
  });

  it.each(over.filter((status) => status !== 'completed'))(
    'fails when its run was %s before it had claimed it',
    (status) => {
      expect(decide({ state: 'accepted', seen: run(status) })).toBe('fail');
    },
  );

  it.each(OperationKind.options)(
    'of kind %s, with another’s run in its way, makes way only if it pre-empts',
    (kind) => {
      const preempts = ['undeployService', 'terminateVm', 'deleteImage', 'deleteApp'].includes(kind);
      expect(decide({ state: 'accepted', seen: run('open', 'OTHER') }, kind)).toBe(preempts ? 'hand_over' : 'leave');
    },
  );

  it.each<[string, Omit<Seen, 'cancelled'>, Disposition['do']]>([
    ['at work is told again', { state: 'running', run_id: 'run-1', seen: run('open') }, 'cancel'],
    ['without any run ends', { state: 'accepted', seen: null }, 'end_cancelled'],
    [
      'whose run has not begun ends, and that run then does nothing',
      { state: 'accepted', seen: run('open') },
      'end_cancelled',
    ],
    ['behind another’s run ends', { state: 'accepted', seen: run('open', 'OTHER') }, 'end_cancelled'],
    ['that waits for capacity ends', { state: 'waiting', run_id: 'run-1', seen: run('completed') }, 'end_cancelled'],
    [
      'that waits for a person ends',
      { state: 'waiting_for_you', run_id: 'run-1', seen: run('completed') },
      'end_cancelled',
    ],
    ['that lost its engine ends', { state: 'running', run_id: 'run-1', seen: null }, 'end_cancelled'],
    ['that has ended is left alone', { state: 'succeeded', run_id: 'run-1', seen: run('open') }, 'leave'],
  ])('one to be cancelled %s', (_, seen, expected) => {
    expect(decide({ ...seen, cancelled: true })).toBe(expected);
  });

  it.each<[string, SeenRun, Disposition['do']]>([
    ['has been tried often and for long', failing(), 'give_up'],
    ['breaks for a reason that nobody knows', failing({ cause: 'broken', detail: 'x is undefined' }), 'give_up'],
    ['was tried less often', failing({ tried: 9 }), 'leave'],
    ['began to fail just now, as while a new version is brought out', failing({ tried: 50 }, 59), 'leave'],
    ['fails for a reason that passes', failing({ passes: true, tried: 500 }, 3_600), 'leave'],
    ['is another operation’s', { ...failing(), op: 'OTHER' }, 'leave'],
  ])('one whose workflow task %s', (_, seen, expected) => {
    for (const state of ['accepted', 'running'] as const) {
      expect(decide({ state, run_id: 'run-1', seen })).toBe(expected);
      if (expected === 'give_up') expect(decide({ state, run_id: 'run-1', seen, cancelled: true })).toBe(expected);
    }
    expect(decide({ state: 'waiting', run_id: 'run-1', seen })).toBe('leave');
  });

  it('is given up with what is wrong, how often it was tried, and what to do', () => {
    const seen = failing({ tried: 12 });
    const task = {
      _id: op,
      kind: 'undeployService',
      state: 'running',
      run_id: 'run-1',
      cancel_requested: null,
    } as const;
    expect(dispositionOf(task, seen, now)).toEqual({
      do: 'give_up',
      reason:
        'its workflow task failed 12 times since 2026-11-28T11:58:59Z: what it has to write down is larger than Temporal takes. Make the service smaller: fewer roles, fewer parents, shorter names.',
    });
  });

  it.each(over)('one to be cancelled whose run was %s ends as cancelled', (status) => {
    expect(decide({ state: 'running', run_id: 'run-1', seen: run(status), cancelled: true })).toBe('end_cancelled');
  });

  it.each(['succeeded', 'failed', 'cancelled'] as const)('that has %s is left alone, whatever its run', (state) => {
    for (const seen of [null, run('open'), run('open', 'OTHER'), ...over.map((status) => run(status))])
      expect(decide({ state, run_id: 'run-1', seen })).toBe('leave');
  });
});

import { describe, expect, it } from 'vitest';
import { stepTitle } from '../../../domain/operations/step-title.js';
import { type PendingStep, seenSteps, stepResource } from '../../../domain/operations/steps.js';
import type { Operation } from '../../../schemas/operations/operation.js';
import { type Step, StepResource } from '../../../schemas/operations/step.js';

const op = '01KAJ3V5Q0F8T4X2M7N9P6R1SC';
const at = (seconds: number): Date => new Date(1_800_000_000_000 + seconds * 1_000);

const step = (activity: string, over: Partial<Step> = {}): Step => ({
  _id: `${op}/${over.run ?? 'run'}/${activity}`,
  op,
  run: 'run',
  name: 'bootVms',
  role: 'web',
  vms: 5,
  local: false,
  attempts: 1,
  state: 'running',
  started_at: at(1),
  ended_at: null,
  error: null,
  ...over,
});
const done = (activity: string, over: Partial<Step> = {}): Step =>
  step(activity, { state: 'done', ended_at: at(2), ...over });

const pending = (activity: string, over: Partial<PendingStep> = {}): PendingStep => ({
  id: `run/${activity}`,
  name: 'bootVms',
  tried: 1,
  error: null,
  nextTryAt: null,
  queuedSince: null,
  givesUpAt: null,
  ...over,
});

const seen = (written: readonly Step[], state: Operation['state'], standing: readonly PendingStep[] | null = null) =>
  seenSteps(written, { _id: op, state }, standing).map(stepResource);

const error = { code: 'backend_unavailable', detail: 'host-3 does not answer' };

describe('a step that is written down as running', () => {
  it('runs where its run goes on and the engine still has it', () => {
    expect(seen([step('5')], 'running', [pending('5')])).toMatchObject([{ state: 'running', next_retry_at: null }]);
    expect(seen([step('5')], 'running')).toMatchObject([{ state: 'running' }]);
    expect(seen([step('5', { local: true })], 'running', [])).toMatchObject([{ state: 'running' }]);
  });

  it('has ended, as well as anybody knows, where the engine has it no more', () => {
    expect(seen([step('5')], 'running', [])).toMatchObject([{ state: 'done', ended_at: null, error: null }]);
    expect(seen([step('5', { error })], 'running', [])).toMatchObject([{ state: 'failed', error }]);
  });

  it.each(['accepted', 'waiting', 'waiting_for_you', 'failed', 'cancelled'] as const)(
    'does not run where the operation is %s: no run of it is open',
    (state) => {
      expect(seen([step('5')], state)).toMatchObject([{ state: 'failed', error: { code: 'run_lost' } }]);
      expect(seen([step('5', { error })], state)).toMatchObject([{ state: 'failed', error }]);
    },
  );

  it('was done where the operation has succeeded', () => {
    expect(seen([step('5')], 'succeeded')).toMatchObject([{ state: 'done', error: null }]);
    expect(seen([step('5', { error })], 'succeeded')).toMatchObject([{ state: 'done', error }]);
  });

  it('does not run where a later run has taken over', () => {
    const [before, now] = seen([step('5', { run: 'before' }), step('2')], 'running');
    expect(before).toMatchObject({ state: 'failed', error: { code: 'run_lost' } });
    expect(now).toMatchObject({ state: 'running' });
  });

  it('tells what the engine knows of its tries', () => {
    const standing = pending('5', { tried: 4, error, nextTryAt: at(9) });
    expect(seen([step('5', { attempts: 3 })], 'running', [standing])).toMatchObject([
      { attempts: 4, failed_attempt: 4, error, next_retry_at: at(9).toISOString() },
    ]);
  });

  it('says which try has failed: the one before that at work, or that a worker has written down', () => {
    const tries = (written: Partial<Step>, standing: Partial<PendingStep>) =>
      seen([step('5', written)], 'running', [pending('5', standing)]).map((one) => [one.attempts, one.failed_attempt]);
    expect(tries({}, { tried: 1 })).toEqual([[1, null]]);
    // Its worker was stopped; the engine has not heard of it.
    expect(tries({ error, failed: 1 }, { tried: 1 })).toEqual([[1, 1]]);
    expect(tries({ error, failed: 1 }, { tried: 1, error, queuedSince: at(3) })).toEqual([[1, 1]]);
    expect(tries({ error, failed: 1, attempts: 2 }, { tried: 2, error })).toEqual([[2, 1]]);
    const local = [step('5', { local: true, error, failed: 1 }), step('6', { local: true, attempts: 2 })];
    expect(seen(local, 'running', []).map((one) => [one.attempts, one.failed_attempt])).toEqual([[2, 1]]);
  });
});

describe('the steps of an operation', () => {
  it('show one that no worker has taken', () => {
    expect(seen([done('1')], 'running', [pending('5', { tried: 0, queuedSince: at(3) })])).toMatchObject([
      { state: 'done' },
      { name: 'bootVms', state: 'running', attempts: 0, started_at: at(3).toISOString() },
    ]);
  });

  it('show a local step that was tried again after a pause as one', () => {
    const tries = [
      step('3', { local: true, name: 'startRoles', attempts: 6, error, started_at: at(1) }),
      done('4', { local: true, name: 'startRoles', attempts: 9, started_at: at(8), ended_at: at(9) }),
    ];
    expect(seen(tries, 'running')).toMatchObject([
      { attempts: 9, state: 'done', started_at: at(1).toISOString(), ended_at: at(9).toISOString(), error },
    ]);
  });

  it('show two visits of one step as two', () => {
    const visits = [
      done('3', { local: true, name: 'placeRoles' }),
      done('6', { local: true, name: 'placeRoles', started_at: at(31) }),
    ];
    expect(seen(visits, 'running')).toHaveLength(2);
  });

  it('show the making way before the run as what it is', () => {
    const handOver = step('1', { run: 'hand-over', name: 'handOver', role: null, vms: null });
    expect(seen([handOver], 'accepted', [])).toMatchObject([{ state: 'running' }]);
    expect(seen([handOver, done('1')], 'running', [])).toMatchObject([{ state: 'failed' }, { state: 'done' }]);
  });

  it('have the shape that is promised', () => {
    const all = [step('1'), done('2'), step('3', { state: 'failed', error, ended_at: at(4) })];
    for (const one of seen(all, 'running', [])) expect(StepResource.parse(one)).toEqual(one);
  });
});

describe('the title of a step', () => {
  it.each([
    [{ name: 'bootVms', role: 'web', vms: 5 }, 'boot 5 VMs of role web'],
    [{ name: 'bootVms', role: 'web', vms: 1 }, 'boot 1 VM of role web'],
    [{ name: 'bootVms', role: null, vms: 1 }, 'boot the VM'],
    [{ name: 'destroyVms', role: null, vms: null }, 'remove the VMs'],
    [{ name: 'startRoles', role: 'web', vms: null }, 'make the VMs of role web and find hosts for them'],
    [
      { name: 'startRoles', role: null, vms: null, among: { roles: ['a', 'b', 'c'], more: 4 } },
      'make the VMs of roles a, b, c and 4 more and find hosts for them',
    ],
    [{ name: 'bootVms', role: null, vms: 9, among: { roles: ['a', 'b'], more: 0 } }, 'boot 9 VMs of roles a and b'],
    [{ name: 'bootVms', role: null, vms: 1, among: { roles: ['a', 'b'], more: 0 } }, 'boot 1 VM of roles a and b'],
    [{ name: 'finishRoles', role: null, vms: null, among: { roles: ['a', 'b'], more: 0 } }, 'settle roles a and b'],
    [
      { name: 'planRounds', role: null, vms: null, among: { roles: ['a', 'b'], more: 0 } },
      'see what the failure policies of roles a and b say',
    ],
    [{ name: 'startRoles', role: null, vms: null }, 'make the VMs of several roles and find hosts for them'],
    [{ name: 'countThings', role: 'web', vms: null }, 'count things of role web'],
  ])('of %j is “%s”', (step, title) => {
    expect(stepTitle(step)).toBe(title);
  });
});

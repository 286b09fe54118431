import { describe, expect, it } from 'vitest';
import {
  lookAtDueAction,
  passedTime,
  scheduledIn,
  scheduleOfNew,
  withoutSchedule,
  withSchedule,
  withScheduleEntry,
  wrongSchedule,
} from '../../../domain/vms/vm-schedules.js';
import { limits } from '../../../schemas/common/limits.js';
import type { AddVmSchedule, VmSchedule, VmScheduleEntry } from '../../../schemas/vms/vm-schedules.js';

const at = (time: string): Date => new Date(`2026-07-01T${time}Z`);
const start = at('08:00:00');
const clock = (now = at('09:00:00')) => ({ zone: 'UTC', now, start });
const schedule = (...wishes: AddVmSchedule[]): VmSchedule => {
  const made = scheduleOfNew(wishes, 2, clock());
  if (!made) throw new Error('there is no schedule');
  return made;
};
const entry = ({ of: [first] }: VmSchedule): VmScheduleEntry => {
  if (!first) throw new Error('there is no entry');
  return first;
};
const nightly: AddVmSchedule = { action: 'poweroff', recurrence: '0 22 * * *' };

describe('scheduled actions of a VM', () => {
  it('are due at their time, so long after the VM was made, and by their recurrence', () => {
    const made = schedule(
      { action: 'terminate', start_time: '+7200' },
      { action: 'resume', start_time: '2026-07-01 13:00', time_zone: 'Europe/Madrid' },
      nightly,
    );
    expect(made.of.map(({ id, by, next_at }) => [id, by, next_at])).toEqual([
      [0, 2, at('10:00:00')],
      [1, 2, at('11:00:00')],
      [2, 2, at('22:00:00')],
    ]);
    expect(made).toMatchObject({ version: 3, due_at: at('10:00:00'), last_id: 2 });
  });

  it('that were due over an hour before they were asked for are missed; a little before, they come', () => {
    const made = schedule(
      { action: 'terminate', start_time: '2026-07-01T07:59:59Z' },
      { action: 'terminate', start_time: '+0' },
    );
    expect(made.of.map(({ next_at, last }) => [next_at, last?.verdict])).toEqual([
      [null, 'missed'],
      [at('08:00:00'), undefined],
    ]);
  });

  it.each([
    [
      '+3600',
      /^\+3600 counts from when the VM was made, 2026-07-01T08:00:00.000Z, and has passed: it is 2026-07-01T09/,
    ],
    ['2026-07-01 10:59', /^has passed: it is 2026-07-01T09:00:00.000Z\. Say a time to come/],
  ])('are not asked for at %s, which has passed', (start_time, detail) => {
    const wish: AddVmSchedule = { action: 'reboot', start_time, time_zone: 'Europe/Madrid' };
    expect(passedTime(wish, clock())).toEqual({ pointer: '/start_time', detail: expect.stringMatching(detail) });
    expect(passedTime(wish, clock(at('08:30:00')))).toBeNull();
    expect(passedTime(nightly, clock())).toBeNull();
  });

  it('are done once for the last time that they were due, and missed after an hour', () => {
    const hourly = entry(schedule({ action: 'reboot', recurrence: '0 * * * *' }));
    expect(lookAtDueAction(hourly, 'UTC', at('09:59:59'))).toBeNull();
    expect(lookAtDueAction(hourly, 'UTC', at('12:30:00'))).toMatchObject({
      isDeed: true,
      entry: { next_at: at('13:00:00'), last: { verdict: 'performed', due_at: at('12:00:00'), why: 'reboot' } },
    });
    const once = entry(schedule({ action: 'reboot', start_time: '+7200' }));
    const waiting: VmScheduleEntry = {
      ...once,
      last: {
        due_at: at('10:00:00'),
        at: at('10:00:00'),
        verdict: 'waits',
        why: 'somebody is at work',
        operation: null,
      },
    };
    expect(lookAtDueAction(waiting, 'UTC', at('11:00:01'))).toMatchObject({
      isDeed: false,
      entry: { next_at: null, last: { verdict: 'missed', why: 'for an hour somebody is at work' } },
    });
  });

  it('that wait are looked at again soon, and others when they are due', () => {
    const made = schedule({ action: 'reboot', start_time: '+7200' }, nightly);
    const now = at('10:00:05');
    const last = { due_at: at('10:00:00'), at: now, verdict: 'waits' as const, why: '', operation: null };
    expect(withScheduleEntry(made, { ...entry(made), last }, now)).toMatchObject({
      version: 3,
      due_at: at('10:00:15'),
    });
    expect(withScheduleEntry(made, { ...entry(made), next_at: null }, now).due_at).toEqual(at('22:00:00'));
  });

  it('are bounded: what is over gives way, and what is to come does not; ids are not used twice', () => {
    const full = schedule(...Array.from({ length: limits.vmSchedules.most }, () => nightly));
    expect(withSchedule(full, nightly, 2, clock())).toBeNull();
    const over = withScheduleEntry(full, { ...entry(full), next_at: null }, at('09:00:00'));
    const more = withSchedule(over, nightly, 2, clock());
    expect(more?.of.map(({ id }) => id)).toEqual([...Array.from({ length: 49 }, (_all, id) => id + 1), 50]);
    const fewer = withoutSchedule(more, 50, at('09:00:00'));
    expect([fewer?.of.length, fewer?.last_id, withoutSchedule(fewer, 50, at('09:00:00'))]).toEqual([49, 50, null]);
  });

  it.each<[Partial<AddVmSchedule>, string]>([
    [{}, ''],
    [{ start_time: '+60', recurrence: '* * * * *' }, ''],
    [{ start_time: 'some day' }, '/start_time'],
    [{ start_time: '+-60' }, '/start_time'],
    [{ recurrence: '61 * * * *' }, '/recurrence'],
    [{ start_time: '+60', time_zone: 'Mars/North' }, '/time_zone'],
  ])('are not at %j', (wish, pointer) => {
    expect(wrongSchedule({ action: 'reboot', ...wish }).map((finding) => finding.pointer)).toEqual([pointer]);
  });
});

describe('SCHED_ACTION of a VM template', () => {
  it('is one or a list, by OpenNebula’s names; what OpenNebula numbers itself is not read', () => {
    const one = { ID: '0', ACTION: 'terminate-hard', TIME: '+3600' };
    expect(scheduledIn(one)).toEqual({ wishes: [{ action: 'terminate-hard', start_time: '+3600' }], findings: [] });
    const two = [one, { ACTION: 'reboot', RECURRENCE: '0 4 * * sun', TIME_ZONE: 'Europe/Madrid' }];
    expect(scheduledIn(two).wishes).toHaveLength(2);
    expect(scheduledIn(undefined)).toEqual({ wishes: [], findings: [] });
  });

  it('says where what of it is wrong', () => {
    const wrong = [
      { ACTION: 'explode', TIME: '+1' },
      { ACTION: 'reboot', TIME: 'soon' },
      { ACTION: 'reboot' },
      'reboot',
    ];
    expect(scheduledIn(wrong).findings.map(({ pointer }) => pointer)).toEqual([
      '/SCHED_ACTION/0/ACTION',
      '/SCHED_ACTION/1/TIME',
      '/SCHED_ACTION/2',
      '/SCHED_ACTION/3',
    ]);
  });
});
